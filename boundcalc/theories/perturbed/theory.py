"""Perturbed forward and backward passes as a theory among others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcalc.graph import OperatorGraph
from boundcalc.theories.base import Options, Theory
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.theories.perturbed.families import KZY as CITED
from boundcalc.theories.values import Answer, Assumption, Citation

if TYPE_CHECKING:
    from boundcalc.rates import Rates
    from boundcalc.report.cells import Block, Document
    from boundcalc.report.gather import Findings
    from boundcalc.theories.perturbed.coefficients import Coefficients
    from boundcalc.verify import Verdicts

KZY = Citation(
    "KZY",
    CITED,
    """@misc{KZY,
  author        = {Kong, Boao and Zhang, Hengrui and Yuan, Kun},
  title         = {On the Convergence of Stochastic Gradient Descent with Perturbed
                   Forward-Backward Passes},
  year          = {2026},
  eprint        = {2602.20646},
  archivePrefix = {arXiv}
}""",
)


# Each command imports what it needs: `rate` shall not wait for plots.
class PerturbedPasses(Theory):
    """Additive δ after operators and ε on gradients passed back; three families of bounds.

    [KZY]; docs/theory.md, sections 2 to 6.  The answers' values are those of
    :mod:`boundcalc.rates`, :mod:`boundcalc.budgets`, :mod:`boundcalc.simulate` and
    :mod:`boundcalc.verify`.
    """

    name = "perturbed"
    title = "Perturbed forward and backward passes"
    summary = (
        "Noise δ after an operator and ε on a gradient passed back: quantisation, compression, "
        "bit flips. Error and bias of the gradient, nonconvex and PL rates."
    )
    citations = (KZY,)

    def accepts(self, graph: OperatorGraph) -> None:
        """Any graph: what a family cannot speak of it refuses by itself, with the reason."""
        del graph

    def assumptions(self, graph: OperatorGraph) -> tuple[Assumption, ...]:
        """A1, A2, A4 and the gap; A3 by operator is the table of constants."""
        from boundcalc.report.cells import Maths
        from boundcalc.theories.ledger import objective_assumptions

        a3 = Assumption(
            "A3",
            ("every operator has the constants of the table: ", Maths(r"a, b, \ell, A, B, A', B'")),
        )
        moments = Assumption(
            "levels",
            "every perturbation has the moments that the spec states or its model implies",
        )
        return (*objective_assumptions(graph), a3, moments)

    def compile(self, graph: OperatorGraph) -> Answer:
        """Coefficients of every family; in JSON those of sharp."""
        from boundcalc.report.coefficient_blocks import coefficient_blocks
        from boundcalc.report.results import compile_results

        found = _compiled(graph)
        return Answer(
            found,
            lambda: compile_results(found["sharp"], graph=True),
            lambda: coefficient_blocks(_findings(graph)),
        )

    def rate(self, graph: OperatorGraph) -> Answer:
        """Nonconvex and PL bounds of every family."""
        from boundcalc.rates import rates

        found = rates(graph)

        def data() -> dict[str, Any]:
            from boundcalc.report.results import rate_results

            return rate_results(found)

        def blocks() -> tuple[Block, ...]:
            from boundcalc.report.rate_blocks import rate_blocks

            return rate_blocks(_findings(graph, rates=found))

        return Answer(found, data, blocks)

    def budget(self, graph: OperatorGraph) -> Answer:
        """Admissible magnitudes and frequencies."""
        from boundcalc.budgets.budget import budget
        from boundcalc.report.budget_blocks import budget_blocks
        from boundcalc.report.budget_results import budget_results
        from boundcalc.report.gather import Findings

        found = budget(graph)
        findings = Findings(graph, {}, None, "", None, "", found)
        return Answer(
            found, lambda: budget_results(found), lambda: budget_blocks(findings, lambda *_: ())
        )

    def simulate(self, graph: OperatorGraph, options: Options) -> Answer:
        """The chain with its perturbations, by either engine."""
        from boundcalc.simulate import simulate

        run = simulate(
            graph, engine=options.engine, threads=options.threads, progress=options.progress
        )

        def data() -> dict[str, Any]:
            from boundcalc.report.simulation_results import simulate_results

            return simulate_results(run)

        def blocks() -> tuple[Block, ...]:
            from boundcalc.theories.runs import TheoryRun, metric_table

            shown = TheoryRun(
                run.metrics, run.seed, run.replicas, run.steps, run.seconds, run.confidence
            )
            return (metric_table(shown),)

        return Answer(run, data, blocks)

    def verify(self, graph: OperatorGraph, options: Options, run: Answer | None = None) -> Answer:
        """Every family's bounds against the run."""
        from boundcalc.verify import verify

        found = verify(graph, run=(run or self.simulate(graph, options)).value)

        def data() -> dict[str, Any]:
            from boundcalc.report.simulation_results import verify_results

            return verify_results(found)

        def blocks() -> tuple[Block, ...]:
            from boundcalc.report.verdict_blocks import verdict_blocks

            return verdict_blocks(_findings(graph, rates=found.rates, verdicts=found))

        return Answer(found, data, blocks, exit_code=found.exit_code)

    def compose(
        self, graph: OperatorGraph, folder: Path, options: Options
    ) -> tuple[Document, Mapping[str, Any]]:
        """The long report, with the network, its coefficients and their formulas."""
        from boundcalc.report.write import compose

        return compose(graph, folder, options.progress)


def _compiled(graph: OperatorGraph) -> dict[str, Coefficients]:
    from boundcalc.theories.perturbed.coefficients import coefficients

    return {name: coefficients(graph, name) for name in FAMILIES}


def _findings(
    graph: OperatorGraph, *, rates: Rates | None = None, verdicts: Verdicts | None = None
) -> Findings:
    from boundcalc.report.gather import Findings

    return Findings(graph, _compiled(graph), rates, "", verdicts, "")


THEORY = PerturbedPasses()
