"""Outward rounding: floats that bound expressions, sums, norms and products."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import FLOATS, INTERVALS, RATIONALS, SYMBOLS, WIDE
from boundcalc.errors import ExpressionError, InexactError
from boundcalc.operators.base import Data, Region, rows_radius
from boundcalc.operators.convolution_norm import _roots_of_unity
from boundcalc.operators.cross_entropy import CrossEntropyLoss
from boundcalc.operators.cumulants import peak
from boundcalc.operators.gradient_step import GradientStep
from boundcalc.operators.huber import _least_residual
from boundcalc.operators.matrices import operator_norm
from boundcalc.operators.objectives import MeanLogistic, QuadraticForm, Steps
from boundcalc.operators.objectives.quadratic import _least_dual
from boundcalc.operators.regions import larger, norm_of, reach
from boundcalc.operators.rounding import (
    above,
    below,
    enclosure,
    gamma,
    has_measured,
    length,
    longest,
    lower,
    nearest,
    rounded_up,
    upper,
)
from boundcalc.spec.expressions import bounded, exact, measured, root
from boundcalc.spec.grammar import parse

EXPRESSIONS = {
    "sqrt(2)": lambda: mpmath.sqrt(2),
    "exp(1/3) - 1": lambda: mpmath.exp(mpmath.mpf(1) / 3) - 1,
    "log(3)/pi": lambda: mpmath.log(3) / mpmath.pi,
    "1/3": lambda: mpmath.mpf(1) / 3,
    "max(sqrt(5), 9/4)": lambda: mpmath.mpf(9) / 4,
    "sqrt(10**40 + 1)": lambda: mpmath.sqrt(mpmath.mpf(10) ** 40 + 1),
    # 5e-21, of which floats show 0
    "sqrt(10**40 + 1) - 10**20": lambda: (
        mpmath.sqrt(mpmath.mpf(10) ** 40 + 1) - mpmath.mpf(10) ** 20
    ),
}
seeds = st.integers(0, 2**32)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_lie_between_neighbouring_floats(text):
    low, high = enclosure(parse(text))
    with mpmath.workdps(80):
        true = EXPRESSIONS[text]()
        assert low <= true <= high
        assert abs(nearest(parse(text)) - true) <= 2.0**-52 * true
    assert high <= math.nextafter(math.nextafter(low, math.inf), math.inf)
    assert (lower(parse(text)), upper(parse(text))) == (low, high)
    assert reach(parse(text)) == high


def test_what_cannot_be_told_from_0_is_refused():
    for text in ("1/(sqrt(2)*sqrt(2) - 2)", "sqrt(sqrt(2)*sqrt(2) - 2)", "log(exp(1) - exp(1))"):
        with pytest.raises(InexactError):
            upper(parse(text))
        with pytest.raises(InexactError):
            parse(text).evaluate(INTERVALS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1/(1 - 1)", "division by zero"),
        ("(1 - 1)**-2", "division by zero"),
        ("sqrt(1 - sqrt(2))", "square root of a negative"),
        ("log(1 - sqrt(2))", "logarithm of a number that is not positive"),
        ("exp(700*sqrt(2))", "too large"),
    ],
)
def test_what_has_no_value_is_refused_in_intervals(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse(text).evaluate(INTERVALS)


def test_measured_numbers_stay_so():
    size = measured(0.5) * root(exact(2))
    assert enclosure(size) is None
    assert has_measured(size)
    assert upper(size) > math.sqrt(0.5) > lower(size)
    assert lower(exact(0) - size) < -math.sqrt(0.5)


def test_a_bound_is_an_exact_number_in_every_kind():
    bound = bounded(0.1)
    assert bound.evaluate(RATIONALS) == Fraction(0.1)
    assert bound.evaluate(INTERVALS) == Fraction(0.1)
    assert bound.evaluate(FLOATS) == float(bound.evaluate(SYMBOLS)) == 0.1
    assert bound.evaluate(WIDE) == 0.1
    assert bounded(5e-324).evaluate(FLOATS) == 5e-324
    assert bounded(3.0) == exact(3)
    assert str(bounded(1.0000001)) == "1.00001"  # rounded up
    for wrong in (math.inf, math.nan):
        with pytest.raises(ExpressionError):
            bounded(wrong)


def test_long_exact_numbers_have_short_texts():
    assert str(exact(Fraction(1, 3**40))) == "1/12157665459056928801"
    assert len(str(exact(Fraction(2**100 + 1, 3**60)))) <= 12


@settings(deadline=None, max_examples=60)
@given(seed=seeds, count=st.sampled_from([3, 1000, 20_000]))
def test_norms_are_not_too_small(seed, count):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(count) * 10.0 ** rng.integers(-6, 6)
    total = sum(Fraction(float(x)) ** 2 for x in values[:3000])
    found = Fraction(length(values[:3000]))
    assert total <= found**2 <= total * (1 + 10 * Fraction(gamma(3000)))
    assert length(values) >= np.linalg.norm(values)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-200, 1e-160, 1.0, 1e160, 1e300])
def test_norms_of_tiny_and_huge_numbers(scale):
    values = np.array([[3.0, 4.0], [1.0, 0.0]]) * scale
    true = Fraction(values[0, 0]) ** 2 + Fraction(values[0, 1]) ** 2
    for found in (longest(values), length(values[0])):
        assert Fraction(found) ** 2 >= true
        assert found <= float(5 * scale) * (1 + 1e-12) + 3e-323
    assert norm_of(values[0]).node[0] in ("bounded", "number")


def test_norms_of_nothing_are_0():
    assert length(np.zeros(3)) == longest(np.zeros((0, 2))) == 0.0


def test_the_adversarial_sum_is_covered():
    # 1 + u + u + …, added from the left, never grows: the relative error is γ_n/2.
    terms = [1.0] + [2.0**-53] * 100_000
    total = 0.0
    for term in terms:
        total += term
    assert total == 1.0
    true = sum(map(Fraction, terms))
    assert Fraction(rounded_up(total)) < true
    assert Fraction(rounded_up(total, terms=len(terms))) > true


@given(x=st.floats(0, 1e300))
@example(x=0.0)
@example(x=5e-324)
def test_rounding_up_goes_up(x):
    assert rounded_up(x) > x or x == 0
    assert rounded_up(x) <= x * (1 + 1.01e-12) or x < 1e-300
    assert rounded_up(x, terms=10**6) >= rounded_up(x)


@given(value=st.fractions(-(10**6), 10**6))
def test_fractions_lie_between_their_floats(value):
    assert below(value) <= value <= above(value)
    assert above(value) <= math.nextafter(below(value), math.inf)


def test_of_nearly_equal_sizes_none_is_dropped():
    first, second = parse("sqrt(2) + sqrt(3)"), parse("sqrt(5 + 2*sqrt(6))")  # the same number
    both = larger(first, second)
    assert both.node[0] == "max"
    assert larger(first, first) == first
    assert larger(first, parse("4")) == parse("4")
    near = exact(Fraction(1, 3) + Fraction(1, 10**30))
    assert larger(exact(Fraction(1, 3)), near) == near


# Numbers that operators make.


@pytest.mark.parametrize("points", [1, 2, 3, 7, 64, 1000, 4097])
def test_roots_of_unity(points):
    found = _roots_of_unity(points)
    assert len(found) == points
    with mpmath.workdps(40):
        for k in {0, 1 % points, points // 3, points // 2, points - 1}:
            true = mpmath.expjpi(mpmath.mpf(2 * k) / points)
            assert abs(mpmath.mpc(complex(found[k])) - true) < 10 * 2.0**-53


@settings(deadline=None, max_examples=30)
@given(n=st.integers(2, 50), size=st.floats(0, 30))
def test_the_largest_softmax_weight(n, size):
    with mpmath.workdps(40):
        turned = size * mpmath.sqrt(mpmath.mpf(n) / (n - 1))
        ball = 1 / (1 + (n - 1) * mpmath.exp(-turned))
        box = 1 / (1 + (n - 1) * mpmath.exp(-mpmath.mpf(size)))
        for found, true in ((peak(n, size, math.inf), ball), (peak(n, math.inf, size), box)):
            assert true <= found <= true * (1 + 1e-15)


@settings(deadline=None, max_examples=30)
@given(count=st.integers(2, 20), width=st.floats(0, 30))
def test_the_cross_entropy_in_a_box(count, width):
    loss = CrossEntropyLoss().shaped(((count,),))
    region = Region(low=0.0, high=width)
    domain = loss.output_domain(region, None)
    with mpmath.workdps(40):
        e = mpmath.exp(mpmath.mpf(width))
        low, high = mpmath.log1p((count - 1) / e), mpmath.log1p((count - 1) * e)
        assert low * (1 - 1e-15) <= domain.low <= low
        assert high <= domain.high <= high * (1 + 1e-15)
        constants = loss.input_constants(region, None)
        off, share = 1 / (1 + 1 / e / (count - 1)), 1 / (1 + (count - 2) / e)
        true = min(off * mpmath.sqrt(1 + share), mpmath.sqrt(2))
        with mpmath.workdps(40):
            found = mpmath.mpf(upper(constants.jac_input))
        assert true <= found <= true * (1 + 1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=seeds, n=st.integers(1, 6), radius=st.sampled_from([1e-3, 1.0, 30.0]))
def test_the_steepest_slope_of_a_quadratic_form(seed, n, radius):
    rng = np.random.default_rng(seed)
    H = rng.standard_normal((n, n))
    H, c = H + H.T, rng.standard_normal(n)
    rows = tuple(tuple(parse(float(x)) for x in row) for row in H)
    g = QuadraticForm(rows, tuple(parse(float(x)) for x in c))
    found = g.steepest(exact(Fraction(radius)))
    assert not has_measured(found)
    y = rng.standard_normal((4000, n))
    y *= radius / np.linalg.norm(y, axis=1, keepdims=True)
    for _ in range(50):  # power iteration on the sphere goes up
        y = (y @ H + c) @ H
        y *= radius / np.linalg.norm(y, axis=1, keepdims=True)
    best = np.linalg.norm(y @ H + c, axis=1).max()
    assert best * (1 - 1e-14) <= upper(found) <= best * (1 + 2e-4)


def test_the_dual_does_not_trust_its_eigenvectors(monkeypatch):
    H = np.array([[2.0, 1.0], [1.0, 3.0]])
    rows = tuple(tuple(parse(float(x)) for x in row) for row in H)
    g = QuadraticForm(rows, (parse(1), parse(-2)))
    true = upper(g.steepest(exact(1)))
    values, vectors = np.linalg.eigh(H)
    monkeypatch.setattr(np.linalg, "eigh", lambda _: (0.9 * values, 0.95 * vectors + 0.01))
    assert g._dual(1.0) >= true * (1 - 1e-5)
    # (1.05 V)(Λ/1.05²)(1.05 V)ᵀ is H too.
    small = QuadraticForm(rows, (exact(Fraction(1, 10**9)), exact(0)))
    monkeypatch.setattr(np.linalg, "eigh", lambda _: (values / 1.05**2, 1.05 * vectors))
    assert small._dual(1.0) >= values.max()


def test_the_plain_dual():
    # ‖(λ z + k)‖ on |z| ≤ r in one dimension is |λ|r + |k|.
    found = _least_dual(np.array([2.0]), np.array([3.0]), 5.0)
    assert 13.0 <= found <= 13.0 * (1 + 1e-4)


def test_a_step_that_almost_cancels_an_irrational_curvature():
    root2 = parse("sqrt(2)")
    g = QuadraticForm((root2,))
    step = Steps((1 / Fraction(nearest(root2)),), True, exact(0))
    found = upper(g.contraction(step, None))
    with mpmath.workdps(60):
        c = mpmath.mpf(step.center[0].numerator) / step.center[0].denominator
        assert abs(1 - c * mpmath.sqrt(2)) <= found < 1e-14


def test_slopes_on_data_are_proved_for_a_quadratic_objective():
    features = np.random.default_rng(0).standard_normal((20, 2)) / 3
    step = GradientStep(
        objective="quadratic", hessian=[["1/3", "1/7"], ["1/7", 2]], linear=[1, "1/9"]
    )
    found = step.weight_constant(Region(), features).evaluate(RATIONALS)
    third, seventh, ninth = Fraction(1, 3), Fraction(1, 7), Fraction(1, 9)
    squares = [
        (third * x + seventh * y + 1) ** 2 + (seventh * x + 2 * y + ninth) ** 2
        for x, y in (map(Fraction, row) for row in features.tolist())
    ]
    assert max(squares) <= found**2 <= max(squares) * (1 + Fraction(1, 10**11))


def test_the_mean_logistic_loss_has_proved_bounds():
    rng = np.random.default_rng(1)
    rows = tuple(tuple(parse(float(x)) for x in row) for row in rng.standard_normal((7, 3)))
    labels = tuple(parse(int(x)) for x in rng.choice([-1, 1], 7))
    g = MeanLogistic(rows, labels, parse("1/10"))
    radius = parse("3/2")
    found = [
        *(g.steepest(radius), g.steepest_component(radius)),
        *(g.third(radius), g.fourth(radius), g.curved(radius)),
    ]
    assert not any(map(has_measured, found))
    y = rng.standard_normal((5000, 3))
    y *= 1.5 / np.linalg.norm(y, axis=1, keepdims=True)
    slopes = g.gradient(y)
    assert np.linalg.norm(slopes, axis=1).max() <= upper(found[0])
    assert np.abs(slopes).max() <= upper(found[1])
    start = np.abs(g.gradient(np.zeros(3)))
    assert all(s <= float(b) for s, b in zip(start * (1 - 1e-14), g.start()[0], strict=True))
    # Its smallest curvature on the ball is no smaller than the bound.
    u = rng.standard_normal((5000, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    curved = (g.curvature(y, u) * u).sum(axis=1)
    low, high, _ = g.spectrum(radius)
    assert float(low) <= curved.min()
    assert curved.max() <= float(high)


def test_means_that_cancel_are_not_lost():
    rows = tuple((parse(x),) for x in (1.0, 2.0**-60, -1.0))
    g = MeanLogistic(rows, (parse(1),) * 3)
    (slope,), _ = g.start()
    assert slope >= Fraction(1, 6 * 2**60)  # floats add up to 0


def test_the_least_residual_is_a_lower_bound():
    data = Data(np.zeros((2, 1)), np.array([1.0 / 3, 1e20]))
    found = _least_residual(Region(low=0.7, high=0.9), data).evaluate(RATIONALS)
    true = Fraction(0.7) - Fraction(1.0 / 3)
    assert true * (1 - Fraction(1, 10**15)) <= found <= true
    assert _least_residual(Region(), data) == exact(0)


def test_norms_of_irrational_matrices():
    rows = ((parse("sqrt(2)"), parse("sqrt(3)")), (parse("1/3"), parse("pi")))
    found = operator_norm(rows)
    assert not has_measured(found)
    with mpmath.workdps(40):
        matrix = mpmath.matrix([[mpmath.sqrt(2), mpmath.sqrt(3)], [mpmath.mpf(1) / 3, mpmath.pi]])
        true = mpmath.svd_r(matrix, compute_uv=False)[0]
        assert true <= upper(found) <= true * (1 + 1e-11)


def test_the_radius_of_data_with_tiny_entries():
    radius = rows_radius(np.array([[1e-170, 1e-170]])).evaluate(RATIONALS)
    assert radius**2 >= 2 * Fraction(1e-170) ** 2
