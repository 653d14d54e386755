"""Layer-wise staleness as a theory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from boundcalc.arithmetic import WIDE
from boundcalc.graph import OperatorGraph
from boundcalc.spec.fields import Frozen
from boundcalc.theories.base import Options, Theory, Verb
from boundcalc.theories.staleness.answers import budget_answer, compile_answer, rate_answer
from boundcalc.theories.staleness.blocks import pipeline_of
from boundcalc.theories.staleness.budget import budgets
from boundcalc.theories.staleness.compiled import compiled
from boundcalc.theories.staleness.ledger import assumptions
from boundcalc.theories.staleness.method import check_method, method_in
from boundcalc.theories.staleness.rate import rates
from boundcalc.theories.staleness.section import StalenessSection
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.values import Answer, Assumption, Citation, Composition, Drawn

XHH = Citation(
    key="XHH",
    text="A. Xu, Z. Huo, H. Huang, On the Acceleration of Deep Learning Model Parallelism with "
    "Staleness, CVPR 2020, arXiv 1909.02625",
    bibtex="""@inproceedings{XHH,
  author    = {Xu, An and Huo, Zhouyuan and Huang, Heng},
  title     = {On the Acceleration of Deep Learning Model Parallelism with Staleness},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year      = {2020},
  note      = {arXiv:1909.02625}
}""",
)


class Staleness(Theory):
    """Pipelines whose blocks run forward with older weights than backward."""

    name: ClassVar[str] = "staleness"
    title: ClassVar[str] = "Layer-wise staleness"
    summary: ClassVar[str] = (
        "A pipeline of blocks, each of which runs forward with older weights than backward. SGD "
        "and stochastic unified momentum under the delays of its queues."
    )
    citations: ClassVar[tuple[Citation, ...]] = (XHH,)
    section: ClassVar[type[Frozen] | None] = StalenessSection
    lenient: ClassVar[bool] = True
    compositions: ClassVar[tuple[Composition, ...]] = (
        Composition(
            "perturbed",
            "error and mean bounds of perturbed passes hold along stale passes, and both biases "
            "add",
            "docs/theory-staleness.md, Theorem 10.9",
        ),
    )

    def accepts(self, graph: OperatorGraph) -> None:
        """The spec must be a chain whose queues fit it."""
        check_method(graph)
        pipeline_of(graph, self.own(graph.spec))
        method_in(graph, WIDE)

    def assumptions(self, graph: OperatorGraph) -> tuple[Assumption, ...]:
        """Smoothness, noise, and the constants of [XHH]."""
        return assumptions(graph, self.own(graph.spec))

    def compile(self, graph: OperatorGraph) -> Answer:
        """Constants and step-size limits."""
        return compile_answer(compiled(self._problem(graph)))

    def rate(self, graph: OperatorGraph) -> Answer:
        """The statements at the spec's step size."""
        return rate_answer(rates(self._problem(graph)))

    def budget(self, graph: OperatorGraph) -> Answer:
        """The largest delay."""
        problem = self._problem(graph)
        return budget_answer(budgets(problem), problem.pipeline.queues)

    def simulate(self, graph: OperatorGraph, options: Options) -> Answer:
        """The pipeline, run."""
        from boundcalc.theories.staleness import run as runs

        return runs.simulate(self, graph, options)

    def verify(self, graph: OperatorGraph, options: Options, run: Answer | None = None) -> Answer:
        """Every statement against a run."""
        from boundcalc.theories.staleness import verify as checks

        return checks.verify(self, graph, options, run)

    def figures(
        self, graph: OperatorGraph, answers: Mapping[Verb, Answer], folder: Path
    ) -> tuple[Drawn, ...]:
        """Timetable, gradient differences and bounds."""
        from boundcalc.theories.staleness import figures

        return figures.draw(graph, answers, folder)

    def _problem(self, graph: OperatorGraph) -> Problem:
        return Problem(graph, self.own(graph.spec))


THEORY = Staleness()
