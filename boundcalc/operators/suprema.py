"""Suprema of one derivative of an activation over intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.regions import Array, rounded_up
from boundcalc.spec.expressions import Expression, measured

_TINY = float(np.finfo(np.float64).tiny)
_ULPS = 1e-15  # a few units in the last place, as a fraction


@dataclass(frozen=True)
class Supremum:
    """How to find sup |g| over intervals, for one derivative g of an activation.

    Attributes
    ----------
    size
        |g|, on arrays, infinite ends included: at least |g|·(1 − 10⁻¹²), which
        :func:`~boundcalc.operators.regions.rounded_up` then makes up for.
    peaks
        Every point where |g| = ``bound``.
    bound
        sup |g| over the real line, or a rational number a little above it.
    others
        Every other point where g′ = 0; g is monotone in between, so |g| over an
        interval is largest at one of these points or at an end.
    period
        The peaks repeat with this period.
    """

    size: Callable[[Array], Array]
    peaks: tuple[float, ...]
    bound: Expression
    others: tuple[float, ...] = ()
    period: float | None = None

    def over(self, low: Array | float, high: Array | float) -> Expression:
        """An upper bound of sup |g| over the intervals [low, high]; tight.

        It is ``bound``, exactly, where an interval holds a peak; else the largest value
        at an end or another critical point, measured.  A critical point is known to
        half a unit in the last place, at which distance g has not moved from its value
        there by what is rounded up.

        Examples
        --------
        >>> from boundcalc.spec.expressions import exact
        >>> size = Supremum(np.abs, (), exact(1))  # |t|, with nothing known inside
        >>> str(size.over(-0.5, 0.25))
        '0.5'
        """
        low, high = np.atleast_1d(low), np.atleast_1d(high)
        if any(np.any(holds(low, high, peak, self.period)) for peak in self.peaks):
            return self.bound
        inside = np.array([point for point in self.others if np.any(holds(low, high, point))])
        points = np.concatenate([low.ravel(), high.ravel(), inside])
        # A value that underflows to 0 is still positive.
        largest = rounded_up(max(float(self.size(points).max()), _TINY))
        return measured(largest) if largest < self.bound.evaluate(FLOATS) else self.bound


#: The suprema of |φ′|, |φ″| and |φ‴|.
Suprema: TypeAlias = tuple[Supremum, Supremum, Supremum]


def all_over(
    suprema: Suprema, low: Array | float, high: Array | float
) -> tuple[Expression, Expression, Expression]:
    """The three suprema over the intervals [low, high]."""
    first, second, third = (supremum.over(low, high) for supremum in suprema)
    return first, second, third


def holds(low: Array, high: Array, point: float, period: float | None = None) -> Array:
    """Which of the intervals [low, high] hold a point, or one a multiple of ``period`` away.

    >>> holds(np.array([3.0, 5.0]), np.array([4.0, 5.5]), 0.0, math.pi)
    array([ True, False])
    """
    if period is None:
        return np.asarray((low <= point) & (point <= high))
    # Multiples of a rounded period drift: intervals are widened by more than that.
    drift = 4 * _ULPS * np.maximum(np.abs(low), np.abs(high))
    low, high = low - drift, high + drift
    unbounded = ~np.isfinite(high - low)
    start = np.where(unbounded, 0.0, low)
    first = point + period * np.ceil((start - point) / period)
    return np.asarray(unbounded | (first <= high))


def with_rounding(*terms: Array | float) -> Array:
    """|Σ terms| and what the rounding of its terms may have taken from it.

    Each term is right to a few units in the last place.  Where they cancel, the sum is
    not; near a zero of a derivative its size would come out too small.
    """
    return np.asarray(np.abs(sum(terms)) + 8 * _ULPS * sum(np.abs(term) for term in terms))


def outwards(low: float, high: float) -> tuple[float, float]:
    """An interval a little wider, so that rounding cannot make it too narrow.

    >>> low, high = outwards(-1.0, 0.0)
    >>> low < -1.0, high
    (True, 0.0)
    """
    return -_upwards(-low), _upwards(high)


def _upwards(x: float) -> float:
    """A float a little above; 0 and the infinities stay."""
    if x == 0 or math.isinf(x):
        return x
    return float(np.nextafter(x + abs(x) * 1e-12, np.inf))
