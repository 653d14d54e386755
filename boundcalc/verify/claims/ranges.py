"""Rigorous ranges of expressions over boxes: intervals with exact rational ends.

Rational operations on ends are exact, so nothing is rounded but what would grow too long,
and roots, exponentials and logarithms, which are enclosed by Arb; both outward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import flint

from boundcalc.errors import ExpressionError
from boundcalc.spec.nodes import Node

_BITS = 256  # of an end, before it is rounded outward to this many
_LONGEST = 20_000  # bits of an end that is refused: the numbers of a claim are not that large


@dataclass(frozen=True, slots=True)
class Range:
    """A closed interval of real numbers with rational ends.

    >>> x = Range.of(Fraction(-1), Fraction(2))
    >>> x.power(2)
    [0, 4]
    >>> x.times(x)
    [-2, 4]
    """

    lo: flint.fmpq
    hi: flint.fmpq

    @classmethod
    def of(cls, lo: Fraction, hi: Fraction) -> Range:
        """The interval between two rationals."""
        return cls(rational(lo), rational(hi))

    def plus(self, other: Range) -> Range:
        """The sums of members."""
        return outward(self.lo + other.lo, self.hi + other.hi)

    def minus(self, other: Range) -> Range:
        """The differences of members."""
        return outward(self.lo - other.hi, self.hi - other.lo)

    def times(self, other: Range) -> Range:
        """The products of members."""
        if self.lo >= 0 and other.lo >= 0:
            return outward(self.lo * other.lo, self.hi * other.hi)
        ends = [x * y for x in (self.lo, self.hi) for y in (other.lo, other.hi)]
        return outward(min(ends), max(ends))

    def over(self, other: Range) -> Range:
        """The quotients of members.

        Raises
        ------
        ZeroDivisionError
            If the divisor may be zero.
        """
        if other.lo <= 0 <= other.hi:
            raise ZeroDivisionError
        return self.times(Range(1 / other.hi, 1 / other.lo))

    def power(self, exponent: int) -> Range:
        """The powers of members; an even power is never negative."""
        if exponent < 0:
            return Range(flint.fmpq(1), flint.fmpq(1)).over(self.power(-exponent))
        low, high = self.lo**exponent, self.hi**exponent
        if exponent % 2 == 0 and exponent > 0:
            if self.lo < 0 < self.hi:
                return outward(flint.fmpq(0), max(low, high))
            return outward(min(low, high), max(low, high))
        return outward(low, high)

    def negative(self) -> Range:
        """The negatives of members."""
        return Range(-self.hi, -self.lo)

    def least(self, other: Range) -> Range:
        """The smaller of two members."""
        return Range(min(self.lo, other.lo), min(self.hi, other.hi))

    def greatest(self, other: Range) -> Range:
        """The larger of two members."""
        return Range(max(self.lo, other.lo), max(self.hi, other.hi))

    def monotone(self, function: Callable[[flint.arb], flint.arb]) -> Range:
        """The values of an increasing function, enclosed."""
        with flint.ctx.workprec(_BITS):
            low, high = function(flint.arb(self.lo)), function(flint.arb(self.hi))
            if not (low.is_finite() and high.is_finite()):
                raise OverflowError
            return Range(low.lower().fmpq(), high.upper().fmpq())

    def __repr__(self) -> str:
        return f"[{self.lo}, {self.hi}]"


def rational(value: Fraction | int) -> flint.fmpq:
    """A rational of FLINT."""
    return flint.fmpq(value.numerator, value.denominator)


def fraction(value: flint.fmpq) -> Fraction:
    """A rational of Python."""
    return Fraction(int(value.p), int(value.q))


def outward(lo: flint.fmpq, hi: flint.fmpq) -> Range:
    """An interval whose ends are rounded outward if they are long."""
    return Range(rounded(lo, up=False), rounded(hi, up=True))


def rounded(value: flint.fmpq, *, up: bool) -> flint.fmpq:
    """A rational of at most 256 bits on the stated side; short ones stay as they are.

    >>> x = flint.fmpq(3**400, 7**300)
    >>> rounded(x, up=False) < x < rounded(x, up=True)
    True
    """
    bits = max(int(value.p).bit_length(), int(value.q).bit_length())
    if bits <= 2 * _BITS:
        return value
    if bits > _LONGEST:
        raise OverflowError
    top, bottom = int(value.p), int(value.q)
    shift = _BITS - (abs(top).bit_length() - bottom.bit_length())
    scaled, rest = divmod(top << max(shift, 0), bottom << max(-shift, 0))
    scaled += bool(up and rest)
    return flint.fmpq(scaled << max(-shift, 0), 1 << max(shift, 0))


def enclosure(node: Node, box: Mapping[str, Range]) -> Range:
    """An interval that holds the values of an expression on a box.

    Parameters
    ----------
    node
        The tree of an expression.
    box
        The interval of every symbol.

    Raises
    ------
    ZeroDivisionError
        If a divisor may be zero.
    OverflowError
        If a number is too large to work with.
    ExpressionError
        If a root or logarithm may leave its domain.
    """
    match node:
        case ("number", Fraction() as value):
            return Range.of(value, value)
        case ("symbol", str() as name):
            return box[name]
        case ("pi", _):
            return _pi()
        case ("neg", inner):
            return enclosure(inner, box).negative()
        case ("**", base, ("number", Fraction() as power)):
            return enclosure(base, box).power(int(power))
        case (name, inner):
            return _function(name, enclosure(inner, box))
        case (operation, left, right):
            x, y = enclosure(left, box), enclosure(right, box)
            return _BINARY[operation](x, y)
    raise AssertionError(f"no rule for {node!r}")


_BINARY: dict[str, Callable[[Range, Range], Range]] = {
    "+": Range.plus,
    "-": Range.minus,
    "*": Range.times,
    "/": Range.over,
    "min": Range.least,
    "max": Range.greatest,
}


def _function(name: str, x: Range) -> Range:
    if name == "sqrt":
        if x.lo < 0:
            raise ExpressionError("the square root of what may be negative on the box")
        return x.monotone(flint.arb.sqrt)
    if name == "log":
        if x.lo <= 0:
            raise ExpressionError("the logarithm of what may be zero or negative on the box")
        return x.monotone(flint.arb.log)
    if x.hi > 690:
        raise OverflowError
    return x.monotone(flint.arb.exp)


def _pi() -> Range:
    with flint.ctx.workprec(_BITS):
        return Range(flint.arb.pi().lower().fmpq(), flint.arb.pi().upper().fmpq())
