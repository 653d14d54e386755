"""Where the values of a site lie, as numbers: what a transform's moments are bounded over."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import BoundcalcError, SpecError
from boundcalc.operators.base import Domain, Shape
from boundcalc.operators.rounding import lower, upper
from boundcalc.perturbations.transform import Reach
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import ReachSection


@dataclass(frozen=True)
class Range:
    """A ball around 0 and a box for vectors of any size; None is unbounded.

    Attributes
    ----------
    radius, low, high
        As those of a :class:`~boundcalc.perturbations.transform.Reach`.
    """

    radius: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None

    def within(self, other: Range) -> Range:
        """The intersection.

        >>> Range(radius=Fraction(2), high=Fraction(1)).within(Range(high=Fraction(3))).high
        Fraction(1, 1)
        """
        return Range(
            _pick(min, self.radius, other.radius),
            _pick(max, self.low, other.low),
            _pick(min, self.high, other.high),
        )

    @property
    def empty(self) -> bool:
        """Whether it holds no vector.

        >>> Range(low=Fraction(2), high=Fraction(1)).empty
        True
        >>> Range(radius=Fraction(1), low=Fraction(2)).empty
        True
        """
        low, high = self.low, self.high
        if self.radius is not None:
            low, high = _pick(max, low, -self.radius), _pick(min, high, self.radius)
        return low is not None and high is not None and low > high

    def reach(self, shape: Shape) -> Reach:
        """The same set for values of a shape."""
        return Reach(tuple(shape), self.radius, self.low, self.high)


#: Nothing is known.
UNBOUNDED = Range()


def _pick(
    choose: Callable[[Fraction, Fraction], Fraction], x: Fraction | None, y: Fraction | None
) -> Fraction | None:
    if x is None or y is None:
        return y if x is None else x
    return choose(x, y)


def range_of(domain: Domain) -> Range:
    """A domain as numbers; a radius with a symbol that has no value says nothing.

    >>> from boundcalc.spec.grammar import parse
    >>> range_of(Domain(parse("1/3"), low=-0.5))
    Range(radius=Fraction(1, 3), low=Fraction(-1, 2), high=None)
    """
    radius = None
    if domain.radius is not None and not domain.radius.symbols:
        radius = not_below(domain.radius)
    return Range(
        radius,
        Fraction(domain.low) if math.isfinite(domain.low) else None,
        Fraction(domain.high) if math.isfinite(domain.high) else None,
    )


def not_below(size: Expression) -> Fraction | None:
    """The value of an expression without symbols, or a float above it; None if too large.

    >>> from boundcalc.spec.grammar import parse
    >>> not_below(parse("2/3")), not_below(parse("sqrt(2)")) ** 2 > 2
    (Fraction(2, 3), True)
    """
    try:
        return Fraction(size.evaluate(RATIONALS))
    except BoundcalcError:  # irrational, measured, or too many digits
        number = upper(size)
        return Fraction(number) if math.isfinite(number) else None


def not_above(size: Expression) -> Fraction | None:
    """As :func:`not_below` on the other side."""
    try:
        return Fraction(size.evaluate(RATIONALS))
    except BoundcalcError:
        number = lower(size)
        return Fraction(number) if math.isfinite(number) else None


def stated_range(
    section: ReachSection | None, values: Mapping[str, Expression], where: str
) -> Range:
    """What a perturbation section says about the value.

    Raises
    ------
    SpecError
        If a symbol has no value, or nothing lies there.
    """
    if section is None:
        return UNBOUNDED
    found: dict[str, Fraction] = {}
    for name in ("radius", "low", "high"):
        size = getattr(section, name)
        if size is None:
            continue
        size = size.substitute(values)
        if size.symbols:
            raise SpecError(
                "a reach is made of numbers",
                where=f"{where}.{name}",
                value=size.source,
                expected="a value for " + ", ".join(sorted(size.symbols)),
                fix="give the symbol a value under `symbols`",
            )
        number = not_above(size) if name == "low" else not_below(size)
        if number is not None:
            found[name] = number
    stated = Range(**found)
    if not found or stated.empty:
        raise SpecError(
            "a reach that holds nothing" if found else "a reach that says nothing",
            where=where,
            value=", ".join(f"{name}: {getattr(section, name)}" for name in found) or "{}",
            expected="low ≤ high within ±radius" if found else "radius, low or high",
            fix="check these numbers" if found else "state radius, or low and high",
        )
    return stated
