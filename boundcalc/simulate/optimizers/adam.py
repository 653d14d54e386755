"""Adam: each weight's step is scaled by the size of its gradients."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.optimizers.base import Optimizer


class Adam(Optimizer):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − γ m̂/(√v̂ + ε), from m = v = 0.

    m̂ = m/(1−β₁ⁿ) and v̂ = v/(1−β₂ⁿ) in step n = 1, 2, …: D. P. Kingma, J. Ba, Adam: A Method
    for Stochastic Optimization, arXiv 1412.6980, Algorithm 1.

    A weight whose v overflows would never move again, and a run that blew up would look as if
    it had stopped; instead it becomes NaN, so that the replica is recorded as diverged.

    Parameters
    ----------
    beta1, beta2
        In [0, 1); by default 0.9 and 0.999.
    epsilon
        ε > 0; by default 1e-8.

    Examples
    --------
    The first step has the size γ, but for ε, along every axis:

    >>> w = np.zeros((1, 2))
    >>> Adam().update(w, np.array([[3.0, -0.01]]), np.zeros((2, 1, 2)), 0, 0.1)
    >>> w.round(6)
    array([[-0.1,  0.1]])
    """

    name: ClassVar[str] = "adam"
    code: ClassVar[int] = 4
    states: ClassVar[int] = 2
    defaults: ClassVar[dict[str, float]] = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    @property
    def parameters(self) -> tuple[float, ...]:
        """β₁, β₂ and ε."""
        return (self.beta1, self.beta2, self.epsilon)

    def update(self, w: Array, gradient: Array, states: Array, t: int, step_size: float) -> None:
        """One step of Algorithm 1."""
        first, second = states
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            part = gradient * (1.0 - self.beta1)
            first *= self.beta1
            first += part
            gradient *= gradient
            gradient *= 1.0 - self.beta2
            second *= self.beta2
            second += gradient
            np.divide(second, gathered(self.beta2, t + 1), out=gradient)
            np.sqrt(gradient, out=gradient)
            gradient += self.epsilon
            np.multiply(first, step_size / gathered(self.beta1, t + 1), out=part)
            part /= gradient
            w -= part
            np.multiply(second, 0.0, out=gradient)  # NaN where the second moment overflowed
            w += gradient


def gathered(beta: float, steps: int) -> float:
    """1 − βⁿ, the weight of n gradients in an exponential average, without cancellation.

    >>> gathered(0.5, 2), gathered(0.0, 3)
    (0.75, 1.0)
    """
    return 1.0 if beta == 0 else -math.expm1(steps * math.log(beta))
