"""The numbers that the statements are made of, in any number kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import converted, in_best_kind
from boundcalc.arithmetic.number import worst
from boundcalc.graph import OperatorGraph
from boundcalc.rates.inputs import problem, problem_in
from boundcalc.spec.fields import Frozen
from boundcalc.theories.shrinkage.checking import check_factors
from boundcalc.theories.shrinkage.deciding import decided
from boundcalc.theories.shrinkage.formats.projection import Projection, project
from boundcalc.theories.shrinkage.levels import PassLevels, pass_levels
from boundcalc.theories.shrinkage.section import ShrinkageSection
from boundcalc.theories.shrinkage.sequences import Factors, factors_of


@dataclass(frozen=True)
class Setting:
    """The problem in one number kind.

    Attributes
    ----------
    L, m, gap, step, horizon
        Smoothness, PL constant (None without PL), Δ₀, μ and K.
    variance, bias
        V and B²: σ² and 0 without perturbed passes.
    noise
        σ_e².
    q, lengths, counts
        The factors, how long each is held, and how many steps each takes in all.
    q_min
        A lower bound of all factors.
    pattern, past
        Whether the factors repeat; whether only ``q_min`` is known.
    compensated
        Whether the step is μ/q_k.
    decay
        φ_k of μ_k = μφ_k: ``constant``, ``inverse_sqrt`` or ``inverse``.
    """

    kind: Arithmetic
    L: Scalar
    m: Scalar | None
    gap: Scalar
    step: Scalar
    horizon: int
    variance: Scalar
    bias: Scalar
    noise: Scalar
    q: tuple[Scalar, ...]
    runs: tuple[tuple[int, int], ...]
    counts: tuple[int, ...]
    q_min: Scalar
    pattern: bool
    past: bool
    compensated: bool
    decay: str

    @property
    def q_max(self) -> Scalar:
        """An upper bound of all factors."""
        if self.past:
            return self.kind.number(1)
        return _extreme(self.q, self.kind.maximum)

    @property
    def constant(self) -> bool:
        """Whether q_k is the same known number at every step."""
        return len(self.q) == 1 and not self.past


@dataclass(frozen=True)
class Case:
    """A spec as the theory reads it.

    Attributes
    ----------
    factors
        The sequence of a spec that gives one.
    projection
        What follows from a format; None without one.
    levels
        Of perturbed passes.
    changed
        Numbers that replace those of the spec: ``q``, ``noise`` (σ_e), ``step``.
    compensated
        In place of what the spec says, if not None.
    """

    graph: OperatorGraph
    own: ShrinkageSection
    factors: Factors | None
    projection: Projection | None
    levels: PassLevels
    changed: dict[str, Fraction] = field(default_factory=dict)
    compensated: bool | None = None

    @property
    def horizon(self) -> int:
        """K."""
        assert self.graph.spec.training is not None  # noqa: S101 - case_of() has looked
        return self.graph.spec.training.horizon

    @property
    def kind(self) -> str:
        """``constant``, ``pattern``, ``segments`` or ``past``."""
        return "constant" if self.factors is None or "q" in self.changed else self.factors.kind

    def at(self, kind: Arithmetic) -> Setting:
        """All numbers in one kind; O(length of the sequence)."""
        p = problem_in(self.graph, kind)
        spread, bias = self.levels.in_kind(p.sigma, kind)
        q, noise = self._factors(kind)
        own_min = self.own.q_min
        lowest = _extreme(q, kind.minimum)
        if own_min is not None and "q" not in self.changed:
            lowest = own_min.evaluate(kind, self.graph.values(kind))
        simple = self.factors is None or "q" in self.changed
        return Setting(
            kind=kind,
            L=p.L,
            m=p.mu,
            gap=p.gap,
            step=kind.number(self.changed["step"]) if "step" in self.changed else p.step,
            horizon=p.horizon,
            variance=spread,
            bias=bias,
            noise=noise**2,
            q=q,
            runs=((0, p.horizon),) if simple else self._runs(p.horizon),
            counts=(p.horizon,) if simple else self._counts(p.horizon),
            q_min=lowest,
            pattern=self.kind == "pattern",
            past=self.kind == "past",
            compensated=self.own.compensation if self.compensated is None else self.compensated,
            decay=self.own.steps.type,
        )

    def evaluated(self, compute: Callable[[Setting], Any]) -> tuple[Any, Status]:
        """A formula in the best kind, and what may be claimed of it."""
        size = 1 if self.factors is None else len(self.factors.values)
        found, proved = in_best_kind(lambda kind: compute(self.at(kind)), size)
        status = Status.PROVED if proved else Status.COMPUTED
        return found, worst(status, self.levels.status)

    def number(
        self, compute: Callable[[Setting], Scalar | None], *, limit: bool = False
    ) -> Number | None:
        """The same as a printed number."""
        found, status = self.evaluated(compute)
        return None if found is None else Number(found, status, limit=limit)

    def holds(self, test: Callable[[Setting], object]) -> bool | None:
        """A certain comparison, or None."""
        return decided(lambda kind: test(self.at(kind)))

    def replaced(self, *, compensated: bool | None = None, **numbers: Fraction) -> Case:
        """With other numbers in place of the spec's."""
        chosen = self.compensated if compensated is None else compensated
        return replace(self, changed={**self.changed, **numbers}, compensated=chosen)

    def _factors(self, kind: Arithmetic) -> tuple[tuple[Scalar, ...], Scalar]:
        """The factors and σ_e."""
        values = self.graph.values(kind)
        if {"q", "noise"} <= self.changed.keys():
            return (kind.number(self.changed["q"]),), kind.number(self.changed["noise"])
        if self.projection is not None:
            q: tuple[Scalar, ...] = (converted(self.projection.q, kind),)
            noise = converted(self.projection.noise, kind)
        else:
            assert self.factors is not None  # noqa: S101 - one of the two is there
            q = tuple(value.evaluate(kind, values) for value in self.factors.values)
            noise = self.own.quantization_noise.evaluate(kind, values)
        if "q" in self.changed:
            q = (kind.number(self.changed["q"]),)
        if "noise" in self.changed:
            noise = kind.number(self.changed["noise"])
        return q, noise

    def _runs(self, horizon: int) -> tuple[tuple[int, int], ...]:
        assert self.factors is not None  # noqa: S101 - the caller has looked
        return () if self.factors.kind == "pattern" else self.factors.runs(horizon)

    def _counts(self, horizon: int) -> tuple[int, ...]:
        assert self.factors is not None  # noqa: S101 - the caller has looked
        return self.factors.counts(horizon)


def case_of(graph: OperatorGraph, own: Frozen) -> Case:
    """The case of a graph, with its numbers checked.

    Raises
    ------
    SpecError
        If a number that every statement needs is missing, a factor is above 1, or ``q_min`` is
        above a factor.
    """
    assert isinstance(own, ShrinkageSection)  # noqa: S101 - the theory's own section
    problem(graph)
    if own.format is not None:
        found = Case(graph, own, None, project(own.format, graph), pass_levels(graph))
    else:
        factors = factors_of(own)
        check_factors(graph, own, factors)
        found = Case(graph, own, factors, None, pass_levels(graph))
    return found


def _extreme(values: tuple[Scalar, ...], chosen: Callable[[Scalar, Scalar], Scalar]) -> Scalar:
    found = values[0]
    for value in values[1:]:
        found = chosen(found, value)
    return found
