"""The numbers that the statements read, in any number kind, each evaluated when it is read."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import TrainingSection
from boundcalc.theories.staleness.chain import StaleChain, block_ends, stale_chain
from boundcalc.theories.staleness.coupling import (
    ChainCoupling,
    Coupling,
    PaperCoupling,
    SmoothCoupling,
    Weights,
)
from boundcalc.theories.staleness.lipschitz import error_gradient, first_lemma, second_lemma
from boundcalc.theories.staleness.method import Method, method_in
from boundcalc.theories.staleness.smoothness import moved_chain, smoothness

if TYPE_CHECKING:
    from boundcalc.theories.staleness.setting import Problem


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
        """The Lipschitz constant of ∇f: ``loss.smoothness``, else ``lipschitz``, else compiled."""
        stated = self.problem.graph.spec.loss.smoothness
        if stated is not None:
            return self._positive(stated, "loss.smoothness")
        if self.problem.section.lipschitz is not None:
            return self._positive(self.problem.section.lipschitz, "staleness.lipschitz")
        return self._compiled_smoothness()

    def _compiled_smoothness(self) -> Scalar:
        chain, weights = moved_chain(self.problem.graph, self.kind), self.problem.smooth_weights
        simulation = self.problem.graph.spec.simulation
        strength = self.kind.number(0)
        if simulation is not None:
            strength = simulation.regulariser.strength.evaluate(self.kind, self._values)
        found = smoothness(chain, weights, strength, self.kind)
        if not found > 0:
            raise SpecError(
                "the Lipschitz constant of the gradient that is compiled from the graph is 0",
                where="loss.smoothness",
                expected="> 0",
                fix="give operators with weights, or add `smoothness` to the `loss` section",
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
        """L of [XHH]: as given, or the least that is proved to do; never below that of ∇f."""
        stated = self.problem.section.lipschitz
        if stated is not None:
            given = self._positive(stated, "staleness.lipschitz")
            if self.problem.graph.spec.loss.smoothness is None:
                return given
            return self.kind.maximum(given, self.smooth)
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
