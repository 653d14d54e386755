"""Suprema of one derivative of an activation over intervals, in ball arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.balls import (
    Ball,
    Enclosed,
    around,
    ball,
    neighbours,
    size_at_most,
    working,
)
from boundcalc.operators.regions import Array
from boundcalc.spec.expressions import Expression, bounded

#: Ends of intervals that may be nearest to a peak, up to which each is looked at.
_LOOKED_AT = 64


@dataclass(frozen=True)
class Supremum:
    """How to find sup |g| over intervals, for one derivative g of an activation.

    Attributes
    ----------
    derivative
        The function g of a ball.
    peaks
        Every point where |g| = ``bound``, each the nearest float.
    bound
        sup |g| over the real line, or a rational number a little above it.
    others
        Every other point where g′ = 0, each the nearest float; g is monotone in between,
        so |g| over an interval is largest at one of these points or at an end.
    period
        The peaks repeat with this period, and |g| falls with the distance from them.
    tails
        |g| at −∞ and at ∞.
    """

    derivative: Enclosed
    peaks: tuple[float, ...]
    bound: Expression
    others: tuple[float, ...] = ()
    period: float | None = None
    tails: tuple[float, float] = (0.0, 0.0)

    def over(self, low: Array | float, high: Array | float) -> Expression:
        """An upper bound of sup |g| over the intervals [low, high]; tight and proved.

        It is ``bound`` where an interval holds a peak or ends less than a unit in the
        last place from one; else the largest |g| at an end or another critical point.
        In between critical points |g| is largest at an end, so that of all ends there the
        lowest and the highest alone are looked at.  Each value is enclosed.

        Examples
        --------
        >>> from boundcalc.spec.expressions import exact
        >>> size = Supremum(lambda t: t, (), exact(1))  # |t|, with nothing known inside
        >>> str(size.over(-0.5, 0.25))
        '0.5'
        """
        low, high = np.atleast_1d(low), np.atleast_1d(high)
        if any(meets(low, high, peak, self.period) for peak in self.peaks):
            return self.bound
        points = self._ends(low, high)
        if points is None:
            return self.bound
        with working(max(map(abs, points), default=1.0)):
            sizes = [size_at_most(self.derivative(ball(t))) for t in points]
            sizes += [size_at_most(self.derivative(t)) for t in critical(low, high, self.others)]
        sizes += [self.tails[0]] * bool(np.isneginf(low).any())
        sizes += [self.tails[1]] * bool(np.isposinf(high).any())
        largest = max(sizes)
        return bounded(largest) if largest < self.bound.evaluate(FLOATS) else self.bound

    def _ends(self, low: Array, high: Array) -> list[float] | None:
        """The ends that matter; None if they are too many."""
        if self.period is None:
            return list(outer_ends(low, high, (*self.peaks, *self.others)))
        return nearest_ends(low, high, self.peaks[0], self.period)


#: The suprema of |φ′|, |φ″| and |φ‴|.
Suprema: TypeAlias = tuple[Supremum, Supremum, Supremum]


def all_over(
    suprema: Suprema, low: Array | float, high: Array | float
) -> tuple[Expression, Expression, Expression]:
    """The three suprema over the intervals [low, high]."""
    first, second, third = (supremum.over(low, high) for supremum in suprema)
    return first, second, third


def critical(low: Array, high: Array, points: Sequence[float]) -> Iterator[Ball]:
    """Balls around those of the points that an interval meets."""
    return (around(point) for point in points if meets(low, high, point))


def outer_ends(low: Array, high: Array, points: Sequence[float]) -> Iterator[float]:
    """The lowest and highest finite end of an interval between each two of the points.

    An end next to a point may be taken for one on its other side: then the point is met,
    and what happens between it and its neighbours is known from :func:`critical`.

    >>> list(outer_ends(np.array([0.0, 1.0, 2.0]), np.array([3.0, 9.0, np.inf]), [5.0]))
    [0.0, 3.0, 9.0]
    """
    ends = np.concatenate([low.ravel(), high.ravel()])
    ends = ends[np.isfinite(ends)]
    pieces = np.searchsorted(np.sort(np.asarray(points, dtype=np.float64)), ends)
    for piece in range(len(points) + 1):
        inside = ends[pieces == piece]
        if inside.size:
            yield from sorted({float(inside.min()), float(inside.max())})


def meets(low: Array, high: Array, point: float, period: float | None = None) -> bool:
    """Whether an interval may hold a number of which ``point`` is the nearest float.

    With a period, or one a multiple of it away.

    >>> import math
    >>> meets(np.array([3.0, 5.0]), np.array([4.0, 5.5]), 0.0, math.pi)
    True
    >>> meets(np.array([5.0]), np.array([5.5]), 0.0, math.pi)
    False
    """
    if period is None:
        below, above = neighbours(point)
        return bool(np.any((low <= above) & (below <= high)))
    moved = drift(low, high)
    low, high = low - moved, high + moved
    unbounded = ~np.isfinite(high - low)
    start = np.where(unbounded, 0.0, low)
    first = point + period * np.ceil((start - point) / period)
    return bool(np.any(unbounded | (first <= high)))


def nearest_ends(low: Array, high: Array, point: float, period: float) -> list[float] | None:
    """The ends that may be nearest to ``point`` and its repetitions; None if they are too many.

    >>> import math
    >>> nearest_ends(np.array([1.0, 2.0]), np.array([1.5, 2.5]), 0.0, math.pi)
    [2.5]
    """
    ends = np.unique(np.concatenate([low.ravel(), high.ravel()]))
    ends = ends[np.isfinite(ends)]
    turns = (ends - point) / period
    distance = period * np.abs(turns - np.rint(turns))
    error = drift(ends, ends) + drift(point, point)
    if ends.size:
        ends = ends[distance - error <= (distance + error).min()]
    return None if len(ends) > _LOOKED_AT else [float(t) for t in ends]


def drift(low: Array | float, high: Array | float) -> npt.NDArray[np.float64]:
    """More than the rounding of multiples of a period up to ``low`` or ``high``.

    A quotient by the period, a whole number of periods and a difference with ``point`` have
    together at most eight roundings of numbers up to |low|, |high| and 2·``point``, those of
    point and period included: less than 2·10⁻¹⁵ of them.  Near 0, where whole numbers are 0,
    nothing but the point is rounded, by half a unit in its last place.
    """
    return np.asarray(4e-15 * np.maximum(np.abs(low), np.abs(high)))
