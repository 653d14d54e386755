"""Spikes and recovery: how long a run takes to forget an intermittent perturbation.

[KZY], section 6.3 and figure 2: a large spike is forgotten, a moderate perturbation that
persists is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.operators.base import Array
from boundcalc.simulate.records import Trajectory
from boundcalc.simulate.statistics import Metric, mean_interval, share_interval

Ints = npt.NDArray[np.int64]

#: Back is where the smoothed gradient norm is at most this many times its level before the
#: spike: the factor by which [KZY], section 7, calls a gradient norm stable.
FACTOR = 1.5


@dataclass(frozen=True)
class Recovery:
    """Times to recover, spike by spike and replica by replica.

    A spike is a maximal row of steps at which an intermittent perturbation acts; its level is
    the smoothed gradient norm at the last record before it does.  Its time to recover is s − t,
    where t is its first step and s > t the first recorded step from which on the smoothed norm
    is at most ``factor`` × level, up to the next spike or the end of the run.

    Attributes
    ----------
    spikes
        The first step of each, ``(S,)``.
    times
        ``(S, R)``: 0 where the norm never left the level; infinite where it was not back in
        time, or the replica diverged; NaN where no step was recorded before the next spike, or
        the replica had diverged before.
    factor
        As above.
    """

    spikes: Ints
    times: Array
    factor: float

    @property
    def by_replica(self) -> Array:
        """The mean over the spikes that were seen, ``(R,)``; NaN where none was."""
        seen = ~np.isnan(self.times)
        total = np.where(seen, self.times, 0.0).sum(axis=0)
        count = seen.sum(axis=0)
        found: Array = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        return found

    def mean(self, confidence: float) -> Metric:
        """The mean over replicas of :attr:`by_replica`, with Student's interval.

        Infinite, and with an interval that says nothing, as soon as one spike is not recovered
        from in one replica; :meth:`quantile` still says something then.
        """
        values = self._seen()
        if len(values) < 2:
            mean = float(values[0]) if len(values) else float("nan")
            return Metric(mean, -np.inf, np.inf)
        return mean_interval(values, confidence)

    def quantile(self, share: float, confidence: float) -> Metric:
        """A quantile over replicas of :attr:`by_replica`, between two order statistics.

        With X_(1) ≤ … ≤ X_(n) the probability that X_(l) is above the quantile is at most
        P(B ≤ l − 1), B ~ Bin(n, share), whatever the law (H. A. David, H. N. Nagaraja, Order
        Statistics, 3rd ed., section 7.1); likewise at the other end.  Infinite times are
        larger than all others.  ``lo`` or ``hi`` is infinite where n is too small.

        Parameters
        ----------
        share
            In (0, 1); 0.5 is the median.
        """
        from scipy.special import bdtr, bdtrc

        values = np.sort(self._seen())
        n, tail = len(values), (1 - confidence) / 2
        if n == 0:
            return Metric(float("nan"), -np.inf, np.inf, "order statistics")
        ranks = np.arange(n)
        low = np.flatnonzero(bdtr(ranks, n, share) <= tail)  # P(B ≤ l − 1), l = rank + 1
        high = np.flatnonzero(bdtrc(ranks, n, share) <= tail)  # P(B ≥ h), h = rank + 1
        found = values[max(0, int(np.ceil(share * n)) - 1)]
        return Metric(
            float(found),
            float(values[low[-1]]) if len(low) else -np.inf,
            float(values[high[0]]) if len(high) else np.inf,
            "order statistics",
        )

    def recovered(self, confidence: float) -> Metric:
        """The share of replicas that recovered from every spike seen, by Clopper and Pearson."""
        values = self._seen()
        return share_interval(int(np.isfinite(values).sum()), len(values), confidence)

    def _seen(self) -> Array:
        values = self.by_replica
        return values[~np.isnan(values)]


def recovery(steps: Ints, ewma: Array, spikes: Ints, factor: float = FACTOR) -> Recovery:
    """Times to recover from a recorded run; O(records · R).

    The smoothing itself remembers about 1/(1 − decay) steps, which is part of every time.

    Parameters
    ----------
    steps
        The recorded steps, increasing from 0, ``(records,)``.
    ewma
        The smoothed gradient norm there, ``(records, R)``.
    spikes
        First steps of the spikes, increasing.
    factor
        At least 1.

    Examples
    --------
    A spike at step 1 doubles the norm for two steps; one at step 5 stays.

    >>> norm = np.array([1.0, 1.0, 2.0, 2.0, 1.2, 1.2, 3.0, 3.0])[:, None]
    >>> recovery(np.arange(8), norm, np.array([1, 5])).times.ravel()
    array([ 3., inf])
    """
    window = np.searchsorted(spikes, steps, side="left") - 1  # the spike before each record
    level = ewma[np.searchsorted(steps, spikes, side="right") - 1]
    first = np.searchsorted(window, np.arange(len(spikes)), side="left")
    last = np.searchsorted(window, np.arange(len(spikes)), side="right") - 1
    times = np.full((len(spikes), ewma.shape[1]), np.nan)
    seen = np.flatnonzero(first <= last)
    if len(seen):
        with np.errstate(over="ignore", invalid="ignore"):
            # Not "above": what is not a number is not back either.
            outside = ~(ewma <= factor * level[np.maximum(window, 0)])
        rows = np.where(outside, np.arange(len(steps))[:, None], -1)
        # Rows before the first spike lie before first[seen[0]].
        outermost = np.maximum.reduceat(rows, first[seen], axis=0)
        back = np.minimum(outermost + 1, len(steps) - 1)
        elapsed = (steps[back] - spikes[seen, None]).astype(np.float64)
        found = np.where(outermost < 0, 0.0, elapsed)
        times[seen] = np.where(outermost == last[seen, None], np.inf, found)
    times[~np.isfinite(level)] = np.nan
    return Recovery(spikes, times, factor)


def spikes_of(graph: OperatorGraph, horizon: int) -> Ints:
    """First steps of the maximal rows of steps at which an intermittent perturbation acts.

    Intermittent is what has a schedule and reaches the gradient; events by ``probability`` are
    drawn anew for every sample, and are no spikes of the whole run.
    """
    acting = np.zeros(horizon + 1, dtype=np.bool_)  # one ahead: nothing acts before step 0
    for p in graph.perturbations:
        if not p.schedule.always and _reaches(graph, p):
            acting[1:] |= p.schedule.active(0, horizon, horizon)
    return np.flatnonzero(acting[1:] & ~acting[:-1]).astype(np.int64)


def _reaches(graph: OperatorGraph, p: Perturbation) -> bool:
    return p.site < graph.size if p.direction == "forward" else graph.ends[p.edge][0] > 0


def recovery_metrics(
    graph: OperatorGraph, trajectory: Trajectory, ewma: Array, confidence: float
) -> dict[str, Metric]:
    """``recovery_time`` and ``recovered_share`` where there are spikes; ``diverged_share`` always.

    Parameters
    ----------
    ewma
        The smoothed gradient norm at the recorded steps, ``(records, R)``, or without the last.
    confidence
        Of each interval on its own.
    """
    diverged = int(np.sum(trajectory.diverged >= 0))
    found = {"diverged_share": share_interval(diverged, len(trajectory.diverged), confidence)}
    spikes = spikes_of(graph, int(trajectory.steps[-1]))
    if len(spikes):
        made = recovery(trajectory.steps[: len(ewma)], ewma, spikes)
        if not np.isnan(made.times).all():
            found["recovery_time"] = made.mean(confidence)
            found["recovered_share"] = made.recovered(confidence)
    return found
