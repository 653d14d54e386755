"""The logistic sigmoid."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

from boundcalc.operators.balls import Ball, sigma, sigma_slope
from boundcalc.operators.base import Array
from boundcalc.operators.elementwise import Bounds, Elementwise, expit, expit_slope
from boundcalc.operators.suprema import Suprema, Supremum, all_over
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import parse


def sigma_second(t: Ball) -> Ball:
    """σ″(t), as 1 − 2σ(t) = −tanh(t/2)."""
    return -sigma_slope(t) * (t / 2).tanh()


def _third(t: Ball) -> Ball:
    slope = sigma_slope(t)
    return slope * (1 - 6 * slope)


_STEEPEST = math.log(2 + math.sqrt(3))
_TURN = math.log(5 + 2 * math.sqrt(6))
SIGMOID_SUPREMA: Suprema = (
    Supremum(sigma_slope, (0.0,), parse("1/4")),
    Supremum(sigma_second, (-_STEEPEST, _STEEPEST), parse("1/(6*sqrt(3))")),
    Supremum(_third, (0.0,), parse("1/8"), others=(-_TURN, _TURN)),
)


@final
class Sigmoid(Elementwise):
    """f = scale·σ(y + w), σ(t) = 1/(1 + e⁻ᵗ) = (1 + tanh(t/2))/2.

    By that identity the k-th derivative is that of tanh at t/2, over 2^{k+1}:

    - φ′ ≤ 1/4, at t = 0;
    - |φ″| ≤ 4/(3√3)/8 = 1/(6√3), at t = ±ln(2 + √3);
    - |φ‴| ≤ 2/16 = 1/8, at t = 0 (the other critical points are ±ln(5 + 2√6)).

    Global constants: a = ℓ = 1/4, A = 1/(6√3), A′ = 1/8, times the scale; all tight.
    See :class:`~boundcalc.operators.elementwise.Elementwise` for the rest.

    Examples
    --------
    >>> import numpy as np
    >>> Sigmoid().forward(np.array([[[0.0, -1e3]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[0.5, 0. ]]])
    """

    type: ClassVar[str] = "sigmoid"
    slope_from_value: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def phi(self, t: Array) -> Array:
        """σ(t)."""
        return expit(t)

    def derivative(self, t: Array) -> Array:
        """σ(t)(1 − σ(t))."""
        return expit_slope(t)

    def derivative_at(self, value: Array) -> Array:
        """φ·(1 − φ)."""
        slope: Array = 1.0 - value
        slope *= value
        return slope

    def enclosed(self, t: Ball) -> Ball:
        """σ(t)."""
        return sigma(t)

    def phi_symbolic(self, t: Any) -> Any:
        """σ(t)."""
        import sympy

        return 1 / (1 + sympy.exp(-t))

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The suprema of |σ′|, |σ″| and |σ‴|."""
        return all_over(SIGMOID_SUPREMA, low, high)
