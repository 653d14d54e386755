"""Stepsize shrinkage as a theory among others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.theories.base import Options, Theory, Verb
from boundcalc.theories.runs import TheoryRun, run_answer
from boundcalc.theories.shrinkage import words
from boundcalc.theories.shrinkage.answers import budget_answer, compile_answer, rate_answer
from boundcalc.theories.shrinkage.assumed import assumptions
from boundcalc.theories.shrinkage.budget import shrinkage_budget
from boundcalc.theories.shrinkage.measured import measured
from boundcalc.theories.shrinkage.rate import shrinkage_rate
from boundcalc.theories.shrinkage.section import ShrinkageSection
from boundcalc.theories.shrinkage.setting import Case, case_of
from boundcalc.theories.shrinkage.verdicts import verdicts
from boundcalc.theories.values import Answer, Assumption, Composition, Drawn
from boundcalc.theories.verdicts import verdict_answer


class Shrinkage(Theory):
    """g̃_k = q_k g_k + e_k: low-precision gradients, shortened and noisy.

    [YUN]; docs/theory-shrinkage.md, section 11.  With ``perturbations`` in the spec g_k is the
    gradient of
    perturbed passes (Theorem 11.7).
    """

    name = "shrinkage"
    title = "Stepsize shrinkage in low precision"
    summary = (
        "A step receives q g + e with 0 < q ≤ 1: underflow, truncation or clipping shorten "
        "gradients. Nonconvex and PL rates, floors, compensation, and q from a number format."
    )
    citations = (words.YUN,)
    section = ShrinkageSection
    lenient = True
    compositions = (
        Composition(
            "perturbed",
            "The gradient that is shortened may come from perturbed passes: `perturbations` in the "
            "spec add their bias and variance, of which the bias is not shortened.",
            "docs/theory-shrinkage.md, Theorem 11.7",
        ),
    )

    def accepts(self, graph: OperatorGraph) -> None:
        """Plain SGD; factors in (0, 1]; a law with a variance."""
        why = not_plain_sgd(graph)
        if why is not None:
            training = graph.spec.training
            clipped = training is not None and training.clip is not None
            raise SpecError(
                why,
                where="training.clip" if clipped else "training.optimizer",
                expected="plain SGD: optimizer: sgd, without clip",
                fix="remove it; a clipped gradient is one that is shortened: give its `q`",
            )
        self._case(graph)

    def assumptions(self, graph: OperatorGraph) -> tuple[Assumption, ...]:
        """A1, A2, A4 and the gap; S1 to S3 of the shortened gradient."""
        return assumptions(graph, self._case(graph))

    def compile(self, graph: OperatorGraph) -> Answer:
        """Factors, variances and limits."""
        return compile_answer(self._case(graph))

    def rate(self, graph: OperatorGraph) -> Answer:
        """Every statement; the value is a ShrinkageRate."""
        return rate_answer(shrinkage_rate(self._case(graph)))

    def budget(self, graph: OperatorGraph) -> Answer:
        """Smallest q, largest σ_e, largest step; the value is a ShrinkageBudget."""
        case = self._case(graph)
        return budget_answer(case, shrinkage_budget(case))

    def simulate(self, graph: OperatorGraph, options: Options) -> Answer:
        """SGD with shortened gradients, by the NumPy engine."""
        return run_answer(measured(self._case(graph), options))

    def verify(self, graph: OperatorGraph, options: Options, run: Answer | None = None) -> Answer:
        """Every statement against the run, and the exact floor as an equality."""
        case = self._case(graph)
        made: TheoryRun = (run or self.simulate(graph, options)).value
        return verdict_answer(verdicts(case, shrinkage_rate(case), made))

    def figures(
        self, graph: OperatorGraph, answers: Mapping[Verb, Answer], folder: Path
    ) -> tuple[Drawn, ...]:
        """Floors and terms against q; of a format q and the noise against the gradient's scale."""
        from boundcalc.theories.shrinkage.figures import draw

        run = answers["simulate"].value if "simulate" in answers else None
        return draw(self._case(graph), run, folder)

    def _case(self, graph: OperatorGraph) -> Case:
        return case_of(graph, self.own(graph.spec))


THEORY = Shrinkage()
