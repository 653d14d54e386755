"""Exact rational numbers: ``fractions.Fraction``."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import NoReturn

from boundcalc.arithmetic.number import format_number
from boundcalc.errors import InexactError, SymbolError


class Rationals:
    """Exact rational arithmetic; O(1) operations on integers that grow with the chain.

    >>> from boundcalc.arithmetic import RATIONALS
    >>> RATIONALS.sqrt(Fraction(9, 4))
    Fraction(3, 2)
    """

    name = "rationals"
    exact = True

    def number(self, value: Fraction | int) -> Fraction:
        """The value itself."""
        return Fraction(value)

    def measured(self, value: float) -> NoReturn:
        """Refused: a measured float is not exact.

        Raises
        ------
        InexactError
            Always.
        """
        raise InexactError("a measured number has no exact value", value=value)

    def symbol(self, name: str) -> NoReturn:
        """Refused: a rational needs a value.

        Raises
        ------
        SymbolError
            Always.
        """
        raise symbol_without_value(name)

    def sqrt(self, x: Fraction) -> Fraction:
        """The square root of a rational square.

        Raises
        ------
        InexactError
            If the root is irrational.
        """
        top, bottom = isqrt(x.numerator), isqrt(x.denominator)
        if top * top != x.numerator or bottom * bottom != x.denominator:
            raise InexactError("the square root is irrational", value=format_number(x))
        return Fraction(top, bottom)

    def exp(self, x: Fraction) -> Fraction:
        """exp(0) = 1; every other rational has an irrational exponential (Lindemann)."""
        if x != 0:
            raise InexactError("the exponential is irrational", value=format_number(x))
        return Fraction(1)

    def log(self, x: Fraction) -> Fraction:
        """log(1) = 0; every other positive rational has an irrational logarithm."""
        if x != 1:
            raise InexactError("the logarithm is irrational", value=format_number(x))
        return Fraction(0)

    def log1p(self, x: Fraction) -> Fraction:
        """ln(1 + 0) = 0; irrational elsewhere."""
        return self.log(1 + x)

    def expm1(self, x: Fraction) -> Fraction:
        """exp(0) − 1 = 0; irrational elsewhere."""
        return self.exp(x) - 1

    def pi(self) -> NoReturn:
        """Refused: π is irrational."""
        raise InexactError("pi is irrational")

    def maximum(self, x: Fraction, y: Fraction) -> Fraction:
        """The larger of two."""
        return max(x, y)

    def minimum(self, x: Fraction, y: Fraction) -> Fraction:
        """The smaller of two."""
        return min(x, y)


def symbol_without_value(name: str) -> SymbolError:
    """The error for a symbol where a number is needed."""
    return SymbolError(
        f"symbol {name!r} has no value, and a number is needed here",
        fix=f"give it one under `symbols:` in the spec, or with --set {name}=VALUE",
    )
