"""Nesterov's accelerated gradient with a constant momentum."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.optimizers.base import WithMomentum


class Nesterov(WithMomentum):
    """y⁺ = w − γ g(w),  w⁺ = y⁺ + β (y⁺ − y),  with y = w before the first step.

    Y. Nesterov, Introductory Lectures on Convex Optimization, 2004, scheme (2.2.9) with constant
    coefficients.  The weights of a run are the points w at which gradients are taken, not the
    y between them.  The state is v = y⁺ − y, so that v ← β v − γ g and w ← w − γ g + β v.

    Parameters
    ----------
    beta
        β in [0, 1); by default 0.9.

    Examples
    --------
    >>> w, v = np.array([[1.0]]), np.zeros((1, 1, 1))
    >>> for t in range(2):
    ...     Nesterov(0.5).update(w, np.array([[1.0]]), v, t, 0.1)
    >>> float(w[0, 0].round(12))
    0.675
    """

    name: ClassVar[str] = "nesterov"
    code: ClassVar[int] = 3

    def update(self, w: Array, gradient: Array, states: Array, t: int, step_size: float) -> None:
        """v ← β v − γ g,  w ← w − γ g + β v."""
        velocity = states[0]
        velocity *= self.beta
        gradient *= step_size
        velocity -= gradient
        w -= gradient
        np.multiply(velocity, self.beta, out=gradient)
        w += gradient
