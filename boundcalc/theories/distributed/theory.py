"""Distributed SGD, compressed SGD and sign SGD as a theory of this package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from boundcalc.graph import OperatorGraph
from boundcalc.spec.fields import Frozen
from boundcalc.theories.base import Options, Theory, Verb
from boundcalc.theories.distributed.checks import check_section, check_spec
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.values import Answer, Assumption, Citation, Drawn

COM = Citation(
    key="COM",
    text="E. Monzio Compagnoni, R. Islamov, A. Orvieto, E. Gorbunov, On the interaction of noise, "
    "compression role, and adaptivity under (L0, L1)-smoothness: an SDE-based approach, "
    "arXiv:2506.00181, 2025",
    bibtex="""@article{COM,
  title   = {On the Interaction of Noise, Compression Role, and Adaptivity under
             $(L_0, L_1)$-Smoothness: An {SDE}-based Approach},
  author  = {Monzio Compagnoni, Enea and Islamov, Rustem and Orvieto, Antonio
             and Gorbunov, Eduard},
  journal = {arXiv preprint arXiv:2506.00181},
  year    = {2025}
}""",
)


class DistributedTheory(Theory):
    """D(C)SGD and DSignSGD under (L0, L1)-smoothness and heavy-tailed noise."""

    name: ClassVar[str] = "distributed"
    title: ClassVar[str] = "Distributed SGD with compression and sign"
    summary: ClassVar[str] = (
        "N agents send compressed gradients, or their signs, of an (L0, L1)-smooth objective, "
        "under noise that may grow with the gradient or have heavy tails."
    )
    citations: ClassVar[tuple[Citation, ...]] = (COM,)
    section: ClassVar[type[Frozen] | None] = DistributedSection
    lenient: ClassVar[bool] = True

    def accepts(self, graph: OperatorGraph) -> None:
        """Plain steps without perturbed passes, and a section whose numbers fit the graph.

        Raises
        ------
        SpecError
            For perturbations, another optimizer, clipping, sampling noise beside that of the
            agents, numbers out of range, or a dimension that is not the graph's.
        """
        check_spec(graph.spec)
        check_section(graph, self.own(graph.spec))

    def assumptions(self, graph: OperatorGraph) -> tuple[Assumption, ...]:
        """(L0, L1), the noise, the compression, and what is chosen."""
        from boundcalc.theories.distributed.ledger import assumptions

        return assumptions(graph, self.own(graph.spec))

    def compile(self, graph: OperatorGraph) -> Answer:
        """Step conditions, and the modified equations' drift and diffusion as formulas."""
        from boundcalc.theories.distributed.compiling import compiled

        return compiled(graph, self.own(graph.spec))

    def rate(self, graph: OperatorGraph) -> Answer:
        """The statements at the spec's steps, and the step conditions."""
        from boundcalc.theories.distributed.rate import rate

        return rate(graph, self.own(graph.spec))

    def budget(self, graph: OperatorGraph) -> Answer:
        """The largest compression and noise, and the fewest agents, for a target."""
        from boundcalc.theories.distributed.budget import budget

        return budget(graph, self.own(graph.spec))

    def simulate(self, graph: OperatorGraph, options: Options) -> Answer:
        """The agents, run: what stays bounded, and the left sides of the statements."""
        from boundcalc.theories.distributed.run import simulate

        return simulate(self, graph, options)

    def verify(self, graph: OperatorGraph, options: Options, run: Answer | None = None) -> Answer:
        """The statements held against a run."""
        from boundcalc.theories.distributed.verify import verify

        return verify(self, graph, options, run)

    def figures(
        self, graph: OperatorGraph, answers: Mapping[Verb, Answer], folder: Path
    ) -> tuple[Drawn, ...]:
        """Runs of the algorithms and the share that stays bounded."""
        from boundcalc.theories.distributed.figures import draw

        return draw(graph, answers, folder)


THEORY = DistributedTheory()
