"""Functions that turn as fast as their constants allow, many candidates at once.

A function H with |H| ≤ a, |H′| ≤ A, |H″| ≤ A′ goes from one level to another by three
pieces: H′ grows at the rate A′, stays at its height h, and falls at the rate A′.  With

    h = min(A, √(A′Δ)),   ramps of length h/A′,   a plateau of length Δ/h − h/A′

the change Δ is made in the shortest time, since no H′ can be larger at a given distance
from either end.  A *turn* is two such transitions with a rest between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array

#: Numbers that make one turn: start, three levels, rest.
PARAMETERS = 5


@dataclass(frozen=True)
class Limits:
    """|H| ≤ size, |H′| ≤ rate, |H″| ≤ bend, for every argument."""

    size: float
    rate: float
    bend: float

    @property
    def moves(self) -> bool:
        """Whether H need not be constant: on the whole line |H′|² ≤ 2 sup|H| sup|H″|."""
        return min(self.size, self.rate, self.bend) > 0

    @property
    def ramp(self) -> float:
        """The time in which H′ reaches its largest height in a change by 2·size."""
        return self._height(2 * self.size) / self.bend

    @property
    def flip(self) -> float:
        """The shortest time for a change by 2·size."""
        h = self._height(2 * self.size)
        return 2 * self.size / h + h / self.bend

    def _height(self, change: float) -> float:
        return min(self.rate, float(np.sqrt(self.bend * change)))


@dataclass(frozen=True)
class Turns:
    """H of P candidates, as sums of truncated powers.

    Attributes
    ----------
    knots, kinks
        ``(P, 8)``: H″ changes by a kink at each knot.
    left
        ``(P,)``: H to the left of all knots.
    """

    knots: Array
    kinks: Array
    left: Array

    def once(self, t: Array) -> Array:
        """H(t) for t of shape ``(P, Q)``."""
        total = np.repeat(self.left[:, None], t.shape[1], axis=1)
        for k in range(self.knots.shape[1]):
            beyond = np.maximum(t - self.knots[:, k, None], 0.0)
            total += self.kinks[:, k, None] * (0.5 * beyond**2)
        return total

    def twice(self, t: Array) -> Array:
        """∫H from 0 to t."""
        total = self.left[:, None] * t
        for k in range(self.knots.shape[1]):
            knot = self.knots[:, k, None]
            beyond = np.maximum(t - knot, 0.0) ** 3 - np.maximum(-knot, 0.0) ** 3
            total += self.kinks[:, k, None] * (beyond / 6.0)
        return total

    def heights(self) -> Array:
        """H′ at the knots, ``(P, 8)``."""
        gaps = np.diff(self.knots, axis=1, prepend=self.knots[:, :1])
        slopes = np.cumsum(self.kinks, axis=1)
        return np.cumsum(
            np.concatenate([np.zeros_like(self.left[:, None]), slopes[:, :-1]], axis=1) * gaps,
            axis=1,
        )


def make_turns(z: Array, limits: Limits) -> Turns:
    """Turns from parameters ``(P, 5)``: start, levels over ``size`` in [−1, 1], and rest ≥ 0."""
    start, levels, rest = z[:, 0], z[:, 1:4] * limits.size, z[:, 4]
    if not limits.moves:
        nothing = np.zeros((len(z), 0))
        return Turns(nothing, nothing, levels[:, 0])
    columns: list[Array] = []
    kinks: list[Array] = []
    at = start
    for k in range(2):
        change = levels[:, k + 1] - levels[:, k]
        size = np.abs(change)
        h = np.minimum(limits.rate, np.sqrt(limits.bend * size))
        ramp = h / limits.bend
        plateau = np.maximum(size / np.where(h > 0, h, 1.0) - ramp, 0.0)
        bend = np.where(h > 0, np.sign(change) * limits.bend, 0.0)
        for step, kink in ((0.0, bend), (ramp, -bend), (plateau, -bend), (ramp, bend)):
            at = at + step
            columns.append(at)
            kinks.append(kink)
        at = at + rest
    return Turns(np.stack(columns, axis=1), np.stack(kinks, axis=1), levels[:, 0])
