"""Stale SGD with per-block delays and without spare factors.

Source: docs/theory-staleness.md, Theorem 10.6.

With ‖𝒢 − ∇f‖² ≤ Σ κ_i d_i², m_i the delays and Q = max κ_i m_i²: if 1 − Lα − α²Q ≥ 0,

    avg E‖∇f(xⁿ)‖² ≤ 2Δ₀/(Nα) + Lασ² + α²σ² max_i κ_i min(m_i², m_i + (m_i − 1)/(2θ)),

where θ = (1 − Lα − α²Q)/(α²Q).
"""

from __future__ import annotations

from boundcalc.arithmetic import Scalar
from boundcalc.theories.staleness.setting import Setting


def largest_step(slope: Scalar, Q: Scalar, s: Setting) -> Scalar:
    """The root 2/(P + √(P² + 4Q)) of 1 − Pα − α²Q, P the ``slope``."""
    if Q == 0:
        return 1 / slope
    return 2 / (slope + s.kind.sqrt(slope**2 + 4 * Q))


def limit(s: Setting) -> Scalar:
    """The largest step: 2/(L + √(L² + 4Q)), 1/L without delays."""
    return largest_step(s.smooth, s.Q, s)


def sampling(s: Setting) -> Scalar:
    """Lασ²."""
    return s.smooth * s.step * s.sigma**2


def staleness(s: Setting) -> Scalar:
    """What the noise of the steps in between adds, for the largest θ that the step leaves."""
    if s.Q == 0 or s.sigma == 0:
        return s.kind.number(0)
    lost = s.step**2 * s.Q
    slack = 1 - s.smooth * s.step - lost
    found = s.kind.number(0)
    for kappa, m in s.shares:
        windows = s.kind.number(m**2)
        if slack > 0:
            windows = s.kind.minimum(windows, m + (m - 1) * lost / (2 * slack))
        found = s.kind.maximum(found, kappa * windows)
    return s.step**2 * s.sigma**2 * found
