"""Polyak's heavy ball: a gradient step, and a share of the last step once more."""

from __future__ import annotations

from typing import ClassVar

from boundcalc.operators.base import Array
from boundcalc.simulate.optimizers.base import WithMomentum


class HeavyBall(WithMomentum):
    """w⁺ = w − γ g + β (w − w⁻),  with w⁻ = w before the first step.

    B. T. Polyak, Some methods of speeding up the convergence of iteration methods, USSR Comput.
    Math. Math. Phys. 4(5), 1964.  The state is v = w − w⁻, so that v ← β v − γ g and w ← w + v.
    On a quadratic with eigenvalue λ it is stable if and only if γλ < 2(1 + β).

    Parameters
    ----------
    beta
        β in [0, 1); by default 0.9.

    Examples
    --------
    >>> import numpy as np
    >>> w, v = np.array([[1.0]]), np.zeros((1, 1, 1))
    >>> for t in range(2):
    ...     HeavyBall(0.5).update(w, np.array([[1.0]]), v, t, 0.1)
    >>> float(w[0, 0].round(12))
    0.75
    """

    name: ClassVar[str] = "heavy_ball"
    code: ClassVar[int] = 2

    def update(self, w: Array, gradient: Array, states: Array, t: int, step_size: float) -> None:
        """v ← β v − γ g,  w ← w + v."""
        velocity = states[0]
        velocity *= self.beta
        gradient *= step_size
        velocity -= gradient
        w += velocity
