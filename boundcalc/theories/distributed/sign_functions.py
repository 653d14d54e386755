"""What the average sign of a noisy gradient has for its mean, and functions beside it.

Each is written for exact numbers, enclosures and floating point: an enclosure of Ξ_ν proves the
bounds that are made with it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import INTERVALS, Arithmetic, Scalar
from boundcalc.arithmetic.balls import Ball, UndecidedError
from boundcalc.arithmetic.wide import CONTEXT
from boundcalc.errors import InexactError

#: ν from which Student's t is enclosed by comparison with the Gaussian law: the incomplete beta
#: function loses its digits there.
_HUGE = 10**18


def xi(nu: Scalar | None, x: Scalar, kind: Arithmetic) -> Scalar:
    """Ξ_ν(x) = F(x) − ½ for x ≥ 0, F being the distribution function of Student's t_ν.

    E sign(g + σξ) = 2Ξ_ν(g/σ).  atan(x)/π for ν = 1, x/(2√(2 + x²)) for ν = 2, erf(x/√2)/2 in
    the Gaussian limit, and else half a regularised incomplete beta function,
    I_{x²/(ν + x²)}(½, ν/2)/2 (NIST Digital Library of Mathematical Functions, 8.17).  For
    ν ≥ 10¹⁸ the Gaussian one, times a number between √((ν − 1)/(ν + 1)) and 1
    (docs/theory-distributed.md, Lemma 12.7); in floating point the lower end.

    Parameters
    ----------
    nu
        ν > 0, a number of the kind; None for Gaussian noise.

    Raises
    ------
    InexactError
        If the value is irrational and the kind exact, or an enclosure says nothing.

    Examples
    --------
    >>> from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE
    >>> xi(Fraction(1), Fraction(1), RATIONALS)
    Fraction(1, 4)
    >>> xi(INTERVALS.number(2), INTERVALS.number(1), INTERVALS).relative_width < 1e-36
    True
    >>> round(float(xi(None, WIDE.number(1), WIDE)), 6)
    0.341345
    """
    if kind.exact:
        if x == 0:
            return kind.number(0)
        if nu == 1 and x == 1:
            return kind.number(Fraction(1, 4))
    if nu is not None and nu == 2:
        return x / (2 * kind.sqrt(2 + x**2))
    _not_exact(kind)
    if nu is None:
        return _special(kind, lambda at: at.erf(), CONTEXT.erf, x / kind.sqrt(kind.number(2))) / 2
    if _surely_or_open(kind.number(_HUGE), nu):
        least = kind.sqrt(1 - 2 / (nu + 1)) * xi(None, x, kind)
        return _between(kind, least, xi(None, x, kind)) if isinstance(least, Ball) else least
    # Near the upper end of z the function is known by its complement only.
    if _surely_or_open(x, kind.number(1)) and _surely_or_open(x**2, nu):
        return _beta(kind, Fraction(1, 2), nu / 2, x**2 / (nu + x**2)) / 2
    return (1 - _beta(kind, nu / 2, Fraction(1, 2), nu / (nu + x**2))) / 2


def sign_drift(nu: Scalar | None, kind: Arithmetic) -> Scalar:
    """c_ν = 2Ξ_ν(1), for which 2Ξ_ν(x) ≥ c_ν min(x, 1) on x ≥ 0.

    Source: docs/theory-distributed.md, Lemma 12.7.

    >>> from boundcalc.arithmetic import RATIONALS
    >>> sign_drift(Fraction(1), RATIONALS)
    Fraction(1, 2)
    """
    return 2 * xi(nu, kind.number(1), kind)


def secant(nu: Scalar | None, reach: Scalar, kind: Arithmetic) -> Scalar:
    """ℓ_ν = 2Ξ_ν(s)/s, the largest ℓ for which 2Ξ_ν(x) ≥ ℓx for all x from 0 to s."""
    return 2 * xi(nu, reach, kind) / reach


def density_peak(nu: Scalar | None, kind: Arithmetic) -> Scalar:
    """M_ν = sup Ξ'_ν = Γ((ν+1)/2)/(√(πν)·Γ(ν/2)), and 1/√(2π) in the Gaussian limit.

    For ν ≥ 10¹⁸ the Gaussian one, times a number between √((ν − 1)/ν) and 1
    (docs/theory-distributed.md, Lemma 12.7); in floating point the upper end.

    >>> from boundcalc.arithmetic import INTERVALS
    >>> cauchy = density_peak(INTERVALS.number(1), INTERVALS) * INTERVALS.pi()
    >>> cauchy.contains(1), cauchy.relative_width < 1e-30
    (True, True)
    """
    _not_exact(kind)
    gaussian = 1 / kind.sqrt(2 * kind.pi())
    if nu is None:
        return gaussian
    if _surely_or_open(kind.number(_HUGE), nu):
        least = kind.sqrt(1 - 1 / nu) * gaussian
        return _between(kind, least, gaussian) if isinstance(least, Ball) else gaussian
    ratio = _log_gamma(kind, (nu + 1) / 2) - _log_gamma(kind, nu / 2)
    return kind.exp(ratio) / kind.sqrt(kind.pi() * nu)


def phi(u: Scalar, kind: Arithmetic) -> Scalar:
    """φ(u) = 2(eᵘ − 1 − u)/u² = Σ_n 2uⁿ/(n+2)!, which is 1 at u = 0 and increasing in u ≥ 0.

    The factor of Lemma 12.1 (docs/theory-distributed.md).  Below u = 1 the series is summed,
    whose rest an enclosure includes.

    >>> from boundcalc.arithmetic import INTERVALS, RATIONALS
    >>> phi(Fraction(0), RATIONALS)
    Fraction(1, 1)
    >>> phi(INTERVALS.number(Fraction(1, 10**30)), INTERVALS).relative_width < 1e-36
    True
    """
    if kind.exact:
        if u == 0:
            return kind.number(1)
        _not_exact(kind)
    if not _surely_or_open(u, kind.number(1)):
        return 2 * (kind.expm1(u) - u) / u**2
    total = term = kind.number(1)
    last = 40 + getattr(kind, "bits", 113) // 8
    for n in range(1, last):
        term = term * u / (n + 2)
        total = total + term
    if isinstance(total, Ball):
        # The terms after the last one are each less than half of the one before.
        total = total + INTERVALS.between(Fraction(0), Fraction(1)) * term
    return total


def _surely_or_open(x: Scalar, y: Scalar) -> bool:
    """Whether x ≤ y, or they are too close to say, where either of two formulas holds."""
    try:
        return bool(x <= y)
    except UndecidedError:
        return True


def _between(kind: Arithmetic, low: Ball, high: Ball) -> Ball:
    """A ball around every number between two."""
    with kind.working():  # type: ignore[attr-defined]
        return Ball(low.arb.union(high.arb), high.bits)


def _not_exact(kind: Arithmetic) -> None:
    if kind.exact:
        raise InexactError("a distribution function is irrational")


def _beta(kind: Arithmetic, a: Any, b: Any, z: Scalar) -> Scalar:
    """I_z(a, b), regularised."""
    a, b = (kind.number(side) if isinstance(side, Fraction) else side for side in (a, b))
    if isinstance(z, Ball):
        with kind.working():  # type: ignore[attr-defined]
            return _known(z.arb.beta_lower(a.arb, b.arb, True), z.bits)
    return CONTEXT.betainc(a, b, 0, z, regularized=True)


def _log_gamma(kind: Arithmetic, x: Scalar) -> Scalar:
    return _special(kind, lambda at: at.lgamma(), CONTEXT.loggamma, x)


def _special(
    kind: Arithmetic, enclosed: Callable[[Any], Any], floating: Callable[[Any], Any], x: Scalar
) -> Scalar:
    if isinstance(x, Ball):
        with kind.working():  # type: ignore[attr-defined]
            return _known(enclosed(x.arb), x.bits)
    return floating(x)


def _known(found: Any, bits: int) -> Ball:
    if not found.is_finite():
        raise UndecidedError("an enclosure says nothing", value=str(found))
    return Ball(found, bits)
