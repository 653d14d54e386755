"""Theorems 1 and 2 of [XHH], as printed and corrected.

Source: docs/theory-staleness.md, sections 10.2 and 10.3.

The limits are written without cancellation: c_1 = 2c_0Δt²/(√((Δt²+2)²+2c_0Δt²) + Δt²+2), so that
c_1/(Lc_0Δt²) = 2/(L(√(…) + Δt²+2)), which is 1/(2L) at Δt = 0.
"""

from __future__ import annotations

from fractions import Fraction

from boundcalc.arithmetic import Scalar
from boundcalc.theories.staleness.setting import Setting


def c0(s: Setting) -> Scalar:
    """c_0 = M²K(K+1)²."""
    return s.M**2 * (s.K * (s.K + 1) ** 2)


def _sum(s: Setting) -> Scalar:
    """√((Δt²+2)² + 2c_0Δt²) + Δt² + 2."""
    square = s.delay**2
    return s.kind.sqrt((square + 2) ** 2 + 2 * c0(s) * square) + (square + 2)


def c1(s: Setting) -> Scalar:
    """c_1 = −(Δt²+2) + √((Δt²+2)² + 2c_0Δt²)."""
    if s.delay == 0:
        return s.kind.number(0)
    return 2 * c0(s) * s.delay**2 / _sum(s)


def limit(s: Setting) -> Scalar:
    """The largest step of Theorem 1, c_1/(Lc_0Δt²)."""
    if s.delay == 0:
        return 1 / (2 * s.L)
    return 2 / (s.L * _sum(s))


def noise_factor(s: Setting) -> Scalar:
    """2 + KΔt² + ¼Kc_1, as printed."""
    return 2 + s.K * s.delay**2 + c1(s) * s.kind.number(Fraction(s.K, 4))


def corrected_factor(s: Setting) -> Scalar:
    """2 + Δt² + ½c_1K/(K+1): E12."""
    return 2 + s.delay**2 + c1(s) * s.kind.number(Fraction(s.K, 2 * (s.K + 1)))


def optimisation(s: Setting) -> Scalar:
    """2Δ₀/(Nα)."""
    return 2 * s.gap / (s.step * s.horizon)


def noise(s: Setting, factor: Scalar) -> Scalar:
    """Lασ² times a factor."""
    return s.L * s.step * s.sigma**2 * factor


def corollary(s: Setting, factor: Scalar) -> Scalar:
    """(2Δ₀ + Lσ² · factor)/√N: Corollary 1, where 1/√N is not above the limit."""
    return (2 * s.gap + s.L * s.sigma**2 * factor) / s.kind.sqrt(s.kind.number(s.horizon))


def c2(s: Setting) -> Scalar:
    """c_2 = ((1−β)s − 1)²/(1−β)²."""
    rest = 1 - s.method.beta
    return (rest * s.method.s - 1) ** 2 / rest**2


def c3(s: Setting) -> Scalar:
    """c_3 = M²K(K+1)²Δt²(c_2+s²)."""
    return c0(s) * s.delay**2 * (c2(s) + s.method.s**2)


def c4(s: Setting) -> Scalar:
    """c_4 = 3 + β²c_2 + 2(1−β)²Δt²(c_2+s²)."""
    beta, both = s.method.beta, c2(s) + s.method.s**2
    return 3 + beta**2 * c2(s) + 2 * (1 - beta) ** 2 * s.delay**2 * both


def _momentum_sum(s: Setting) -> Scalar:
    """c_4 + √(c_4² + 4(1−β)²c_3)."""
    if s.delay == 0:
        return 2 * c4(s)
    return c4(s) + s.kind.sqrt(c4(s) ** 2 + 4 * (1 - s.method.beta) ** 2 * c3(s))


def c5(s: Setting) -> Scalar:
    """c_5 = (2+β²c_2)/(1−β) + 2(1−β)Δt²(c_2+s²) + (−c_4+√(c_4²+4(1−β)²c_3))/(2(1−β))."""
    beta, both = s.method.beta, c2(s) + s.method.s**2
    plain = (2 + beta**2 * c2(s)) / (1 - beta) + 2 * (1 - beta) * s.delay**2 * both
    return plain + 2 * (1 - beta) * c3(s) / _momentum_sum(s)


def momentum_limit(s: Setting) -> Scalar:
    """The largest α of Theorem 2: 2(1−β)/(L(c_4+√(c_4²+4(1−β)²c_3)))."""
    return 2 * (1 - s.method.beta) / (s.L * _momentum_sum(s))


def momentum_optimisation(s: Setting) -> Scalar:
    """2(1−β)Δ₀/(Nα)."""
    return 2 * (1 - s.method.beta) * s.gap / (s.step * s.horizon)


def momentum_noise(s: Setting) -> Scalar:
    """c_5σ²Lα."""
    return c5(s) * s.sigma**2 * s.L * s.step
