"""Floating point without a largest number: 113-bit mantissa, unbounded exponent.

float64 overflows near N = 283 in the published family with all constants 1,
and underflows as early for small constants.  ``mpmath`` numbers do neither, and
their 113 bits leave float64 results correct to the last digit after thousands
of operations.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NoReturn

from mpmath.ctx_mp import MPContext

from boundcalc.arithmetic.base import Scalar
from boundcalc.arithmetic.rationals import symbol_without_value

#: A context of our own: mpmath's global precision is left to its other users.
CONTEXT = MPContext()
CONTEXT.prec = 113


class Wide:
    """Floating point with 113 bits and an unbounded exponent, one scalar at a time.

    >>> from boundcalc.arithmetic import WIDE
    >>> x = WIDE.number(10) ** 1088
    >>> WIDE.sqrt(x * x) == x
    True
    """

    name = "wide"
    exact = False

    def number(self, value: Fraction | int) -> Scalar:
        """The rational, rounded to 113 bits."""
        value = Fraction(value)
        return CONTEXT.mpf(value.numerator) / CONTEXT.mpf(value.denominator)

    def measured(self, value: float) -> Scalar:
        """The float, unchanged."""
        return CONTEXT.mpf(value)

    def symbol(self, name: str) -> NoReturn:
        """Refused: a float needs a value."""
        raise symbol_without_value(name)

    def sqrt(self, x: Scalar) -> Scalar:
        """The square root of a nonnegative number."""
        return CONTEXT.sqrt(x)

    def exp(self, x: Scalar) -> Scalar:
        """The exponential; large arguments give large exponents, not infinity."""
        return CONTEXT.exp(x)

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm of a positive number."""
        return CONTEXT.log(x)

    def log1p(self, x: Scalar) -> Scalar:
        """ln(1 + x) without cancellation for small x."""
        return CONTEXT.log1p(x)

    def expm1(self, x: Scalar) -> Scalar:
        """eˣ − 1 without cancellation for small x."""
        return CONTEXT.expm1(x)

    def pi(self) -> Scalar:
        """π to 113 bits."""
        return +CONTEXT.pi

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        """The larger of two."""
        return x if x >= y else y

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two."""
        return x if x <= y else y
