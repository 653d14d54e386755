"""Python floats: one float64 at a time, several times as fast as NumPy's scalars."""

from __future__ import annotations

import math

from boundcalc.arithmetic.floats import Floats


class Doubles(Floats):
    """float64 scalars, for loops over single numbers.

    >>> type(DOUBLES.sqrt(4.0)), DOUBLES.minimum(1.0, 2.0)
    (<class 'float'>, 1.0)
    """

    name = "doubles"

    def sqrt(self, x: float) -> float:
        """The square root."""
        return math.sqrt(x)

    def exp(self, x: float) -> float:
        """The exponential."""
        return math.exp(x)

    def log(self, x: float) -> float:
        """The natural logarithm."""
        return math.log(x)

    def log1p(self, x: float) -> float:
        """ln(1 + x)."""
        return math.log1p(x)

    def expm1(self, x: float) -> float:
        """eˣ − 1."""
        return math.expm1(x)

    def maximum(self, x: float, y: float) -> float:
        """The larger of two."""
        return x if x >= y else y

    def minimum(self, x: float, y: float) -> float:
        """The smaller of two."""
        return x if x <= y else y


DOUBLES = Doubles()
