"""The sigmoid linear unit, also called swish."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np

from boundcalc.operators.balls import Ball, sigma, sigma_slope, upper_value
from boundcalc.operators.base import ONE, Array
from boundcalc.operators.elementwise import Bounds, Elementwise, expit
from boundcalc.operators.suprema import Suprema, Supremum, all_over
from boundcalc.spec.expressions import Expression, bounded
from boundcalc.spec.grammar import parse


def _slope(t: Ball) -> Ball:
    return sigma(t) * (1 + t * sigma(-t))


def _second(t: Ball) -> Ball:
    return sigma_slope(t) * (2 - t * (t / 2).tanh())


def _third(t: Ball) -> Ball:
    s = (t / 2).tanh()
    return sigma_slope(t) * (t * (3 * s**2 - 1) / 2 - 3 * s)


#: Where φ′ = 0, φ″ = 0, and φ‴ = 0.
_LEAST = -1.278464542761073795109359
_STEEPEST = 2.399357280515467667832740
_BENT = 3.435840993535110688951641
#: Where φ⁗ = 0: the peak of |φ‴| and another.
_PEAK = 1.031958241780749123401266
_OTHER = 4.429235100557227979566417

_SUPREMA: Suprema = (
    Supremum(
        _slope,
        (_STEEPEST,),
        parse("1.099839320128867"),
        others=(-_STEEPEST,),
        tails=(0.0, 1.0),
    ),
    Supremum(_second, (0.0,), parse("1/2"), others=(-_BENT, _BENT)),
    Supremum(_third, (-_PEAK, _PEAK), parse("0.3081815157964792"), others=(-_OTHER, _OTHER)),
)


@final
class SiLU(Elementwise):
    """f = scale·φ(y + w), φ(t) = t·σ(t) with σ(t) = 1/(1 + e⁻ᵗ).

    With s = tanh(t/2), so that σ = (1 + s)/2 and σ′ = (1 − s²)/4:

    - φ′ = σ + tσ′, even about 1/2 at 0; φ″ = σ′(2 − ts) vanishes only at ±t₁, where
      t tanh(t/2) = 2.  There φ′(t₁) = 1/2 + t₁/4 < 1.099839320128867, while
      −0.1 < φ′(−t₁) = 1/2 − t₁/4, and t₁ = 2.39935…;
    - φ″ is even, 1/2 at t = 0; its other critical points are ±3.43584…, where
      |φ″| < 0.037;
    - φ‴ = σ′(−3s + t(3s² − 1)/2) is odd, and |φ‴| < 0.3081815157964792, which is its
      value at ±1.03195… rounded up in the 16th digit; at ±4.42923… it is below 0.014.

    That there are no other critical points, and the two decimals, are proved in
    interval arithmetic: φ^(k)/σ′ is a polynomial in t and s for k ≥ 2, whose sign is
    enclosed on a partition of [0, T] (near a root, that of its derivative), and for
    t ≥ T by its Taylor coefficients at T, all of one sign for every s ∈ [s(T), 1]
    (``tests/operators/test_gated_activations.py``).

    Global constants: a = ℓ = φ′(t₁), A = 1/2, A′ = 0.30818…, times the scale; tight to
    1e-15.  As 0 < σ < 1, |f| ≤ scale·|y + w|.
    See :class:`~boundcalc.operators.elementwise.Elementwise` for the rest.

    References
    ----------
    Elfwing, Uchibe, Doya, *Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning*, arXiv:1702.03118, equation (8), where φ is
    called SiLU and its minimum −0.28 at t = −1.28 given.

    Examples
    --------
    >>> from boundcalc.operators import Region
    >>> str(SiLU().constants(Region(), None, reads=False).hess_input)
    '1/2'
    >>> SiLU().forward(np.array([[[-1e3, 0.0, 1e3]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[  -0.,    0., 1000.]]])
    """

    type: ClassVar[str] = "silu"
    limits: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def phi(self, t: Array) -> Array:
        """The product t·σ(t)."""
        return np.asarray(t * expit(t))

    def derivative(self, t: Array) -> Array:
        """σ(t)(1 + t·σ(−t))."""
        return expit(t) * (1.0 + t * expit(-t))

    def enclosed(self, t: Ball) -> Ball:
        """The product t·σ(t)."""
        return t * sigma(t)

    def phi_symbolic(self, t: Any) -> Any:
        """The product t·σ(t)."""
        import sympy

        return t / (1 + sympy.exp(-t))

    def turning_points(self) -> tuple[float, ...]:
        """The one minimum."""
        return (_LEAST,)

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The suprema of |φ′|, |φ″| and |φ‴|."""
        return all_over(_SUPREMA, low, high)

    def secant(self, low: float, high: float) -> Expression:
        """|φ(t)/t| = σ(t), which increases."""
        most = 1.0 if math.isinf(high) else upper_value(sigma, high)
        return ONE if most >= 1.0 else bounded(most)
