"""Stale SUM with per-block delays and without spare factors.

Source: docs/theory-staleness.md, Theorem 10.8.

With φ = 1 − (1−β)s, W = 1 + βs + β|φ|/(1−β) and P = L(1 + 2β|φ|/(1−β))/(1−β): if
1 − Pα − α²W²Q ≥ 0,

    avg E‖∇f(xⁿ)‖² ≤ 2(1−β)Δ₀/(Nα) + Lασ²(1 + β|φ|/(1−β))/(1−β) + α²W²Qσ².
"""

from __future__ import annotations

from boundcalc.arithmetic import Scalar
from boundcalc.theories.staleness.setting import Setting
from boundcalc.theories.staleness.sharp import largest_step


def memory(s: Setting) -> Scalar:
    """β|φ|/(1−β), φ = 1 − (1−β)s."""
    beta = s.method.beta
    phi = 1 - (1 - beta) * s.method.s
    return beta * s.kind.maximum(phi, -phi) / (1 - beta)


def reach(s: Setting) -> Scalar:
    """W = 1 + βs + β|φ|/(1−β): how far one gradient moves the weights in all."""
    return 1 + s.method.beta * s.method.s + memory(s)


def limit(s: Setting) -> Scalar:
    """The largest α: 2/(P + √(P² + 4W²Q))."""
    slope = s.smooth * (1 + 2 * memory(s)) / (1 - s.method.beta)
    return largest_step(slope, reach(s) ** 2 * s.Q, s)


def sampling(s: Setting) -> Scalar:
    """Lασ²(1 + β|φ|/(1−β))/(1−β)."""
    return s.smooth * s.step * s.sigma**2 * (1 + memory(s)) / (1 - s.method.beta)


def staleness(s: Setting) -> Scalar:
    """α²W²Qσ²."""
    return s.step**2 * reach(s) ** 2 * s.Q * s.sigma**2
