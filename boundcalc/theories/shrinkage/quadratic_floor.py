"""The exact floor on a quadratic of one curvature λ = L = m, where nothing is estimated.

docs/theory-shrinkage.md, Theorem 11.6: for ℓ = (λ/2)‖w − w*‖², E‖ξ‖² = σ² and E‖e‖² = σ_e² at
every step,
E‖w_{k+1} − w*‖² = (1 − μqλ)² E‖w_k − w*‖² + μ²(q²σ² + σ_e²).
"""

from __future__ import annotations

from boundcalc.arithmetic import Scalar
from boundcalc.theories.shrinkage.setting import Setting


def exact_floor(s: Setting) -> Scalar:
    """μ(qσ² + σ_e²/q)/(2(2 − μqλ)), for 0 < μqλ < 2; with compensation at the step μ/q."""
    q = s.q[0]
    step = s.step / q if s.compensated else s.step
    return step * (q * s.variance + s.noise / q) / (2 * (2 - step * q * s.m))


def stable(s: Setting) -> bool:
    """Whether the second moment stays bounded."""
    reach = s.step * s.m * (1 if s.compensated else s.q[0])
    return bool(reach < 2)


def raises_exact_floor(s: Setting) -> bool:
    """Whether it is above μσ²/(2(2 − μλ)), that of full precision at the step μ.

    σ_e² > qσ²[(2 − μqλ)/(2 − μλ) − q]; where full precision has no floor (μλ ≥ 2) it is not.
    """
    if s.step * s.m >= 2:
        return False
    plain = s.step * s.variance / (2 * (2 - s.step * s.m))
    return bool(exact_floor(s) > plain)
