"""Spikes and recovery: how long a run takes to forget an intermittent perturbation.

[KZY], section 6.3 and figure 2: a large spike is forgotten, a moderate perturbation that
persists is not.
"""

from __future__ import annotations

import math
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

    A spike is a maximal row of steps at which an intermittent perturbation acts, from t to t′;
    its level is the smoothed gradient norm at the last record up to t.  The norm leaves the
    level where it is first above ``factor`` × level, while the spike acts or not later than the
    memory of the smoothing after it (what leaves later is not laid to the spike); it is back at
    the first recorded step s after that where it is at most ``factor`` × level.  The time to
    recover is s − t.

    Attributes
    ----------
    spikes
        First and last step of each, ``(S, 2)``.
    times
        ``(S, R)``: 0 where the norm never left the level; infinite where it was not back at the
        next spike or the end of the run, or the replica diverged; NaN where no step was recorded
        before the next spike, or the replica had diverged before.
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


def recovery(
    steps: Ints, ewma: Array, spikes: Ints, memory: int = 1, factor: float = FACTOR
) -> Recovery:
    """Times to recover from a recorded run; O(records · R).

    The smoothing itself remembers for a while, which is part of every time.

    Parameters
    ----------
    steps
        The recorded steps, increasing from 0, ``(records,)``.
    ewma
        The smoothed gradient norm there, ``(records, R)``.
    spikes
        First and last step of each, in order, ``(S, 2)``.
    memory
        How many steps after a spike the norm may leave its level.
    factor
        At least 1.

    Examples
    --------
    A spike at step 1 doubles the norm for two steps; one at step 5 stays.

    >>> norm = np.array([1.0, 1.0, 2.0, 2.0, 1.2, 1.2, 3.0, 3.0])[:, None]
    >>> recovery(np.arange(8), norm, np.array([[1, 1], [5, 5]])).times.ravel()
    array([ 3., inf])
    """
    start, count, none = spikes[:, 0], len(spikes), len(steps)
    window = np.searchsorted(start, steps, side="left") - 1  # the spike before each record
    level = ewma[np.searchsorted(steps, start, side="right") - 1]
    first = np.searchsorted(window, np.arange(count), side="left")
    stop = np.searchsorted(window, np.arange(count), side="right")
    times = np.full((count, ewma.shape[1]), np.nan)
    seen = np.flatnonzero(first < stop)
    if len(seen):
        # At coarse records the first one after the spike counts, however late it comes.
        latest = np.maximum(spikes[:, 1] + memory, steps[np.minimum(first, none - 1)])
        with np.errstate(over="ignore", invalid="ignore"):
            # Not "above": what is not a number is not back either.
            outside = ~(ewma <= factor * level[np.maximum(window, 0)])
        early = steps <= latest[np.maximum(window, 0)]
        rows = np.arange(none)[:, None]
        left = np.where(outside & early[:, None], rows, none)
        inside = np.where(outside, none, rows)
        # The next row inside its level, at every row and behind the last one.
        after = np.minimum.accumulate(np.append(inside, np.full_like(inside[:1], none), 0)[::-1])
        # Rows before the first spike lie before first[seen[0]].
        leaving = np.minimum.reduceat(left, first[seen], axis=0)
        back = np.take_along_axis(after[::-1], leaving, axis=0)
        elapsed = (steps[np.minimum(back, none - 1)] - start[seen, None]).astype(np.float64)
        found = np.where(back < stop[seen, None], elapsed, np.inf)
        times[seen] = np.where(leaving == none, 0.0, found)
    times[~np.isfinite(level)] = np.nan
    return Recovery(spikes, times, factor)


def spikes_of(graph: OperatorGraph, horizon: int) -> Ints:
    """The maximal rows of steps at which an intermittent perturbation acts.

    Intermittent is what has a schedule and reaches the gradient; events by ``probability`` are
    drawn anew for every sample, and are no spikes of the whole run.

    Returns
    -------
    First and last step of each, ``(S, 2)``.
    """
    acting = np.zeros(horizon + 2, dtype=np.bool_)  # nothing acts before step 0 and after the last
    for p in graph.perturbations:
        if not p.schedule.always and _reaches(graph, p):
            acting[1:-1] |= p.schedule.active(0, horizon, horizon)
    first = np.flatnonzero(acting[1:] & ~acting[:-1])
    last = np.flatnonzero(acting[:-1] & ~acting[1:]) - 1
    return np.stack([first, last], axis=1).astype(np.int64)


def _reaches(graph: OperatorGraph, p: Perturbation) -> bool:
    return p.site < graph.size if p.direction == "forward" else graph.ends[p.edge][0] > 0


def recovery_metrics(
    graph: OperatorGraph, trajectory: Trajectory, ewma: Array, confidence: float
) -> dict[str, Metric]:
    """``recovery_time`` and ``recovered_share`` where there are spikes.

    Parameters
    ----------
    ewma
        The smoothed gradient norm at the recorded steps, ``(records, R)``, or without the last.
    confidence
        Of each interval on its own.
    """
    found: dict[str, Metric] = {}
    spikes = spikes_of(graph, int(trajectory.steps[-1]))
    if len(spikes):
        section = graph.spec.simulation
        assert section is not None  # noqa: S101 - there is a run
        memory = math.ceil(1 / (1 - section.ewma))
        made = recovery(trajectory.steps[: len(ewma)], ewma, spikes, memory)
        if not np.isnan(made.times).all():
            found["recovery_time"] = made.mean(confidence)
            found["recovered_share"] = made.recovered(confidence)
    return found
