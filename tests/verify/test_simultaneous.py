"""All intervals of a verification cover at once with the spec's confidence."""

from types import SimpleNamespace

import numpy as np
import pytest

from boundcalc.simulate.iterates import BATCHES
from boundcalc.simulate.statistics import (
    Metric,
    jackknife_interval,
    mean_interval,
    share_interval,
)
from boundcalc.verify.simultaneous import check_interval, each_confidence, metric_interval

VALUES = np.random.default_rng(0).standard_normal((BATCHES, 4))


def test_bonferroni_divides_what_may_go_wrong():
    assert each_confidence(0.95, 5) == pytest.approx(0.99, rel=1e-15)
    assert each_confidence(0.999, 1) == 0.999
    assert each_confidence(0.999, 0) == 0.999


@pytest.mark.parametrize("claims", [1, 2, 6])
def test_a_metric_gets_the_interval_of_the_higher_confidence(claims):
    values = VALUES[:7, 0]
    wanted = mean_interval(values, 1 - 0.05 / claims)
    found = metric_interval(mean_interval(values, 0.95), 0.95, claims)
    assert found == pytest.approx((wanted.lo, wanted.hi), rel=1e-12)


def test_the_rounding_error_is_added_once_however_many_claims_there_are():
    values = VALUES[:7, 0]
    wanted = mean_interval(values, 1 - 0.05 / 3)
    found = metric_interval(mean_interval(values, 0.95).rounded(0.5), 0.95, 3)
    assert found == pytest.approx((wanted.lo - 0.5, wanted.hi + 0.5), rel=1e-12)


def test_an_interval_of_another_kind_cannot_be_made_longer_and_says_nothing():
    assert metric_interval(share_interval(1, 9, 0.95), 0.95, 1) == (-np.inf, np.inf)
    assert metric_interval(Metric(1.0, -np.inf, np.inf, degrees=3), 0.95, 2) == (-np.inf, np.inf)


@pytest.mark.parametrize("kind", ["error", "bias"])
@pytest.mark.parametrize("claims", [1, 5])
def test_a_check_gets_the_simultaneous_intervals_of_the_higher_confidence(kind, claims):
    mean = VALUES.mean(axis=0)
    left = (VALUES.sum(axis=0) - VALUES) / (BATCHES - 1)

    def ends(confidence):
        return jackknife_interval(left, mean, 1 - (1 - confidence) / 4)

    lo, hi = ends(0.95)
    check = SimpleNamespace(
        samples=(0, 1, 2, 3), **{kind: mean, f"{kind}_lo": lo, f"{kind}_hi": hi}
    )
    value, *found = check_interval(check, kind, 0.95, claims)
    wanted = ends(1 - 0.05 / claims)
    assert np.array_equal(value, mean)
    assert found[0] == pytest.approx(wanted[0], rel=1e-12)
    assert found[1] == pytest.approx(wanted[1], rel=1e-12)


def test_five_intervals_at_once_cover_as_often_as_one_should():
    rng, plain, together, runs = np.random.default_rng(1), 0, 0, 1_000
    for _ in range(runs):
        metrics = [mean_interval(rng.standard_normal(6), 0.9) for _ in range(5)]
        plain += all(m.lo <= 0 <= m.hi for m in metrics)
        ends = [metric_interval(m, 0.9, 5) for m in metrics]
        together += all(lo <= 0 <= hi for lo, hi in ends)
    # Independent: 0.9⁵ = 0.59 and (1 − 0.1/5)⁵ = 0.904; standard deviations 0.016 and 0.009.
    assert plain / runs == pytest.approx(0.59, abs=0.06)
    assert together / runs == pytest.approx(0.904, abs=0.037)
