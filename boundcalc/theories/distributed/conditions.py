"""Step conditions: of the modified equations, and of the discrete statements."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import InexactError
from boundcalc.theories.distributed.noise_model import Setting
from boundcalc.theories.distributed.sign_functions import density_peak, phi, secant, sign_drift

_HALVINGS = 60
_MARGIN = 1 - Fraction(1, 2**90)


def compressed_limit(s: Setting, gradient: Scalar, *, corrected: bool) -> Scalar | None:
    """The step below which D(C)SGD's modified equation descends.

    docs/theory-distributed.md, (12.6).

    ηη_t < 2ϵ/(G(1 + A) + L1·B') with G = L0 + L1‖∇f‖.  The classic equation, whose drift is −∇f,
    has A instead of 1 + A: it does not see the curvature's part of a step without noise.

    Parameters
    ----------
    gradient
        ‖∇f‖, or a bound on it where it is spoken of.
    corrected
        Whether the drift has the curvature's correction.

    Returns
    -------
    The limit; None where no step is too large (classic, without noise and compression).

    Raises
    ------
    ValueError
        If the noise's variance is infinite.
    """
    A, B = s.levels
    growth = 1 + A if corrected else A
    divisor = (s.L0 + s.L1 * gradient) * growth + s.L1 * B
    return None if divisor == 0 else 2 * s.epsilon / divisor


def harmonic_scale(s: Setting) -> Scalar:
    """σ_H, the harmonic mean of the agents' σ_max; 0 if one of them is."""
    assert s.sigma_max is not None  # noqa: S101 - the section has it for sign
    if any(sigma == 0 for sigma in s.sigma_max):
        return s.kind.number(0)
    return 1 / s.average(tuple(1 / sigma for sigma in s.sigma_max))


def sign_constant(s: Setting, *, corrected: bool) -> Scalar:
    """K = L1·d·σ_H/(2N), and with the correction √d(L0 + L1)M_ν more.

    docs/theory-distributed.md, (12.7).
    """
    classic = s.L1 * s.dimension * harmonic_scale(s) / (2 * s.agents)
    if not corrected:
        return classic
    root = s.kind.sqrt(s.kind.number(s.dimension))
    return classic + root * (s.L0 + s.L1) * density_peak(s.nu, s.kind)


def sign_limit(s: Setting, *, corrected: bool) -> Scalar | None:
    """ℓ_ν/K: the step below which DSignSGD's modified equation descends while |∂_jf| ≤ s·σ_ij.

    Returns
    -------
    The limit; None where no range s is given, on which ℓ_ν rests, or K = 0.
    """
    if s.snr is None:
        return None
    K = sign_constant(s, corrected=corrected)
    return None if K == 0 else secant(s.nu, s.snr, s.kind) / K


def descends_compressed(s: Setting, c: Scalar) -> bool:
    """Whether ½φ(cR)c(1 + A) < 1, with which Theorem 12.5 holds for γ_k(L0 + L1‖∇f‖) ≤ c.

    Raises
    ------
    InexactError
        If the number kind cannot tell.
    """
    (A, _), R = s.levels, s.reach
    return _below(phi(c * R, s.kind) * c * (1 + A), s.kind.number(2), s.kind)


def descends_sign(s: Setting, step: Scalar) -> bool:
    """Whether ½ψdL1γ < c_ν with ψ = φ(L1γ√d), with which Theorem 12.8 holds.

    Raises
    ------
    InexactError
        If the number kind cannot tell.
    """
    if s.L1 == 0:
        return True
    psi = sign_curvature(s, step)
    return _below(psi * s.dimension * s.L1 * step, 2 * sign_drift(s.nu, s.kind), s.kind)


def _below(x: Scalar, limit: Scalar, kind: Arithmetic) -> bool:
    """x < limit; in floating point with a margin, so that rounding admits nothing."""
    proves = kind.exact or getattr(kind, "encloses", False)
    return bool(x < (limit if proves else limit * kind.number(_MARGIN)))


def sign_curvature(s: Setting, step: Scalar) -> Scalar:
    """ψ = φ(L1γ√d): a sign step has length at most γ√d."""
    if s.L1 == 0:
        return s.kind.number(1)
    return phi(s.L1 * step * s.kind.sqrt(s.kind.number(s.dimension)), s.kind)


def largest_compressed(s: Setting) -> Scalar:
    """The largest c for which :func:`descends_compressed` holds, found from below.

    Between it and the limit lies a factor 1 − 2⁻⁶⁰; 2/(1 + A) itself where L1 = 0.
    """
    (A, _), R = s.levels, s.reach
    top = 2 / (1 + A)
    return top if R == 0 else _from_below(top, R, s.kind, lambda c: descends_compressed(s, c))


def largest_sign(s: Setting) -> Scalar | None:
    """The largest first step for which :func:`descends_sign` holds; None where all do."""
    if s.L1 == 0:
        return None
    top = 2 * sign_drift(s.nu, s.kind) / (s.dimension * s.L1)
    rate = s.L1 * s.kind.sqrt(s.kind.number(s.dimension))
    return _from_below(top, rate, s.kind, lambda step: descends_sign(s, step))


def _from_below(
    top: Scalar, rate: Scalar, kind: Arithmetic, holds: Callable[[Scalar], bool]
) -> Scalar:
    """The largest x below ``top`` with φ(x·rate)·x < top, as ``holds`` says, to 60 bits."""
    if kind.exact:
        raise InexactError("the root of a transcendental equation")

    def good(x: Scalar) -> bool:
        return surely(lambda: holds(x))

    low = kind.minimum(top, 1 / rate) / 4
    while good(2 * low):  # φ is 1.44 at 1 and grows exponentially: a few times
        low = 2 * low
    share, width = 1, 1
    for _ in range(_HALVINGS):
        share, width = 2 * share, 2 * width
        share += good(low * (share + 1) / width)
    return low * share / width


def surely(holds: Callable[[], bool]) -> bool:
    """Whether a comparison certainly holds; enclosures may leave it open."""
    try:
        return holds()
    except InexactError:
        return False
