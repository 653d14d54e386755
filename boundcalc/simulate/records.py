"""What is recorded along a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array
from boundcalc.simulate.reach import Reach, WeightReach

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trajectory:
    """What was recorded along a run of T steps with R replicas.

    Attributes
    ----------
    steps
        The recorded steps: 0, k, 2k, … and T, ``(records,)``.
    loss, gradient_norm
        ℓ(w^(t)) and ‖∇ℓ(w^(t))‖ at these steps, ``(records, R)``.
    snapshots
        First replica's weights by step.
    final
        w^(T), ``(R, k)``.
    secant
        Largest ‖∇ℓ(w) − ∇ℓ(w′)‖ / ‖w − w′‖ of weights recorded after each other: a lower
        bound on L.
    weight_reach, input_reach
        The weights and the inputs met, where a region is claimed; inputs only if the
        settings ask for them.
    diverged
        By replica: the first recorded step at which its loss was not finite, or −1.
    """

    steps: Ints
    loss: Array
    gradient_norm: Array
    snapshots: dict[int, Array]
    final: Array
    secant: float
    weight_reach: WeightReach
    input_reach: Reach
    diverged: Ints

    @property
    def diverged_at(self) -> int | None:
        """The first recorded step at which any replica's loss was not finite, or None."""
        found = self.diverged[self.diverged >= 0]
        return int(found.min()) if found.size else None


class Secant:
    """The largest ratio of a change of the gradient to the change of the weights.

    A block's weights and gradients are given one record after the other.
    """

    def __init__(self) -> None:
        self.largest = 0.0
        self._before: tuple[Array, Array] | None = None

    def see(self, w: Array, gradient: Array) -> None:
        """Take in w and ∇ℓ(w), ``(R, k)``; the arrays must not change afterwards."""
        if self._before is not None:
            self.largest = max(self.largest, _secant(w, gradient, *self._before))
        self._before = (w, gradient)


def _secant(w: Array, gradient: Array, w_before: Array, gradient_before: Array) -> float:
    moved = np.sqrt(np.sum((w - w_before) ** 2, axis=1))
    changed = np.sqrt(np.sum((gradient - gradient_before) ** 2, axis=1))
    # Below this the difference of gradients is mostly rounding: 1e-7 in double precision.
    least = 7.0 * np.sqrt(np.finfo(w.dtype).eps)
    enough = moved > least * (1.0 + np.sqrt(np.sum(w**2, axis=1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(enough & np.isfinite(changed), changed / moved, 0.0)
    return float(ratios.max())


def first_not_finite(steps: Ints, loss: Array) -> Ints:
    """By replica the first step whose loss is not finite, or −1.

    >>> first_not_finite(np.array([0, 5]), np.array([[1.0, 1.0], [1.0, np.inf]]))
    array([-1,  5])
    """
    bad = ~np.isfinite(loss)
    return np.where(bad.any(axis=0), steps[bad.argmax(axis=0)], -1).astype(np.int64)
