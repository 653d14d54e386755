"""Times to recover from spikes, against loops, closed forms and a run."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.simulate.reach import Reach, WeightReach
from boundcalc.simulate.records import Trajectory
from boundcalc.simulate.recovery import (
    FACTOR,
    Recovery,
    recovery,
    recovery_metrics,
    spikes_of,
)
from boundcalc.simulate.statistics import share_interval

SPEC = """
version: 1
name: spikes
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: bilinear, region: {input: 9, weight: 9}}
perturbations: [PERTURBATIONS]
training: {step_size: 1/100, horizon: 12}
simulation: {replicas: 2, ewma: EWMA, data: {points: [[1]]}, initial_weights: [1, 1]}
"""
SHIFT = "{at: f1, pass: forward, model: constant, value: 1, WHEN}"


def at(*steps):
    """Spikes of one step each."""
    return np.array([[t, t] for t in steps])


def graph_with(*schedules, text=SHIFT, ewma="0.99"):
    sections = ", ".join(text.replace(", WHEN", f", {when}" if when else "") for when in schedules)
    return bc.build(bc.loads(SPEC.replace("PERTURBATIONS", sections).replace("EWMA", ewma)))


def literal(steps, ewma, spikes, memory, factor):
    """One spike, one replica, one record after the other."""
    times = np.full((len(spikes), ewma.shape[1]), math.nan)
    for k, (start, end) in enumerate(spikes):
        stop = spikes[k + 1][0] if k + 1 < len(spikes) else math.inf
        for r in range(ewma.shape[1]):
            level = [x[r] for t, x in zip(steps, ewma, strict=True) if t <= start][-1]
            window = [(t, x[r]) for t, x in zip(steps, ewma, strict=True) if start < t <= stop]
            if not window or not math.isfinite(level):
                continue
            times[k, r], left = 0, False
            for i, (t, x) in enumerate(window):
                inside = x <= factor * level
                if not left and not inside and (i == 0 or t <= end + memory):
                    left, times[k, r] = True, math.inf
                elif left and inside:
                    times[k, r] = t - start
                    break
    return times


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_it_equals_a_loop(data):
    every = data.draw(st.integers(1, 4))
    horizon = data.draw(st.integers(1, 20))
    steps = np.unique([*range(0, horizon + 1, every), horizon])
    size = st.sampled_from([0.5, 1.0, 1.5, 1.6, 4.0, math.inf, math.nan])
    rows = data.draw(
        st.lists(st.tuples(size, size), min_size=len(steps), max_size=len(steps)), label="norms"
    )
    acting = sorted(data.draw(st.sets(st.integers(0, horizon - 1), min_size=1)))
    first = [t for t in acting if t - 1 not in acting]
    last = [t for t in acting if t + 1 not in acting]
    spikes = np.stack([first, last], axis=1)
    how = (data.draw(st.integers(1, 5)), data.draw(st.sampled_from([1.0, 1.5, 3.0])))
    found = recovery(steps, np.array(rows), spikes, *how)
    np.testing.assert_array_equal(found.times, literal(steps, np.array(rows), spikes, *how))


def test_an_exponential_decay_is_back_after_its_logarithm():
    """x = 1 + a q^(t − t₀ − 1) is below 1.5 from the first t with a q^(t − t₀ − 1) ≤ 1/2."""
    q, spike, steps = 0.9, 10, np.arange(200)
    for size in (0.4, 0.6, 3.0, 100.0):
        norm = 1 + np.where(steps > spike, size * q ** (steps - spike - 1.0), 0.0)
        expected = 0 if size <= 0.5 else 1 + math.ceil(math.log(0.5 / size) / math.log(q))
        assert recovery(steps, norm[:, None], at(spike)).times[0, 0] == expected


def test_levels_are_those_before_each_spike_and_windows_end_at_the_next():
    norm = np.array([1, 1, 5, 1, 1, 2, 2, 2, 2.5, 2.9])[:, None]
    found = recovery(np.arange(10), norm, at(1, 4, 7))
    # Back at 3; at 2 until the next spike; 2.9 is within 1.5 of the new level 2.
    assert found.times.ravel().tolist() == [2.0, math.inf, 0.0]


def test_what_leaves_the_level_long_after_a_spike_is_not_laid_to_it():
    norm = np.array([1.0, 1, 1, 1, 1, 2, 1, 1])[:, None]
    for memory, expected in ((3, 0.0), (4, 5.0)):
        assert recovery(np.arange(8), norm, at(1), memory).times[0, 0] == expected
    # A spike that lasts to step 4 may move it at 5.
    assert recovery(np.arange(8), norm, np.array([[1, 4]]), 1).times[0, 0] == 5


def test_only_the_first_return_counts():
    norm = np.array([1.0, 1, 9, 9, 1, 9, 9, 9])[:, None]
    assert recovery(np.arange(8), norm, at(1), 5).times[0, 0] == 3


def test_records_between_spikes_may_be_missing():
    steps = np.array([0, 5, 10])
    norm = np.array([[1.0, 1.0], [4.0, 1.0], [1.0, 1.0]])
    found = recovery(steps, norm, at(1, 2, 7))
    np.testing.assert_array_equal(found.times, [[math.nan] * 2, [math.inf, 0], [0, 0]])
    assert found.by_replica.tolist() == [math.inf, 0.0]


def test_a_replica_that_was_lost_before_says_nothing_of_later_spikes():
    norm = np.array([[1.0, 1.0], [math.inf, 1.0], [math.nan, 3.0], [math.nan, 1.0]])
    found = recovery(np.arange(4), norm, at(0, 1))
    np.testing.assert_array_equal(found.times, [[math.inf, 0.0], [math.nan, 2.0]])
    assert found.by_replica.tolist() == [math.inf, 1.0]


# -- over replicas ---------------------------------------------------------------------------------


def of_times(*values):
    return Recovery(at(3), np.array([values], dtype=float), FACTOR)


def test_one_replica_that_never_recovers_makes_the_mean_infinite():
    metric = of_times(1, 2, math.inf).mean(0.9)
    assert (metric.mean, metric.lo, metric.hi) == (math.inf, -math.inf, math.inf)
    metric = of_times(1, 2, 3, math.nan).mean(0.9)
    assert metric.mean == 2
    assert metric.lo < 2 < metric.hi
    assert of_times(4, math.nan).mean(0.9).hi == math.inf
    assert math.isnan(of_times(math.nan).mean(0.9).mean)


def test_quantiles_lie_between_order_statistics():
    """n = 10, the median at 95 %: X_(2) and X_(9) (coverage 0.9785; X_(3), X_(8): 0.8906)."""
    found = of_times(*range(1, 11)).quantile(0.5, 0.95)
    assert (found.mean, found.lo, found.hi) == (5, 2, 9)
    lost = of_times(1, 2, 3, 4, 5, 6, 7, *[math.inf] * 3).quantile(0.5, 0.95)
    assert (lost.mean, lost.lo, lost.hi) == (5, 2, math.inf)
    few = of_times(1, 2, 3).quantile(0.5, 0.95)
    assert (few.mean, few.lo, few.hi) == (2, -math.inf, math.inf)
    assert math.isnan(of_times(math.nan).quantile(0.5, 0.95).mean)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_quantile_intervals_cover(share):
    """k of n values are at most the quantile, k ~ Bin(n, share); it is covered iff l ≤ k < h."""
    for n in (5, 12, 40, 200):
        found = of_times(*range(1, n + 1)).quantile(share, 0.9)
        law = [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
        below = sum(p for k, p in enumerate(law) if k < found.lo)
        above = sum(p for k, p in enumerate(law) if k >= found.hi)
        assert max(below, above) <= 0.05 + 1e-12
        # The next order statistics would not do.
        assert not math.isfinite(found.lo) or below + law[int(found.lo)] > 0.05
        assert not math.isfinite(found.hi) or above + law[int(found.hi) - 1] > 0.05
        assert n < 200 or np.isfinite([found.lo, found.hi]).all()


def test_the_share_that_recovered_counts_what_was_seen():
    found = of_times(1, 0, math.inf, math.nan).recovered(0.9)
    expected = share_interval(2, 3, 0.9)
    assert (found.mean, found.lo, found.hi) == (expected.mean, expected.lo, expected.hi)


# -- which steps are spikes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        (["steps: [3, 4, 5, 8]"], [[3, 5], [8, 8]]),
        (["every: 5"], [[0, 0], [5, 5], [10, 10]]),
        (["every: 5", "steps: [6, 9]"], [[0, 0], [5, 6], [9, 10]]),
        (["last: 3"], [[9, 11]]),
        (["first: 2"], [[0, 1]]),
        ([""], []),
        (["", "steps: [7]"], [[7, 7]]),
        (["every: 1"], []),
        (["steps: [40]"], []),
    ],
)
def test_spikes_are_the_beginnings_of_intermittent_perturbations(schedules, expected):
    assert spikes_of(graph_with(*schedules), 12).tolist() == expected


@pytest.mark.parametrize("way", ["at: f2, pass: forward", "at: f1, pass: backward"])
def test_what_never_reaches_the_gradient_is_no_spike(way):
    text = SHIFT.replace("at: f1, pass: forward", way)
    assert spikes_of(graph_with("steps: [3]", text=text), 12).tolist() == []


# -- metrics ---------------------------------------------------------------------------------------


def recorded(norms, diverged):
    norms = np.array(norms)
    return Trajectory(
        steps=np.arange(len(norms)),
        loss=norms,
        gradient_norm=norms,
        snapshots={},
        final=norms[-1][:, None],
        secant=0.0,
        weight_reach=WeightReach({}),
        input_reach=Reach(()),
        diverged=np.array(diverged),
    )


NORMS = [[1, 1, 1]] * 4 + [[5, 5, 1]] * 2 + [[1, 5, 1]] + [[1, 1, 1]] * 6


def test_metrics_of_a_run_with_a_spike():
    trajectory = recorded(NORMS, [-1, -1, 4])
    graph = graph_with("steps: [3]")
    found = recovery_metrics(graph, trajectory, trajectory.gradient_norm[:-1], 0.9)
    assert set(found) == {"recovery_time", "recovered_share"}
    assert found["recovery_time"].mean == pytest.approx((3 + 4 + 0) / 3)
    assert found["recovered_share"].mean == 1
    assert found == recovery_metrics(graph, trajectory, trajectory.gradient_norm, 0.9)


def test_metrics_give_a_spike_the_memory_of_the_smoothing():
    """Steps 1 to 5 for a decay of 0.75 and a spike at 1: leaving at 5 counts, at 6 it does not."""
    for leaves, expected in ((5, 6.0), (6, 0.0)):
        norms = [[1.0, 1.0]] * 13
        norms[leaves : leaves + 2] = [[9.0, 9.0]] * 2
        trajectory = recorded(norms, [-1, -1])
        graph = graph_with("steps: [1]", ewma="0.75")
        found = recovery_metrics(graph, trajectory, trajectory.gradient_norm, 0.9)
        assert found["recovery_time"].mean == expected


def test_without_spikes_only_the_share_that_diverged():
    trajectory = recorded(NORMS, [-1, -1, -1])
    found = recovery_metrics(graph_with(""), trajectory, trajectory.gradient_norm, 0.9)
    assert found == {}


def test_a_large_spike_is_forgotten_and_a_persistent_one_is_not():
    """Figure 2 of [KZY] in one dimension: ε shifts the gradient w by ε, norm |w|, γ = 1/4.

    After one spike at w = 1 the norm falls by 3/4 in every step; under a shift that stays it
    settles at |ε|.
    """

    def norms(shift_at):
        w, path = 1.0, []
        for t in range(61):
            path.append(abs(w))
            w -= 0.25 * (w + shift_at(t))
        return np.array(path)[:, None]

    for size, spike in ((100.0, 20), (4.0, 2)):
        run = norms(lambda t, size=size, spike=spike: -size * (t == spike))
        level = 0.75**spike
        peak = 0.75 * level + 0.25 * size
        expected = 1 + math.ceil(math.log(1.5 * level / peak) / math.log(0.75))
        assert recovery(np.arange(61), run, at(spike)).times[0, 0] == expected
    stays = recovery(np.arange(61), norms(lambda t: -2.0 * (t >= 2)), np.array([[2, 60]]))
    assert stays.times[0, 0] == math.inf
