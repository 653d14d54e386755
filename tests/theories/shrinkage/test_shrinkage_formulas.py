"""Statements against slow literal twins, in exact arithmetic."""

from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from theories.shrinkage.shrinkage_cases import case, literal_average, literal_gap

from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE, Status
from boundcalc.theories.shrinkage import descent, pl
from boundcalc.theories.shrinkage.step_sums import power_sum, step_sums

SEQUENCES = {
    "constant": ("1/3", lambda n: [Fraction(1, 3)] * n),
    "pattern": (
        {"pattern": ["1/2", 1, "1/5"]},
        lambda n: [[Fraction(1, 2), Fraction(1), Fraction(1, 5)][k % 3] for k in range(n)],
    ),
    "segments": (
        {"segments": [{"q": "1/4", "steps": 5}, {"q": "3/4", "steps": 4}, {"q": 1, "steps": 1}]},
        lambda n: ([Fraction(1, 4)] * 5 + [Fraction(3, 4)] * 4 + [Fraction(1)] * n)[:n],
    ),
}
NUMBERS = {
    "L": Fraction(2),
    "gap": Fraction(3, 2),
    "sigma": Fraction(2, 3),
    "noise": Fraction(1, 5),
    "step": Fraction(1, 7),
}


def made(q, horizon, compensated=False):
    own = {"q": q, "quantization_noise": "1/5", "compensation": compensated}
    return case(own, L=2, m="1/3", gap="3/2", sigma="2/3", step="1/7", horizon=horizon)


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("horizon", [1, 2, 3, 4, 7, 11])
@pytest.mark.parametrize("compensated", [False, True])
@pytest.mark.parametrize("form", ["plain", "sharp"])
def test_average_equals_the_sum_over_steps(name, horizon, compensated, form):
    q, listed = SEQUENCES[name]
    s = made(q, horizon, compensated).at(RATIONALS)
    expected = literal_average(
        listed(horizon), **NUMBERS, compensated=compensated, sharp=form == "sharp"
    )
    assert descent.bound(s, form) == expected


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("horizon", [1, 2, 3, 4, 7, 11])
@pytest.mark.parametrize("compensated", [False, True])
@pytest.mark.parametrize("form", ["plain", "sharp"])
def test_gap_equals_the_recurrence(name, horizon, compensated, form):
    q, listed = SEQUENCES[name]
    s = made(q, horizon, compensated).at(RATIONALS)
    expected = literal_gap(
        listed(horizon),
        **NUMBERS,
        m=Fraction(1, 3),
        compensated=compensated,
        sharp=form == "sharp",
    )
    assert pl.bound(s, form) == expected


@pytest.mark.parametrize("name", SEQUENCES)
def test_floor_is_where_the_recurrence_settles(name):
    q, listed = SEQUENCES[name]
    last = made(q, 3).at(WIDE)
    values = [
        literal_gap([float(x) for x in listed(n)], **NUMBERS, m=Fraction(1, 3))
        for n in (4000, 4001, 4002)
    ]
    assert float(pl.floor(last)) == pytest.approx(float(max(values)), rel=1e-9)


def test_constant_factor_is_the_closed_form():
    s = made("1/3", 50).at(RATIONALS)
    L, mu, q, K = Fraction(2), Fraction(1, 7), Fraction(1, 3), 50
    sigma, noise, gap = Fraction(4, 9), Fraction(1, 25), Fraction(3, 2)
    assert descent.bound(s) == 2 * gap / (K * mu * q) + L * mu * (q * sigma + noise / q)
    assert pl.floor(s) == L * mu / (2 * Fraction(1, 3)) * (q * sigma + noise / q)


def test_the_form_from_q_min():
    s = made({"pattern": ["1/2", 1, "1/5"]}, 9).at(RATIONALS)
    mu, q = Fraction(1, 7), Fraction(1, 5)
    expected = 2 * Fraction(3, 2) / (9 * mu * q) + 2 * mu * (Fraction(4, 9) + Fraction(1, 25) / q)
    assert descent.bound(s, "least") == expected


def test_factors_that_depend_on_the_past():
    own = {"q": {"depends_on_past": True}, "q_min": "1/5", "quantization_noise": "1/5"}
    s = case(own, L=2, gap="3/2", sigma="2/3", step="1/7", horizon=9).at(RATIONALS)
    mu, q, v, e = Fraction(1, 7), Fraction(1, 5), Fraction(4, 9), Fraction(1, 25)
    first = 2 * Fraction(3, 2) / (9 * mu * q)
    assert descent.bound(s) == first + 2 * mu * (v + e) / q
    assert descent.bound(s, "weighted") == first + 2 * mu * (v + e / q)
    drop = Fraction(1, 2) * mu * q
    assert pl.floor(s) == mu**2 * (v + e) / drop
    assert (
        pl.bound(s)
        == (1 - drop) ** 9 * Fraction(3, 2) + mu**2 * (v + e) * (1 - (1 - drop) ** 9) / drop
    )
    assert descent.step_limit(s) == Fraction(1, 2)


def test_compensated_factors_that_depend_on_the_past():
    own = {
        "q": {"depends_on_past": True},
        "q_min": "1/5",
        "quantization_noise": "1/5",
        "compensation": True,
    }
    s = case(own, L=2, gap="3/2", sigma="2/3", step="1/7", horizon=9).at(RATIONALS)
    mu, v, e = Fraction(1, 7), Fraction(4, 9), Fraction(1, 25)
    assert descent.bound(s) == 3 / (9 * mu) + 2 * mu * (v + 25 * e)
    assert pl.floor(s) == mu * 2 * (v + 25 * e) / (2 * Fraction(1, 2))


@pytest.mark.parametrize("decay", ["inverse_sqrt", "inverse"])
@pytest.mark.parametrize("horizon", [5, 32, 33, 700])
@pytest.mark.parametrize("compensated", [False, True])
def test_diminishing_steps_of_a_constant_factor(decay, horizon, compensated):
    own = {
        "q": "1/3",
        "quantization_noise": "1/5",
        "steps": {"type": decay},
        "compensation": compensated,
    }
    c = case(own, L=2, gap="3/2", sigma="2/3", step="1/7", horizon=horizon)
    power = mpmath.mpf(-1) / 2 if decay == "inverse_sqrt" else mpmath.mpf(-1)
    with mpmath.workdps(40):
        steps = [mpmath.mpf(k) ** power / 7 for k in range(1, horizon + 1)]
        q, v, e = mpmath.mpf(1) / 3, mpmath.mpf(4) / 9, mpmath.mpf(1) / 25
        scale = q if compensated else 1
        top = 3 + 2 * sum((s / scale) ** 2 for s in steps) * (q**2 * v + e)
        expected = top / sum(s / scale * q for s in steps)
        number = c.number(descent.bound)
        assert number.status is Status.PROVED
        assert mpmath.almosteq(mpmath.mpf(float(number)), expected, 1e-14)


def test_diminishing_steps_of_factors_that_change():
    own = {
        "q": {"pattern": ["1/2", "1/5"]},
        "quantization_noise": "1/5",
        "steps": {"type": "inverse"},
    }
    s = case(own, L=2, gap="3/2", sigma="2/3", step="1/7", horizon=3).at(RATIONALS)
    first, second, mu = Fraction(11, 6), Fraction(49, 36), Fraction(1, 7)
    top = 3 + 2 * mu**2 * second * (Fraction(1, 4) * Fraction(4, 9) + Fraction(1, 25))
    assert descent.bound(s) == top / (Fraction(1, 5) * mu * first)


@pytest.mark.parametrize("twice", [1, 2, 4])
@pytest.mark.parametrize("horizon", [1, 32, 33, 40, 1000, 10**9])
def test_power_sums_enclose_the_truth(twice, horizon):
    with mpmath.workdps(60):
        s = mpmath.mpf(twice) / 2
        if twice == 2:
            exact = mpmath.harmonic(horizon)
        else:
            exact = mpmath.zeta(s) - mpmath.zeta(s, horizon + 1)
        found = power_sum(twice, horizon, INTERVALS)
        low, high = (mpmath.mpf(p) * mpmath.mpf(2) ** e for p, e in (found.lower, found.upper))
        rounding = exact / mpmath.mpf(10) ** 50
        assert low <= exact + rounding
        assert exact - rounding <= high
        assert high - low <= 1e-13 * exact


def test_sums_of_constant_steps_are_counts():
    assert step_sums("constant", 7, RATIONALS) == (7, 7)


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(st.fractions(Fraction(1, 20), 1, max_denominator=20), min_size=1, max_size=5),
    horizon=st.integers(1, 12),
    compensated=st.booleans(),
)
def test_any_pattern_equals_the_literal_sums(values, horizon, compensated):
    s = made({"pattern": [str(v) for v in values]}, horizon, compensated).at(RATIONALS)
    listed = [values[k % len(values)] for k in range(horizon)]
    assert descent.bound(s) == literal_average(listed, **NUMBERS, compensated=compensated)
    assert pl.bound(s) == literal_gap(listed, **NUMBERS, m=Fraction(1, 3), compensated=compensated)
