"""Enclosures of real numbers: the scalars of the interval kind.

A ball is a midpoint and a radius, both floating-point numbers with exponents of any size
(F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic,
IEEE Transactions on Computers 66(8), 2017).  Every operation rounds outwards, so that a
ball made from balls contains the number made from the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, TypeAlias

import flint

from boundcalc.errors import InexactError

#: What a ball can be added to, multiplied by or compared with.
Operand: TypeAlias = "Ball | int | Fraction"


_CONTEXT = flint.ctx


class UndecidedError(InexactError):
    """Balls overlap, so that they do not say which number is larger, or whether one is 0."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with mantissas of ``bits`` bits; FLINT's own precision is one for the process."""
    with flint.ctx.workprec(bits):
        yield


class Ball:
    """A real number that is known to lie within a radius of a midpoint.

    Comparisons never guess.  ``x == y`` says that the numbers are certainly equal, and
    ``x != y`` that they may differ: a number that is perhaps 0 is treated as not 0.
    ``x < y`` and its like hold, fail, or raise.

    Parameters
    ----------
    arb
        The enclosure.
    bits
        Bits of the mantissas of what is made from it.  They decide how wide results are, not
        whether they are right.

    Raises
    ------
    UndecidedError
        By comparisons, if the balls overlap, and by division, if the divisor may be 0.
    ZeroDivisionError
        By division by a number that is certainly 0.

    Examples
    --------
    >>> from boundcalc.arithmetic import INTERVALS
    >>> third = INTERVALS.number(1) / 3
    >>> third < Fraction(1, 3) + Fraction(1, 10**30), third == Fraction(1, 3)
    (True, False)
    >>> third.contains(Fraction(1, 3)), third.relative_width < 1e-37
    (True, True)
    """

    __slots__ = ("arb", "bits")

    def __init__(self, arb: flint.arb, bits: int) -> None:
        self.arb = arb
        self.bits = bits

    def _slowly(self, make: Callable[[], flint.arb]) -> Ball:
        with flint.ctx.workprec(self.bits):
            return Ball(make(), self.bits)

    # Setting the precision takes ten times as long as an operation, and so is left out where
    # it is set: operations are written out below.

    def __add__(self, other: Operand) -> Ball:
        y = other.arb if type(other) is Ball else _operand(other, self.bits)
        if y is None:
            return NotImplemented
        if _CONTEXT.prec == self.bits:
            return Ball(self.arb + y, self.bits)
        return self._slowly(lambda: self.arb + y)

    __radd__ = __add__

    def __mul__(self, other: Operand) -> Ball:
        y = other.arb if type(other) is Ball else _operand(other, self.bits)
        if y is None:
            return NotImplemented
        if _CONTEXT.prec == self.bits:
            return Ball(self.arb * y, self.bits)
        return self._slowly(lambda: self.arb * y)

    __rmul__ = __mul__

    def __sub__(self, other: Operand) -> Ball:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else self._slowly(lambda: self.arb - y)

    def __rsub__(self, other: Operand) -> Ball:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else self._slowly(lambda: y - self.arb)

    def __truediv__(self, other: Operand) -> Ball:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else self._slowly(lambda: self.arb / _divisor(y))

    def __rtruediv__(self, other: Operand) -> Ball:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else self._slowly(lambda: y / _divisor(self.arb))

    def __pow__(self, power: int) -> Ball:
        if not isinstance(power, int):
            return NotImplemented
        if power < 0:
            return 1 / self**-power
        # FLINT's own power takes logarithms, and knows nothing of a number that may be 0.
        result, factor = Ball(flint.arb(1), self.bits), self
        while power:
            if power & 1:
                result = result * factor
            factor, power = factor * factor, power >> 1
        return result

    def __neg__(self) -> Ball:
        return self._slowly(lambda: -self.arb)  # FLINT rounds here too

    def __eq__(self, other: object) -> bool:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else bool(self.arb == y)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Operand) -> bool:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else _decided(self.arb < y, self.arb >= y)

    def __le__(self, other: Operand) -> bool:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else _decided(self.arb <= y, self.arb > y)

    def __gt__(self, other: Operand) -> bool:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else _decided(self.arb > y, self.arb <= y)

    def __ge__(self, other: Operand) -> bool:
        y = _operand(other, self.bits)
        return NotImplemented if y is None else _decided(self.arb >= y, self.arb < y)

    def __bool__(self) -> bool:
        return _decided(self.arb != 0, self.arb == 0)

    def __float__(self) -> float:
        """The float64 nearest to the midpoint."""
        mantissa, exponent = self.middle
        extra = max(mantissa.bit_length() - 64, 0)  # ldexp takes a float of any int below 2^1024
        return math.ldexp(mantissa >> extra, exponent + extra)

    def __repr__(self) -> str:
        return f"Ball({self.arb.str(20)})"

    @property
    def finite(self) -> bool:
        """Whether it says anything about the number."""
        return bool(self.arb.is_finite())

    @property
    def upper(self) -> tuple[int, int]:
        """Integers (p, s): the number is at most p · 2^s."""
        return _parts(self._slowly(self.arb.upper).arb)

    @property
    def lower(self) -> tuple[int, int]:
        """Integers (p, s): the number is at least p · 2^s."""
        return _parts(self._slowly(self.arb.lower).arb)

    @property
    def middle(self) -> tuple[int, int]:
        """The midpoint as integers (p, s): p · 2^s."""
        return _parts(self.arb.mid())

    @property
    def relative_width(self) -> float:
        """Length of the interval over the smallest size of a number in it, rounded up.

        Infinite where the number may be 0 and is not certainly so.
        """
        if self.arb.is_exact():
            return 0.0
        with flint.ctx.workprec(53):
            ratio = 2 * self.arb.rad() / self.arb.abs_lower()
            if not ratio.is_finite():
                return math.inf
            return float(Ball(ratio.upper(), 53)) or math.ulp(0.0)

    def contains(self, number: Fraction | int) -> bool:
        """Whether a rational lies in it, decided exactly."""
        mid, rad = _fraction(self.arb.mid()), _fraction(self.arb.rad())
        return abs(Fraction(number) - mid) <= rad


def _operand(value: object, bits: int) -> Any:
    """What FLINT calculates with, rounded outwards; None for a number of another kind."""
    if isinstance(value, Ball):
        return value.arb
    if isinstance(value, int):
        return value
    if isinstance(value, Fraction):
        with flint.ctx.workprec(bits):
            return flint.arb(flint.fmpq(value.numerator, value.denominator))
    return None


def _divisor(y: Any) -> Any:
    if y == 0:
        raise ZeroDivisionError
    if not y != 0:
        raise UndecidedError("division by a number that may be 0", value=str(y))
    return y


def _decided(holds: bool, fails: bool) -> bool:
    if not holds and not fails:
        raise UndecidedError(
            "intervals overlap, so that a comparison is undecided",
            fix="give the numbers exactly, or further apart",
        )
    return bool(holds)


def _parts(exact: flint.arb) -> tuple[int, int]:
    mantissa, exponent = exact.man_exp()
    return int(mantissa), int(exponent)


def _fraction(exact: flint.arb) -> Fraction:
    mantissa, exponent = _parts(exact)
    return Fraction(mantissa) * Fraction(2) ** exponent
