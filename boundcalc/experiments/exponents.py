"""The exponent of a power law, with an interval over replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array

RESAMPLES = 4_000


@dataclass(frozen=True)
class Fit:
    """y ≈ c·x^p, fitted on logarithms.

    Attributes
    ----------
    exponent, lo, hi
        p, and its confidence interval; infinite ends where it could not be estimated.
    x
        The abscissas that were used.
    confidence
        Of the interval.
    """

    exponent: float
    lo: float
    hi: float
    x: tuple[float, ...]
    confidence: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite([self.exponent, self.lo, self.hi]).all())

    def __str__(self) -> str:
        if not self.known:
            return "unknown"
        # Rounded outwards, so that what is printed still holds what was computed.
        lo, hi = np.floor(self.lo * 1e3) / 1e3, np.ceil(self.hi * 1e3) / 1e3
        return f"{self.exponent:.3f} [{lo:.3f}, {hi:.3f}]"


def fit_exponent(x: Sequence[float], y: Array, *, confidence: float = 0.99, seed: int = 0) -> Fit:
    """Least squares on log y against log x, and an interval from replicas.

    The slope is linear in log y, so it is the mean over replicas of each replica's own slope.
    Replicas are independent of each other, while one replica may share random numbers between
    settings; so replicas are resampled as a whole.

    Parameters
    ----------
    x
        ``(n,)``, positive and not all equal.
    y
        ``(n, R)``, one row for each x, one column for each replica.
    confidence
        Of the interval: the hull of the bootstrap's percentile interval, expanded for few
        replicas (T. C. Hesterberg, The American Statistician 69 (2015), 371-386), and of
        Student's t interval for the mean slope.  With R replicas the first cannot leave the
        range of the R slopes; the second can.
    seed
        Of the resampling.

    Returns
    -------
    A fit whose interval is infinite for fewer than two points or replicas, or where a value
    is not positive and finite.

    Examples
    --------
    >>> x = [1.0, 2.0, 4.0]
    >>> noise = np.array([[1.0, 1.01, 0.99], [1.0, 1.02, 1.0], [1.01, 1.0, 0.99]])
    >>> fit = fit_exponent(x, 3.0 * np.array(x)[:, None] ** 2 * noise)
    >>> fit.lo < 2 < fit.hi, round(fit.exponent, 2)
    (True, 2.0)
    """
    abscissas, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    unknown = Fit(np.nan, -np.inf, np.inf, tuple(abscissas.tolist()), confidence)
    usable = np.isfinite(values).all() and bool((values > 0).all()) and bool((abscissas > 0).all())
    if not usable or values.ndim != 2 or len(set(abscissas.tolist())) < 2 or values.shape[1] < 2:
        return unknown
    logs = np.log(abscissas)
    centred = logs - logs.mean()
    # p = Σ (log x − mean) log y / Σ (log x − mean)², replica by replica
    slopes = centred @ np.log(values) / np.sum(centred**2)
    lo, hi = mean_hull(slopes, confidence, seed)
    return Fit(float(slopes.mean()), lo, hi, unknown.x, confidence)


def mean_hull(values: Array, confidence: float, seed: int) -> tuple[float, float]:
    """The wider of the expanded percentile bootstrap and Student's t, for a mean of n values."""
    from scipy.special import ndtr, stdtrit

    n = len(values)
    quantile = float(stdtrit(n - 1, 0.5 + confidence / 2))
    half = quantile * float(np.std(values, ddof=1)) / math.sqrt(n)
    mean = float(np.mean(values))
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
    means = values[rng.integers(n, size=(RESAMPLES, n))].mean(axis=1)
    # The percentile interval is too short by √((n−1)/n) and by normal instead of t quantiles.
    tail = float(ndtr(-quantile * np.sqrt(n / (n - 1))))
    low, high = np.quantile(means, [tail, 1 - tail])
    return min(mean - half, float(low)), max(mean + half, float(high))
