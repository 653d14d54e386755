"""Functions that are linear between knots and 0 outside, with their first two integrals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from boundcalc.operators.regions import Array


@dataclass(frozen=True)
class Pieces:
    """h, linear between knots and 0 outside; H = ``left`` + ∫h; and ∫₀H.

    Attributes
    ----------
    knots
        Increasing.
    heights
        h at the knots, 0 at the first and last.
    left
        H to the left of all knots.

    Examples
    --------
    A triangle of area 1:

    >>> triangle = Pieces((Fraction(-1), Fraction(0), Fraction(1)), (Fraction(0), Fraction(1),
    ...     Fraction(0)), Fraction(-1, 2))
    >>> triangle.reach, triangle.height, triangle.steepest
    (Fraction(1, 2), Fraction(1, 1), Fraction(1, 1))
    >>> triangle.once(np.array([-2.0, 0.0, 0.5, 3.0]))
    array([-0.5  ,  0.   ,  0.375,  0.5  ])
    """

    knots: tuple[Fraction, ...]
    heights: tuple[Fraction, ...]
    left: Fraction

    @property
    def height(self) -> Fraction:
        """sup |h|."""
        return max((abs(h) for h in self.heights), default=Fraction(0))

    @cached_property
    def steepest(self) -> Fraction:
        """sup |h′|."""
        return max((abs(slope) for slope in self._slopes), default=Fraction(0))

    @cached_property
    def reach(self) -> Fraction:
        """sup |H|: at a knot, or where h changes its sign between two."""
        found = [self.left, *self._sums]
        for k, (start, end) in enumerate(pairwise(self.heights)):
            if start * end < 0:
                # start + slope·t = 0 at t = −start/slope, where H is H_k − start²/(2 slope).
                found.append(self._sums[k] - start**2 / (2 * self._slopes[k]))
        return max(abs(value) for value in found)

    def value(self, t: Array) -> Array:
        """h(t)."""
        if not self.knots:
            return np.zeros_like(t)
        return np.interp(t, self._at, self._of(self.heights), left=0.0, right=0.0)

    def once(self, t: Array) -> Array:
        """H(t) = left + ∫h."""
        if not self.knots:
            return np.full_like(t, float(self.left))
        k, dt = self._place(t)
        grown = dt * (self._padded(self.heights)[k] + dt * (0.5 * self._padded(self._slopes)[k]))
        return np.asarray(np.append(float(self.left), self._of(self._sums))[k] + grown)

    def twice(self, t: Array) -> Array:
        """∫ H from 0 to t."""
        if not self.knots:
            return float(self.left) * t
        k, dt = self._place(t)
        start = np.append(float(self.left), self._of(self._sums))[k]
        height, slope = self._padded(self.heights)[k], self._padded(self._slopes)[k]
        areas = np.append(float(self._areas[0]), self._of(self._areas))[k]
        grown = dt * (start + dt * (0.5 * height + dt * (slope / 6.0)))
        return np.asarray(areas + grown - float(self._origin))

    def symbolic(self, t: Any, integrals: int) -> Any:
        """H (one integral) or ∫₀H (two), for SymPy: one polynomial for each interval."""
        import sympy

        def number(x: Fraction) -> Any:
            return sympy.Rational(x.numerator, x.denominator)

        if not self.knots:
            return number(self.left) * (t if integrals == 2 else 1)

        def polynomial(k: int) -> Any:
            """Around knot k, on the interval that follows it; before all knots for k = −1."""
            near = max(k, 0)
            inside = 0 <= k < len(self.knots) - 1
            height, slope = (self.heights[k], self._slopes[k]) if inside else (Fraction(0),) * 2
            d, start = t - number(self.knots[near]), number(self._sums[near])
            if integrals == 1:
                return start + d * number(height) + d**2 * number(slope) / 2
            area = number(self._areas[near] - self._origin)
            return area + d * start + d**2 * number(height) / 2 + d**3 * number(slope) / 6

        last = len(self.knots) - 1
        cases = [(polynomial(k - 1), t < number(self.knots[k])) for k in range(last + 1)]
        return sympy.Piecewise(*cases, (polynomial(last), True))

    @cached_property
    def _slopes(self) -> tuple[Fraction, ...]:
        """h′ on each interval."""
        steps = zip(pairwise(self.knots), pairwise(self.heights), strict=True)
        return tuple((q - p) / (t - s) for (s, t), (p, q) in steps)

    @cached_property
    def _sums(self) -> tuple[Fraction, ...]:
        """H at the knots."""
        found = [self.left] if self.knots else []
        for (s, t), (p, q) in zip(pairwise(self.knots), pairwise(self.heights), strict=True):
            found.append(found[-1] + (t - s) * (p + q) / 2)
        return tuple(found)

    @cached_property
    def _areas(self) -> tuple[Fraction, ...]:
        """∫H from the first knot to every knot."""
        found = [Fraction(0)]
        for k, (s, t) in enumerate(pairwise(self.knots)):
            d = t - s
            grown = d * self._sums[k] + d**2 * self.heights[k] / 2 + d**3 * self._slopes[k] / 6
            found.append(found[-1] + grown)
        return tuple(found)

    @cached_property
    def _origin(self) -> Fraction:
        """∫H from the first knot to 0."""
        first, last = self.knots[0], self.knots[-1]
        if first >= 0:
            return -first * self.left
        if last <= 0:
            return self._areas[-1] - last * self._sums[-1]
        k = max(k for k, knot in enumerate(self.knots) if knot < 0)
        d = -self.knots[k]
        grown = d * self._sums[k] + d**2 * self.heights[k] / 2 + d**3 * self._slopes[k] / 6
        return self._areas[k] + grown

    def _place(self, t: Array) -> tuple[Any, Array]:
        """The interval of each t, 0 to the left of the knots, and the distance from its start."""
        k = np.searchsorted(self._at, t, side="right")
        starts = np.append(self._at[0], self._at)
        return k, t - starts[k]

    def _padded(self, column: Sequence[Fraction]) -> Array:
        """By interval, 0 outside the knots."""
        inner = self._of(column[: len(self.knots) - 1])
        return np.concatenate([[0.0], inner, [0.0]])

    @cached_property
    def _at(self) -> Array:
        return self._of(self.knots)

    @staticmethod
    def _of(numbers: Sequence[Fraction]) -> Array:
        return np.array([float(x) for x in numbers])
