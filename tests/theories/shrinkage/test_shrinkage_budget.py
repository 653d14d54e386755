"""Budgets against closed forms."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from theories.shrinkage.shrinkage_cases import case

from boundcalc.arithmetic import Status
from boundcalc.errors import SpecError
from boundcalc.theories.shrinkage import descent, pl
from boundcalc.theories.shrinkage.budget import shrinkage_budget

NEAR = 1e-9


def asked(own, budget="tolerance: 1/2", **numbers):
    return case(own, more=f"budget: {{{budget}}}", **numbers)


def nonconvex(q, noise, mu, *, gap=1.0, K=50, sigma=1.0):
    return 2 * gap / (K * mu * q) + mu * (q * sigma**2 + noise**2 / q)


@settings(max_examples=6, deadline=None)
@given(
    noise=st.fractions(0, 1, max_denominator=20),
    tolerance=st.fractions(Fraction(1, 20), 3, max_denominator=20),
)
def test_smallest_factor_is_the_root_of_the_quadratic(noise, tolerance):
    c = asked({"q": 1, "quantization_noise": str(noise)}, f"tolerance: {tolerance}", m=None)
    found = shrinkage_budget(c)
    target, mu, K = float(found.target), 0.1, 50
    assert target == pytest.approx(nonconvex(1, 0, mu) * (1 + float(tolerance)))
    # μ q² − T q + (2Δ₀/(Kμ) + μσ_e²) ≤ 0
    a, c0 = mu, 2 / (K * mu) + mu * float(noise) ** 2
    root = target**2 - 4 * a * c0
    if root < 0 or 2 * c0 / (target + root**0.5) > 1:
        assert found.q is None
        return
    assert float(found.q) == pytest.approx(2 * c0 / (target + root**0.5), rel=NEAR)
    assert found.q.status is Status.PROVED
    there = c.replaced(q=found.q.value).number(descent.bound)
    assert there.value <= found.target.value
    below = c.replaced(q=found.q.value * (1 - Fraction(1, 10**9))).number(descent.bound)
    assert below.value > found.target.value


def test_noise_and_step_reach_the_target_and_no_more():
    c = asked({"q": "1/2", "quantization_noise": "1/5"}, "target: 2", m=None)
    found = shrinkage_budget(c)
    assert float(found.noise) == pytest.approx(((2 - 0.8 - 0.05) * 0.5 / 0.1) ** 0.5, rel=NEAR)
    for key in ("noise", "step"):
        value = getattr(found, key).value
        assert c.replaced(**{key: value}).number(descent.bound).value <= 2
        more = value * (1 + Fraction(1, 10**9))
        other = c.replaced(**{key: more})
        above = other.holds(descent.step_too_large) is not False
        assert above or other.number(descent.bound).value > 2


def test_a_step_may_be_the_limit_itself():
    found = shrinkage_budget(asked({"q": "1/2"}, "target: 100", m=None))
    assert found.step.value == 2
    assert str(found.step) == "2"


def test_compensated_budgets():
    c = asked({"q": "1/2", "quantization_noise": "1/5"}, "target: 2", m=None)
    found = shrinkage_budget(c)
    # 2Δ₀/(Kμ) + μ(σ² + σ_e²/q²) = 0.4 + 0.1 + 0.004/q²
    assert float(found.q_compensated) == pytest.approx((0.004 / 1.5) ** 0.5, rel=NEAR)
    assert float(found.noise_compensated) == pytest.approx((1.5 / 0.1) ** 0.5 / 2, rel=NEAR)


def test_a_pl_budget_uses_the_recurrence():
    c = asked({"q": "1/2", "quantization_noise": "1/5"}, "tolerance: 1/2", m="1/2", horizon=200)
    found = shrinkage_budget(c)
    assert found.regime == "pl"
    for key, name in (("q", "q"), ("noise", "noise"), ("step", "step")):
        number = getattr(found, key)
        assert c.replaced(**{name: number.value}).number(pl.bound).value <= found.target.value


def test_nothing_is_admissible_below_the_best_bound():
    found = shrinkage_budget(asked({"q": "1/2"}, "target: 1e-6", m=None))
    assert (found.q, found.q_compensated, found.noise, found.step) == (None,) * 4


def test_horizon_and_step_of_the_budget_are_used():
    own = {"q": "1/2", "quantization_noise": "1/5"}
    other = asked(own, "target: 2, horizon: 100, step_size: 1/20", m=None)
    same = asked(own, "target: 2", m=None, horizon=100, step="1/20")
    found, known = shrinkage_budget(other), shrinkage_budget(same)
    assert (found.q, found.noise, found.baseline) == (known.q, known.noise, known.baseline)


@pytest.mark.parametrize("budget", ["target: 1, step_size: best", "target: 1, regime: pl"])
def test_what_cannot_be_answered_is_refused(budget):
    with pytest.raises(SpecError):
        shrinkage_budget(asked({"q": "1/2"}, budget, m=None))


def test_a_spec_without_a_budget_is_told_so():
    with pytest.raises(SpecError, match="asks for no budget"):
        shrinkage_budget(case({"q": "1/2"}))


def test_a_step_above_the_limit_of_full_precision_is_refused():
    with pytest.raises(SpecError, match="full precision"):
        shrinkage_budget(asked({"q": "1/2"}, "target: 9", step="3/2", m=None))


def test_larger_targets_admit_more():
    small = shrinkage_budget(asked({"q": "1/2"}, "target: 2", m=None))
    large = shrinkage_budget(asked({"q": "1/2"}, "target: 3", m=None))
    assert large.q.value < small.q.value
    assert large.noise.value > small.noise.value
    assert replace(small, target=large.target).target == large.target
