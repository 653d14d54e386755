"""Functions g that an optimiser step descends, and suprema of their derivatives on balls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.constants import ONE
from boundcalc.operators.matrices import bound, euclidean, maximum, summed, times
from boundcalc.operators.regions import Array, Region
from boundcalc.spec.expressions import Expression, exact, rational

#: More than rounding may move an entry of a matrix, relative to it.
_SLACK = Fraction(1, 2**50)


@dataclass(frozen=True)
class Steps:
    """Step sizes: all w within ``radius`` of a centre, in the Euclidean norm.

    Attributes
    ----------
    center
        One number, or one for each coordinate.
    certain
        Whether the centre is exact.
    radius
        ρ.
    """

    center: tuple[Fraction, ...]
    certain: bool
    radius: Expression

    @classmethod
    def of(cls, region: Region, count: int, ball: Expression | None) -> Steps | None:
        """The step sizes of a region; None if it does not bound them.

        Of a ball around 0 and one around a centre the smaller counts; for a single step
        size both are intervals, and their intersection counts.
        """
        around_zero = None if ball is None else cls((Fraction(0),) * count, True, ball)
        if region.center is None or region.change is None:
            return around_zero
        center, certain = simple_fractions(region.center)
        moved = cls(center, certain, region.change)
        if ball is None or ball.symbols or region.change.symbols:
            return moved
        outer, inner = rational(ball, {}), rational(region.change, {})
        if count == 1 and outer is not None and inner is not None:
            low, high = max(-outer, center[0] - inner), min(outer, center[0] + inner)
            if low <= high:
                return cls(((low + high) / 2,), certain, exact((high - low) / 2))
        inside = ball.evaluate(FLOATS) < region.change.evaluate(FLOATS)
        return around_zero if inside else moved

    @property
    def largest(self) -> Expression:
        """A bound of every |w_i|: max |c_i| + ρ."""
        return summed(bound(max(abs(c) for c in self.center), self.certain), self.radius)

    def factor(self, c: Fraction, curvature: Fraction, certain: bool) -> Expression:
        """The supremum of |1 − wλ| over |w − c| ≤ ρ: |1 − cλ| + ρ|λ|.

        A λ that is not certain may be off by 2u|λ|, which |1 − cλ| may not show.
        """
        slack = Fraction(0) if certain else abs(c * curvature) * _SLACK
        fixed = bound(abs(1 - c * curvature) + slack, certain and self.certain)
        return summed(fixed, times(self.radius, bound(abs(curvature), certain)))

    def moves(self, gradient: tuple[Fraction, ...], certain: bool) -> Expression:
        """A bound of ‖w ∘ q‖ for one vector q; tight.

        One step size: (|c| + ρ)‖q‖.  One for each coordinate: ‖c ∘ q‖ + ρ max |q_i|.
        """
        if len(self.center) == 1:
            return times(self.largest, euclidean(gradient, certain))
        moved = (c * q for c, q in zip(self.center, gradient, strict=True))
        largest = bound(max(abs(q) for q in gradient), certain)
        fixed = euclidean(moved, certain and self.certain)
        return summed(fixed, times(self.radius, largest))


def simple_fractions(values: Array) -> tuple[tuple[Fraction, ...], bool]:
    """Floats as fractions, and whether all are short ones.

    A float that is the nearest to a fraction with a denominator up to 10⁶ stands for
    that fraction: a step size of 1/10 is meant to be 1/10.

    >>> import numpy as np
    >>> simple_fractions(np.array([0.1]))
    ((Fraction(1, 10),), True)
    """
    found = tuple(Fraction(float(x)) for x in values)
    short = tuple(x.limit_denominator(10**6) for x in found)
    certain = all(float(s) == float(x) for s, x in zip(short, found, strict=True))
    return (short, True) if certain else (found, False)


class Objective(ABC):
    """A function g of n numbers, with suprema over ‖y‖ ≤ R.

    R is an expression or None, unbounded.
    """

    size: int  #: n

    @abstractmethod
    def gradient(self, y: Array) -> Array:
        """∇g(y), for y of shape (…, n)."""

    @abstractmethod
    def curvature(self, y: Array, u: Array) -> Array:
        """∇²g(y) u, for y and u of shape (…, n)."""

    @abstractmethod
    def symbolic(self, y: tuple[Any, ...]) -> Any:
        """g in SymPy symbols."""

    @abstractmethod
    def start(self) -> tuple[tuple[Fraction, ...], bool]:
        """∇g(0) and whether it is exact; or a bound of the size of each of its components."""

    @abstractmethod
    def spectrum(self, radius: Expression | None) -> tuple[Fraction, Fraction, bool]:
        """An interval that holds every eigenvalue of ∇²g, and whether its ends are attained."""

    @abstractmethod
    def steepest(self, radius: Expression | None) -> Expression | None:
        """sup ‖∇g‖; None if it needs an R."""

    @abstractmethod
    def steepest_component(self, radius: Expression | None) -> Expression | None:
        """sup max_i |∂_i g|; None if it needs an R."""

    @abstractmethod
    def third(self, radius: Expression | None) -> Expression:
        """The Lipschitz constant of ∇²g."""

    @abstractmethod
    def fourth(self, radius: Expression | None) -> Expression:
        """The Lipschitz constant of ∇³g."""

    def curved(self, radius: Expression | None) -> Expression:
        """sup ‖∇²g‖, the Lipschitz constant of ∇g."""
        low, high, certain = self.spectrum(radius)
        return bound(max(abs(low), abs(high)), certain)

    def curved_component(self, radius: Expression | None) -> Expression:
        """The Lipschitz constant of y ↦ ∇g in the norm max_i |·|; at most :meth:`curved`."""
        return self.curved(radius)

    def mixed(self, steps: Steps, radius: Expression | None) -> Expression:
        """The Lipschitz constant of ∇g, in the norm max |·| for one step size per coordinate.

        It also bounds ‖W∇²g‖ for ‖w‖ ≤ 1: ‖diag(w)H‖ ≤ ‖w‖ max ‖h_i‖, h_i the rows of H.
        """
        single = len(steps.center) == 1
        return self.curved(radius) if single else self.curved_component(radius)

    def contraction(self, steps: Steps, radius: Expression | None) -> Expression:
        """A bound of ‖I − W∇²g‖ over all step sizes W; around 0 it is 1 + ρ‖∇²g‖.

        One step size: |1 − wλ| is convex in λ, so it is largest at an end of the
        spectrum.  One for each coordinate: with ∇²g = mI + E, m the middle of the
        spectrum and ‖E‖ ≤ h its half width,
        ‖I − W∇²g‖ ≤ max |1 − c_i m| + max |c_i| h + ρ‖∇²g‖.
        """
        if not any(steps.center):
            return summed(ONE, times(steps.radius, self.mixed(steps, radius)))
        low, high, certain = self.spectrum(radius)
        if len(steps.center) == 1:
            c = steps.center[0]
            return maximum(steps.factor(c, low, certain), steps.factor(c, high, certain))
        middle, half = (low + high) / 2, (high - low) / 2
        fixed = max(abs(1 - c * middle) for c in steps.center)
        slack = Fraction(0) if certain else (abs(middle) + half) * _SLACK
        fixed += max(abs(c) for c in steps.center) * (half + slack)
        moved = times(steps.radius, self.mixed(steps, radius))
        return summed(bound(fixed, certain and steps.certain), moved)
