"""Where an operator is used: balls and boxes that hold its input and its weights.

Ends of boxes are floats, moved outwards by every operation that rounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.rounding import Array as Array
from boundcalc.operators.rounding import length, upper
from boundcalc.spec.expressions import (
    Expression,
    bounded,
    exact,
    largest,
    rational,
    root,
    smallest,
)

#: The shape of one sample's value: ``(n,)``, ``(tokens, width)``, ``(channels, height, width)``.
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Domain:
    """Where one vector lies: in a ball around 0 and in a box, the same for all components.

    Attributes
    ----------
    radius
        Radius of the ball in the Euclidean norm; None is unbounded.
    low, high
        Every component lies in [low, high]; infinite is unbounded.

    Examples
    --------
    >>> Domain(radius=exact(3)).within(4)
    Domain(radius=Expression(source='3', node=('number', Fraction(3, 1))), low=-3.0, high=3.0)
    >>> str(Domain(low=-1.0, high=2.0).within(4).radius)
    '(sqrt(4) * 2)'
    """

    radius: Expression | None = None
    low: float = -math.inf
    high: float = math.inf

    @property
    def largest(self) -> float:
        """The largest size of a component; infinite if unbounded."""
        return max(abs(self.low), abs(self.high))

    def within(self, size: int) -> Domain:
        """The same set for vectors of ``size`` components, ball and box made to agree.

        A component is at most ‖y‖, and ‖y‖ ≤ √size · (largest component).
        """
        low, high, radius = self.low, self.high, self.radius
        if radius is not None and not radius.symbols:
            r = reach(radius)
            low, high = max(low, -r), min(high, r)
        if math.isfinite(max(abs(low), abs(high))):
            corner = root(exact(size)) * bounded(max(abs(low), abs(high)))
            radius = corner if radius is None else smaller(radius, corner)
        return Domain(radius, low, high)


_NEAR = 1.0 - 1e-9

#: Nothing is known.
ANYWHERE = Domain()


@dataclass(frozen=True)
class Region:
    """Where an operator is used: its constants hold there.

    Attributes
    ----------
    input
        Radius of the ball around 0 that holds every input, perturbed or not; None is
        unbounded.  With several inputs, of the ball that holds all of them as one vector.
    weight
        Radius of the ball around 0 that holds the weights; None is unbounded.
    low, high
        Every component of the input lies in [low, high].
    parts
        For an operator with several inputs: where each of them lies.
    center, change
        Values of the weights, ``(k,)``, and the radius of a ball around them that
        also holds the weights; None where the weights have no known values.
    """

    input: Expression | None = None
    weight: Expression | None = None
    low: float = -math.inf
    high: float = math.inf
    parts: tuple[Domain, ...] = ()
    center: Array | None = field(default=None, compare=False)
    change: Expression | None = None

    def weight_radius(self) -> Expression | None:
        """Radius of a ball around 0 that holds the weights, from both descriptions of them."""
        if self.center is None or self.change is None:
            return self.weight
        around = norm_of(self.center) + self.change
        return around if self.weight is None else smaller(self.weight, around)

    def weight_interval(self) -> tuple[float, float]:
        """An interval that holds every single weight; infinite where they are unbounded."""
        r = reach(self.weight)
        if self.center is None or self.change is None or not len(self.center):
            return -r, r
        moved = reach(self.change)
        low, high = float(self.center.min()) - moved, float(self.center.max()) + moved
        return max(-r, float(np.nextafter(low, -np.inf))), min(r, float(np.nextafter(high, np.inf)))

    def interval(self) -> tuple[float, float]:
        """An interval that holds every component of the input; infinite where unbounded."""
        r = reach(self.input)
        return max(self.low, -r), min(self.high, r)


def smaller(x: Expression, y: Expression) -> Expression:
    """The smaller of two sizes, decided at once where both are known.

    >>> str(smaller(exact(3), exact(2)))
    '2'
    """
    if x.symbols or y.symbols:
        return smallest(x, y)
    return x if x.evaluate(FLOATS) <= y.evaluate(FLOATS) else y


def larger(*sizes: Expression) -> Expression:
    """The largest of some sizes, decided at once where all are known.

    Of irrational numbers that are the same but for rounding the maximum stays unevaluated,
    or the one might be taken that is smaller.

    >>> from boundcalc.spec.grammar import parse
    >>> str(larger(exact(3), exact(2))), str(larger(parse("sqrt(2)"), parse("2/sqrt(2)")))
    ('3', 'max(2/sqrt(2), sqrt(2))')
    """
    if any(size.symbols for size in sizes):
        return largest(*sizes)
    values = [float(size.evaluate(FLOATS)) for size in sizes]
    # Of equal expressions one is enough.
    near = {s.node: s for s, x in zip(sizes, values, strict=True) if x >= max(values) * _NEAR}
    if len(near) == 1:
        return next(iter(near.values()))
    exactly = [rational(size, {}) for size in near.values()]
    known = [x for x in exactly if x is not None]
    if len(known) < len(near):
        return largest(*sorted(near.values(), key=str))
    return list(near.values())[known.index(max(known))]


def norm_of(values: Array) -> Expression:
    """The Euclidean norm of an array of weights or data, rounded up."""
    return bounded(length(values))


def reach(*radii: Expression | None) -> float:
    """The smallest float not below the sum of radii; infinite where one has no number yet.

    >>> reach(exact(1), None), reach(exact(1), exact(2))
    (inf, 3.0)
    """
    total: Expression | None = None
    for radius in radii:
        if radius is None or radius.symbols:
            return math.inf
        total = radius if total is None else total + radius
    return 0.0 if total is None else upper(total)
