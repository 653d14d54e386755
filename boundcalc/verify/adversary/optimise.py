"""Maximising a function of many numbers in a box, whole batches of candidates at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from boundcalc.operators.base import Array

#: Values of a batch of candidates ``(P, d)``, ``(P,)``; NaN or −∞ for one that is not allowed.
Score: TypeAlias = Callable[[Array], Array]

_STEP = 1e-7  # of a difference, as a fraction of the box


@dataclass
class Best:
    """The best candidate so far; it survives an interrupt.

    Attributes
    ----------
    cost
        Numbers that one evaluation computes, for those who choose how to go on.
    """

    score: Score
    point: Array | None = None
    value: float = -np.inf
    evaluations: int = 0
    cost: int = 1

    def values(self, points: Array) -> Array:
        """Evaluate a batch and keep its best."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = self.score(points)
        found = np.where(np.isfinite(found), found, -np.inf)
        self.evaluations += len(points)
        top = int(np.argmax(found))
        if found[top] > self.value:
            self.value, self.point = float(found[top]), points[top].copy()
        return found


def climb(best: Best, start: Array, low: Array, high: Array, *, steps: int) -> Array:
    """L-BFGS-B from one point; the gradient is a difference, taken as one batch.

    Returns
    -------
    The end of the climb; ``best`` has seen everything on the way.
    """
    from scipy.optimize import minimize

    width = high - low
    free = width > 0

    def value_and_slope(x: Array) -> tuple[float, Array]:
        points = np.repeat(x[None], 1 + free.sum(), axis=0)
        # Backwards at the upper end of the box, so that no candidate leaves it.
        step = np.where(x + _STEP * width <= high, _STEP, -_STEP) * width
        points[1 + np.arange(free.sum()), np.flatnonzero(free)] += step[free]
        found = best.values(points)
        slope = np.zeros_like(x)
        with np.errstate(invalid="ignore"):
            slope[free] = (found[1:] - found[0]) / step[free]
        slope[~np.isfinite(slope)] = 0.0
        return (-float(found[0]) if np.isfinite(found[0]) else 1e300), -slope

    bounds = list(zip(low, high, strict=True))
    done = minimize(
        value_and_slope,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": steps, "maxfun": 2 * steps, "ftol": 1e-13, "gtol": 1e-12},
    )
    return np.asarray(done.x)
