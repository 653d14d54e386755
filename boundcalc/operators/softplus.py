"""The softplus, which after `margin` is the logistic loss."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np

from boundcalc.operators.balls import Ball, sigma
from boundcalc.operators.base import ONE, Array
from boundcalc.operators.elementwise import Bounds, Elementwise, expit
from boundcalc.operators.sigmoid import SIGMOID_SUPREMA
from boundcalc.operators.suprema import Suprema, Supremum, all_over
from boundcalc.spec.expressions import Expression

#: The derivatives of softplus are σ, σ′, σ″; σ has no critical point and tends to 1.
SOFTPLUS_SUPREMA: Suprema = (Supremum(sigma, (), ONE, tails=(0.0, 1.0)), *SIGMOID_SUPREMA[:2])


@final
class Softplus(Elementwise):
    """f = scale·ln(1 + e^{y + w}).

    - φ′ = σ < 1, approached as t → ∞: on [−r, r] it is σ(r);
    - φ″ = σ′ ≤ 1/4, at t = 0;
    - |φ‴| = |σ″| ≤ 1/(6√3), at t = ±ln(2 + √3).

    Global constants: a = ℓ = 1, A = 1/4, A′ = 1/(6√3), times the scale; all tight.
    After ``margin`` these are the constants of [KZY] section 7.
    See :class:`~boundcalc.operators.elementwise.Elementwise` for the rest.

    Examples
    --------
    >>> Softplus().forward(np.array([[[0.0, 1e3]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[6.93147181e-01, 1.00000000e+03]]])
    """

    type: ClassVar[str] = "softplus"
    limits: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def phi(self, t: Array) -> Array:
        """The softplus, ln(1 + eᵗ)."""
        return np.asarray(np.logaddexp(0.0, t))

    def derivative(self, t: Array) -> Array:
        """σ(t)."""
        return expit(t)

    def enclosed(self, t: Ball) -> Ball:
        """max(t, 0) + ln(1 + e^{−|t|})."""
        return t.max(0) + (-abs(t)).exp().log1p()

    def phi_symbolic(self, t: Any) -> Any:
        """The softplus, ln(1 + eᵗ)."""
        import sympy

        return sympy.log(1 + sympy.exp(t))

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The suprema of σ, σ′ and |σ″|."""
        return all_over(SOFTPLUS_SUPREMA, low, high)
