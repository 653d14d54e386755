"""The hyperbolic tangent."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np

from boundcalc.operators.balls import Ball, sigma_slope
from boundcalc.operators.base import Array
from boundcalc.operators.elementwise import Bounds, Elementwise, expit_slope
from boundcalc.operators.suprema import Suprema, Supremum, all_over
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.grammar import parse


def _slope(t: Ball) -> Ball:
    # 1/cosh²t = 4σ′(2t), without the cancellation of 1 − tanh²t.
    return 4 * sigma_slope(2 * t)


def _second(t: Ball) -> Ball:
    return -2 * t.tanh() * _slope(t)


def _third(t: Ball) -> Ball:
    return _slope(t) * (6 * t.tanh() ** 2 - 2)


_STEEPEST = math.atanh(math.sqrt(1 / 3))
_TURN = math.atanh(math.sqrt(2 / 3))
_SUPREMA: Suprema = (
    Supremum(_slope, (0.0,), exact(1)),
    Supremum(_second, (-_STEEPEST, _STEEPEST), parse("4/(3*sqrt(3))")),
    Supremum(_third, (0.0,), exact(2), others=(-_TURN, _TURN)),
)


@final
class Tanh(Elementwise):
    """f = scale·tanh(y + w); with s = tanh t, the derivatives are polynomials in s.

    - φ′ = 1 − s² ≤ 1, at t = 0;
    - φ″ = −2s(1 − s²), largest where s² = 1/3: 4/(3√3);
    - φ‴ = (1 − s²)(6s² − 2), largest at s = 0: 2 (the other critical s² = 2/3 gives 2/3).

    Global constants: a = ℓ = 1, A = 4/(3√3), A′ = 2, times the scale; all tight.
    See :class:`~boundcalc.operators.elementwise.Elementwise` for the rest.

    Examples
    --------
    >>> from boundcalc.operators import Region
    >>> constants = Tanh(scale="1/2").constants(Region(), None, reads=False)
    >>> str(constants.hess_input)
    '(1/2 * 4/(3*sqrt(3)))'
    """

    type: ClassVar[str] = "tanh"
    slope_from_value: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def phi(self, t: Array) -> Array:
        """The hyperbolic tangent."""
        return np.tanh(t)

    def derivative(self, t: Array) -> Array:
        """1/cosh² t."""
        return 4.0 * expit_slope(2.0 * t)

    def derivative_at(self, value: Array) -> Array:
        """1 − φ²."""
        slope = np.negative(value)
        slope *= value
        slope += 1.0
        return np.asarray(slope)

    def enclosed(self, t: Ball) -> Ball:
        """The hyperbolic tangent."""
        return t.tanh()

    def phi_symbolic(self, t: Any) -> Any:
        """The hyperbolic tangent."""
        import sympy

        return sympy.tanh(t)

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The suprema of 1 − s², 2|s|(1 − s²) and (1 − s²)|6s² − 2|."""
        return all_over(_SUPREMA, low, high)
