"""Means with confidence intervals, and the metrics of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array


@dataclass(frozen=True)
class Metric:
    """A sampled number: its mean and a confidence interval.

    ``lo`` and ``hi`` are infinite where the spread could not be estimated.
    """

    mean: float
    lo: float
    hi: float


def mean_interval(values: Array, confidence: float) -> Metric:
    """Student-t interval for the mean of independent values.

    >>> mean_interval(np.array([1.0, 1.0, 1.0]), 0.99)
    Metric(mean=1.0, lo=1.0, hi=1.0)
    """
    from scipy.special import stdtrit

    mean = float(np.mean(values))
    if not np.isfinite(mean):
        return Metric(mean, -np.inf, np.inf)
    half = float(stdtrit(len(values) - 1, 0.5 + confidence / 2)) * float(
        np.std(values, ddof=1) / np.sqrt(len(values))
    )
    return Metric(mean, mean - half, mean + half)


def jackknife_interval(left_out: Array, estimate: Array, confidence: float) -> tuple[Array, Array]:
    """Jackknife-t intervals from leave-one-out estimates.

    Parameters
    ----------
    left_out
        ``(B, …)``: the estimate without batch b.
    estimate
        ``(…)``: the estimate from all batches.
    """
    from scipy.special import stdtrit

    batches = len(left_out)
    spread = left_out - left_out.mean(axis=0)
    deviation = np.sqrt((batches - 1) / batches * np.sum(spread**2, axis=0))
    half = float(stdtrit(batches - 1, 0.5 + confidence / 2)) * deviation
    return estimate - half, estimate + half


def stable_norm(ewma: Array) -> Array:
    """Mean of the smoothed gradient norm over the last ⌊T/2⌋ steps, by replica.

    [KZY], section 7.  ``ewma`` is ``(T, R)``.
    """
    half = max(1, len(ewma) // 2)
    return np.asarray(ewma[-half:].mean(axis=0))


def stable_complexity(ewma: Array) -> Array:
    """First step at which the smoothed gradient norm is below 1.5 × its stable value.

    [KZY], section 7.  T where that never happens.

    >>> stable_complexity(np.array([[4.0], [2.0], [1.0], [1.0]]))
    array([2.])
    """
    below = ewma < 1.5 * stable_norm(ewma)
    return np.where(below.any(axis=0), below.argmax(axis=0), len(ewma)).astype(np.float64)
