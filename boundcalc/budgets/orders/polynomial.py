"""Largest of several monomials: what a sum of nonnegative terms is, up to constants.

x + y ≤ 2 max(x, y) ≤ 2 (x + y), so that a sum has the order of its largest term, whichever
that is.  While it is not known which one, all that may be are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

from boundcalc.budgets.orders.order import CONSTANT, Order, bracketed

#: Unknown → its exponent, sorted by name, none of them 0.
Degrees: TypeAlias = tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True)
class Monomial:
    """An order times powers of unknown orders.

    >>> from fractions import Fraction as F
    >>> print(Monomial(Order(F(-1, 2)), (("e", F(2)),)))
    T^(-1/2) e^2
    """

    order: Order
    degrees: Degrees = ()

    def __mul__(self, other: Monomial) -> Monomial:
        found = dict(self.degrees)
        for name, degree in other.degrees:
            found[name] = found.get(name, Fraction(0)) + degree
        return Monomial(self.order * other.order, _sorted(found.items()))

    def __pow__(self, exponent: Fraction | int) -> Monomial:
        degrees = _sorted((name, degree * exponent) for name, degree in self.degrees)
        return Monomial(self.order**exponent, degrees)

    def degree(self, unknown: str) -> Fraction:
        """The exponent of an unknown, 0 where it does not occur."""
        return dict(self.degrees).get(unknown, Fraction(0))

    def __str__(self) -> str:
        unknowns = [name if d == 1 else f"{name}^{bracketed(d)}" for name, d in self.degrees]
        order = [] if unknowns and self.order == CONSTANT else [str(self.order)]
        return " ".join([*order, *unknowns])


def _sorted(degrees: Iterable[tuple[str, Fraction]]) -> Degrees:
    return tuple(sorted((name, degree) for name, degree in degrees if degree != 0))


@dataclass(frozen=True)
class Polynomial:
    """The largest of some monomials, those that never are the largest left out; 0 if none.

    Made by :func:`largest`.
    """

    monomials: tuple[Monomial, ...] = ()

    def __iter__(self) -> Iterator[Monomial]:
        return iter(self.monomials)

    def __mul__(self, other: Polynomial) -> Polynomial:
        return largest(x * y for x in self for y in other)

    def __pow__(self, exponent: Fraction | int) -> Polynomial:
        """A positive power of the largest is the largest of the powers."""
        return largest(x**exponent for x in self)

    def __str__(self) -> str:
        return " + ".join(map(str, self)) or "0"

    def dominates(self, x: Monomial) -> bool:
        """Whether x is never larger, whatever the unknowns are; see :func:`largest`.

        A False may be wrong where three or more monomials are needed to see it.
        """
        return any(_at_most(x, y, y) for y in self) or any(
            _at_most(x, y, z) for y, z in combinations(self, 2)
        )


ZERO = Polynomial()
ONE = Polynomial((Monomial(CONSTANT),))


def largest(monomials: Iterable[Monomial]) -> Polynomial:
    """The largest of some monomials.

    Left out is a monomial x with x ≤ y^θ z^{1−θ} for two others, as y^θ z^{1−θ} ≤ max(y, z):
    e·n beside e² and n², say.

    >>> from fractions import Fraction as F
    >>> e, n = (Monomial(CONSTANT, ((name, F(1)),)) for name in "en")
    >>> print(largest([e * e, e * n, n * n]))
    e^2 + n^2
    """
    best: dict[Degrees, Order] = {}
    for x in monomials:
        if x.degrees not in best or best[x.degrees] < x.order:
            best[x.degrees] = x.order
    found = [Monomial(order, degrees) for degrees, order in sorted(best.items())]
    if len(found) < 3:
        return Polynomial(tuple(found))
    # One at a time: two equal ones would each be a reason to leave out the other.
    for x in list(found):
        others = [y for y in found if y is not x]
        if any(_at_most(x, y, z) for y, z in combinations(others, 2)):
            found = others
    return Polynomial(tuple(found))


def _at_most(x: Monomial, y: Monomial, z: Monomial) -> bool:
    """Whether x ≤ y^θ z^{1−θ} for some θ in [0, 1] with the same unknowns on both sides."""
    if y.degrees == z.degrees:
        return x.degrees == y.degrees and x.order <= max(y.order, z.order)
    a, b, c = dict(x.degrees), dict(y.degrees), dict(z.degrees)
    name = next(n for n in {**b, **c} if b.get(n, 0) != c.get(n, 0))
    theta = Fraction(a.get(name, 0) - c.get(name, 0)) / (b.get(name, 0) - c.get(name, 0))
    if not 0 <= theta <= 1:
        return False
    between = y**theta * z ** (1 - theta)
    return between.degrees == x.degrees and x.order <= between.order
