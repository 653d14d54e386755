"""What must hold of every statement, whatever the numbers."""

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from theories.shrinkage.shrinkage_cases import case

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS, Status
from boundcalc.theories.shrinkage import descent, pl, quadratic_floor
from boundcalc.theories.shrinkage.rate import exact_floor, shrinkage_rate
from boundcalc.theories.shrinkage.statements import shapes

unit = st.fractions(Fraction(1, 50), 1, max_denominator=50)
size = st.fractions(0, 5, max_denominator=50)


def numbers(q, noise, **others):
    return case({"q": str(q), "quantization_noise": str(noise)}, **others)


def test_without_shrinkage_it_is_the_classical_statement():
    c = case({"q": 1}, L=2, m="1/3", gap="3/2", sigma="2/3", step="1/7", horizon=40)
    found, classical = shrinkage_rate(c), bc.rates(c.graph)
    assert found.statements["nonconvex"].bound.value == classical.nonconvex["sharp"].bound.value
    pl_bound, known = found.statements["pl"].bound, classical.pl["sharp"].bound
    assert float(pl_bound) == pytest.approx(float(known), rel=1e-15)
    assert found.raises_floor is False
    assert found.statements["nonconvex"].step_size_limit.value == Fraction(1, 2)


@settings(max_examples=30, deadline=None)
@given(q=unit, noise=size, sigma=size, step=unit, factor=st.fractions(1, 3, max_denominator=7))
def test_monotone_in_every_constant(q, noise, sigma, step, factor):
    base = {"L": Fraction(1), "m": Fraction(1, 3), "gap": Fraction(2), "sigma": sigma}
    s = numbers(q, noise, step=step / 3, **base).at(RATIONALS)
    for name in ("L", "gap", "sigma"):
        larger = {**base, name: base[name] * factor}
        t = numbers(q, noise, step=step / 3, **larger).at(RATIONALS)
        assert descent.bound(t) >= descent.bound(s)
        assert pl.bound(t) >= pl.bound(s)
    t = numbers(q, noise * factor, step=step / 3, **base).at(RATIONALS)
    assert descent.bound(t) >= descent.bound(s)
    assert pl.bound(t) >= pl.bound(s)
    t = numbers(q, noise, step=step / 3, **{**base, "m": base["m"] * factor}).at(RATIONALS)
    assert pl.bound(t) <= pl.bound(s)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(unit, min_size=1, max_size=4), noise=size, step=unit)
def test_sharp_is_at_most_plain_and_plain_at_most_the_form_from_q_min(values, noise, step):
    own = {"q": {"pattern": [str(v) for v in values]}, "quantization_noise": str(noise)}
    s = case(own, step=step, horizon=7).at(RATIONALS)
    assert descent.bound(s, "sharp") <= descent.bound(s) <= descent.bound(s, "least")
    assert pl.bound(s, "sharp") <= pl.bound(s)
    assert pl.floor(s, "sharp") <= pl.floor(s)


@settings(max_examples=50, deadline=None)
@given(q=unit, noise=size, sigma=size, step=unit)
def test_what_raises_the_floor(q, noise, sigma, step):
    c = numbers(q, noise, L=1, m=1, sigma=sigma, step=step)
    s, one = c.at(RATIONALS), numbers(1, 0, L=1, m=1, sigma=sigma, step=step).at(RATIONALS)
    assert descent.raises_floor(s) == (noise**2 > q * (1 - q) * sigma**2)
    assert descent.raises_floor(s) == (pl.floor(s) > pl.floor(one))
    assert descent.raises_floor(s) == (descent.noise_floor(s) > descent.full_precision_floor(s))
    threshold = q * sigma**2 * ((2 - step * q) / (2 - step) - q)
    assert quadratic_floor.raises_exact_floor(s) == (noise**2 > threshold)
    exact = [quadratic_floor.exact_floor(x) for x in (s, one)]
    assert quadratic_floor.raises_exact_floor(s) == (exact[0] > exact[1])


@settings(max_examples=25, deadline=None)
@given(q=unit, step=unit)
def test_pure_shrinkage_lowers_the_floor(q, step):
    assume(q < 1)
    s = numbers(q, 0, step=step).at(RATIONALS)
    assert not descent.raises_floor(s)
    assert descent.noise_floor(s) < descent.full_precision_floor(s)


def test_the_exact_floor_is_the_sharp_one_of_one_curvature():
    c = numbers("1/2", "3/5", L=1, m=1, step="1/5")
    found = exact_floor(c)
    assert found.floor.value == Fraction(61, 950)
    assert found.floor.status is Status.PROVED
    assert found.floor.value == c.number(lambda s: pl.floor(s, "sharp")).value
    expected = Fraction(1, 5) * (Fraction(1, 2) + Fraction(18, 25)) / (2 * (2 - Fraction(1, 10)))
    assert found.floor.value == expected


@pytest.mark.parametrize(("step", "there"), [("39/10", True), (4, False), (5, False)])
def test_the_exact_floor_exists_below_two_over_q_lambda(step, there):
    found = exact_floor(numbers("1/2", 1, L=1, m=1, step=step))
    assert (found.floor is not None) is there
    assert ("2/(qλ)" in found.why) is not there


@pytest.mark.parametrize("own", [{"q": "1/2"}, {"q": "1/2", "compensation": True}])
def test_steps_above_the_limit_are_refused_and_at_the_limit_are_not(own):
    limit = Fraction(1) if "compensation" in own else Fraction(2)
    for step, refused in ((limit, False), (limit * Fraction(10**9 + 1, 10**9), True)):
        statement = shrinkage_rate(case(own, step=step)).statements["nonconvex"]
        assert statement.step_size_limit.value == limit
        assert (statement.bound is None) is refused
        assert bool(statement.refused) is refused


def test_an_irrational_step_at_the_limit_is_refused_as_undecided():
    statement = shrinkage_rate(case({"q": "1/sqrt(2)"}, step="sqrt(2)")).statements["nonconvex"]
    assert statement.bound is None
    assert "undecided" in statement.refused


def test_at_twice_the_limit_sharp_says_nothing():
    statements = shrinkage_rate(case({"q": "1/2"}, step=4)).statements
    assert statements["nonconvex_sharp"].bound is None
    statements = shrinkage_rate(case({"q": "1/2"}, step="399/100")).statements
    assert statements["nonconvex_sharp"].bound is not None
    assert statements["nonconvex"].bound is None


@settings(max_examples=15, deadline=None)
@given(q=unit, noise=size, sigma=size, horizon=st.integers(1, 2000))
def test_no_step_beats_the_tuned_one(q, noise, sigma, horizon):
    c = numbers(q, noise, sigma=sigma, horizon=horizon)
    step, best = shrinkage_rate(c).tuned
    assert step.value * q <= 1
    for k in range(-20, 1):
        other = c.replaced(step=Fraction(2) ** k / q)
        assert float(best) <= float(other.number(descent.bound)) * (1 + 1e-12)


def test_a_large_problem_does_not_overflow():
    c = case({"q": "1e-40"}, gap="1e300", step="1e-300", horizon=10**9)
    for statement in shrinkage_rate(c).statements.values():
        assert statement.bound is not None
        assert statement.bound.status is Status.PROVED
    assert isinstance(shrinkage_rate(c).statements["nonconvex"].bound.json(), str)


@pytest.mark.parametrize("decay", ["constant", "inverse_sqrt", "inverse"])
@pytest.mark.parametrize("q", ["1/2", {"pattern": ["1/2", 1]}, {"depends_on_past": True}])
@pytest.mark.parametrize("compensated", [False, True])
def test_every_statement_has_a_bound_and_terms_that_add_up(decay, q, compensated):
    own = {"q": q, "q_min": "1/2", "steps": {"type": decay}, "compensation": compensated}
    c = case(own)
    found = shrinkage_rate(c)
    assert [shape.key for shape in shapes(c)] == list(found.statements)
    for statement in found.statements.values():
        if decay != "constant" and statement.key == "pl":
            assert "fixed step" in statement.refused
            continue
        total = sum(float(term) for term in statement.terms.values())
        assert float(statement.bound) == pytest.approx(total, rel=1e-12)
