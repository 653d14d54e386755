"""Numbers of the orders kind: smallest of several polynomials, up to constants.

Every function that +, ·, ÷, √, max and min make of orders and unknown orders has this form
(docs/theory.md, section 7): a max-plus lattice polynomial in logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any, final

from boundcalc.budgets.orders.order import NOTHING, Order
from boundcalc.budgets.orders.polynomial import ONE, ZERO, Monomial, Polynomial, largest

#: How many results of operations are remembered: recurrences over long chains repeat few.
_REMEMBERED = 1 << 14


@final
class Quantity:
    """The smallest of some polynomials in unknown orders, or minus it.

    Negative quantities only occur as arguments of the exponential and its inverse; a sum of
    both signs is refused.  A difference x − y is for 0 ≤ y ≤ x, and taken as x, which bounds it.

    Parameters
    ----------
    alternatives
        The polynomials; those that another one never exceeds are left out.
    negative
        Whether it is minus the smallest of them.

    Examples
    --------
    >>> Q, T = unknown("Q"), known(Order(Fraction(1)))
    >>> print((Q**2 + Q * T + T**2) / T)
    T + T^(-1) Q^2
    >>> print(Q / T.least(Q**2))
    Q^(-1) + T^(-1) Q
    """

    __slots__ = ("_hash", "alternatives", "negative", "zero")

    def __init__(self, alternatives: tuple[Polynomial, ...], *, negative: bool = False) -> None:
        self.alternatives = _smallest(alternatives)
        self.zero = self.alternatives == (ZERO,)
        self.negative = negative and not self.zero
        self._hash = hash((self.alternatives, self.negative))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Quantity):
            return self.negative == other.negative and self.alternatives == other.alternatives
        # The order of a number is 0 only where the number is.
        return self.zero and other == 0

    def __add__(self, other: Any) -> Quantity:
        other = as_quantity(other)
        if other.zero or self.zero:
            return self if other.zero else other
        return _sum(self, other)

    __radd__ = __add__

    def __neg__(self) -> Quantity:
        return Quantity(self.alternatives, negative=not self.negative)

    def __sub__(self, other: Any) -> Quantity:
        return _difference(self, as_quantity(other))

    def __rsub__(self, other: Any) -> Quantity:
        return _difference(as_quantity(other), self)

    def __mul__(self, other: Any) -> Quantity:
        return _product(self, as_quantity(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Quantity:
        return _product(self, _reciprocal(as_quantity(other)))

    def __rtruediv__(self, other: Any) -> Quantity:
        return _product(as_quantity(other), _reciprocal(self))

    def __pow__(self, exponent: Any) -> Quantity:
        return _power(self, Fraction(exponent))

    def __lt__(self, other: Any) -> bool:
        """Whether it is at most of the order of the other; of unknown ones that is not known.

        Raises
        ------
        TypeError
            Where an unknown occurs.
        """
        return self.order() <= as_quantity(other).order()

    def __str__(self) -> str:
        sign = "-" if self.negative else ""
        if len(self.alternatives) == 1:
            return f"{sign}{self.alternatives[0]}"
        return f"{sign}min({', '.join(map(str, self.alternatives))})"

    __repr__ = __str__

    def least(self, other: Any) -> Quantity:
        """The smaller of two."""
        return _least(self, as_quantity(other))

    @property
    def unknowns(self) -> frozenset[str]:
        """The names of the unknowns that occur."""
        return frozenset(n for p in self.alternatives for x in p for n, _ in x.degrees)

    def order(self) -> Order:
        """Its order where no unknown occurs.

        Raises
        ------
        TypeError
            Where one does.
        """
        if self.unknowns:
            raise TypeError(f"the order of {self} depends on {', '.join(sorted(self.unknowns))}")
        (only,) = self.alternatives  # of several known ones the smallest was kept
        return max((x.order for x in only), default=NOTHING)

    def given(self, values: Mapping[str, Order]) -> Quantity:
        """With some unknowns known.

        Raises
        ------
        ZeroDivisionError
            If an unknown in a denominator is 0.

        Examples
        --------
        >>> e, m = unknown("e"), unknown("m")
        >>> print((e**2 + m).given({"e": Order(Fraction(-1, 8)), "m": NOTHING}))
        T^(-1/4)
        """
        return Quantity(
            tuple(
                largest(y for x in p if not (y := _given(x, values)).order.zero)
                for p in self.alternatives
            ),
            negative=self.negative,
        )


def known(order: Order) -> Quantity:
    """A quantity of known order."""
    return Quantity((ZERO if order.zero else Polynomial((Monomial(order),)),))


def unknown(name: str) -> Quantity:
    """A quantity whose order is asked for."""
    return Quantity((Polynomial((Monomial(Order(), ((name, Fraction(1)),)),)),))


def as_quantity(value: Any) -> Quantity:
    """A constant as a quantity: its sign is all that matters of it."""
    if isinstance(value, Quantity):
        return value
    if not value:
        return _ZERO
    return _ONE if value > 0 else -_ONE


def _given(x: Monomial, values: Mapping[str, Order]) -> Monomial:
    order = x.order
    for name, degree in x.degrees:
        if name in values:
            order = order * values[name] ** degree
    return Monomial(order, tuple(pair for pair in x.degrees if pair[0] not in values))


def _smallest(alternatives: tuple[Polynomial, ...]) -> tuple[Polynomial, ...]:
    """Without those that are never smaller than another one, in a fixed sequence."""
    found = sorted(set(alternatives), key=lambda p: (len(p.monomials), str(p)))
    for p in list(found):
        if any(q is not p and all(p.dominates(x) for x in q) for q in found):
            found.remove(p)
    return tuple(found)


@lru_cache(_REMEMBERED)
def _sum(x: Quantity, y: Quantity) -> Quantity:
    """min_a p_a + min_b q_b = min_{a,b} (p_a + q_b)."""
    if x.negative != y.negative:
        raise TypeError(f"the order of a sum of both signs is not known: {x} and {y}")
    pairs = product(x.alternatives, y.alternatives)
    return Quantity(
        tuple(largest((*p.monomials, *q.monomials)) for p, q in pairs), negative=x.negative
    )


@lru_cache(_REMEMBERED)
def _difference(x: Quantity, y: Quantity) -> Quantity:
    if x.negative or y.negative or not _dominated(y, x):
        raise TypeError(f"a difference is for 0 ≤ y ≤ x: {x} minus {y}")
    return x


def _dominated(y: Quantity, x: Quantity) -> bool:
    """Whether y is at most of the order of x, as far as that is seen."""
    return all(any(all(p.dominates(m) for m in q) for q in y.alternatives) for p in x.alternatives)


@lru_cache(_REMEMBERED)
def _product(x: Quantity, y: Quantity) -> Quantity:
    """min_a p_a · min_b q_b = min_{a,b} p_a q_b, for what is not negative."""
    pairs = product(x.alternatives, y.alternatives)
    return Quantity(tuple(p * q for p, q in pairs), negative=x.negative != y.negative)


@lru_cache(_REMEMBERED)
def _reciprocal(x: Quantity) -> Quantity:
    """1 / min_a max_m m = max_a min_m 1/m = min over choices of one m from each a of max 1/m."""
    if x.zero:
        raise ZeroDivisionError("division by a quantity that is 0")
    choices = product(*x.alternatives)
    return Quantity(
        tuple(largest(m**-1 for m in chosen) for chosen in choices), negative=x.negative
    )


@lru_cache(_REMEMBERED)
def _power(x: Quantity, exponent: Fraction) -> Quantity:
    """Positive powers go through minima and maxima."""
    if exponent < 0:
        return _power(_reciprocal(x), -exponent)
    if exponent == 0:
        return as_quantity(1)
    if x.negative:
        raise TypeError(f"a power of the negative quantity {x}")
    return Quantity(tuple(p**exponent for p in x.alternatives))


@lru_cache(_REMEMBERED)
def _least(x: Quantity, y: Quantity) -> Quantity:
    if x.negative or y.negative:
        raise TypeError(f"the smaller of {x} and {y}")
    return Quantity((*x.alternatives, *y.alternatives))


_ZERO, _ONE = Quantity((ZERO,)), Quantity((ONE,))
