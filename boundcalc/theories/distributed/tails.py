"""Intervals that do not trust a mean which a few replicas make up."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.statistics import Metric, mean_interval

_CARRIED = 4.0  # see :func:`heaviest_share`
_FEW = 30  # of fewer values one always makes up a large part of the spread


def heaviest_share(values: Array) -> tuple[float, float]:
    """The share of Σ(x − x̄)² that one value makes up, and the share from which it is too much.

    The share tends to 0 where the variance is finite and stays away from 0 where it is infinite
    (O'Brien, J. Appl. Probab. 17, 1980), and Student's interval rests on a finite variance.
    Too much is min(1/2, 4/√n): of 2 000 values the square of a normal one makes up about 0.006,
    of an exponential one about 0.03, of a Cauchy one about a half.

    Examples
    --------
    >>> share, most = heaviest_share(np.array([0.0] * 99 + [10.0]))
    >>> round(share, 2), round(most, 2)
    (0.99, 0.4)
    >>> heaviest_share(np.array([1.0, 1.0]))[0]
    0.0
    """
    squares = (values - values.mean()) ** 2
    total = float(squares.sum())
    share = float(squares.max()) / total if total > 0 else 0.0
    return share, min(0.5, _CARRIED / math.sqrt(len(values)))


def too_heavy(values: Array) -> float | None:
    """The share that one value makes up, where that is too much for Student's interval.

    None where it is not, or where there are too few values to tell.

    >>> too_heavy(np.array([0.0] * 999 + [1e9])) is None
    False
    """
    if len(values) < _FEW or not np.isfinite(values).all():
        return None
    share, most = heaviest_share(values)
    return share if share > most else None


def careful_interval(values: Array, confidence: float) -> Metric:
    """Student's interval for a mean, or no interval where the values say nothing about it.

    Nothing is said by values of which one is infinite, and by a sample whose spread is that of
    a single value: there the interval is infinite, and no verdict can rest on it.

    Examples
    --------
    >>> careful_interval(np.array([1.0, 2.0, np.inf]), 0.99).hi
    inf
    >>> careful_interval(np.array([0.0] * 999 + [1e9]), 0.99).lo
    -inf
    """
    if not np.isfinite(values).all():
        return Metric(float(np.mean(values)), -math.inf, math.inf)
    found = mean_interval(values, confidence)
    if too_heavy(values) is not None:
        return replace(found, lo=-math.inf, hi=math.inf, degrees=None, method="none: heavy tail")
    return found


def median_interval(values: Array, confidence: float) -> Metric:
    """The median with an interval between order statistics, whatever the law of the values.

    With x_(1) ≤ … ≤ x_(n), the median lies in [x_(l), x_(n+1−l)] with probability at least
    1 − 2·P(Bin(n, ½) < l); l is the largest for which that is the confidence asked for.
    Infinite values count as large.

    Examples
    --------
    >>> found = median_interval(np.arange(1.0, 102.0), 0.95)
    >>> found.mean, found.lo, found.hi
    (51.0, 41.0, 61.0)
    """
    from scipy.special import bdtr

    ordered, n = np.sort(values), len(values)
    middle = ordered[[(n - 1) // 2, n // 2]]
    median = float(middle[0]) if middle[0] == middle[1] else float(middle.mean())
    tails = bdtr(np.arange(n // 2, dtype=float), n, 0.5)
    rank = int(np.searchsorted(tails, (1 - confidence) / 2, side="right"))
    if rank == 0:
        return Metric(median, -math.inf, math.inf, "order statistics")
    return Metric(median, float(ordered[rank - 1]), float(ordered[n - rank]), "order statistics")


def quantile_band(values: Array, low: float = 0.05, high: float = 0.95) -> tuple[Array, ...]:
    """Median and two quantiles over runs, ``(n,)`` each, of values ``(n, R)``; +∞ counts as large.

    Each is a value of the sample, so that none is interpolated between a number and +∞.

    >>> [part.tolist() for part in quantile_band(np.array([[3.0, 1.0, np.inf]]))]
    [[3.0], [1.0], [inf]]
    """
    ordered = np.sort(values, axis=1)
    last = values.shape[1] - 1
    places = (round(0.5 * last), int(np.floor(low * last)), int(np.ceil(high * last)))
    return tuple(ordered[:, place] for place in places)
