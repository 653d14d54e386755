"""The mean logistic loss of a linear classifier, and suprema of its derivatives on balls."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from boundcalc.operators.balls import at_least, ball, sigma_slope, upper_values, working
from boundcalc.operators.constants import ZERO
from boundcalc.operators.elementwise import expit, expit_slope
from boundcalc.operators.matrices import (
    eigenvalue_range,
    float_rows,
    floats,
    fractions,
    summed,
    times,
)
from boundcalc.operators.objectives.base import Objective
from boundcalc.operators.regions import reach
from boundcalc.operators.rounding import Array, gamma, length, rounded_up, upper
from boundcalc.operators.sigmoid import SIGMOID_SUPREMA
from boundcalc.operators.spectral import spectral_norm
from boundcalc.spec.expressions import Expression, bounded

_FLAT = 1e4  # from here on tanh(r/2) is 1 as a float


class MeanLogistic(Objective):
    """g(y) = (1/m) Σ_j ln(1 + exp(z_jᵀy)) + ½ρ‖y‖², z_j = −label_j·h_j.

    With t_j = z_jᵀy, so |t_j| ≤ r_j = R‖z_j‖, and ⟨·⟩ the mean over j:

    - ∇g = ⟨σ(t_j) z_j⟩ + ρy;
    - ∇²g = ⟨σ′(t_j) z_j z_jᵀ⟩ + ρI; as σ′ is even and falls with |t|,
      σ′(r_j) ≤ σ′(t_j) ≤ 1/4, so that
      ρ + λ_min⟨σ′(r_j) z_j z_jᵀ⟩ ≤ ∇²g ≤ ρ + λ_max⟨z_j z_jᵀ⟩/4, the upper end attained
      at y = 0;
    - ∇³g[p, q, s] = ⟨σ″(t_j) (z_jᵀp)(z_jᵀq)(z_jᵀs)⟩ is symmetric, so its norm is attained
      at p = q = s (Banach 1938), where |z_jᵀp|³ ≤ ‖z_j‖ (z_jᵀp)²:
      ‖∇³g‖ ≤ λ_max⟨s_j ‖z_j‖ z_j z_jᵀ⟩, s_j = max of |σ″| over |t| ≤ r_j;
    - in the same way ‖∇⁴g‖ ≤ λ_max⟨‖z_j‖² z_j z_jᵀ⟩/8, as |σ‴| ≤ 1/8.

    The last two are tight for rows of one direction and length.

    Parameters
    ----------
    rows
        h_1 … h_m.
    labels
        1 or −1 for each row.
    ridge
        ρ ≥ 0.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> g = MeanLogistic(((parse(2),),), (parse(-1),), parse("1/2"))
    >>> [round(float(x), 9) for x in g.spectrum(None)[:2]]  # ρ and ρ + 2²/4
    [0.5, 1.5]
    """

    def __init__(
        self,
        rows: tuple[tuple[Expression, ...], ...],
        labels: tuple[Expression, ...],
        ridge: Expression = ZERO,
    ) -> None:
        self.size = len(rows[0])
        self.rows, self.labels, self.ridge = rows, labels, ridge

    @cached_property
    def _z(self) -> Array:
        return -floats(self.labels)[:, None] * float_rows(self.rows)

    @cached_property
    def _rho(self) -> Fraction:
        return fractions((self.ridge,))[0][0]

    @cached_property
    def _norms(self) -> Array:
        return np.array([length(z) for z in self._z])

    def gradient(self, y: Array) -> Array:
        """The mean of σ(t_j) z_j, and ρy."""
        mean = expit(y @ self._z.T) @ self._z / len(self._z)
        return np.asarray(mean + float(self._rho) * y)

    def curvature(self, y: Array, u: Array) -> Array:
        """The mean of σ′(t_j) (z_jᵀu) z_j, and ρu."""
        weights = expit_slope(y @ self._z.T) * (u @ self._z.T)
        return np.asarray(weights @ self._z / len(self._z) + float(self._rho) * u)

    def symbolic(self, y: tuple[Any, ...]) -> Any:
        """The mean of ln(1 + exp(t_j)), and ½ρ‖y‖²."""
        import sympy

        from boundcalc.arithmetic import SYMBOLS

        total = sympy.Integer(0)
        for row, label in zip(self.rows, self.labels, strict=True):
            products = (h.evaluate(SYMBOLS) * yi for h, yi in zip(row, y, strict=True))
            total += sympy.log(1 + sympy.exp(-label.evaluate(SYMBOLS) * sum(products)))
        ridge = self.ridge.evaluate(SYMBOLS) * sum(yi**2 for yi in y) / 2
        return total / len(self.rows) + ridge

    def start(self) -> tuple[tuple[Fraction, ...], bool]:
        """The sizes of the components of ∇g(0) = ⟨z_j⟩/2, from above."""
        return tuple(Fraction(float(x)) for x in self._middle()), False

    def spectrum(self, radius: Expression | None) -> tuple[Fraction, Fraction, bool]:
        """The interval of the class, its lower end less what rounding may have added.

        Products are sums of m terms, their factors right to 8u: γ_{m+16}·Σ‖·‖² together.
        """
        scaled = self._z * np.sqrt(self._slopes(radius) / len(self._z))[:, None]
        low = eigenvalue_range(scaled.T @ scaled)[0]
        low -= 2.0 * gamma(len(scaled) + 16) * float(np.sum(scaled**2))
        return self._rho + Fraction(max(low, 0.0)), self._rho + Fraction(self._top(0.25)), False

    def steepest(self, radius: Expression | None) -> Expression | None:
        """The smallest of three bounds of ‖⟨σ(t_j) z_j⟩‖, and ρR.

        ⟨σ(r_j)‖z_j‖⟩;  ‖⟨z_j⟩‖/2 + R λ_max⟨z_j z_jᵀ⟩/4;  and, with σ = ½ + ½tanh(t/2) and
        Cauchy-Schwarz, ‖⟨z_j⟩‖/2 + √λ_max⟨z_j z_jᵀ⟩ √⟨tanh²(r_j/2)⟩/2.
        """
        if radius is None and self.ridge.node != ZERO.node:
            return None
        middle = length(self._middle())
        halves = self._halves(radius)
        third = math.sqrt(self._top(1.0) * float(np.mean(halves**2)))
        first = float(np.mean((0.5 + halves) * self._norms))
        second = reach(radius) * self._top(0.25)
        found = min(first, middle + min(second, third))
        best = bounded(rounded_up(found, terms=len(halves)))
        return best if radius is None else summed(best, times(self.ridge, radius))

    def steepest_component(self, radius: Expression | None) -> Expression | None:
        """|∂_i g| ≤ |⟨z_ji⟩|/2 + ⟨tanh(r_j/2)|z_ji|⟩/2 + ρR, by the same σ = ½ + ½tanh(t/2)."""
        if radius is None and self.ridge.node != ZERO.node:
            return None
        moved = np.mean(self._halves(radius)[:, None] * np.abs(self._z), axis=0)
        best = bounded(rounded_up(float((self._middle() + moved).max()), terms=len(self._z)))
        return best if radius is None else summed(best, times(self.ridge, radius))

    def third(self, radius: Expression | None) -> Expression:
        """The bound of ‖∇³g‖ of the class."""
        bends = (SIGMOID_SUPREMA[1].over(-r, r) for r in self._reaches(radius))
        return bounded(self._top(np.array([upper(bend) for bend in bends]) * self._norms))

    def fourth(self, radius: Expression | None) -> Expression:
        """The bound of ‖∇⁴g‖ of the class."""
        return bounded(self._top(0.125 * self._norms**2))

    def _reaches(self, radius: Expression | None) -> Array:
        """The bounds r_j of |t_j|, each rounded up."""
        r = reach(radius)
        return np.array([rounded_up(r * norm) if norm else 0.0 for norm in self._norms])

    def _slopes(self, radius: Expression | None) -> Array:
        """σ′(r_j), from below."""
        reaches = self._reaches(radius)
        with working():
            slopes = (at_least(sigma_slope(ball(r))) if r < math.inf else 0.0 for r in reaches)
            return np.array(list(slopes))

    def _halves(self, radius: Expression | None) -> Array:
        """½tanh(r_j/2), the largest distance of σ(t_j) from ½, rounded up."""
        reaches = self._reaches(radius)
        found = upper_values(lambda r: (r / 2).tanh() / 2, np.minimum(reaches, _FLAT))
        return np.where(reaches < _FLAT, found, 0.5)

    def _middle(self) -> Array:
        """|⟨z_ji⟩|/2 from above, although its terms, right to 2u each, may cancel."""
        means, sizes = self._z.mean(axis=0), np.abs(self._z).mean(axis=0)
        return np.asarray(0.5 * np.abs(means) + gamma(len(self._z) + 8) * sizes)

    def _top(self, weights: Array | float) -> float:
        """λ_max⟨weights_j z_j z_jᵀ⟩, from above: the square of a norm.

        Entries are right to 8u, which moves the norm by 8u·√1000 of itself at most, a
        thirtieth of what it is rounded up by.
        """
        scaled = self._z * np.sqrt(np.broadcast_to(weights, len(self._z)) / len(self._z))[:, None]
        return rounded_up(rounded_up(spectral_norm(scaled)) ** 2)
