"""Rounding outwards: floats and expressions that are proved not to be too small.

Floats obey the standard model [H02, section 2.2]: +, −, ×, / and √ are correctly rounded,
with a relative error of at most u = 2⁻⁵³.  Of the platform's exp, tanh or cos nothing is
assumed: where these enter a bound they are enclosed in ball arithmetic, see
:mod:`~boundcalc.operators.balls`.

[H02] N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM 2002.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import FLOATS, RATIONALS
from boundcalc.errors import BoundcalcError, InexactError
from boundcalc.spec.expressions import Expression

Array: TypeAlias = npt.NDArray[np.float64]

#: u, half the distance from 1 to the next float.
UNIT = 2.0**-53

#: Bits of an enclosure; more where that is too wide.
_BITS = 128
_MOST_BITS = 2048

_LEAST = 2.0**-1000

_HUGE = 2.0**300  # squares of such numbers are summed without scaling


def gamma(k: int) -> float:
    """γ_k = ku/(1 − ku), the relative error of k roundings [H02, lemma 3.1].

    Slightly more, as this quotient is itself rounded.
    """
    return (k + 1) * UNIT / (1.0 - (k + 2) * UNIT)


def rounded_up(x: float, terms: int = 1, steps: int = 4500) -> float:
    """A float above every number of which x is a computed approximation from ≥ 0.

    Parameters
    ----------
    x
        A result of roundings one after another, none of which cancels: of additions,
        products and quotients of numbers ≥ 0, and roots.
    terms
        The number of terms of the longest sum among them, in whatever order it is made:
        its relative error is at most γ_terms.
    steps
        At least the number of the other roundings.

    Notes
    -----
    x ≥ t(1 − γ_k) for the true t and k = steps + terms, so that t ≤ x(1 + 2γ_k), which is
    less than 1 + 10⁻¹² unless told otherwise.  What underflows on the way is made up for by a
    result of 2⁻¹⁰⁰⁰ or more.

    Examples
    --------
    >>> 1.0 < rounded_up(1.0) < 1.0 + 2e-12
    True
    """
    if not x > 0:
        return x
    return math.nextafter(max(x, _LEAST) * (1.0 + 2.0 * gamma(terms + steps)), math.inf)


def above(value: Fraction) -> float:
    """The smallest float that is not below a fraction; infinite where it is too large.

    >>> above(Fraction(1, 3)) > Fraction(1, 3), above(Fraction(1, 2))
    (True, 0.5)
    """
    return 0.0 - below(-value)


def below(value: Fraction) -> float:
    """The largest float that is not above a fraction."""
    try:
        near = float(value)
    except OverflowError:
        return -math.inf if value < 0 else float(np.finfo(float).max)
    return near if near <= value else math.nextafter(near, -math.inf)


def upper(size: Expression) -> float:
    """The smallest float that is proved not to be below the value of an expression.

    Of an expression with a measured number its value, rounded up.

    >>> from boundcalc.spec.grammar import parse
    >>> upper(parse("1/2")), 0 < upper(parse("sqrt(2)")) ** 2 - 2 < 1e-15
    (0.5, True)
    """
    ends = enclosure(size)
    return rounded_up(float(size.evaluate(FLOATS))) if ends is None else ends[1]


def lower(size: Expression) -> float:
    """The largest float that is proved not to be above the value of an expression."""
    ends = enclosure(size)
    if ends is not None:
        return ends[0]
    x = float(size.evaluate(FLOATS))
    return -rounded_up(-x) if x < 0 else x * (1.0 - 1e-12)


def enclosure(size: Expression) -> tuple[float, float] | None:
    """Floats around the value of an expression; None where it has a measured number.

    Raises
    ------
    InexactError
        If it divides by a number, or takes the root of one, that is 0 but for rounding.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> low, high = enclosure(parse("exp(1)"))
    >>> low == math.e, high == math.nextafter(math.e, 3)
    (True, True)
    """
    try:
        value = Fraction(size.evaluate(RATIONALS))
    except BoundcalcError:
        pass  # irrational, or too many digits
    else:
        return below(value), above(value)
    if has_measured(size):
        return None
    from boundcalc.arithmetic.intervals import Intervals

    bits = _BITS
    while True:
        try:
            ball = size.evaluate(Intervals(bits))
        except InexactError:  # undecided with these bits
            if bits >= _MOST_BITS:
                raise
        else:
            if bits >= _MOST_BITS or ball.relative_width < UNIT**2:
                (p, s), (q, r) = ball.lower, ball.upper
                return -above_parts(-p, s), above_parts(q, r)
        bits *= 4


def has_measured(size: Expression) -> bool:
    """Whether a measured number occurs in an expression.

    >>> from boundcalc.spec.expressions import bounded, measured
    >>> has_measured(measured(0.5) + 1), has_measured(bounded(0.5) + 1)
    (True, False)
    """
    stack: list[object] = [size.node]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            if node[0] == "measured":
                return True
            stack.extend(node[1:])
    return False


def above_parts(p: int, s: int) -> float:
    """The smallest float that is not below p·2^s, for exponents of any size.

    >>> above_parts(3, -1), above_parts(1, -(10**20)), above_parts(1, 10**20)
    (1.5, 5e-324, inf)
    """
    if p == 0:
        return 0.0
    if s + p.bit_length() > 1100:
        return math.inf if p > 0 else -float(np.finfo(float).max)
    if s + p.bit_length() < -1100:
        return math.ulp(0.0) if p > 0 else -0.0
    return above(p * Fraction(2) ** s)


def nearest(number: Expression) -> float:
    """A float within 2u of a number, relative to it.

    A float that the platform calculates may be further off where differences cancel.

    >>> from boundcalc.spec.grammar import parse
    >>> nearest(parse("sqrt(2) - 1.4142135623730950488"))
    1.6887242096980786e-21
    """
    try:
        return float(number.evaluate(RATIONALS))
    except InexactError:
        ends = enclosure(number)
    return float(number.evaluate(FLOATS)) if ends is None else 0.5 * ends[0] + 0.5 * ends[1]


def length(values: Array) -> float:
    """An upper bound of the Euclidean norm of an array, tight to 3γ of its size.

    Entries are scaled where squares might leave the range of floats; what underflows of
    the others is far below a unit in the last place.

    >>> 5.0 <= length(np.array([3.0, 4.0])) < 5.0 + 2e-14, length(np.array([1e-200])) < 1.1e-200
    (True, True)
    """
    return longest(values.reshape(1, -1))


def longest(rows: Array) -> float:
    """An upper bound of the largest Euclidean norm of a row of ``(M, n)``.

    The row that is longest has an entry of at least 1/√n times the largest of all, so that
    one scale for all rows serves.
    """
    largest = float(np.abs(rows).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    power = 0
    if not 1.0 / _HUGE < largest < _HUGE:
        power = math.frexp(largest)[1]
        rows = np.ldexp(rows, -power)
    found = float(np.linalg.norm(rows, axis=-1).max())
    return raised(rounded_up(found, terms=rows.shape[-1], steps=8), power)


def raised(norm: float, power: int) -> float:
    """norm·2^power, rounded upwards where it underflows; infinite where it overflows."""
    try:
        value = math.ldexp(norm, power)
    except OverflowError:
        return math.inf
    return value if value >= _LEAST else math.nextafter(value, math.inf)
