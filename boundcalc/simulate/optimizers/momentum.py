"""Averaged momentum: the step follows an exponential average of the gradients."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.optimizers.base import WithMomentum


class Momentum(WithMomentum):
    """m ← β m + (1 − β) g,  w ← w − γ m,  with m = 0 before the first step.

    The averaged form, in which constant gradients are followed at the speed γ whatever β is.
    :class:`~boundcalc.simulate.optimizers.heavy_ball.HeavyBall` with the step size (1 − β)γ
    takes the same steps.

    Parameters
    ----------
    beta
        β in [0, 1); by default 0.9.

    Examples
    --------
    >>> w, m = np.array([[1.0]]), np.zeros((1, 1, 1))
    >>> for t in range(2):
    ...     Momentum(0.5).update(w, np.array([[1.0]]), m, t, 0.1)
    >>> float(w[0, 0].round(12))
    0.875
    """

    name: ClassVar[str] = "momentum"
    code: ClassVar[int] = 1

    def update(self, w: Array, gradient: Array, states: Array, t: int, step_size: float) -> None:
        """m ← β m + (1 − β) g,  w ← w − γ m."""
        mean = states[0]
        mean *= self.beta
        gradient *= 1.0 - self.beta
        mean += gradient
        np.multiply(mean, step_size, out=gradient)
        w -= gradient
