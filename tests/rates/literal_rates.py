"""Theorems 3 to 5 of [KZY], 6.1 and 6.2, step by step, and the specs that they are tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import mpmath
from theories import literal

from boundcalc import build, loads
from boundcalc.arithmetic.balls import Ball
from boundcalc.graph import ChainConstants, Levels, OperatorGraph, UniformConstants

REFERENCE = mpmath.MPContext()
REFERENCE.prec = 240


def high(value: Any) -> Any:
    """A rational, the midpoint of a ball or a wide number at 240 bits."""
    if isinstance(value, Ball):
        mantissa, exponent = value.middle
        return REFERENCE.ldexp(REFERENCE.mpf(mantissa), exponent)
    if isinstance(value, Fraction | int):
        return REFERENCE.mpf(Fraction(value).numerator) / Fraction(value).denominator
    return REFERENCE.mpf(value)


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> bool:
    found, expected = high(found), high(expected)
    return bool(abs(found - expected) <= tolerance * abs(expected))


#: Schedule key → whether step t of T belongs to it.
ACTS: dict[str, Callable[[Any, int, int], bool]] = {
    "always": lambda value, t, T: True,
    "every": lambda value, t, T: t % value == 0,
    "first": lambda value, t, T: t < value,
    "last": lambda value, t, T: t >= T - value,
    "steps": lambda value, t, T: t in value,
}


@dataclass(frozen=True)
class Site:
    """One perturbation given by moments; operators count from 1."""

    operator: int
    direction: str
    rms: Fraction
    mean: Fraction
    fourth: Fraction
    schedule: tuple[str, Any] = ("always", None)

    def text(self) -> str:
        key, value = self.schedule
        when = "" if key == "always" else f", {key}: {value}"
        return (
            f"  - {{at: f.{self.operator}, pass: {self.direction}, rms: {self.rms}, "
            f"mean: {self.mean}, fourth: {self.fourth}{when}}}"
        )

    def acts(self, t: int, T: int) -> bool:
        key, value = self.schedule
        return ACTS[key](value, t, T)


@dataclass(frozen=True)
class Case:
    """A spec with uniform constants, as numbers."""

    uniform: UniformConstants
    sites: tuple[Site, ...] = ()
    L: Fraction = Fraction(1)
    mu: Fraction | None = Fraction(1, 10)
    gap: Fraction = Fraction(1)
    sigma: Fraction = Fraction(0)
    batch: int = 1
    step: Fraction = Fraction(1, 5)
    horizon: int = 7
    own: dict[Any, Any] = field(default_factory=dict, compare=False)

    def text(self) -> str:
        u = self.uniform
        pl = "" if self.mu is None else f"pl: {self.mu}, "
        lines = [
            "version: 1",
            "name: a case",
            "graph:",
            f"  uniform: {{jac: {u.jac}, lip: {u.lip}, hess: {u.hess}, "
            f"hess_op: {u.hess_op}, third: {u.third}}}",
            f"  operators: [{{id: f, repeat: {u.size}}}]",
            f"loss: {{smoothness: {self.L}, {pl}initial_gap: {self.gap}, "
            f"gradient_noise: {self.sigma}, batch: {self.batch}}}",
            f"training: {{step_size: {self.step}, horizon: {self.horizon}}}",
        ]
        if self.sites:
            lines += ["perturbations:", *(site.text() for site in self.sites)]
        return "\n".join(lines) + "\n"

    def graph(self) -> OperatorGraph:
        return build(loads(self.text()))

    # -- levels -------------------------------------------------------------------------------

    def levels(self, t: int) -> Levels:
        """All perturbations that act at step t; those at one site add."""
        N = self.uniform.size
        rows = {name: [Fraction(0)] * (N + 1) for name in ("e", "m", "q", "eps", "n")}
        for site in self.sites:
            if not site.acts(t, self.horizon):
                continue
            forward = site.direction == "forward"
            rows["e" if forward else "eps"][site.operator] += site.rms
            rows["m" if forward else "n"][site.operator] += site.mean
            if forward:
                assert rows["q"][site.operator] == 0  # one at a site is enough here
                rows["q"][site.operator] = site.fourth**4
        return Levels(**{name: tuple(row) for name, row in rows.items()})

    def error_and_bias(self, family: str, t: int) -> tuple[Any, Any]:
        """Bounds on E‖ũ−u‖² and ‖E[ũ−u]‖² of one sample at step t."""
        key = (family, tuple(site.acts(t, self.horizon) for site in self.sites))
        if key not in self.own:
            self.own[key] = self._error_and_bias(family, self.levels(t))
        return self.own[key]

    def _error_and_bias(self, family: str, x: Levels) -> tuple[Any, Any]:
        if family != "sharp":
            sums = literal.published_sums(self.uniform, corrected=family == "corrected")
            return high(literal.published_error(sums, x)), high(literal.published_bias(sums, x))
        u = self.uniform
        row = {
            "a": u.jac, "b": u.jac, "l": u.lip, "A": u.hess,
            "B": min(u.hess, u.hess_op), "A3": u.third, "B3": u.third,
        }  # fmt: skip
        c = ChainConstants(**{k: (high(0), *[high(v)] * u.size) for k, v in row.items()})
        found = literal.sharp(
            c,
            literal.converted(x, high),
            forward=not any(x.m[1 : u.size]),
            backward=not any(x.n[2:]),
            capped=True,
            root=REFERENCE.sqrt,
        )
        return found.zeta2, found.beta2

    def batch_error_and_bias(self, family: str, t: int) -> tuple[Any, Any]:
        """Lemma 6.4 (a), and E‖d̄‖² ≤ ζ² by Minkowski."""
        error, bias = self.error_and_bias(family, t)
        M = self.batch
        return min(error, (1 - high(Fraction(1, M))) * bias + error / M), bias

    def variance(self, t: int) -> Any:
        """Lemma 6.3 with the batch's error."""
        error, bias = self.batch_error_and_bias("sharp", t)
        sigma = high(self.sigma)
        return sigma**2 + error if bias == 0 else (sigma + REFERENCE.sqrt(error)) ** 2

    # -- statements -----------------------------------------------------------------------------

    def nonconvex(self, family: str, step: Any = None) -> Any:
        """(34), (37) of [KZY], or Theorem 6.1."""
        L, gap, sigma, T = high(self.L), high(self.gap), high(self.sigma), self.horizon
        g = high(self.step if step is None else step)
        if family == "sharp":
            total = 2 * gap / (g * T)
            for t in range(T):
                _, bias = self.batch_error_and_bias(family, t)
                total += (bias + L * g * self.variance(t)) / T
            return total
        total = 6 * gap / (g * T) + 6 * L * g * sigma**2
        for t in range(T):
            error, bias = self.batch_error_and_bias(family, t)
            total += 6 * L * g / T * error + high(Fraction(3, T)) * bias
        return total

    def pl(self, family: str, step: Any = None) -> Any:
        """(38) of [KZY], with exponent T−1−t where corrected (E5), or Theorem 6.2."""
        assert self.mu is not None
        L, mu, gap, sigma = high(self.L), high(self.mu), high(self.gap), high(self.sigma)
        g, T = high(self.step if step is None else step), self.horizon
        if family == "sharp":
            q = 1 - mu * g
            total = q**T * gap
            for t in range(T):
                _, bias = self.batch_error_and_bias(family, t)
                total += q ** (T - 1 - t) * (g / 2 * bias + L * g**2 / 2 * self.variance(t))
            return total
        q = 1 - mu * g / 3
        total = q**T * gap + 3 * L * g * sigma**2 / mu
        for t in range(T):
            error, bias = self.batch_error_and_bias(family, t)
            exponent = T - t if family == "published" else T - 1 - t
            total += q**exponent * (L * g**2 * error + g / 2 * bias)
        return total
