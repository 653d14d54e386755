"""Numbers as certificates have them, written once more: the checker has its own code.

A number is exact while it is short; a longer one is rounded up to 128 bits.  So are square
roots.  Inputs that are irrational stand as numbers just above them (docs/certificates.md).
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt
from typing import Any

from boundcalc.arithmetic import Scalar
from boundcalc.arithmetic.balls import Ball
from boundcalc.arithmetic.intervals import Intervals
from boundcalc.arithmetic.rationals import symbol_without_value
from boundcalc.errors import UnsupportedError

BITS = 128
EXPONENT = 32_768


def short(x: Fraction) -> bool:
    """Whether numerator and denominator have at most 128 bits."""
    return max(x.numerator.bit_length(), x.denominator.bit_length()) <= BITS


def rounded_up(x: Fraction) -> Fraction:
    """The number itself if it is short, else the next m·2^e with m of 128 or 129 bits.

    >>> rounded_up(Fraction(1, 3)), rounded_up(Fraction(1, 3**100)) > Fraction(1, 3**100)
    (Fraction(1, 3), True)
    """
    if short(x):
        return x
    unit = _unit(x)
    return ceil(x / unit) * unit if unit else Fraction(1, 2 ** (EXPONENT - BITS))


def rounded_down(x: Fraction) -> Fraction:
    """The number itself if it is short, else the next m·2^e below."""
    if short(x):
        return x
    unit = _unit(x)
    return floor(x / unit) * unit if unit else Fraction(0)


def _unit(x: Fraction) -> Fraction:
    """2^e with x/2^e of 128 or 129 bits before the point; 0 below the format's range."""
    exponent = x.numerator.bit_length() - x.denominator.bit_length() - BITS
    if exponent < -EXPONENT:
        return Fraction(0)
    if exponent > EXPONENT:
        raise UnsupportedError(
            "a number is out of a certificate's range",
            value=f"about 2^{exponent + BITS}",
            expected=f"at most 2^{EXPONENT}",
        )
    return Fraction(2) ** exponent


def root_up(x: Fraction) -> Fraction:
    """√x where that is rational, else (⌊√⌊4^k x⌋⌋ + 1)/2^k with 128 bits or so.

    >>> root_up(Fraction(9, 4)), root_up(Fraction(2)) ** 2 - 2 < Fraction(1, 2**120)
    (Fraction(3, 2), True)
    """
    exact = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    if exact**2 == x:
        return exact
    places = BITS - (x.numerator.bit_length() - x.denominator.bit_length()) // 2
    return Fraction(isqrt(floor(x * Fraction(4) ** places)) + 1) / Fraction(2) ** places


def text_of(x: Fraction) -> str:
    """``p``, ``p/q``, or ``m*2^e`` with odd m where that is not short.

    >>> text_of(Fraction(2, 3)), text_of(Fraction(3 * 2**200)), text_of(Fraction(3, 2**200))
    ('2/3', '3*2^200', '3*2^-200')
    """
    if short(x):
        return str(x)
    exponent = -(x.denominator.bit_length() - 1)
    mantissa = x.numerator
    while mantissa % 2 == 0:
        mantissa, exponent = mantissa // 2, exponent + 1
    return f"{mantissa}*2^{exponent}"


class Given:
    """A number kind for inputs: exact rationals, and enclosures of what is irrational.

    A float that was measured counts as the number that it is; the certificate says that
    there are such.
    """

    name = "inputs of a certificate"
    exact = False
    encloses = True

    def __init__(self) -> None:
        self._balls = Intervals()

    def number(self, value: Fraction | int) -> Fraction:
        """The value itself."""
        return Fraction(value)

    def measured(self, value: float) -> Fraction:
        """The float's exact value."""
        return Fraction(value)

    def symbol(self, name: str) -> Any:
        """Refused: a certificate needs values."""
        raise symbol_without_value(name)

    def _ball(self, x: Scalar) -> Ball:
        return x if isinstance(x, Ball) else self._balls.number(x)

    def sqrt(self, x: Scalar) -> Scalar:
        """The square root."""
        if isinstance(x, Fraction):
            exact = Fraction(isqrt(x.numerator), isqrt(x.denominator))
            if exact**2 == x:
                return exact
        return self._balls.sqrt(self._ball(x))

    def exp(self, x: Scalar) -> Scalar:
        """The exponential."""
        return Fraction(1) if x == 0 else self._balls.exp(self._ball(x))

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm."""
        return Fraction(0) if x == 1 else self._balls.log(self._ball(x))

    def log1p(self, x: Scalar) -> Scalar:
        """ln(1 + x)."""
        return Fraction(0) if x == 0 else self._balls.log1p(self._ball(x))

    def expm1(self, x: Scalar) -> Scalar:
        """eˣ − 1."""
        return Fraction(0) if x == 0 else self._balls.expm1(self._ball(x))

    def pi(self) -> Scalar:
        """A ball around π."""
        return self._balls.pi()

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        """The larger of two."""
        if isinstance(x, Fraction) and isinstance(y, Fraction):
            return max(x, y)
        return self._balls.maximum(self._ball(x), self._ball(y))

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two."""
        if isinstance(x, Fraction) and isinstance(y, Fraction):
            return min(x, y)
        return self._balls.minimum(self._ball(x), self._ball(y))


def at_most(x: Scalar) -> Fraction:
    """A number of a certificate that is no smaller than this one."""
    if isinstance(x, Ball):
        top, exponent = x.upper
        x = top * Fraction(2) ** exponent
    return rounded_up(x)


def at_least(x: Scalar) -> Fraction:
    """A number of a certificate that is no larger than this one."""
    if isinstance(x, Ball):
        top, exponent = x.lower
        x = top * Fraction(2) ** exponent
    return rounded_down(x)
