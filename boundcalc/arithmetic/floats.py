"""float64 arrays: many parameter sets at once."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import NoReturn

import numpy as np

from boundcalc.arithmetic.base import Scalar
from boundcalc.arithmetic.number import format_number
from boundcalc.arithmetic.rationals import symbol_without_value
from boundcalc.errors import ExpressionError

#: The smallest float64 with a full mantissa.
_SMALLEST = sys.float_info.min


class Floats:
    """float64 scalars and arrays; arrays of one shape are that many parameter sets.

    Overflow is not silent for long: results that are not finite are refused by
    :class:`~boundcalc.arithmetic.number.Number`; use ``WIDE`` for such chains.

    >>> from boundcalc.arithmetic import FLOATS
    >>> FLOATS.maximum(np.array([1.0, 4.0]), 2.0)
    array([2., 4.])
    """

    name = "floats"
    exact = False

    def number(self, value: Fraction | int) -> Scalar:
        """The rational, rounded to the nearest float64.

        Raises
        ------
        ExpressionError
            If it is outside the range in which float64 keeps 53 bits.
        """
        if value == 0:
            return 0.0
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if not _SMALLEST <= abs(found) < math.inf:
            raise ExpressionError(
                "a number is outside the range of float64",
                value=format_number(value),
                expected="0, or a number between 2.3e-308 and 1.7e+308",
                fix="rescale the operators, or use the recurrences in WIDE arithmetic",
            )
        return found

    def measured(self, value: float) -> Scalar:
        """The float, unchanged."""
        return value

    def symbol(self, name: str) -> NoReturn:
        """Refused: a float needs a value."""
        raise symbol_without_value(name)

    def sqrt(self, x: Scalar) -> Scalar:
        """The square root, elementwise."""
        return np.sqrt(x)

    def exp(self, x: Scalar) -> Scalar:
        """The exponential, elementwise."""
        return np.exp(x)

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm, elementwise."""
        return np.log(x)

    def log1p(self, x: Scalar) -> Scalar:
        """ln(1 + x), elementwise."""
        return np.log1p(x)

    def expm1(self, x: Scalar) -> Scalar:
        """eˣ − 1, elementwise."""
        return np.expm1(x)

    def pi(self) -> Scalar:
        """π to 53 bits."""
        return float(np.pi)

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        """The larger of two, elementwise."""
        return np.maximum(x, y)

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two, elementwise."""
        return np.minimum(x, y)
