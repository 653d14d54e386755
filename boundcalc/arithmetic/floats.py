"""float64 arrays: many parameter sets at once."""

from __future__ import annotations

from fractions import Fraction
from typing import NoReturn

import numpy as np

from boundcalc.arithmetic.base import Scalar
from boundcalc.arithmetic.rationals import symbol_without_value


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
        """The rational, rounded to the nearest float64."""
        return float(value)

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

    def pi(self) -> Scalar:
        """π to 53 bits."""
        return float(np.pi)

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        """The larger of two, elementwise."""
        return np.maximum(x, y)

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two, elementwise."""
        return np.minimum(x, y)
