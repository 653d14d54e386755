"""Intervals for means and shares, and the smoothed gradient norm."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.simulate.statistics import (
    Metric,
    mean_interval,
    share_interval,
    smoothed,
    stable_complexity,
    stable_norm,
    t_quantile,
)


def tail(count: int, total: int, p: float) -> float:
    """P(at most ``count`` of ``total``) by its sum."""
    return sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(count + 1))


@pytest.mark.parametrize(
    ("degrees", "confidence", "printed"),
    [(1, 0.95, 12.706), (4, 0.99, 4.604), (15, 0.999, 4.073), (30, 0.95, 2.042)],
)
def test_t_quantiles_are_those_of_the_tables(degrees, confidence, printed):
    assert t_quantile(degrees, confidence) == pytest.approx(printed, abs=5e-4)


@given(st.integers(1, 40), st.data(), st.sampled_from([0.9, 0.95, 0.999]))
def test_clopper_pearson_ends_have_the_tails_of_their_definition(total, data, confidence):
    count = data.draw(st.integers(0, total))
    metric = share_interval(count, total, confidence)
    alpha = (1 - confidence) / 2
    if count:
        assert 1 - tail(count - 1, total, metric.lo) == pytest.approx(alpha, rel=1e-6)
    else:
        assert metric.lo == 0.0
    if count < total:
        assert tail(count, total, metric.hi) == pytest.approx(alpha, rel=1e-6)
    else:
        assert metric.hi == 1.0
    assert metric.lo <= metric.mean == count / total <= metric.hi
    assert metric.method == "clopper-pearson"


@given(st.integers(1, 40), st.data())
def test_wilson_ends_are_as_many_deviations_away_as_the_quantile(total, data):
    count = data.draw(st.integers(0, total))
    metric = share_interval(count, total, 0.95, exact=False)
    for p in (metric.lo, metric.hi):
        if 0 < p < 1:
            away = abs(metric.mean - p) / np.sqrt(p * (1 - p) / total)
            assert away == pytest.approx(1.959963984540054, rel=1e-6)
    assert 0 <= metric.lo <= metric.mean <= metric.hi <= 1


def coverage(total: int, p: float, *, exact: bool) -> float:
    """The exact probability that the 95 % interval covers p."""
    found = 0.0
    for count in range(total + 1):
        metric = share_interval(count, total, 0.95, exact=exact)
        if metric.lo <= p <= metric.hi:
            found += comb(total, count) * p**count * (1 - p) ** (total - count)
    return found


def test_clopper_pearson_covers_for_every_share_and_wilson_on_average():
    shares = np.linspace(0.005, 0.995, 67)
    exact = [coverage(16, float(p), exact=True) for p in shares]
    score = [coverage(16, float(p), exact=False) for p in shares]
    assert min(exact) >= 0.95
    assert min(score) < 0.95  # the price of its shorter interval
    assert np.mean(score) == pytest.approx(0.95, abs=0.01)


def test_an_interval_of_a_value_that_is_not_finite_is_the_whole_line():
    for value in (np.nan, np.inf):
        metric = mean_interval(np.array([1.0, value]), 0.95)
        assert (metric.lo, metric.hi) == (-np.inf, np.inf)


def test_a_rounding_error_makes_an_interval_longer_at_both_ends():
    metric = Metric(1.0, 0.75, 1.5, degrees=3).rounded(0.125)
    assert (metric.mean, metric.lo, metric.hi) == (1.0, 0.625, 1.625)
    assert (metric.rounding, metric.degrees) == (0.125, 3)
    unknown = Metric(1.0, 0.75, 1.5).rounded(np.nan)
    assert (unknown.lo, unknown.hi) == (-np.inf, np.inf)


def test_smoothing_is_its_recurrence_replica_by_replica():
    rng = np.random.default_rng(0)
    norms, expected = rng.random((50, 3)), np.empty((50, 3))
    expected[0] = norms[0]
    for t in range(1, 50):
        expected[t] = 0.9 * expected[t - 1] + (1 - 0.9) * norms[t]
    assert smoothed(norms, 0.9) == pytest.approx(expected, rel=1e-12)
    norms[20, 1] = np.nan
    broken = smoothed(norms, 0.9)
    assert np.isnan(broken[20:, 1]).all()
    assert broken[:, [0, 2]] == pytest.approx(expected[:, [0, 2]], rel=1e-12)


@given(st.integers(1, 6), st.floats(0.0, 0.99))
def test_a_power_of_the_decay_gives_thinned_records_the_memory_of_all_steps(every, decay):
    records = np.random.default_rng(1).random((12, 2))
    held = np.repeat(records, every, axis=0)  # a series that keeps still between records
    thinned = smoothed(records, decay**every)
    assert thinned == pytest.approx(smoothed(held, decay)[every - 1 :: every], rel=1e-9)


def test_complexity_counts_steps_and_not_records():
    ewma = np.array([[8.0, 1.0], [3.0, 1.0], [1.4, 1.0], [1.0, 1.0], [1.0, 1.0]])
    steps = np.array([0, 10, 20, 30, 40, 47])
    assert stable_complexity(ewma, steps).tolist() == [20.0, 0.0]
    never = np.array([[9.0], [9.0], [-9.0], [9.0]])
    assert stable_norm(never).tolist() == [0.0]
    assert stable_complexity(np.abs(never) * 0, np.array([0, 3, 6, 9, 11])).tolist() == [11.0]


def test_a_diverged_replica_has_no_complexity():
    ewma = np.array([[4.0, 4.0], [2.0, 2.0], [1.0, np.nan], [1.0, np.nan]])
    found = stable_complexity(ewma)
    assert found[0] == 2.0
    assert np.isnan(found[1])
