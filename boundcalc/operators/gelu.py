"""The Gaussian error linear unit, exact and by the hyperbolic tangent."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, ClassVar, Literal, final

import numpy as np

from boundcalc.operators.balls import Ball, ball, pi, sigma, sigma_slope, upper_value
from boundcalc.operators.base import ONE, Array
from boundcalc.operators.elementwise import Bounds, Elementwise, expit
from boundcalc.operators.suprema import Suprema, Supremum, all_over
from boundcalc.spec.expressions import Expression, bounded
from boundcalc.spec.grammar import parse

_CUBIC = 0.044715
_K = 2.0 * math.sqrt(2.0 / math.pi)  # the argument is 2u = K(t + 0.044715 t³)
_FAR = 40.0  # beyond ±40 the gate is 0 or 1 to the last bit


def _near(t: Array) -> Array:
    return np.clip(t, -_FAR, _FAR)


def _density(t: Array) -> Array:
    return np.asarray(np.exp(-0.5 * t * t) / math.sqrt(2.0 * math.pi))


def _normal(t: Array) -> Array:
    """Φ(t), relatively accurate in both tails."""
    from scipy.special import erfc

    return np.asarray(0.5 * erfc(-t / math.sqrt(2.0)))


def _argument(t: Array) -> Array:
    return np.asarray(_K * t * (1.0 + _CUBIC * t * t))


def _argument_slope(t: Array) -> Array:
    return np.asarray(_K * (1.0 + 3.0 * _CUBIC * t * t))


def _normal_ball(t: Ball) -> Ball:
    return (-t / ball(2.0).sqrt()).erfc() / 2


def _density_ball(t: Ball) -> Ball:
    return (-t * t / 2).exp() / (2 * pi()).sqrt()


def _first(t: Ball) -> Ball:
    return _normal_ball(t) + t * _density_ball(t)


def _second(t: Ball) -> Ball:
    return _density_ball(t) * (2 - t * t)


def _third(t: Ball) -> Ball:
    return _density_ball(t) * t * (t - 2) * (t + 2)


def _cubic(t: Ball) -> tuple[Ball, Ball, Ball]:
    """q, q′ and q″."""
    k, c = 2 * (2 / pi()).sqrt(), ball(Fraction(str(_CUBIC)))
    return k * t * (1 + c * t * t), k * (1 + 3 * c * t * t), 6 * k * c * t


def _first_tanh(t: Ball) -> Ball:
    q, slope, _ = _cubic(t)
    return sigma(q) * (1 + t * slope * sigma(-q))


def _second_tanh(t: Ball) -> Ball:
    q, slope, bend = _cubic(t)
    return sigma_slope(q) * (2 * slope + t * bend - t * slope**2 * (q / 2).tanh())


def _third_tanh(t: Ball) -> Ball:
    q, slope, bend = _cubic(t)
    s = (q / 2).tanh()
    # 3q″ + tq‴ = 4q″, as q is a cubic without a square
    moved = 4 * bend - 3 * s * slope * (slope + t * bend)
    return sigma_slope(q) * (moved + t * slope**3 * (3 * s**2 - 1) / 2)


_LEAST = {"none": -0.7517915246935644574579049, "tanh": -0.7524614220710162584879544}

_EXACT: Suprema = (
    Supremum(
        _first,
        (math.sqrt(2),),
        parse("1.128904145185155"),
        others=(-math.sqrt(2),),
        tails=(0.0, 1.0),
    ),
    Supremum(_second, (0.0,), parse("sqrt(2/pi)"), others=(-2.0, 2.0)),
    Supremum(
        _third,
        (-0.7922869913932612777937432, 0.7922869913932612777937432),
        parse("sqrt((7-sqrt(33))/2)*(1+sqrt(33))/2*exp((sqrt(33)-7)/4)/sqrt(2*pi)"),
        others=(-2.524337798962138571321190, 2.524337798962138571321190),
    ),
)
_TANH: Suprema = (
    Supremum(
        _first_tanh,
        (1.418504008790828355548034,),
        parse("1.128993068658772"),
        others=(-1.418504008790828355548034,),
        tails=(0.0, 1.0),
    ),
    Supremum(
        _second_tanh,
        (0.0,),
        parse("sqrt(2/pi)"),
        others=(-2.013480724624257928080151, 2.013480724624257928080151),
    ),
    Supremum(
        _third_tanh,
        (-0.7875761864188940101318753, 0.7875761864188940101318753),
        parse("0.7766914503985405"),
        others=(-2.553417914329442901669801, 2.553417914329442901669801),
    ),
)


@final
class GELU(Elementwise):
    """f = scale·φ(y + w), φ(t) = t·Φ(t), Φ the standard normal distribution function.

    With p = Φ′, the normal density, and p′ = −tp:

    - φ′ = Φ + tp, and φ″ = p(2 − t²) = 0 at ±√2: the largest |φ′| is
      φ′(√2) = (1 + erf 1)/2 + 1/(e√π) < 1.128904145185155, and φ′(−√2) > −0.129;
    - φ‴ = pt(t² − 4) = 0 at 0 and ±2: |φ″| ≤ φ″(0) = √(2/π), while |φ″(±2)| < 0.11;
    - φ⁗ = −p(t⁴ − 7t² + 4) = 0 at t² = (7 ± √33)/2: the largest |φ‴| is at the smaller,
      |t|·(1 + √33)/2·exp(−t²/2)/√(2π) = 0.77877…, at the larger it is below 0.1.

    With ``approximation: tanh``, φ(t) = t(1 + tanh u)/2, u = √(2/π)(t + 0.044715t³), so
    φ(t) = t·σ(q), q = 2u.  With s = tanh(q/2):

    - φ′ = σ + tq′σ′ is largest at t = 1.41850…: 1.12899306865877… ;
    - φ″ = σ′(2q′ + tq″ − tq′²s): √(2/π) at t = 0, below 0.11 at the others, ±2.01348…;
    - φ‴ = σ′(4q″ − 3sq′(q′ + tq″) + tq′³(3s² − 1)/2): 0.776691450398540… at
      ±0.78757…, below 0.1 at the others, ±2.55341….

    The decimals are rounded up in the 16th digit.  They, and that there are no other
    critical points, are proved in interval arithmetic as for
    :class:`~boundcalc.operators.silu.SiLU`, whose φ is of the same form.

    Global constants: a = ℓ = 1.1289…, A = √(2/π), A′ = 0.7787… or 0.7766…, times the
    scale; tight to 1e-15.  As 0 < Φ < 1, |f| ≤ scale·|y + w|.
    See :class:`~boundcalc.operators.elementwise.Elementwise` for the rest.

    Attributes
    ----------
    approximation
        ``none`` or ``tanh``, as PyTorch calls them.

    References
    ----------
    Hendrycks, Gimpel, *Gaussian error linear units (GELUs)*, arXiv:1606.08415, section 2.

    Examples
    --------
    >>> from boundcalc.operators import Region
    >>> str(GELU(approximation="tanh").constants(Region(), None, reads=False).jac_input)
    '1.128993068658772'
    >>> GELU().forward(np.array([[[-1e3, 1.0, 1e3]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[-0.00000000e+00,  8.41344746e-01,  1.00000000e+03]]])
    """

    type: ClassVar[str] = "gelu"
    limits: ClassVar[tuple[float, float]] = (0.0, math.inf)

    approximation: Literal["none", "tanh"] = "none"

    def phi(self, t: Array) -> Array:
        """The product t·Φ(t), or t·σ(q(t))."""
        return np.asarray(t * self._gate(t))

    def derivative(self, t: Array) -> Array:
        """Φ + tp, or σ + tq′σ′."""
        t = _near(t)
        if self.approximation == "none":
            return _normal(t) + t * _density(t)
        q = _argument(t)
        return expit(q) * (1.0 + t * _argument_slope(t) * expit(-q))

    def enclosed(self, t: Ball) -> Ball:
        """The product t·Φ(t), or t·σ(q(t))."""
        exact = self.approximation == "none"
        return t * (_normal_ball(t) if exact else sigma(_cubic(t)[0]))

    def phi_symbolic(self, t: Any) -> Any:
        """The product t·Φ(t), or t(1 + tanh u)/2 = t/(1 + e⁻²ᵘ)."""
        import sympy

        if self.approximation == "none":
            return t * sympy.erfc(-t / sympy.sqrt(2)) / 2
        u = sympy.sqrt(2 / sympy.pi) * (t + sympy.Rational("0.044715") * t**3)
        return t / (1 + sympy.exp(-2 * u))

    def turning_points(self) -> tuple[float, ...]:
        """The one minimum."""
        return (_LEAST[self.approximation],)

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The suprema of |φ′|, |φ″| and |φ‴|."""
        return all_over(_EXACT if self.approximation == "none" else _TANH, low, high)

    def secant(self, low: float, high: float) -> Expression:
        """|φ(t)/t| = Φ(t) or σ(q(t)), which increase."""
        gate = _normal_ball if self.approximation == "none" else lambda t: sigma(_cubic(t)[0])
        most = 1.0 if math.isinf(high) else upper_value(gate, high)
        return ONE if most >= 1.0 else bounded(most)

    def _gate(self, t: Array) -> Array:
        t = _near(t)
        return _normal(t) if self.approximation == "none" else expit(_argument(t))
