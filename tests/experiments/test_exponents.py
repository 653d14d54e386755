"""Exponents and their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.experiments.exponents import fit_exponent, mean_hull

X = [0.25, 0.5, 1.0, 2.0]


def power_law(exponent, scatter, replicas, seed=0):
    rng = np.random.default_rng(seed)
    noise = np.exp(scatter * rng.standard_normal((len(X), replicas)))
    return 3.0 * np.array(X)[:, None] ** exponent * noise


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 0.5, 2.0])
def test_an_exact_power_law_has_its_exponent_and_no_width(exponent):
    fit = fit_exponent(X, power_law(exponent, 0.0, 3))
    assert fit.exponent == pytest.approx(exponent, abs=1e-12)
    assert (fit.lo, fit.hi) == pytest.approx((exponent, exponent), abs=1e-12)


def test_the_slope_is_that_of_a_polynomial_fit():
    y = power_law(1.3, 0.2, 5)
    each = [np.polyfit(np.log(X), np.log(column), 1)[0] for column in y.T]
    assert fit_exponent(X, y).exponent == pytest.approx(np.mean(each), rel=1e-12)


def test_the_interval_covers_as_often_as_it_says():
    inside = 0
    for seed in range(150):
        fit = fit_exponent(X, power_law(2.0, 0.1, 6, seed), confidence=0.9, seed=seed)
        inside += fit.lo <= 2.0 <= fit.hi
    # 150 draws at 0.9: three and a half deviations below are 122.
    assert 122 <= inside < 150


def test_the_interval_is_at_least_students():
    slopes = np.array([1.0, 1.2, 0.9, 1.1, 1.05])
    lo, hi = mean_hull(slopes, 0.99, seed=1)
    # t with 4 degrees of freedom at 0.995 is 4.60409.
    half = 4.604 * slopes.std(ddof=1) / np.sqrt(5)
    assert lo <= slopes.mean() - half
    assert hi >= slopes.mean() + half


def test_skewed_values_widen_the_side_of_the_tail():
    values = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 30.0])
    lo, hi = mean_hull(values, 0.9, seed=0)
    assert hi - values.mean() > values.mean() - lo


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0, 2.0], [[1.0, 1.0], [0.0, 1.0]]),
        ([1.0, 2.0], [[1.0, 1.0], [np.nan, 1.0]]),
        ([1.0, 2.0], [[1.0, 1.0], [np.inf, 1.0]]),
        ([1.0, 1.0], [[1.0, 1.0], [2.0, 2.0]]),
        ([0.0, 1.0], [[1.0, 1.0], [2.0, 2.0]]),
        ([1.0, 2.0], [[1.0], [2.0]]),
        ([1.0], [[1.0, 1.0]]),
        ([], np.zeros((0, 2))),
    ],
)
def test_what_cannot_be_fitted_has_an_infinite_interval(x, y):
    fit = fit_exponent(x, np.array(y))
    assert not fit.known
    assert (fit.lo, fit.hi) == (-np.inf, np.inf)
    assert str(fit) == "unknown"


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_units_do_not_matter(exponent, scale, unit):
    y = power_law(exponent, 0.1, 4)
    plain, scaled = fit_exponent(X, y), fit_exponent(unit * np.array(X), scale * y)
    assert scaled.exponent == pytest.approx(plain.exponent, abs=1e-9)
    assert (scaled.lo, scaled.hi) == pytest.approx((plain.lo, plain.hi), abs=1e-9)


def test_what_is_printed_is_rounded_outwards():
    fit = fit_exponent(X, power_law(2.0, 0.1, 4))
    inner = str(fit).split("[")[1].rstrip("]").split(", ")
    assert float(inner[0]) <= fit.lo
    assert float(inner[1]) >= fit.hi
