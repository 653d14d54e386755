"""SymPy expressions, built nested and never expanded: formulas for people."""

from __future__ import annotations

from fractions import Fraction

import sympy

from boundcalc.arithmetic.base import Scalar


class Symbols:
    """Symbolic arithmetic.  All symbols are positive: they are norms and constants.

    Expressions stay in the nested form in which a recurrence builds them, so a
    formula for operator i has O(N - i) nodes; ``expand`` is never called.

    >>> from boundcalc.arithmetic import SYMBOLS
    >>> C = SYMBOLS.symbol("C")
    >>> SYMBOLS.sqrt(C**2) + SYMBOLS.number(Fraction(1, 2))
    C + 1/2
    """

    name = "symbols"
    exact = True

    def number(self, value: Fraction | int) -> Scalar:
        """The rational as a SymPy number."""
        value = Fraction(value)
        return sympy.Rational(value.numerator, value.denominator)

    def measured(self, value: float) -> Scalar:
        """The float as a SymPy float."""
        return sympy.Float(value)

    def symbol(self, name: str) -> Scalar:
        """A positive symbol."""
        return sympy.Symbol(name, positive=True)

    def sqrt(self, x: Scalar) -> Scalar:
        """The square root."""
        return sympy.sqrt(x)

    def exp(self, x: Scalar) -> Scalar:
        """The exponential."""
        return sympy.exp(x)

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm."""
        return sympy.log(x)

    def log1p(self, x: Scalar) -> Scalar:
        """ln(1 + x)."""
        return sympy.log(1 + x)

    def expm1(self, x: Scalar) -> Scalar:
        """eˣ − 1."""
        return sympy.exp(x) - 1

    def pi(self) -> Scalar:
        """The symbol π."""
        return sympy.pi

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        """The larger of two, decided where SymPy can."""
        return sympy.Max(x, y)

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two, decided where SymPy can."""
        return sympy.Min(x, y)
