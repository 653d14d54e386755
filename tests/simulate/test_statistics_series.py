"""Stationary series: correlation times, batch means, and how often their intervals cover."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import f as f_law

from boundcalc.simulate.batch_means import correlation_time, stationary_interval
from boundcalc.simulate.statistics import mean_interval, t_quantile


def autoregressive(rng, phi: float, length: int, replicas: int):
    """Stationary AR(1) series x_t = φx_{t−1} + √(1−φ²)e_t with mean 0 and variance 1."""
    start = rng.standard_normal((1, replicas))
    noise = rng.standard_normal((length, replicas)) * np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=0, zi=phi * start)[0]


def literal_time(series) -> float:
    """The initial monotone sequence, lag by lag."""
    n, replicas = series.shape
    centred = series - series.mean(axis=0)

    def covariance(lag):
        return sum(
            centred[t, r] * centred[t + lag, r] for r in range(replicas) for t in range(n - lag)
        )

    total, before = 0.0, np.inf
    for lag in range(0, n - 1, 2):
        pair = (covariance(lag) + covariance(lag + 1)) / covariance(0)
        if pair <= 0:
            break
        before = min(before, pair)
        total += before
    return min(max(2 * total - 1, 1.0), n)


@pytest.mark.parametrize(("length", "replicas", "phi"), [(37, 3, 0.5), (40, 1, 0.9), (64, 2, -0.4)])
def test_the_correlation_time_is_its_slow_twin(length, replicas, phi):
    series = autoregressive(np.random.default_rng(3), phi, length, replicas)
    assert correlation_time(series) == pytest.approx(literal_time(series), rel=1e-9)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.98])
def test_the_correlation_time_of_an_ar1_series(phi):
    # τ = Σ_k φ^|k| = (1 + φ)/(1 − φ)
    series = autoregressive(np.random.default_rng(0), phi, 40_000, 4)
    assert correlation_time(series) == pytest.approx((1 + phi) / (1 - phi), rel=0.12)


def test_short_and_constant_series_have_a_correlation_time():
    assert correlation_time(np.ones((3, 2))) == 3.0
    assert correlation_time(np.ones((100, 2))) == 1.0
    assert correlation_time(np.arange(100.0)[:, None]) > 20


def replicated(series, batches: int, confidence: float):
    """Replicated batch means from their definition: all batch means as one sample."""
    n, replicas = series.shape
    length = n // batches
    means = [
        series[n - batches * length + j * length :][:length, r].mean()
        for r in range(replicas)
        for j in range(batches)
    ]
    return t_quantile(len(means) - 1, confidence) * np.std(means, ddof=1) / np.sqrt(len(means))


def test_few_replicas_with_long_series_get_replicated_batch_means():
    series = autoregressive(np.random.default_rng(17), 0.5, 2_003, 3)
    metric = stationary_interval(series, 0.99)
    batches = 2_003 // int(np.ceil(20 * correlation_time(series)))
    half = replicated(series, batches, 0.99)
    assert metric.method == "batch means"
    assert metric.mean == pytest.approx(series.mean(), rel=1e-12)
    assert (metric.lo, metric.hi) == pytest.approx((metric.mean - half, metric.mean + half))
    assert metric.degrees == 3 * batches - 1
    assert metric.effective == pytest.approx(3 * 2_003 / correlation_time(series))


def test_batches_make_the_interval_of_two_replicas_much_shorter():
    series = autoregressive(np.random.default_rng(2), 0.5, 20_000, 2)
    found, plain = stationary_interval(series, 0.999), mean_interval(series.mean(axis=0), 0.999)
    assert found.hi - found.lo < 0.1 * (plain.hi - plain.lo)


def is_students(metric, series, confidence):
    plain = mean_interval(series.mean(axis=0), confidence)
    return metric.method == "student" and (metric.lo, metric.hi) == (plain.lo, plain.hi)


def test_eight_replicas_need_no_batches():
    series = autoregressive(np.random.default_rng(4), 0.5, 4_000, 8)
    assert is_students(stationary_interval(series, 0.95), series, 0.95)
    assert stationary_interval(series[:, :7], 0.95).method == "batch means"


def test_series_too_short_for_their_correlation_or_with_a_trend_are_left_to_the_replicas():
    rng = np.random.default_rng(5)
    short = autoregressive(rng, 0.99, 3_000, 3)
    trend = autoregressive(rng, 0.0, 3_000, 3) + np.linspace(9, 0, 3_000)[:, None]
    for series in (short, trend, np.ones((2, 3))):
        assert is_students(stationary_interval(series, 0.95), series, 0.95)


def test_replicas_that_settle_in_different_places_are_not_pooled():
    rng = np.random.default_rng(6)
    series = autoregressive(rng, 0.0, 2_000, 3) + np.array([0.0, 1.0, 2.0])
    assert is_students(stationary_interval(series, 0.95), series, 0.95)


def test_replicas_are_told_apart_by_an_f_test():
    # Shifts of one replica: pooled as long as SciPy's F law gives the ratio at least 5 %.
    base = autoregressive(np.random.default_rng(8), 0.0, 1_000, 2)
    seen = set()
    for shift in np.linspace(0, 0.4, 41):
        series = base + np.array([0.0, shift])
        batches = 1_000 // int(np.ceil(20 * correlation_time(series)))
        length = 1_000 // batches
        means = series[1_000 - batches * length :].reshape(batches, length, 2).mean(axis=1)
        between = batches * np.sum((means.mean(axis=0) - means.mean()) ** 2)
        within = np.sum((means - means.mean(axis=0)) ** 2) / (2 * (batches - 1))
        pooled = f_law.sf(between / within, 1, 2 * (batches - 1)) >= 0.05
        seen.add(bool(pooled))
        assert (stationary_interval(series, 0.95).method == "batch means") == pooled
    assert seen == {True, False}


def test_a_series_that_is_not_finite_has_no_interval():
    series = np.ones((100, 2))
    series[50, 0] = np.nan
    metric = stationary_interval(series, 0.95)
    assert (metric.lo, metric.hi, metric.effective) == (-np.inf, np.inf, None)


def covered(phi, length, replicas, runs, seed):
    """In how many of so many runs the 95 % interval covers the mean 0."""
    rng, hits = np.random.default_rng(seed), 0
    for _ in range(runs):
        metric = stationary_interval(autoregressive(rng, phi, length, replicas), 0.95)
        hits += metric.lo <= 0.0 <= metric.hi
    return hits


def test_intervals_cover_as_often_as_they_say():
    # 300 runs: 4 standard deviations of the count are 15.
    assert abs(covered(0.5, 1_500, 2, 300, 11) - 285) <= 15


@pytest.mark.long
@pytest.mark.parametrize(
    ("phi", "length", "replicas"), [(0.0, 400, 2), (0.5, 2_000, 2), (0.9, 2_500, 4), (0.9, 500, 16)]
)
def test_intervals_cover_as_often_as_they_say_over_many_runs(phi, length, replicas):
    # Pooled or not, short or long: 4 standard deviations of 2 000 trials are 39.
    assert abs(covered(phi, length, replicas, 2_000, 12) - 1_900) <= 39


@pytest.mark.long
def test_an_interval_that_ignores_the_correlation_does_not_cover():
    rng, hits = np.random.default_rng(13), 0
    for _ in range(300):
        series = autoregressive(rng, 0.9, 2_000, 2)
        metric = mean_interval(series.ravel(), 0.95)
        hits += metric.lo <= 0.0 <= metric.hi
    assert hits < 180
