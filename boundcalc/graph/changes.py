"""What transforms do to the values of a site: where these lie, moments, and how far they move.

At one site perturbations act in the order of the spec.  What is added before a transform
enlarges the set of values that the transform is given, and what a transform changes is
bounded by its ``largest``; the set of exact values is never cut, since it holds the values
of the unperturbed pass as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from boundcalc.errors import SpecError
from boundcalc.graph import domains
from boundcalc.graph.place import Placed, at_sites
from boundcalc.graph.ranges import Range, range_of
from boundcalc.operators.base import Domain, Shape
from boundcalc.operators.rounding import above
from boundcalc.perturbations.transform import Largest, Reach
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import Expression


@dataclass(frozen=True)
class Change:
    """One transform at one site.

    Attributes
    ----------
    reach
        Where the values lie that it is given.
    moments
        Upper bounds on those of Q(y) − y, when it acts.
    largest
        Upper bounds on Q(y) − y itself.
    """

    reach: Reach
    moments: VectorMoments
    largest: Largest


#: Transforms on reaches that were met before: repeated operators often have the same.
Known: TypeAlias = dict[tuple[str, Reach], Change]


def change(item: Placed, derived: Range, shape: Shape, why: str, known: Known) -> Change:
    """A transform on values that lie in a derived set and in the one that its section states.

    Parameters
    ----------
    why
        Why the derived set is unbounded, for the message.
    known
        Is asked first, and completed.

    Raises
    ------
    SpecError
        If the sets have nothing in common, or the transform needs to know more.
    """
    where = derived.within(item.stated)
    if where.empty:
        raise SpecError(
            "a reach that holds none of the values",
            where=f"{item.where}.reach",
            value=_text(item.stated),
            expected="a set that meets the values that the graph gives: " + _text(derived),
            fix="remove `reach`, or check the regions and constants before this place",
        )
    reach = where.reach(shape)
    try:
        if (item.where, reach) not in known:
            known[item.where, reach] = _change(item, reach)
        return known[item.where, reach]
    except SpecError as error:
        unknown = reach.radius is None and reach.magnitude is None
        fix = "state where the value lies: reach: {radius: R}, or {low: A, high: B}"
        located = error.located(item.where)
        raise SpecError(
            located.problem,
            where=located.where,
            value=why if unknown and why else located.value,
            expected=located.expected,
            fix=located.fix or (fix if unknown else None),
        ) from None


def _change(item: Placed, reach: Reach) -> Change:
    transform, memory = item.transform, item.section.memory
    assert transform is not None  # noqa: S101 - callers have looked
    if memory is None:
        return Change(reach, transform.moments(reach), transform.largest(reach))
    from boundcalc.perturbations.remembered import remembered

    return Change(reach, *remembered(transform, reach, memory))


def _text(found: Range) -> str:
    parts = [
        f"{name} {float(size):.6g}"
        for name, size in (("radius", found.radius), ("low", found.low), ("high", found.high))
        if size is not None
    ]
    return ", ".join(parts) or "anywhere"


def norm_of(largest: Largest, size: int) -> float:
    """At least ‖δ‖: its own bound, or √n times that of the components.

    >>> norm_of(Largest(1.0, 9.0), 4), norm_of(Largest(1.0, 9.0), 2) ** 2 >= 2
    (2.0, True)
    """
    if math.isinf(largest.component):
        return largest.norm
    root = math.isqrt(size)
    side = root if root * root == size else math.nextafter(math.sqrt(size), math.inf)
    return min(largest.norm, above(Fraction(side) * Fraction(largest.component)))


class ForwardSites:
    """What the perturbations do to the outputs of the operators, one operator after the other.

    Parameters
    ----------
    placed
        All perturbations.
    size
        N.
    symbols
        Values of symbols.

    Attributes
    ----------
    found
        By position of the perturbation and number of the operator: every transform there.
    """

    def __init__(
        self, placed: Sequence[Placed], size: int, symbols: Mapping[str, Expression]
    ) -> None:
        # What is added to the loss stays in its domain, as nothing reads that.
        self._at = at_sites(placed, "forward", 0)
        self._last = size
        self._symbols = symbols
        self._unbounded = ""
        self._known: Known = {}
        self.found: dict[tuple[int, int], Change] = {}

    def after(self, name: str, v: int, domain: Domain, shape: Shape) -> Domain:
        """Where the output of operator v lies, perturbed or not, from where f_v's values lie.

        Called once for each operator, in topological order.

        Raises
        ------
        SpecError
            As :func:`change`.
        """
        size = math.prod(shape)
        added = 0.0  # the sizes of what is added one after the other: moved by at once
        for position, item in self._at.get(v, []):
            if item.transform is None:
                added += item.largest
                if math.isinf(item.largest):
                    self._unbounded = self._unbounded or f"{item.where} is unbounded"
            elif v != self._last:
                domain = self._settled(domains.moved(domain, added, size), size)
                added = 0.0
                why = self._why(name, domain)
                made = change(item, range_of(domain), shape, why, self._known)
                self.found[position, v] = made
                domain = domains.grown(domain, made.largest)
        return self._settled(domains.moved(domain, added, size), size)

    def _settled(self, domain: Domain, size: int) -> Domain:
        return domains.settled(domain.within(size), self._symbols)

    def _why(self, name: str, domain: Domain) -> str:
        if domain.radius is not None and domain.radius.symbols:
            names = ", ".join(sorted(domain.radius.symbols))
            return f"where the output of {name} lies depends on {names}, which has no value"
        if self._unbounded:
            return f"nothing bounds the output of {name}: {self._unbounded}"
        return f"nothing bounds the output of {name}"
