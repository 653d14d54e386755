"""Elementary functions at floats, enclosed in ball arithmetic (FLINT's Arb).

FLINT is imported when the first ball is made: operators that need no ball do not wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from boundcalc.operators.rounding import Array, above_parts
from boundcalc.spec.expressions import Expression

#: A ``flint.arb``: a real number enclosed.
Ball: TypeAlias = Any

#: An elementary function, of a ball.
Enclosed: TypeAlias = Callable[[Ball], Ball]

_BITS = 128


def working(largest: float = 1.0) -> AbstractContextManager[Any]:
    """Enough bits for functions of numbers up to this size, periodic ones included."""
    import flint

    bits = _BITS + max(0, math.frexp(largest)[1])
    return flint.ctx.workprec(bits)


def ball(x: float | Fraction) -> Ball:
    """A float, exactly, or the smallest ball around a fraction."""
    import flint

    if isinstance(x, Fraction):
        return flint.arb(flint.fmpq(x.numerator, x.denominator))
    return flint.arb(float(x))


def between(low: float, high: float) -> Ball:
    """A ball that holds an interval."""
    return ball(low).union(ball(high))


def around(point: float) -> Ball:
    """A ball that holds a number of which ``point`` is the nearest float; 0 is 0 itself."""
    return between(*neighbours(point)) if point else ball(0.0)


def neighbours(point: float) -> tuple[float, float]:
    """The floats below and above."""
    return math.nextafter(point, -math.inf), math.nextafter(point, math.inf)


def pi() -> Ball:
    """π."""
    import flint

    return flint.arb.pi()


def value_of(number: Expression) -> Ball:
    """The value of an expression without symbols."""
    from boundcalc.arithmetic.intervals import Intervals

    return number.evaluate(Intervals(_BITS)).arb


def sigma(t: Ball) -> Ball:
    """σ(t) = 1/(1 + e⁻ᵗ), relatively accurate in both tails, however far."""
    if t < 0:
        power = t.exp()
        return power / (1 + power)
    return 1 / (1 + (-t).exp())


def sigma_slope(t: Ball) -> Ball:
    """σ′(t) = σ(t)σ(−t)."""
    return sigma(t) * sigma(-t)


def at_least(x: Ball) -> float:
    """The largest float that is not above a ball.

    >>> at_least(ball(Fraction(1, 3))) < Fraction(1, 3) < at_most(ball(Fraction(1, 3)))
    True
    """
    return -at_most(-x)


def at_most(x: Ball) -> float:
    """The smallest float that is not below a ball; infinite where it is too large."""
    if not x.is_finite():
        return math.inf
    mantissa, exponent = x.upper().man_exp()
    return above_parts(int(mantissa), int(exponent))


def size_at_most(x: Ball) -> float:
    """The smallest float that is not below the size of any number in a ball."""
    return max(at_most(x), -at_least(x))


def upper_values(function: Enclosed, points: Iterable[float]) -> Array:
    """The values of a function at floats, rounded up.

    >>> upper_values(lambda t: t.exp(), [0.0, 1.0]).tolist()
    [1.0, 2.7182818284590455]
    """
    with working():
        return np.array([at_most(function(ball(x))) for x in points], dtype=np.float64)


def upper_value(function: Callable[..., Ball], *arguments: float | Fraction) -> float:
    """One value of a function of floats and fractions, rounded up.

    >>> upper_value(lambda x, y: (x * y).exp(), 2.0, Fraction(1, 2))
    2.7182818284590455
    """
    with working():
        return at_most(function(*map(ball, arguments)))
