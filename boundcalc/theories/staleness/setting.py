"""The numbers that the statements read, in any number kind, each evaluated when it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

from boundcalc.arithmetic import RATIONALS, WIDE, Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.balls import UndecidedError
from boundcalc.arithmetic.best import EXACT_OPERATORS, enclosed, in_best_kind
from boundcalc.errors import InexactError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import TrainingSection
from boundcalc.theories.staleness.blocks import Pipeline, pipeline_of
from boundcalc.theories.staleness.chain import StaleChain, block_ends, stale_chain
from boundcalc.theories.staleness.coupling import (
    ChainCoupling,
    Coupling,
    PaperCoupling,
    SmoothCoupling,
    Weights,
    balanced,
    short,
)
from boundcalc.theories.staleness.lipschitz import error_gradient, first_lemma, second_lemma
from boundcalc.theories.staleness.method import Method, method_in
from boundcalc.theories.staleness.section import StalenessSection

T = TypeVar("T")


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
        found, proved = in_best_kind(lambda kind: formula(self.setting(kind)), self.graph.size)
        return Number(found, self.status(proved), limit=limit)

    def notes(self) -> tuple[str, ...]:
        """What to know of how the constants were found."""
        notes = [_SOURCES[self.coupling[0]]]
        if self.delay == 0:
            notes.append("all queues have length 0: plain backpropagation, without delays")
        if self.section.lipschitz is None and self.setting(WIDE).first is None:
            notes.append(
                "L is compiled without Lemma 1, which no theorem here needs: it takes the second "
                "derivative of an operator in its weights, which is not known"
            )
        return tuple(notes)

    def status(self, proved: bool) -> Status:
        """``sampled`` where constants hold on a region that was measured."""
        if self.graph.sampled:
            return Status.SAMPLED
        return Status.PROVED if proved else Status.COMPUTED

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
_CHOSEN = frozenset({"chain_refusal", "paper_weights", "coupling"})


class Setting:
    """The numbers of a problem in one kind; see :class:`Problem`.

    Raises
    ------
    SpecError
        When a number is read that the spec neither states nor lets be compiled.
    """

    def __init__(self, problem: Problem, kind: Arithmetic) -> None:
        self.problem, self.kind = problem, kind
        self._values = problem.graph.values(kind)

    @property
    def K(self) -> int:
        """The number of blocks."""
        return self.problem.K

    @property
    def delay(self) -> int:
        """Δt."""
        return self.problem.delay

    @cached_property
    def chain(self) -> StaleChain:
        """The constants of the chain."""
        return stale_chain(self.problem.graph, self.kind)

    @cached_property
    def smooth(self) -> Scalar:
        """The Lipschitz constant of ∇f: the smaller of what the spec says."""
        given = [self.problem.graph.spec.loss.smoothness, self.problem.section.lipschitz]
        stated = [x.evaluate(self.kind, self._values) for x in given if x is not None]
        if not stated:
            raise _missing("smoothness", "the Lipschitz constant of the gradient")
        found = stated[0] if len(stated) == 1 else self.kind.minimum(*stated)
        if not found > 0:
            raise SpecError(
                "not a positive number",
                where="loss.smoothness",
                value=str(given[0]),
                expected="> 0",
            )
        return found

    @cached_property
    def M(self) -> Scalar:
        """M: as given, or compiled."""
        stated = self.problem.section.error_gradient
        if stated is not None:
            return self._positive(stated, "staleness.error_gradient")
        return error_gradient(self.chain, block_ends(self.problem.pipeline), self.kind)

    @cached_property
    def L(self) -> Scalar:
        """L of [XHH]: as given, or the least that is proved to do."""
        stated = self.problem.section.lipschitz
        if stated is not None:
            return self._positive(stated, "staleness.lipschitz")
        weights, pipeline = self.problem.paper_weights, self.problem.pipeline
        found = self.kind.maximum(
            self.smooth**2, second_lemma(self.chain, weights, pipeline, self.M, self.kind)
        )
        first = self.first
        if first is not None:
            found = self.kind.maximum(found, first / self.M**2)
        return self.kind.sqrt(found)

    @cached_property
    def first(self) -> Scalar | None:
        """(LM)² that Lemma 1 needs; None where it is not known."""
        return first_lemma(self.problem.graph, self.problem.pipeline, self.chain, self.kind)

    @cached_property
    def gap(self) -> Scalar:
        """Δ₀."""
        return self._loss("initial_gap", "the initial gap f(x⁰) − f*")

    @cached_property
    def sigma(self) -> Scalar:
        """σ."""
        return self._loss("gradient_noise", "the sampling noise σ")

    @cached_property
    def method(self) -> Method:
        """β, s, and α/γ."""
        return method_in(self.problem.graph, self.kind)

    @cached_property
    def step(self) -> Scalar:
        """α, the step of SUM; for plain SGD γ itself."""
        step = self.problem.step
        if isinstance(step, Fraction):
            return self.kind.number(step) * self.method.scale
        if step is not None:
            return self._positive(step, "budget.step_size") * self.method.scale
        training = _training(self.problem.graph)
        return self._positive(training.step_size, "training.step_size") * self.method.scale

    def moved(self, step: Scalar) -> Setting:
        """The same numbers at another γ, without any of the work."""
        other = Setting(self.problem, self.kind)
        other.__dict__.update(self.__dict__)
        other.__dict__["step"] = step * self.method.scale
        return other

    @cached_property
    def horizon(self) -> int:
        """N, the number of updates."""
        if self.problem.horizon is not None:
            return self.problem.horizon
        return _training(self.problem.graph).horizon

    def made(self, option: tuple[str, Weights, Fraction]) -> Coupling:
        """The separable bound of a name."""
        name, _, t = option
        if name == "graph":
            return ChainCoupling(self.chain)
        if name == "lemma 1":
            return SmoothCoupling(self.L, self.M, self.K, t, self.kind)
        return PaperCoupling(self.L, self.M, self.K, self.kind)

    @cached_property
    def by_block(self) -> list[tuple[Scalar, int]]:
        """(κ_i, k) of every part i, k its block."""
        return self._shares(self.problem.coupling)

    @cached_property
    def shares(self) -> list[tuple[Scalar, int]]:
        """(κ_i, m_i) of every part that lags behind."""
        delays = self.problem.delays
        return [(kappa, delays[k]) for kappa, k in self.by_block if delays[k] > 0]

    def _shares(self, option: tuple[str, Weights, Fraction]) -> list[tuple[Scalar, int]]:
        name, weights, _ = option
        kappas = self.made(option).shares([self.kind.number(t) for t in weights])
        numbers = [*range(self.K)]
        if name == "graph":
            numbers = [b.number for b in self.problem.pipeline.blocks for _ in b.operators]
        return list(zip(kappas, numbers, strict=True))

    def largest(self, option: tuple[str, Weights, Fraction]) -> Scalar:
        """Q = max κ_i m_i² of a separable bound."""
        found = self.kind.number(0)
        for kappa, k in self._shares(option):
            found = self.kind.maximum(found, kappa * self.problem.delays[k] ** 2)
        return found

    @cached_property
    def Q(self) -> Scalar:
        """max κ_i m_i²: what delays do to the step-size limit."""
        return self.largest(self.problem.coupling)

    def _loss(self, name: str, meaning: str) -> Scalar:
        stated: Expression | None = getattr(self.problem.graph.spec.loss, name)
        if stated is None:
            raise _missing(name, meaning)
        return stated.evaluate(self.kind, self._values)

    def _positive(self, stated: Expression, where: str) -> Scalar:
        found = stated.evaluate(self.kind, self._values)
        if not found > 0:
            raise SpecError(
                "not a positive number", where=where, value=stated.source, expected="> 0"
            )
        return found


def _training(graph: OperatorGraph) -> TrainingSection:
    if graph.spec.training is None:
        raise SpecError(
            "a rate needs a step size and a horizon",
            where="training",
            expected="training: {step_size: α, horizon: N}",
            fix="add a `training` section",
        )
    return graph.spec.training


def _missing(name: str, meaning: str) -> SpecError:
    return SpecError(
        f"a rate needs {meaning}",
        where=f"loss.{name}",
        expected="a number ≥ 0",
        fix=f"add `{name}` to the `loss` section",
    )
