"""Intervals for the mean of stationary series, whose values depend on each other.

Neighbours along a run are nearly equal, so that T steps are worth far fewer independent
values.  Batches that are long against the correlation have nearly independent means.
"""

from __future__ import annotations

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.statistics import Metric, mean_interval, t_quantile

ENOUGH_REPLICAS = 8  # from so many on the replicas alone give the interval
_LENGTHS = 20  # correlation times in a batch
_FEWEST = 5  # batches of a replica
_AGREEMENT = 0.05  # level of the test that replicas differ no more than batches do


def correlation_time(series: Array) -> float:
    """τ = 1 + 2 Σ_k ρ_k: how many neighbouring values are worth one independent value.

    Parameters
    ----------
    series
        ``(n, R)``: R independent stationary series of the same law.

    Returns
    -------
    float
        At least 1 for a series that is not constant, at most n; n for n < 4, where it cannot
        be estimated; 1 for a constant one.

    Notes
    -----
    Autocovariances about each series' own mean, averaged over the series, in O(nR log n); the
    sum ends where Geyer's initial monotone sequence does: at the first pair
    ρ_{2k} + ρ_{2k+1} ≤ 0, each pair no larger than the one before (Statistical Science 7,
    1992).  That is consistent for reversible chains and leans to too large values.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> round(correlation_time(rng.standard_normal((4000, 4))), 1)
    1.0
    """
    n = len(series)
    if n < 4:
        return float(n)
    centred = series - series.mean(axis=0)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size, axis=0)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=0)[:n].mean(axis=1)
    if not covariance[0] > 0:
        return 1.0
    rho = covariance / covariance[0]
    pairs = rho[: n - n % 2].reshape(-1, 2).sum(axis=1)
    end = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else len(pairs)
    total = float(np.minimum.accumulate(pairs[:end]).sum())
    return float(np.clip(2 * total - 1, 1, n))


def stationary_interval(series: Array, confidence: float) -> Metric:
    """The mean of stationary series, with an interval from replicas or from batches.

    Parameters
    ----------
    series
        ``(n, R)``: the stationary part of R independent runs.

    Returns
    -------
    Metric
        With ``effective``, the number of independent values nR/τ that the series are worth.

    Notes
    -----
    From 8 replicas on the interval is Student's over the replicas' means: that asks nothing
    of the series.  Fewer replicas give long intervals (with two of them 637 standard errors
    at 99.9 %).  Then each series is cut into b batches of at least 20 correlation times, and
    the Rb means count as independent: replicated batch means (Argon and Andradóttir, Naval
    Research Logistics 53, 2006), t with Rb − 1 degrees of freedom.  That is refused, and
    Student's interval over replicas given instead, where the series are too short for five
    batches each, as those of a run that still descends are, or where the replicas' means
    differ by more than their batches explain (an F test at 5 %), as they do if replicas
    settle in different places.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> metric = stationary_interval(rng.standard_normal((1000, 2)), 0.999)
    >>> metric.method, bool(metric.hi - metric.lo < 0.3)
    ('batch means', True)
    """
    n, replicas = series.shape
    columns = series.mean(axis=0)
    plain = mean_interval(columns, confidence)
    if not np.isfinite(series).all():
        return plain
    time = correlation_time(series)
    effective = replicas * n / time
    half, degrees = None, 0
    batches = n // int(np.ceil(_LENGTHS * time))
    if replicas < ENOUGH_REPLICAS and batches >= _FEWEST:
        half, degrees = _replicated(series, batches, confidence)
    if half is None:
        return Metric(plain.mean, plain.lo, plain.hi, "student", plain.degrees, effective)
    return Metric(
        plain.mean, plain.mean - half, plain.mean + half, "batch means", degrees, effective
    )


def _replicated(series: Array, batches: int, confidence: float) -> tuple[float | None, int]:
    """Half the interval of replicated batch means, and its degrees of freedom.

    None where replicas differ by more than their batches explain.
    """
    from scipy.special import fdtrc

    n, replicas = series.shape
    length = n // batches
    # The oldest values are left over: they are the least stationary.
    means = series[n - batches * length :].reshape(batches, length, replicas).mean(axis=1)
    inner = means - means.mean(axis=0)
    within = float(np.sum(inner**2))
    between = batches * float(np.sum((means.mean(axis=0) - means.mean()) ** 2))
    free = (replicas - 1, replicas * (batches - 1))
    if between > 0:
        ratio = np.inf if within == 0 else (between / free[0]) / (within / free[1])
        if fdtrc(*free, ratio) < _AGREEMENT:
            return None, 0
    count = replicas * batches
    variance = (within + between) / (count - 1)
    return t_quantile(count - 1, confidence) * float(np.sqrt(variance / count)), count - 1
