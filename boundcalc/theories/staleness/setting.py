"""A spec with delays, and what is chosen for it once: blocks, weights of separable bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property

from boundcalc.arithmetic import RATIONALS, WIDE, Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.balls import UndecidedError
from boundcalc.arithmetic.best import EXACT_OPERATORS, enclosed
from boundcalc.errors import InexactError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.expressions import Expression
from boundcalc.theories.numbers import best_number
from boundcalc.theories.staleness.blocks import Pipeline, pipeline_of, trained
from boundcalc.theories.staleness.chain import stale_chain
from boundcalc.theories.staleness.coupling import (
    ChainCoupling,
    SmoothCoupling,
    Weights,
    balanced,
    short,
)
from boundcalc.theories.staleness.numbers import Setting
from boundcalc.theories.staleness.section import StalenessSection
from boundcalc.theories.staleness.smoothness import moved_chain

__all__ = ["Problem", "Setting"]


class Problem:
    """A spec with delays: what does not depend on the number kind.

    Parameters
    ----------
    graph, section
        A chain and its ``staleness``.
    delays
        Δt_k by block; by default those of the queues.
    step, horizon
        The step size γ and the number of updates, by default those of ``training``.
    """

    def __init__(
        self,
        graph: OperatorGraph,
        section: StalenessSection,
        delays: Sequence[int] | None = None,
        step: Fraction | Expression | None = None,
        horizon: int | None = None,
    ) -> None:
        self.graph, self.section, self.horizon = graph, section, horizon
        self.pipeline: Pipeline = pipeline_of(graph, section)
        self.delays = tuple(delays or self.pipeline.queues.delays)
        self.step = step
        self._settings: dict[str, Setting] = {}

    def at(self, step: Fraction) -> Problem:
        """The same at another step size; what was chosen before stays chosen."""
        other = Problem(self.graph, self.section, self.delays, step, self.horizon)
        other.__dict__.update(
            {key: value for key, value in self.__dict__.items() if key in _CHOSEN}
        )
        return other

    def delayed(self, delays: Sequence[int]) -> Problem:
        """The same with other delays."""
        return Problem(self.graph, self.section, delays, self.step, self.horizon)

    @property
    def K(self) -> int:
        """The number of blocks."""
        return len(self.pipeline.blocks)

    @property
    def delay(self) -> int:
        """Δt."""
        return max(self.delays)

    @cached_property
    def chain_refusal(self) -> SpecError | None:
        """Why the constants of the chain cannot be used; None where they can."""
        try:
            stale_chain(self.graph, WIDE)
        except SpecError as error:
            return error
        return None

    @cached_property
    def paper_weights(self) -> Weights:
        """Weights that make L small: those for κ_l/(k+1), l in block k."""
        coupling = ChainCoupling(stale_chain(self.graph, WIDE))
        return balanced(coupling, self.by_operator([Fraction(1, k + 1) for k in range(self.K)]))

    @cached_property
    def smooth_weights(self) -> Weights:
        """Weights that make the compiled Lipschitz constant of ∇f small."""
        moving = [Fraction(trained(node)) for node in self.graph.nodes]
        return balanced(ChainCoupling(moved_chain(self.graph, WIDE)), moving)

    @cached_property
    def coupling(self) -> tuple[str, Weights, Fraction]:
        """Which separable bound the sharp statements use: name, weights, and t of ``lemma 1``.

        The one with the least Q = max κ_i m_i² in floating point; all are sound.
        """
        squares = [Fraction(m) ** 2 for m in self.delays]
        options: list[tuple[str, Weights, Fraction]] = []
        setting, none = self.setting(WIDE), Fraction(1)
        if self.chain_refusal is None:
            chain = ChainCoupling(setting.chain)
            options.append(("graph", balanced(chain, self.by_operator(squares)), none))
            pairs = zip(self.paper_weights, self.by_operator(squares), strict=True)
            options.append(("graph", tuple(t if w > 0 else w for t, w in pairs), none))
        if self.section.lipschitz is not None:
            ones = tuple(Fraction(m > 0) for m in self.delays)
            options.append(("lemma 2", ones, none))
            for part in (Fraction(1, 4), Fraction(1, 2), Fraction(1)):
                t = short(setting.M * self.K * WIDE.number(part))
                trial = SmoothCoupling(setting.L, setting.M, self.K, t, WIDE)
                options.append(("lemma 1", balanced(trial, squares), t))
        if not options:
            assert self.chain_refusal is not None  # noqa: S101 - no other way to have none
            raise self.chain_refusal
        return min(options, key=lambda option: setting.largest(option))

    def by_operator(self, by_block: Sequence[Fraction]) -> list[Fraction]:
        """Values by block as values by operator."""
        pairs = zip(self.pipeline.blocks, by_block, strict=True)
        return [value for block, value in pairs for _ in block.operators]

    def setting(self, kind: Arithmetic) -> Setting:
        """The numbers in a kind."""
        if kind.name not in self._settings:
            self._settings[kind.name] = Setting(self, kind)
        return self._settings[kind.name]

    def number(self, formula: Callable[[Setting], Scalar], *, limit: bool = False) -> Number:
        """A formula's value in the best kind, with its status."""
        return best_number(
            lambda kind: formula(self.setting(kind)),
            size=self.graph.size,
            status=self.status,
            limit=limit,
        )

    def notes(self) -> tuple[str, ...]:
        """What to know of how the constants were found."""
        notes = [_SOURCES[self.coupling[0]]]
        given = (self.graph.spec.loss.smoothness, self.section.lipschitz)
        if given == (None, None):
            notes.append(
                "the Lipschitz constant of the gradient is compiled from the constants of the "
                "operators"
            )
        if self.delay == 0:
            notes.append("all queues have length 0: plain backpropagation, without delays")
        if self.section.lipschitz is None and self.setting(WIDE).first is None:
            notes.append(
                "L is compiled without Lemma 1, which no theorem here needs: it takes the second "
                "derivative of an operator in its weights, which is not known"
            )
        return tuple(notes)

    @property
    def status(self) -> Status:
        """What any number may claim at best: ``sampled`` on a region that was measured."""
        return Status.SAMPLED if self.graph.sampled else Status.PROVED

    def decided(self, question: Callable[[Setting], object]) -> bool | None:
        """The answer to a comparison; None where enclosures leave it open."""

        def ask(kind: Arithmetic) -> bool:
            return bool(question(self.setting(kind)))

        if self.graph.size <= EXACT_OPERATORS:
            try:
                return ask(RATIONALS)
            except InexactError:
                pass
        try:
            return enclosed(ask)
        except UndecidedError:
            return None
        except InexactError:
            return ask(WIDE)


_SOURCES = {
    "graph": "the sharp statements use the constants of the operators",
    "lemma 1": "the sharp statements use `lipschitz` and Lemma 1, block by block",
    "lemma 2": "the sharp statements use `lipschitz` and Lemma 2, block by block",
}

#: What :meth:`Problem.at` hands on.
_CHOSEN = frozenset({"chain_refusal", "paper_weights", "smooth_weights", "coupling"})
