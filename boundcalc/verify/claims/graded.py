"""Bounds of the form x^k · c on a box of symbols x ≥ 0.

A symbol x in [l, h] that occurs as a factor x^k is kept apart from what it multiplies: a
number is then "at most x₁^{k₁} ⋯ x_d^{k_d} · c on the whole box".  Sums take the smaller
exponents, and x^{k+j} ≤ h^j x^k.  Only numbers ≥ 0 occur.  So what the claim and the sharp
bound have in common cancels, however wide the box is, and where x may be 0 as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import flint

from boundcalc.spec.nodes import Node
from boundcalc.verify.claims.factors import taken_out
from boundcalc.verify.claims.ranges import Range, enclosure, rounded

#: Exponents of the symbols.
Powers: TypeAlias = tuple[int, ...]

_ZERO = flint.fmpq(0)


@dataclass(frozen=True, slots=True)
class Graded:
    """A bound x₁^{k₁} ⋯ x_d^{k_d} · ``size`` from above, where 0 ≤ x_j ≤ ``tops[j]``.

    >>> half = (flint.fmpq(1, 2),)
    >>> x = Graded((1,), flint.fmpq(1), half)
    >>> (x * x + x).powers, (x * x + x).size
    ((1,), 3/2)
    """

    powers: Powers
    size: flint.fmpq
    tops: tuple[flint.fmpq, ...]

    def __add__(self, other: Graded) -> Graded:
        if self.size == 0:
            return other
        if other.size == 0:
            return self
        if self.powers == other.powers:
            return Graded(self.powers, _up(self.size + other.size), self.tops)
        powers = tuple(map(min, self.powers, other.powers))
        return Graded(powers, _up(self.over(powers) + other.over(powers)), self.tops)

    def __mul__(self, other: Graded) -> Graded:
        powers = tuple(k + m for k, m in zip(self.powers, other.powers, strict=True))
        return Graded(powers, _up(self.size * other.size), self.tops)

    def over(self, powers: Powers) -> flint.fmpq:
        """A bound on the number divided by the powers, which it has as factors."""
        return self.size * _lifted(self.powers, powers, self.tops)

    def times(self, factor: flint.fmpq) -> Graded:
        """A multiple of it, by a number ≥ 0."""
        return Graded(self.powers, _up(self.size * factor), self.tops)


def _lifted(powers: Powers, lower: Powers, tops: Sequence[flint.fmpq]) -> flint.fmpq:
    """Π h^{k − l}: what x^{k−l} is at most."""
    factor = flint.fmpq(1)
    for k, m, top in zip(powers, lower, tops, strict=True):
        if k != m:
            factor = factor * top ** (k - m)
    return factor


def _up(value: flint.fmpq) -> flint.fmpq:
    return rounded(value, up=True)


@dataclass(frozen=True)
class Cell:
    """A box, with the symbols whose powers are taken out: all that are not 0 throughout.

    Attributes
    ----------
    box
        The interval of every symbol.
    factors
        The symbols whose powers are taken out.
    """

    box: Mapping[str, Range]
    factors: tuple[str, ...]

    @classmethod
    def of(cls, box: Mapping[str, Range]) -> Cell:
        """A box."""
        return cls(box, tuple(name for name, side in box.items() if side.hi > 0))

    @property
    def tops(self) -> tuple[flint.fmpq, ...]:
        """The upper ends of the symbols whose powers are taken out."""
        return tuple(self.box[name].hi for name in self.factors)

    def number(self, value: int) -> Graded:
        """A number ≥ 0."""
        return Graded((0,) * len(self.factors), flint.fmpq(value), self.tops)

    def split(self, node: Node) -> tuple[Powers, Range]:
        """The powers that an expression has as factors, and the range of the rest."""
        powers = []
        for name in self.factors:
            power, node = taken_out(node, name)
            powers.append(power)
        return tuple(powers), enclosure(node, self.box)

    def above(self, node: Node) -> Graded:
        """A bound from above on an expression ≥ 0."""
        powers, rest = self.split(node)
        return Graded(powers if rest.hi > 0 else (0,) * len(powers), max(rest.hi, _ZERO), self.tops)

    def below(self, node: Node, powers: Powers) -> flint.fmpq | None:
        """A number c with ``node`` ≥ c · x^powers on the box; None if none is seen.

        Where the expression has j fewer factors x than are asked for, x^{−j} ≥ h^{−j}; where
        it has j more, x^j ≥ l^j.
        """
        own, rest = self.split(node)
        if rest.lo < 0:
            whole = enclosure(node, self.box)
            return _ZERO if whole.lo >= 0 else None if any(powers) else whole.lo
        low = rest.lo
        for k, m, name in zip(own, powers, self.factors, strict=True):
            side = self.box[name]
            if low != 0 and k != m:
                low = low * (side.lo ** (k - m) if k > m else side.hi ** (k - m))
        return rounded(low, up=False)
