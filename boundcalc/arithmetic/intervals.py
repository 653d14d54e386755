"""Intervals with outward rounding: every result is proved to contain the true value."""

from __future__ import annotations

from contextlib import AbstractContextManager
from fractions import Fraction
from typing import NoReturn

import flint

from boundcalc.arithmetic.balls import Ball, UndecidedError, precision
from boundcalc.arithmetic.rationals import symbol_without_value
from boundcalc.errors import InexactError

#: Bits of a mantissa unless more are asked for.
BITS = 128


class Intervals:
    """Ball arithmetic with FLINT (Arb): roots and exponentials too, exponents of any size.

    Whether a result contains the true value does not depend on ``bits``; how wide it is does.
    Operations are three times as fast inside ``with kind.working():``.

    Parameters
    ----------
    bits
        Bits of the midpoints' mantissas.

    Examples
    --------
    >>> from boundcalc.arithmetic import INTERVALS
    >>> two = INTERVALS.sqrt(INTERVALS.number(2)) ** 2
    >>> two.contains(2), two == 2
    (True, False)
    """

    exact = False
    #: Whether results are proved: they contain the true value.
    encloses = True

    def __init__(self, bits: int = BITS) -> None:
        self.bits = bits
        #: Kinds of different precision have different names: constants are kept by name.
        self.name = "intervals" if bits == BITS else f"intervals of {bits} bits"

    def working(self) -> AbstractContextManager[None]:
        """A context in which this kind's operations need not set the precision each time."""
        return precision(self.bits)

    def number(self, value: Fraction | int) -> Ball:
        """The smallest ball at this precision around the rational."""
        value = Fraction(value)
        with self.working():
            return Ball(flint.arb(flint.fmpq(value.numerator, value.denominator)), self.bits)

    def measured(self, value: float) -> NoReturn:
        """Refused: what a measured float stands for is not enclosed.

        Raises
        ------
        InexactError
            Always.
        """
        raise InexactError("a measured number has no enclosure", value=value)

    def symbol(self, name: str) -> NoReturn:
        """Refused: an interval needs a value."""
        raise symbol_without_value(name)

    def between(self, low: Fraction, high: Fraction) -> Ball:
        """A ball around every number from ``low`` to ``high``.

        >>> from boundcalc.arithmetic import INTERVALS
        >>> unit = INTERVALS.between(Fraction(0), Fraction(1))
        >>> unit.contains(0), unit.contains(1), unit.contains(2)
        (True, True, False)
        """
        x, y = self.number(low), self.number(high)
        with self.working():
            return Ball(x.arb.union(y.arb), self.bits)

    def sqrt(self, x: Ball) -> Ball:
        """The square root of a nonnegative number, whose ball may reach below 0 by rounding."""
        with self.working():
            if x.arb >= 0:
                return Ball(x.arb.sqrt(), self.bits)
            if not x.arb.upper() >= 0:
                raise UndecidedError("the square root of a negative number", value=str(x))
            return Ball(x.arb.upper().sqrt().union(flint.arb(0)), self.bits)

    def exp(self, x: Ball) -> Ball:
        """The exponential; large arguments give large exponents, not infinity."""
        with self.working():
            return Ball(x.arb.exp(), self.bits)

    def log(self, x: Ball) -> Ball:
        """The natural logarithm.

        Raises
        ------
        UndecidedError
            If the number may not be positive.
        """
        if not x.arb > 0:
            raise UndecidedError("the logarithm of a number that may be 0", value=str(x))
        with self.working():
            return Ball(x.arb.log(), self.bits)

    def log1p(self, x: Ball) -> Ball:
        """ln(1 + x) without cancellation for small x; x > −1 as in :meth:`log`."""
        if not x.arb > -1:
            raise UndecidedError("the logarithm of a number that may be 0", value=str(1 + x))
        with self.working():
            return Ball(x.arb.log1p(), self.bits)

    def expm1(self, x: Ball) -> Ball:
        """eˣ − 1 without cancellation for small x."""
        with self.working():
            return Ball(x.arb.expm1(), self.bits)

    def pi(self) -> Ball:
        """A ball around π."""
        with self.working():
            return Ball(flint.arb.pi(), self.bits)

    def maximum(self, x: Ball, y: Ball) -> Ball:
        """A ball around the larger of two, whichever it is."""
        with self.working():
            return Ball(x.arb.max(y.arb), self.bits)

    def minimum(self, x: Ball, y: Ball) -> Ball:
        """A ball around the smaller of two, whichever it is."""
        with self.working():
            return Ball(x.arb.min(y.arb), self.bits)
