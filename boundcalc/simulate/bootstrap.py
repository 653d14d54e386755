"""Bootstrap intervals: for means of values whose law is far from normal."""

from __future__ import annotations

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.statistics import Metric, mean_interval

MOST = 1_000  # values from which on Student's interval is as good
_TAIL = 20  # resamples beyond each end of the interval, if that is not too many
_FEWEST, _LARGEST = 2_000, 40_000  # resamples
_AT_ONCE = 4_000_000  # numbers of resamples that are held at a time
_PURPOSE = 0x62007  # so that resampling shares no numbers with a run of the same seed


def bootstrap_interval(
    values: Array, confidence: float, seed: int, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> Metric:
    """Percentile-t bootstrap interval for the mean of independent values.

    Parameters
    ----------
    values
        ``(R,)``.
    seed
        The bootstrap seed: the same values and seed give the same interval.
    bounds
        What the mean cannot be below or above, whatever was sampled; the interval is cut to it.

    Returns
    -------
    Metric
        An end is at its bound where resamples without any spread leave it open: few or
        nearly equal values say little about their tails.

    Notes
    -----
    With resamples x* of R values each, t* = (x̄* − x̄)/s(x̄*) and t*_α their quantiles, the
    interval is [x̄ − t*_{1−α/2} s(x̄), x̄ − t*_{α/2} s(x̄)] (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, section 12.5): second-order correct, so that for
    skewed values it covers better than x̄ ± t s(x̄).  Between resamples the quantile farther
    out is taken.  Beyond 1 000 values Student's interval is returned.

    Examples
    --------
    >>> metric = bootstrap_interval(np.arange(20.0) ** 2, 0.95, seed=0, bounds=(0, 400))
    >>> metric.method, bool(metric.hi - metric.mean > metric.mean - metric.lo)
    ('bootstrap', True)
    """
    plain = mean_interval(values, confidence)
    if not np.isfinite(plain.mean) or len(values) > MOST:
        return plain
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    if error == 0:
        return Metric(plain.mean, plain.mean, plain.mean, "bootstrap")
    tail = (1 - confidence) / 2
    count = int(np.clip(np.ceil(_TAIL / tail), _FEWEST, _LARGEST))
    ordered = np.sort(_studentized(values, count, seed))
    # The k-th smallest of B values is the quantile at k/(B + 1).
    rank = int((count + 1) * tail)
    if rank < 1:
        return Metric(plain.mean, *bounds, "bootstrap")
    lo = plain.mean - float(ordered[count - rank]) * error
    hi = plain.mean - float(ordered[rank - 1]) * error
    return Metric(plain.mean, max(lo, bounds[0]), min(hi, bounds[1]), "bootstrap")


def _studentized(values: Array, count: int, seed: int) -> Array:
    """t* of ``count`` resamples; ±∞ where a resample has no spread and another mean."""
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, _PURPOSE])))
    size = len(values)
    centred = values - values.mean()
    found, at_once = np.empty(count), max(1, _AT_ONCE // size)
    for start in range(0, count, at_once):
        rows = rng.integers(size, size=(min(at_once, count - start), size))
        drawn = centred[rows]
        mean = drawn.mean(axis=1)
        # All equal, exactly: a computed deviation would be rounding.
        flat = drawn.max(axis=1) == drawn.min(axis=1)
        error = np.where(flat, 1.0, drawn.std(axis=1, ddof=1) / np.sqrt(size))
        found[start : start + len(rows)] = np.where(
            flat, np.where(mean == 0, 0.0, np.copysign(np.inf, mean)), mean / error
        )
    return found
