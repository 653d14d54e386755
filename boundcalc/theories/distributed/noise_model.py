"""The numbers of a ``distributed`` section in one number kind, and what noise does to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.arithmetic.number import format_number
from boundcalc.errors import InexactError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.expressions import Expression
from boundcalc.theories.distributed.section import DistributedSection, listed


@dataclass(frozen=True)
class Setting:
    """The section's numbers.

    Attributes
    ----------
    agents, dimension
        N and d.
    L0, L1, epsilon, nu, truncation, snr, gradient_bound
        As in the section; None where it says nothing.
    omega, sigma0, sigma1, sigma_max
        By agent, or one number for all.
    kind
        The number kind.
    """

    agents: int
    dimension: int
    L0: Scalar
    L1: Scalar
    epsilon: Scalar
    omega: tuple[Scalar, ...]
    sigma0: tuple[Scalar, ...]
    sigma1: tuple[Scalar, ...]
    sigma_max: tuple[Scalar, ...] | None
    nu: Scalar | None
    truncation: Scalar | None
    snr: Scalar | None
    gradient_bound: Scalar | None
    kind: Arithmetic

    def average(self, values: tuple[Scalar, ...]) -> Scalar:
        """The mean over agents."""
        return sum(values[1:], values[0]) / len(values)

    def largest(self, values: tuple[Scalar, ...]) -> Scalar:
        """The maximum over agents."""
        found = values[0]
        for value in values[1:]:
            found = self.kind.maximum(found, value)
        return found

    def moment(self, sigma: tuple[Scalar, ...]) -> Scalar | None:
        """v·avg_i (1 + ω_i)σ_i²; None where it is infinite."""
        if all(s == 0 for s in sigma):
            return self.kind.number(0)
        factor = self.variance_factor
        if factor is None:
            return None
        pairs = paired(self.omega, sigma)
        return factor * self.average(tuple((1 + w) * s**2 for w, s in pairs))

    @cached_property
    def variance_factor(self) -> Scalar | None:
        """v: the variance of a component is at most vσ²; None where it is infinite.

        1 for Gaussian noise, ν/(ν − 2) for Student's t with ν > 2, and at most τ² where noise is
        cut at τσ: cutting at a symmetric interval about the mean never adds variance.
        """
        kind = self.kind
        cut = None if self.truncation is None else self.truncation**2
        if self.nu is None:
            whole: Scalar | None = kind.number(1)
        else:
            whole = self.nu / (self.nu - 2) if self.nu > 2 else None
        if cut is None or whole is None:
            return whole if cut is None else cut
        return kind.minimum(whole, cut)

    @cached_property
    def A(self) -> Scalar | None:
        """[ω̄ + d(avg σ1²ω + avg σ1²)]/N; E‖ĝ‖² ≤ (1 + A)‖∇f‖² + B'.  None where infinite.

        Source: docs/theory-distributed.md, Lemma 12.3.
        """
        noise = self.moment(self.sigma1)
        if noise is None:
            return None
        return (self.average(self.omega) + self.dimension * noise) / self.agents

    @cached_property
    def B(self) -> Scalar | None:
        """B' = d(avg σ0² + avg σ0²ω)/N (Lemma 12.3); None where it is infinite."""
        noise = self.moment(self.sigma0)
        return None if noise is None else self.dimension * noise / self.agents

    @property
    def levels(self) -> tuple[Scalar, Scalar]:
        """A and B', both finite.

        Raises
        ------
        ValueError
            If the noise's variance is infinite.
        """
        A, B = self.A, self.B
        if A is None or B is None:
            raise ValueError("the variance of the noise is infinite")
        return A, B

    @property
    def noisy(self) -> bool:
        """Whether there may be noise at all."""
        return not all(s == 0 for s in (*self.sigma0, *self.sigma1))

    @property
    def bounded(self) -> bool:
        """Whether the length of a step is surely bounded, or costs no more than its square."""
        return self.L1 == 0 or not self.noisy or self.truncation is not None

    @cached_property
    def reach(self) -> Scalar:
        """R with L1γ‖ĝ‖ ≤ γ(L0 + L1‖∇f‖)·R surely.

        R = avg_i (1 + ω_i) max(1 + τ√d·σ1_i, L1τ√d·σ0_i/L0): docs/theory-distributed.md, Lemma
        12.4.

        Raises
        ------
        ValueError
            If the noise is not :attr:`bounded`.
        """
        if self.L1 == 0:
            return self.kind.number(0)
        if not self.noisy:
            return 1 + self.average(self.omega)
        if self.truncation is None:
            raise ValueError("the noise is unbounded")
        length = self.truncation * self.kind.sqrt(self.kind.number(self.dimension))
        parts = tuple(
            (1 + w) * self.kind.maximum(1 + length * s1, self.L1 * length * s0 / self.L0)
            for w, s0, s1 in paired(self.omega, self.sigma0, self.sigma1)
        )
        return self.average(parts)


def paired(*lists: tuple[Scalar, ...]) -> list[tuple[Scalar, ...]]:
    """Numbers by agent side by side; one number stands for all agents.

    >>> paired((1,), (2, 3))
    [(1, 2), (1, 3)]
    """
    n = max(map(len, lists))
    return list(zip(*(values * n if len(values) == 1 else values for values in lists), strict=True))


def setting_in(graph: OperatorGraph, section: DistributedSection, kind: Arithmetic) -> Setting:
    """The section in one number kind.

    Raises
    ------
    SpecError
        If a number with symbols turns out not to be what the section needs.
    """
    values = graph.values(kind)

    def one(name: str) -> Scalar | None:
        given: Expression | None = getattr(section, name)
        if given is None:
            return None
        found = given.evaluate(kind, values)
        _check(name, found, positive=name in _POSITIVE, below_one=name == "epsilon")
        return found

    def several(name: str, given: list[Expression]) -> tuple[Scalar, ...]:
        found = tuple(expression.evaluate(kind, values) for expression in given)
        for value in found:
            _check(name, value, positive=False)
        return found

    sigma0, sigma1 = section.scale
    if section.compressor is None:
        omega = several("omega", listed(section.omega))
    else:
        k = section.compressor.k
        omega = (kind.number(section.dimension) / k - 1,)
    bounds = section.sigma_max
    return Setting(
        agents=section.agents,
        dimension=section.dimension,
        L0=one("L0"),
        L1=one("L1"),
        epsilon=one("epsilon"),
        omega=omega,
        sigma0=several("sigma0", sigma0),
        sigma1=several("sigma1", sigma1),
        sigma_max=None if bounds is None else several("sigma_max", listed(bounds)),
        nu=one("nu"),
        truncation=one("truncation"),
        snr=one("snr"),
        gradient_bound=one("gradient_bound"),
        kind=kind,
    )


_POSITIVE = ("L0", "epsilon", "nu", "truncation", "snr")


def _check(name: str, value: Scalar, *, positive: bool, below_one: bool = False) -> None:
    try:
        good = value > 0 if positive else value >= 0
        good = good and (not below_one or value < 1)
    except InexactError:
        good = not positive  # a root that may be 0 is a size, but no divisor
    if not good:
        expected = "0 < ϵ < 1" if below_one else "> 0" if positive else "≥ 0"
        raise SpecError(
            "a number out of range",
            where=f"distributed.{name}",
            value=format_number(value),
            expected=expected,
        )
