"""The nonconvex and PL statements of every family, from error and bias levels.

docs/theory.md, section 6.  One function per regime, written over the factors
that a family declares in :class:`~boundcalc.theories.perturbed.families.Descent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.rates.discounts import power
from boundcalc.theories.perturbed.descent import Descent


@dataclass(frozen=True)
class Problem:
    """The objective's constants and the run, as numbers of one kind.

    Attributes
    ----------
    L, mu, gap, sigma
        Smoothness, PL constant (None without PL), Δ₀ and σ.
    step, horizon
        γ and T.
    kind
        The number kind.
    """

    L: Scalar
    mu: Scalar | None
    gap: Scalar
    sigma: Scalar
    step: Scalar
    horizon: int
    kind: Arithmetic = WIDE


@dataclass(frozen=True)
class Level:
    """Error and bias of the step's gradient while one pattern of perturbations acts.

    Attributes
    ----------
    error, bias
        Bounds on E‖ũ−u‖² (averaged over the batch) and ‖E_t[ũ−u]‖².
    unbiased
        Whether the gradient error has mean zero given the sample.
    """

    error: Scalar
    bias: Scalar
    unbiased: bool


def variance(level: Level, sigma: Scalar, kind: Arithmetic = WIDE) -> Scalar:
    """Var(g̃) ≤ σ² + ζ² if the error has mean zero given the sample, else (σ + ζ)².

    docs/theory.md, Lemma 6.3.
    """
    return sigma**2 + added_variance(level, sigma, kind)


def added_variance(level: Level, sigma: Scalar, kind: Arithmetic) -> Scalar:
    """Var(g̃) − σ² ≤ ζ², or ζ² + 2σζ, without cancellation, and without a root where σ = 0."""
    if level.unbiased or sigma == 0:
        return level.error
    return level.error + 2 * sigma * kind.sqrt(level.error)


def nonconvex_terms(
    p: Problem, d: Descent, levels: list[Level], shares: list[Scalar]
) -> dict[str, Scalar]:
    """(1/T) Σ_t E‖∇ℓ‖² ≤ the sum of these terms.

    Published (34), (37): 6Δ₀/(γT) + 6Lγσ² + 6Lγ·avg E‖ũ−u‖² + 3·avg ‖E_t[ũ−u]‖².
    Sharp (Theorem 6.1):  2Δ₀/(γT) + Lγ·avg Var + avg bias².

    Parameters
    ----------
    levels, shares
        The patterns' levels and the shares of the steps that they take.
    """
    noise = p.L * p.step * p.sigma**2
    if d.splits_variance:
        extra = [added_variance(level, p.sigma, p.kind) for level in levels]
    else:
        extra = [level.error for level in levels]
    return {
        "optimisation": d.gap * p.gap / (p.step * p.horizon),
        "sampling": d.noise * noise,
        "perturbation_error": d.error * p.L * p.step * _weighted(extra, shares, p.kind),
        "perturbation_bias": d.bias * _weighted([level.bias for level in levels], shares, p.kind),
    }


def pl_terms(
    p: Problem, d: Descent, levels: list[Level], discounts: list[Scalar]
) -> dict[str, Scalar]:
    """E[ℓ(w^T) − ℓ*] ≤ the sum of these terms.

    Published (38): (1−μγ/3)^T Δ₀ + 3Lγσ²/μ + Σ_t (1−μγ/3)^{T−t}[Lγ²E‖ũ−u‖² + (γ/2)bias²].
    Sharp (Theorem 6.2): (1−μγ)^T Δ₀ + Σ_t (1−μγ)^{T−1−t}[(γ/2)bias² + (Lγ²/2)Var].

    Parameters
    ----------
    discounts
        Σ_t q^{T−lag−t} over the steps of each pattern.
    """
    error_factor = _fraction(d.pl_error, p.kind) * p.L * p.step**2
    bias_factor = _fraction(d.pl_bias, p.kind) * p.step
    if d.pl_noise is None:
        sampling = error_factor * p.sigma**2 * sum(discounts)
        extra = [added_variance(level, p.sigma, p.kind) for level in levels]
    else:
        sampling = d.pl_noise * p.L * p.step * p.sigma**2 / p.mu
        extra = [level.error for level in levels]
    bias = [level.bias for level in levels]
    return {
        "optimisation": power(contraction_drop(p, d), p.horizon, p.kind) * p.gap,
        "sampling": sampling,
        "perturbation_error": error_factor * _weighted(extra, discounts, p.kind),
        "perturbation_bias": bias_factor * _weighted(bias, discounts, p.kind),
    }


def contraction_drop(p: Problem, d: Descent) -> Scalar:
    """1 − q = cμγ, in (0, 1]: μ ≤ L and γ ≤ 1/L but for rounding."""
    return p.kind.minimum(p.kind.number(1), _fraction(d.contraction, p.kind) * p.mu * p.step)


def best_nonconvex_step(
    p: Problem, d: Descent, levels: list[Level], shares: list[Scalar]
) -> Scalar:
    """The fixed step that minimises the nonconvex bound for the horizon.

    The bound is G/γ + Hγ + const with G = gap·Δ₀/T, H = L(noise·σ² + error·…): its
    minimiser √(G/H), cut at the limit 1/(kL) (docs/theory.md, Lemma 6.6).
    """
    kind = p.kind
    limit = 1 / (d.limit * p.L)
    if d.splits_variance:
        spread = _weighted([variance(level, p.sigma, kind) for level in levels], shares, kind)
        slope = p.L * spread
    else:
        spread = _weighted([level.error for level in levels], shares, kind)
        slope = p.L * (d.noise * p.sigma**2 + d.error * spread)
    if slope == 0:
        return limit
    square = d.gap * p.gap / (p.horizon * slope)
    # The root is irrational more often than not, and not needed where the limit cuts it.
    if kind.exact and square >= limit**2:
        return limit
    return kind.minimum(limit, kind.sqrt(square))


def _weighted(values: list[Scalar], weights: list[Scalar], kind: Arithmetic) -> Scalar:
    return sum((v * w for v, w in zip(values, weights, strict=True)), kind.number(0))


def _fraction(parts: tuple[int, int], kind: Arithmetic) -> Scalar:
    return kind.number(Fraction(*parts))
