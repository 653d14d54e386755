"""Intervals for several claims at once, at one family-wise confidence.

A spec's confidence is that of the whole verification: with probability at least that, *every*
interval that is held against a bound covers what it estimates, so that no verdict of the run is
wrong by chance.  With m claims each interval gets confidence 1 − (1 − c)/m (Bonferroni), which
holds however the observations depend on each other.  Families do not count: they are held
against the same interval.
"""

from __future__ import annotations

import math

from boundcalc.operators.base import Array
from boundcalc.simulate import IterateCheck, Metric
from boundcalc.simulate.iterates import BATCHES
from boundcalc.simulate.statistics import t_quantile


def each_confidence(confidence: float, claims: int) -> float:
    """The confidence of each of m intervals, so that all cover at once.

    >>> each_confidence(0.95, 5)
    0.99
    """
    return 1 - (1 - confidence) / max(1, claims)


def stretch(degrees: float, samples: int, confidence: float, claims: int) -> float:
    """By how much Student intervals for ``samples`` things at once grow, if claims are m.

    >>> stretch(31, 8, 0.999, 1)
    1.0
    >>> round(stretch(1, 1, 0.999, 4), 3)
    4.0
    """
    before = t_quantile(degrees, each_confidence(confidence, samples))
    return t_quantile(degrees, each_confidence(confidence, samples * claims)) / before


def metric_interval(metric: Metric, confidence: float, claims: int) -> tuple[float, float]:
    """The interval of a Student metric among m claims; its rounding error does not grow."""
    if metric.degrees is None:
        return -math.inf, math.inf
    factor, rounding = stretch(metric.degrees, 1, confidence, claims), metric.rounding or 0.0
    below = factor * (metric.mean - metric.lo - rounding) + rounding
    above = factor * (metric.hi - metric.mean - rounding) + rounding
    return metric.mean - below, metric.mean + above


def check_interval(
    check: IterateCheck, kind: str, confidence: float, claims: int
) -> tuple[Array, Array, Array]:
    """Values and intervals of ``error`` or ``bias`` at an iterate, among m claims.

    Those of the check are jackknife-t over batches, simultaneous for all samples.
    """
    value, lo, hi = (getattr(check, f"{kind}{end}") for end in ("", "_lo", "_hi"))
    factor = stretch(BATCHES - 1, len(check.samples), confidence, claims)
    return value, value - factor * (value - lo), value + factor * (hi - value)
