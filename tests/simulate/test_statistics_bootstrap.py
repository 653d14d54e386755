"""Percentile-t bootstrap: its definition, its seed, and how often it covers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.simulate import bootstrap
from boundcalc.simulate.bootstrap import MOST, bootstrap_interval
from boundcalc.simulate.statistics import mean_interval

SKEWED = np.random.default_rng(0).lognormal(0, 1, 24)


def literal(values, confidence, seed, count):
    """Resample by resample, with the same numbers."""
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, 0x62007])))
    rows = rng.integers(len(values), size=(count, len(values)))
    mean, root = values.mean(), np.sqrt(len(values))
    statistics = sorted((values[r].mean() - mean) / (values[r].std(ddof=1) / root) for r in rows)
    rank = int((count + 1) * (1 - confidence) / 2)
    error = values.std(ddof=1) / root
    return mean - statistics[-rank] * error, mean - statistics[rank - 1] * error


def test_the_interval_is_its_slow_twin():
    found = bootstrap_interval(SKEWED, 0.95, seed=5)
    assert (found.lo, found.hi) == pytest.approx(literal(SKEWED, 0.95, 5, 2_000), rel=1e-12)
    assert found.mean == SKEWED.mean()
    assert found.method == "bootstrap"


def test_more_resamples_are_made_for_ends_farther_out():
    found = bootstrap_interval(SKEWED, 0.99, seed=5)
    assert (found.lo, found.hi) == pytest.approx(literal(SKEWED, 0.99, 5, 4_000), rel=1e-12)


def test_the_seed_alone_decides():
    first = bootstrap_interval(SKEWED, 0.95, seed=1)
    assert bootstrap_interval(SKEWED.copy(), 0.95, seed=1) == first
    assert bootstrap_interval(SKEWED, 0.95, seed=2) != first


def test_blocks_of_resamples_do_not_change_the_numbers(monkeypatch):
    whole = bootstrap_interval(SKEWED, 0.95, seed=1)
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 7 * len(SKEWED))
    assert bootstrap_interval(SKEWED, 0.95, seed=1) == whole


def test_a_skewed_sample_has_a_longer_upper_part():
    found, plain = bootstrap_interval(SKEWED, 0.95, 0), mean_interval(SKEWED, 0.95)
    assert found.hi - found.mean > 1.2 * (found.mean - found.lo)
    assert found.hi > plain.hi
    assert found.lo > plain.lo


@settings(max_examples=15)
@given(st.floats(-100, 100), st.floats(0.01, 100))
def test_units_do_not_matter(shift, scale):
    found, moved = (
        bootstrap_interval(values, 0.9, 3) for values in (SKEWED, shift + scale * SKEWED)
    )
    expected = (shift + scale * found.lo, shift + scale * found.hi)
    assert (moved.lo, moved.hi) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_equal_values_have_an_interval_without_length():
    found = bootstrap_interval(np.full(5, 7.0), 0.95, 0, (0, 9))
    assert (found.mean, found.lo, found.hi) == (7.0, 7.0, 7.0)


def test_nearly_equal_values_leave_the_end_open_that_they_do_not_show():
    # Most resamples of 15 equal values and a larger one are below the mean, without spread.
    values = np.array([3.0] * 15 + [4.0])
    found = bootstrap_interval(values, 0.95, 0, (0, 50))
    assert found.hi == 50
    assert 0 < found.lo <= found.mean
    two = bootstrap_interval(np.array([3.0, 5.0]), 0.95, 0, (0, 50))
    assert (two.lo, two.hi) == (0, 50)


def test_a_confidence_beyond_all_resamples_says_nothing():
    found = bootstrap_interval(SKEWED, 1 - 1e-12, 0, (0, 99))
    assert (found.lo, found.hi) == (0, 99)


def test_many_values_and_values_that_are_not_finite_are_students():
    many = np.random.default_rng(1).random(MOST + 1)
    assert bootstrap_interval(many, 0.95, 0) == mean_interval(many, 0.95)
    broken = bootstrap_interval(np.array([1.0, np.nan, 2.0]), 0.95, 0)
    assert (broken.lo, broken.hi) == (-np.inf, np.inf)


def coverage(draw, mean, runs):
    """Hits of the bootstrap and of Student's interval at 95 %."""
    hits = np.zeros(2, dtype=int)
    for run in range(runs):
        values = draw(np.random.default_rng([9, run]))
        for which, m in enumerate(
            (bootstrap_interval(values, 0.95, run), mean_interval(values, 0.95))
        ):
            hits[which] += m.lo <= mean <= m.hi
    return hits / runs


@pytest.mark.long
@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda rng: rng.standard_normal(16), 0.0),
        (lambda rng: rng.lognormal(0, 0.5, 30), np.exp(0.125)),
        (lambda rng: rng.geometric(0.05, 30).astype(float), 20.0),
    ],
    ids=["normal", "lognormal", "geometric"],
)
def test_intervals_cover_as_often_as_they_say(draw, mean):
    # 1 500 trials: one standard deviation is 0.56 %; the error of the method is below 1 %.
    assert coverage(draw, mean, 1_500)[0] == pytest.approx(0.95, abs=0.025)


@pytest.mark.long
def test_of_very_skewed_values_the_bootstrap_covers_more_often_than_student():
    found, plain = coverage(lambda rng: rng.lognormal(0, 1, 16), np.exp(0.5), 800)
    assert found > plain + 0.02
