"""Stochastic unified momentum: one parameter between the heavy ball and Nesterov's method."""

from __future__ import annotations

from typing import ClassVar

from boundcalc.operators.base import Array
from boundcalc.simulate.optimizers.base import Optimizer


class UnifiedMomentum(Optimizer):
    """y⁺ = w − γ g,  yˢ⁺ = w − sγ g,  w⁺ = y⁺ + β (yˢ⁺ − yˢ),  with yˢ = w before the first step.

    T. Yang, Q. Lin, Z. Li, Unified Convergence Analysis of Stochastic Momentum Methods for Convex
    and Non-convex Optimization, arXiv 1604.03257.  The heavy ball is s = 0, Nesterov's method
    s = 1, and s = 1/(1 − β) is SGD with the step size γ/(1 − β).

    The state is d = w − yˢ.  With e = d − sγ g, which is yˢ⁺ − yˢ, the step is w ← w + βe − γ g,
    d ← βe − γ g + sγ g.

    Parameters
    ----------
    beta
        β in [0, 1); by default 0.9.
    s
        s ≥ 0; by default 1.

    Examples
    --------
    >>> import numpy as np
    >>> w, d = np.array([[1.0]]), np.zeros((1, 1, 1))
    >>> for t in range(2):
    ...     UnifiedMomentum(0.5, 2.0).update(w, np.array([[1.0]]), d, t, 0.1)
    >>> float(w[0, 0].round(12))
    0.6
    """

    name: ClassVar[str] = "unified_momentum"
    code: ClassVar[int] = 5
    states: ClassVar[int] = 1
    defaults: ClassVar[dict[str, float]] = {"momentum": 0.9, "s": 1.0}

    def __init__(self, beta: float = 0.9, s: float = 1.0) -> None:
        self.beta, self.s = beta, s

    @property
    def parameters(self) -> tuple[float, ...]:
        """β and s."""
        return (self.beta, self.s)

    def update(self, w: Array, gradient: Array, states: Array, t: int, step_size: float) -> None:
        """e = d − sγ g,  w ← w + βe − γ g,  d ← βe − γ g + sγ g."""
        lag = states[0]
        gradient *= step_size
        ahead = self.s * gradient
        lag -= ahead
        lag *= self.beta
        lag -= gradient
        w += lag
        lag += ahead
