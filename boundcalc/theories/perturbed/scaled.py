"""Floating point with a wide exponent, in what both Python and Numba run.

A *scaled number* is a pair (m, k) that stands for m·2^{512 k}, with m = 0 or
2⁻²⁵⁶ ≤ m < 2²⁵⁶, k = 0 where m = 0.  Sums and products of two mantissas stay inside float64,
a step of k is rare, and of two numbers more than one step apart the smaller one, below the
other by a factor of 2⁵¹² at least, is lost in rounding anyway.  Everything is nonnegative: no
operation cancels, and a relative error of at most 2⁻⁵³ enters with each.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple, TypeAlias

Scaled: TypeAlias = tuple[float, int]

STEP = 512  # binary digits of one step of the exponent
_UP, _DOWN = 2.0**STEP, 2.0**-STEP
_LARGE, _SMALL = 2.0 ** (STEP // 2), 2.0 ** -(STEP // 2)
ZERO: Scaled = (0.0, 0)


class Column(NamedTuple):
    """Scaled numbers by index: two lists, or two arrays."""

    mantissa: Any
    exponent: Any


class Sums(NamedTuple):
    """Compensated sums by index: mantissas, what rounding lost of them, exponents."""

    mantissa: Any
    lost: Any
    exponent: Any


def scaled(x: float) -> Scaled:
    """A float ≥ 0 as a scaled number, exactly."""
    k = 0
    while x >= _LARGE:
        x, k = x * _DOWN, k + 1
    while 0.0 < x < _SMALL:
        x, k = x * _UP, k - 1
    return x, k


def normal(m: float, k: int) -> Scaled:
    """m·2^{512 k} for an m at most one step outside the range of mantissas."""
    if m >= _LARGE:
        return m * _DOWN, k + 1
    if m < _SMALL:
        return (0.0, 0) if m == 0.0 else (m * _UP, k - 1)
    return m, k


def times(x: Scaled, y: Scaled) -> Scaled:
    """x·y."""
    return normal(x[0] * y[0], x[1] + y[1])


def plus(x: Scaled, y: Scaled) -> Scaled:
    """x + y."""
    if x[1] == y[1]:
        return normal(x[0] + y[0], x[1])
    if x[0] == 0.0:
        return y
    if y[0] == 0.0:
        return x
    high, low = (x, y) if x[1] > y[1] else (y, x)
    if high[1] - low[1] > 1:
        return high
    return normal(high[0] + low[0] * _DOWN, high[1])


def root(x: Scaled) -> Scaled:
    """√x; where k is odd, half a step is left to the mantissa."""
    m, k = sqrt(x[0]), x[1] // 2
    return (m, k) if x[1] % 2 == 0 else normal(m * _LARGE, k)


def less(x: Scaled, y: Scaled) -> Scaled:
    """The smaller of two."""
    if x[1] == y[1] or x[0] == 0.0 or y[0] == 0.0:
        return x if x[0] <= y[0] else y
    return x if x[1] < y[1] else y


def joint(x: Scaled, y: Scaled, centred: bool) -> Scaled:
    """x + y, or √(x² + y²) where cross terms vanish."""
    if centred and x[0] != 0.0 and y[0] != 0.0:
        return root(plus(times(x, x), times(y, y)))
    return plus(x, y)


def load(column: Column, i: int) -> Scaled:
    """Entry i."""
    return column.mantissa[i], column.exponent[i]


def store(column: Column, i: int, x: Scaled) -> None:
    """Set entry i."""
    column.mantissa[i] = x[0]
    column.exponent[i] = x[1]


def add_to(column: Column, i: int, x: Scaled) -> None:
    """Add to entry i."""
    store(column, i, plus(load(column, i), x))


def accumulate(sums: Sums, i: int, x: Scaled) -> None:
    """Add to entry i; what rounding loses is kept apart (T. Ogita, S. M. Rump, S. Oishi, 2005).

    The mantissa may leave its range: a sum of 2⁶⁴ terms does so by a factor of 2⁶⁴ at most,
    far from where float64 ends.
    """
    if x[0] == 0.0:
        return
    old, lost, k, term = sums.mantissa[i], sums.lost[i], sums.exponent[i], x[0]
    if old == 0.0 or x[1] > k:
        factor = _DOWN if x[1] - k == 1 else 0.0
        old, lost, k = old * factor, lost * factor, x[1]
    elif x[1] < k:
        term *= _DOWN if k - x[1] == 1 else 0.0
    new = old + term
    back = new - old
    lost += (old - (new - back)) + (term - back)
    sums.mantissa[i] = new
    sums.lost[i] = lost
    sums.exponent[i] = k


def summed(sums: Sums, i: int) -> Scaled:
    """Entry i, rounded once."""
    return normal(sums.mantissa[i] + sums.lost[i], sums.exponent[i])


#: What compiled code may call.
FUNCTIONS = (
    *(scaled, normal, times, plus, root, less, joint),
    *(load, store, add_to, accumulate, summed),
)
