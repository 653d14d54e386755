"""What operators with several inputs share: where each input lies, and cutting y into them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate
from math import prod

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SpecError
from boundcalc.operators.regions import Array, Domain, Region, Shape, smaller
from boundcalc.operators.rounding import above, below
from boundcalc.spec.expressions import Expression, bounded


def pieces(y: Array, shapes: tuple[Shape, ...]) -> list[Array]:
    """The inputs that make up y, as views: the last axis cut after each.

    >>> import numpy as np
    >>> [part.tolist() for part in pieces(np.arange(5.0), ((2,), (3, 1)))]
    [[0.0, 1.0], [2.0, 3.0, 4.0]]
    """
    ends = list(accumulate(prod(shape) for shape in shapes))
    return [y[..., end - prod(shape) : end] for end, shape in zip(ends, shapes, strict=True)]


def part_domains(region: Region, shapes: tuple[Shape, ...]) -> tuple[Domain, ...]:
    """Where each input lies, from its own domain and from that of all inputs as one vector.

    >>> from boundcalc.spec.expressions import exact
    >>> region = Region(input=exact(3), parts=(Domain(exact(5)), Domain(exact(2))))
    >>> [str(part.radius) for part in part_domains(region, ((1,), (1,)))]
    ['3', '2']
    """
    parts = region.parts or (Domain(),) * len(shapes)
    return tuple(
        Domain(
            _smaller_known(part.radius, region.input),
            max(part.low, region.low),
            min(part.high, region.high),
        ).within(prod(shape))
        for part, shape in zip(parts, shapes, strict=True)
    )


def _smaller_known(x: Expression | None, y: Expression | None) -> Expression | None:
    if x is None or y is None:
        return x if y is None else y
    return smaller(x, y)


def part_radius(domain: Domain, constant: str, operator: str, name: str) -> Expression:
    """The radius of one input's ball, which ``constant`` needs.

    Raises
    ------
    SpecError
        If there is none; it names the input.
    """
    if domain.radius is None:
        raise SpecError(
            f"the constant {constant} of a `{operator}` operator needs a bound on its input {name}",
            expected="region: {input: R}",
            fix="bound the operator that it reads, or add `region: {input: R}`, R the radius "
            "of a ball that holds all inputs together",
        )
    return domain.radius


def largest_component(domain: Domain) -> Expression | None:
    """The largest size of a component: that of the box, or the radius; None if unbounded.

    >>> str(largest_component(Domain(low=-1.0, high=2.0)))
    '2'
    """
    box, radius = domain.largest, domain.radius
    if radius is None:
        return bounded(box) if math.isfinite(box) else None
    if math.isinf(box) or (not radius.symbols and radius.evaluate(FLOATS) <= box):
        return radius
    return smaller(radius, bounded(box))


def sum_of_intervals(intervals: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """An interval that holds every sum of one number from each.

    >>> sum_of_intervals([(-1.0, 1.0), (0.0, float("inf"))])
    (-1.0, inf)
    """
    lows, highs = zip(*intervals, strict=True)
    low, high = -math.inf, math.inf
    if all(map(math.isfinite, lows)):
        low = below(sum(map(Fraction, lows), Fraction(0)))
    if all(map(math.isfinite, highs)):
        high = above(sum(map(Fraction, highs), Fraction(0)))
    return low, high


def product_of_intervals(
    first: tuple[float, float], second: tuple[float, float]
) -> tuple[float, float]:
    """An interval that holds every product of two numbers, one from each.

    >>> product_of_intervals((-1.0, 2.0), (-3.0, 1.0))
    (-6.0, 3.0)
    >>> product_of_intervals((0.0, 1.0), (0.0, float("inf")))
    (0.0, inf)
    """
    corners = [(x, y) for x in first for y in second]
    return min(_product(*c)[0] for c in corners), max(_product(*c)[1] for c in corners)


def _product(x: float, y: float) -> tuple[float, float]:
    """The floats around x·y; 0·∞ = 0, as the numbers themselves are finite."""
    if x == 0 or y == 0:
        return 0.0, 0.0
    if math.isinf(x) or math.isinf(y):
        return (math.inf, math.inf) if (x > 0) == (y > 0) else (-math.inf, -math.inf)
    value = Fraction(x) * Fraction(y)
    return below(value), above(value)
