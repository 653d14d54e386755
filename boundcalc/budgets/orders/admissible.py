"""Which orders of an unknown keep every term of a bound within a target order.

A theory calls :func:`admissible` with its terms, evaluated on
:class:`~boundcalc.budgets.orders.kind.Orders` by the code that evaluates them on numbers:

>>> from boundcalc.budgets.orders.kind import Orders
>>> from boundcalc.budgets.orders.order import Order
>>> kind = Orders()
>>> step, size = kind.order(Order.read("T^-1/2")), kind.unknown("e")
>>> terms = {"error": step * size**2, "bias": size**4}
>>> print(admissible(terms, "e", Order.read("T^-1/2")).most)
T^(-1/8)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from boundcalc.budgets.orders.order import NOTHING, Order
from boundcalc.budgets.orders.polynomial import Polynomial
from boundcalc.budgets.orders.quantity import Quantity
from boundcalc.errors import SpecError


@dataclass(frozen=True)
class Range:
    """The orders from ``least`` to ``most``; None where there is no such end."""

    least: Order | None
    most: Order | None

    @property
    def empty(self) -> bool:
        """Whether no order lies in it."""
        return self.least is not None and self.most is not None and self.least > self.most

    def meets(self, other: Range) -> bool:
        """Whether the two have an order in common."""
        return not self.within(other).empty

    def within(self, other: Range) -> Range:
        """What both have in common."""
        lows = [x for x in (self.least, other.least) if x is not None]
        highs = [x for x in (self.most, other.most) if x is not None]
        return Range(max(lows, default=None), min(highs, default=None))

    def joined(self, other: Range) -> Range:
        """The range from the lower of the lower ends to the upper of the upper ones."""
        lows, highs = (self.least, other.least), (self.most, other.most)
        return Range(
            None if None in lows else min(x for x in lows if x is not None),
            None if None in highs else max(x for x in highs if x is not None),
        )


ANY = Range(None, None)
NONE = Range(Order(Fraction(1)), Order(Fraction(-1)))


def admissible(
    terms: Mapping[str, Quantity],
    unknown: str,
    target: Order,
    given: Mapping[str, Order] | None = None,
) -> Range:
    """The orders of an unknown for which every term is at most of the target order.

    A term c·x^d asks for x ≤ (target/c)^{1/d} where d > 0, and for x ≥ (c/target)^{1/|d|} where
    d < 0; of a minimum one alternative has to comply.  Exact: O(number of monomials).

    Parameters
    ----------
    terms
        Name → term, whose sum is the bound.
    unknown
        The name that it was made with (``kind.unknown(name)``).
    target
        The order that the bound may have, not 0.
    given
        Orders of other unknowns; those that are not named are 0.

    Raises
    ------
    SpecError
        If no order is admissible; the message names a term that is too large.
    ValueError
        If the admissible orders are not all those between two, which needs a minimum of
        something that grows and something that falls.
    """
    others = {n: NOTHING for term in terms.values() for n in term.unknowns if n != unknown}
    fixed = {name: term.given({**others, **(given or {})}) for name, term in terms.items()}
    found = ANY
    for name, term in fixed.items():
        ranges = [r for p in term.alternatives if not (r := _range(p, unknown, target)).empty]
        found = found.within(_joined(ranges, name)) if ranges else NONE
        if found.empty:
            raise SpecError(
                f"no order of {unknown} is admissible: {name} is too large",
                value=f"{name} of order {term}",
                expected=f"at most the order {target}",
                fix="allow a larger rate, or choose another step-size schedule",
            )
    return found


def _range(p: Polynomial, unknown: str, target: Order) -> Range:
    """Where every monomial is at most the target."""
    found = ANY
    for x in p:
        degree = x.degree(unknown)
        if degree == 0:
            found = found if x.order <= target else NONE
            continue
        edge = (target / x.order) ** (1 / degree)
        found = found.within(Range(None, edge) if degree > 0 else Range(edge, None))
    return found


def _joined(ranges: list[Range], name: str) -> Range:
    """The union of ranges that overlap."""
    pending, found = ranges[1:], ranges[0]
    while pending:
        touching = next((r for r in pending if r.meets(found)), None)
        if touching is None:
            raise ValueError(f"the admissible orders of {name} are not one range: {ranges}")
        pending.remove(touching)
        found = found.joined(touching)
    return found


def all_kept(terms: Mapping[str, Quantity], orders: Mapping[str, Order], target: Order) -> bool:
    """Whether every term is at most of the target order when all unknowns have these orders.

    Answers for single unknowns need not hold together: of a term e·n neither may be as large
    as it may be where the other one is 0.
    """
    return all(term.given(orders).order() <= target for term in terms.values())
