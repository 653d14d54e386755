"""Statements about figures: what they say of plateaus that are there, and of others."""

import numpy as np
import pytest
from synthetic_settings import around, setting

from boundcalc.experiments import claims
from boundcalc.experiments.findings import all_of, at_most, inside
from boundcalc.experiments.settings import by, pick

NAN = float("nan")


def line(law, scatter=0.01, x=(0.5, 1.0, 2.0), **more):
    return [setting(around(law(value), scatter), sigma_f=value, **more) for value in x]


class TestIntervals:
    @pytest.mark.parametrize(
        ("lo", "hi", "status"),
        [
            (1.0, 2.0, "holds"),
            (0.5, 2.0, "undetermined"),
            (1.5, 9.0, "undetermined"),
            (0.0, 9.0, "undetermined"),
            (0.1, 0.9, "does not hold"),
            (2.1, 3.0, "does not hold"),
            (NAN, 2.0, "undetermined"),
            (1.0, np.inf, "undetermined"),
        ],
    )
    def test_a_number_in_an_interval(self, lo, hi, status):
        assert inside(lo, hi, 1.0, 2.0) == status

    def test_nothing_is_at_most_an_unknown_bound(self):
        assert at_most(1.0, 2.0, NAN) == "undetermined"
        assert at_most(1.0, 2.0, np.inf) == "holds"

    def test_one_that_fails_outweighs_what_is_open(self):
        assert all_of(["holds", "holds"]) == "holds"
        assert all_of(["undetermined", "does not hold", "holds"]) == "does not hold"


class TestOrders:
    def test_the_right_order_holds(self):
        finding, fit = claims.order("σ²", line(lambda s: s**2), "sigma_f", 2.0)
        assert finding.status == "holds"
        assert fit.exponent == pytest.approx(2.0, abs=0.05)

    def test_a_wrong_order_does_not(self):
        assert claims.order("σ²", line(lambda s: s), "sigma_f", 2.0)[0].status == "does not hold"

    def test_a_wide_interval_says_nothing(self):
        settings = line(lambda s: s**2, scatter=0.4)
        assert claims.order("σ²", settings, "sigma_f", 2.0)[0].status == "undetermined"

    def test_an_unknown_prediction_says_nothing(self):
        assert claims.order("σ²", line(lambda s: s**2), "sigma_f", NAN)[0].status == "undetermined"

    def test_one_point_says_nothing(self):
        assert claims.order("σ²", line(lambda s: s, x=(1.0,)), "sigma_f", 1.0)[0].status == (
            "undetermined"
        )

    def test_runs_that_have_not_settled_say_nothing(self):
        moving = np.geomspace(1.0, 1e-3, 40)
        settings = line(lambda s: s**2, ewma=moving)
        assert claims.order("σ²", settings, "sigma_f", 2.0)[0].status == "undetermined"

    def test_faster_than_an_upper_order_holds_and_slower_does_not(self):
        def status(power):
            settings = line(lambda s: s**power)
            return claims.order("falls", settings, "sigma_f", -0.5, at_most_order=True)[0].status

        assert status(-1.0) == "holds"
        assert status(-0.5) == "holds"
        assert status(-0.1) == "does not hold"

    def test_the_floors_order_is_that_of_the_floors(self):
        settings = [setting([1, 1], floor=3 * s**0.5, bias=s**2, sigma_f=s) for s in (1.0, 4.0)]
        assert claims.floor_order(settings, "sigma_f") == pytest.approx(0.5)
        assert claims.floor_order(settings, "sigma_f", bias=True) == pytest.approx(2.0)

    def test_a_missing_floor_has_no_order(self):
        settings = [setting([1, 1], floor=f, sigma_f=s) for s, f in ((1.0, 1.0), (2.0, None))]
        assert np.isnan(claims.floor_order(settings, "sigma_f"))
        assert np.isnan(claims.floor_order(settings[:1], "sigma_f"))


class TestPlateaus:
    def test_a_plateau_that_grows(self):
        assert claims.monotone("", line(lambda s: s), rising=True).status == "holds"
        assert claims.monotone("", line(lambda s: s), rising=False).status == "does not hold"

    def test_a_level_line_neither_rises_nor_falls(self):
        flat = [setting(around(1.0, 0.05, seed=k), sigma_f=k) for k in range(1, 4)]
        assert claims.monotone("", flat, rising=True).status == "undetermined"
        assert claims.monotone("", [setting([1, 1], sigma_f=1)], rising=True).status == (
            "undetermined"
        )

    def test_equal_replicas_do_not_rise(self):
        same = [setting([1.0, 1.0], sigma_f=s) for s in (1.0, 2.0)]
        assert claims.monotone("", same, rising=True).status == "does not hold"

    def test_different_numbers_of_replicas_are_not_compared(self):
        pair = [setting([1.0, 1.0]), setting([2.0, 2.0, 2.0])]
        assert claims.monotone("", pair, rising=True).status == "undetermined"
        assert claims.ratio("", pair[1], pair[0], 1.5, 2.5).status == "undetermined"

    def test_ratios(self):
        one, two = setting(around(1.0)), setting(around(2.0))
        assert claims.ratio("", two, one, 1.5, 2.5).status == "holds"
        assert claims.ratio("", two, one, 3.0, np.inf).status == "does not hold"
        assert claims.ratio("", two, setting([0.0] * 8), 1.0, 2.0).status == "undetermined"

    @pytest.mark.parametrize(
        ("predicted", "status"), [(1.0, "holds"), (1.2, "does not hold"), (0.94, "undetermined")]
    )
    def test_where_it_is_predicted(self, predicted, status):
        found = claims.at_prediction([setting(around(1.0, 0.02), predicted=predicted)])
        assert found.status == status

    def test_a_run_that_has_not_settled_does_not_count(self):
        moving = setting(around(9.0), predicted=1.0, ewma=np.geomspace(1, 1e-2, 40))
        good = setting(around(1.0), predicted=1.0)
        assert claims.at_prediction([moving, good]).status == "holds"
        assert claims.at_prediction([moving]).status == "undetermined"

    @pytest.mark.parametrize(
        ("times", "status"),
        [(1.0, "holds"), (3.0, "holds"), (0.8, "does not hold"), (0.95, "undetermined")],
    )
    def test_a_plateau_that_stays(self, times, status):
        pair = [setting(around(t), predicted=1.0) for t in (2.0, times)]
        assert claims.stays("", pair).status == status

    def test_without_a_root_nothing_stays(self):
        pair = [setting(around(1.0), predicted=1.0), setting(around(1.0))]
        assert claims.stays("", pair).status == "undetermined"
        assert claims.stays("", []).status == "undetermined"

    def test_without_a_prediction_nothing_is_said(self):
        assert claims.at_prediction([setting([1.0, 1.0])]).status == "undetermined"

    @pytest.mark.parametrize(
        ("floor", "status"),
        [(2.0, "holds"), (0.5, "does not hold"), (1.0, "undetermined"), (None, "undetermined")],
    )
    def test_below_the_floor(self, floor, status):
        found = claims.below_floor([setting(around(1.0), floor=floor, bias=floor)])
        assert found.status == status
        assert ("too large a step" in found.evidence) == (floor is None)

    def test_one_violation_is_a_violation(self):
        pair = [setting(around(1.0), floor=9.0, bias=9.0), setting(around(1.0), floor=0.1, bias=0)]
        assert claims.below_floor(pair).status == "does not hold"

    def test_those_above_the_noise(self):
        noise = setting([1.0, 1.0])
        settings = [setting([2.9, 2.9]), setting([3.1, 3.1])]
        assert claims.dominated(settings, noise) == settings[1:]
        assert claims.dominated(settings, None) == settings


class TestSettled:
    @pytest.mark.parametrize(
        ("ewma", "settled"),
        [
            (np.ones(40), True),
            (np.ones(7), False),
            (np.geomspace(1, 1e-2, 40), False),
            (np.r_[np.geomspace(1, 0.1, 20), np.full(20, 0.1)], True),
            (np.r_[np.ones(39), np.inf], False),
            (np.linspace(0.1, 2, 40), False),
        ],
    )
    def test_by_quarters(self, ewma, settled):
        assert setting([1.0, 1.0], ewma=ewma).settled is settled

    def test_a_diverged_run_has_not(self):
        assert not setting([1.0, 1.0], diverged=1).settled

    def test_those_that_have_not_are_named(self):
        moving = setting([1.0, 1.0], ewma=np.geomspace(1, 1e-4, 40), gamma=0.01, draw="per_batch")
        found = claims.settled([setting([1.0, 1.0]), moving])
        assert found.status == "undetermined"
        assert "gamma = 0.01, draw = per_batch" in found.evidence
        assert claims.settled([]).status == "undetermined"


class TestPicking:
    def test_by_value(self):
        settings = [setting([1, 1], sigma_f=2.0, draw="a"), setting([1, 1], sigma_f=1.0, draw="b")]
        assert pick(settings, sigma_f=1) == settings[1:]
        assert pick(settings, draw="a") == settings[:1]
        assert pick(settings, sigma_f="a") == []
        assert by(settings, "sigma_f") == settings[::-1]

    def test_what_was_not_varied_is_zero(self):
        settings = [setting([1, 1], sigma_f=2.0)]
        assert pick(settings, sigma_b=0.0) == settings
        assert pick(settings, sigma_b=1.0) == []
