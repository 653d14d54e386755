"""Laws of perturbations within given moments: constants and two-point laws, balanced or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array

#: Numbers that make the law of one forward perturbation: its mean and its balance.
LAW_PARAMETERS = 2

_RAREST = 0.02  # the least probability of a value


@dataclass(frozen=True)
class ForwardSite:
    """√E δ² ≤ rms, |E δ| ≤ mean, E δ⁴ ≤ fourth⁴ (None: not restricted) after an operator."""

    operator: int
    rms: float
    mean: float
    fourth: float | None


@dataclass(frozen=True)
class BackwardSite:
    """√E ε² ≤ rms, |E ε| ≤ mean; the gradient is affine in ε, so no more of its law matters."""

    operator: int
    rms: float
    mean: float

    @property
    def variance(self) -> float:
        """rms² − mean²."""
        return max(self.rms**2 - self.mean**2, 0.0)


def two_points(z: Array, site: ForwardSite, *, steady: bool) -> tuple[Array, Array]:
    """Values and probabilities ``(P, 2)``, or ``(P, 1)`` of constants.

    Parameters
    ----------
    z
        ``(P, 2)`` in [−1, 1]: the mean over ``site.mean``, and the balance, by which one
        value is rare and large; 0 is a fair coin.
    steady
        The whole perturbation is a constant of size ``mean``.

    Notes
    -----
    μ + σ√((1−p)/p) with probability p, else μ − σ√(p/(1−p)): mean μ, rms √(μ² + σ²).
    Where the fourth moment would be too large the law is drawn towards a fair coin, then
    made smaller.
    """
    if steady:
        sign = np.where(z[:, :1] < 0, -1.0, 1.0)
        return sign * site.mean, np.ones((len(z), 1))
    mean = z[:, 0] * site.mean
    sigma = np.sqrt(np.maximum(site.rms**2 - mean**2, 0.0))
    balance = z[:, 1]
    values, share = _law(mean, sigma, balance)
    if site.fourth is None:
        return values, share
    for _ in range(6):
        heavy = np.sum(share * values**4, axis=1) > site.fourth**4 * (1 + 1e-12)
        if not heavy.any():
            break
        balance = np.where(heavy, balance / 2, balance)
        values, share = _law(mean, sigma, balance)
    fourth = np.sum(share * values**4, axis=1)
    shrink = np.minimum(1.0, site.fourth / np.maximum(fourth, 1e-300) ** 0.25)
    return values * shrink[:, None], share


def _law(mean: Array, sigma: Array, balance: Array) -> tuple[Array, Array]:
    # p = 1/2 at balance 0, and down to the rarest at ±1.
    p = 0.5 + balance * (0.5 - _RAREST)
    high, low = np.sqrt((1 - p) / p), np.sqrt(p / (1 - p))
    values = np.stack([mean + sigma * high, mean - sigma * low], axis=1)
    return values, np.stack([p, 1 - p], axis=1)
