"""Activations: suprema over intervals anywhere, attained to 1 %; ranges; formulas."""

import math

import mpmath
import numpy as np
import pytest
from derivatives import derivatives
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_cases import ACTIVATIONS, KINKED, SMOOTH, activations
from pydantic import ValidationError
from visits import number

from boundcalc.operators.base import Data, Region
from boundcalc.operators.gelu import GELU
from boundcalc.operators.leaky_relu import LeakyReLU
from boundcalc.operators.logistic import LogisticLoss
from boundcalc.operators.relu import ReLU
from boundcalc.operators.sigmoid import Sigmoid
from boundcalc.operators.silu import SiLU
from boundcalc.operators.sine import Sine
from boundcalc.operators.softplus import Softplus
from boundcalc.operators.square import Square
from boundcalc.operators.tanh import Tanh
from boundcalc.spec.expressions import exact, measured
from boundcalc.spec.grammar import parse

SLACK = 1 + 1e-9
NAMES = ("jac_input", "hess_input", "third_input")


def grid_suprema(case, y, w, labels=1.0):
    """The largest |f′|, |f″|, |f‴| at points y + w, for one input and one output."""
    d, labels = derivatives(case), np.full(len(y), labels)
    w = np.repeat(np.reshape(w, (1, -1)), len(y), axis=0)
    return [np.abs(d.at("d" + "1" * k, y[:, None], w, labels)).max() for k in (1, 2, 3)]


def assert_attained(found, constants):
    for value, name in zip(found, NAMES, strict=True):
        bound = number(getattr(constants, name))
        assert 0.99 * bound - 1e-13 <= value <= bound * SLACK + 1e-13, name


PLAIN = activations((*SMOOTH, (Square, {}, None)), 1)
SHIFTED = activations((*SMOOTH, (Square, {}, None)), 1, bias=True, scale="3/2")


@pytest.mark.parametrize("case", PLAIN, ids=str)
@settings(deadline=None, max_examples=60)
@given(low=st.floats(-12, 12), length=st.floats(0.01, 20))
def test_constants_are_attained_on_every_interval(case, low, length):
    # Far out, tanh's GELU has no derivatives left that floats can show.
    limit = case.input_radius or 20.0
    low = max(low, -limit)
    high = min(low + length, limit)
    constants = case.operator.constants(Region(low=low, high=high), None, reads=False)
    assert_attained(grid_suprema(case, np.linspace(low, high, 4001), ()), constants)


@pytest.mark.parametrize("case", SHIFTED, ids=str)
@settings(deadline=None, max_examples=20)
@given(
    low=st.floats(-4, 4),
    length=st.floats(0.01, 4),
    center=st.floats(-3, 3),
    change=st.sampled_from(["0", "1/10", "1"]),
)
def test_a_bias_shifts_the_interval(case, low, length, center, change):
    region = Region(low=low, high=low + length, center=np.array([center]), change=parse(change))
    constants = case.operator.constants(region, None, reads=False)
    moved = number(parse(change))
    t = np.linspace(low - moved, low + length + moved, 2001)
    assert_attained(grid_suprema(case, t, (center,)), constants)
    assert constants.jac_weight == constants.jac_input
    assert (constants.hess_mixed, constants.third_mixed) == (
        constants.hess_input,
        constants.third_input,
    )


def test_every_bias_has_an_interval_of_its_own():
    # One bias far left, one far right: neither component sees the steep middle.
    region = Region(low=-1.0, high=1.0, center=np.array([-5.0, 5.0]), change=exact(0))
    constants = Tanh(bias=True).constants(region, None, reads=False)
    assert number(constants.jac_input) == pytest.approx(1 / np.cosh(4.0) ** 2, rel=1e-11)


@pytest.mark.parametrize("case", PLAIN[:-1], ids=str)
def test_global_constants_are_exact_and_attained(case):
    for bias in (False, True):
        operator = case.operator.model_copy(update={"bias": bias})
        constants = operator.constants(Region(), None, reads=False)
        assert not any("measured" in str(value) for value in vars(constants).values())
        limit = case.input_radius or 30.0
        assert_attained(grid_suprema(case, np.linspace(-limit, limit, 20_001), ()), constants)


@pytest.mark.parametrize("case", PLAIN[:-1], ids=str)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_suprema_are_not_below_the_exact_derivative(case, order):
    # Points near zeros of a derivative, in both tails, and anywhere: intervals of one point.
    rng = np.random.default_rng(order)
    near_zeros = np.array([math.sqrt(2), 2.0, 2.399357, 3.435841, 1.418504, -1.278465, 0.658479])
    t = np.concatenate(
        [rng.uniform(-6, 6, 20), rng.uniform(-35, 35, 20), near_zeros, 1e-8 * rng.random(3)]
    )
    for x in t:
        with mpmath.workdps(120):
            value = derivatives(case).function("d" + "1" * order, "mpmath")(mpmath.mpf(x), 1)
            bound = case.operator.derivative_bounds(x, x, None)[order - 1]
            assert abs(value[0]) <= mpmath.mpf(number(bound))


# (φ′, φ″, φ‴) in the literature.
PUBLISHED = {
    Tanh: ("1", "4/(3*sqrt(3))", "2"),
    Sigmoid: ("1/4", "1/(6*sqrt(3))", "1/8"),
    Sine: ("1", "1", "1"),
    Softplus: ("1", "1/4", "1/(6*sqrt(3))"),
    LogisticLoss: ("1", "1/4", "1/(6*sqrt(3))"),
}


@pytest.mark.parametrize("kind", PUBLISHED)
def test_published_constants(kind):
    constants = kind().constants(Region(), None, reads=False)
    found = (constants.jac_input, constants.hess_input, constants.third_input)
    assert [value.node for value in found] == [parse(text).node for text in PUBLISHED[kind]]


@pytest.mark.parametrize("activation", [Tanh(), Sigmoid(), Sine(), SiLU(), GELU()], ids=str)
def test_a_region_that_holds_the_peak_keeps_exact_constants(activation):
    unbounded = activation.constants(Region(), None, reads=False)
    ball = activation.constants(Region(input=parse(3)), None, reads=False)
    assert vars(ball) == vars(unbounded)


def test_a_region_that_misses_the_peak_has_a_smaller_bound():
    constants = Tanh().constants(Region(input=parse("1/2")), None, reads=False)
    assert constants.hess_input.node[0] == "bounded"
    assert constants.jac_input == exact(1)  # attained at 0, in every ball
    beside = Tanh().constants(Region(low=0.5, high=2.0), None, reads=False)
    assert beside.jac_input.node[0] == "bounded"
    assert beside.hess_input == parse("4/(3*sqrt(3))")


def test_another_critical_point_is_no_peak():
    # At its other critical points |tanh‴| is 2/3, a third of its supremum.
    constants = Tanh().constants(Region(low=0.8, high=3.0), None, reads=False)
    assert number(constants.third_input) == pytest.approx(2 / 3, rel=1e-11)


def test_elementwise_on_data_takes_each_entry_by_itself():
    # Both entries are far from 0, where tanh′ is 1; a ball around 0 would not see it.
    data = Data(np.array([[2.0, -3.0]]), np.zeros(1))
    constants = Tanh(bias=True).constants(Region(weight=parse("1/2")), data, reads=True)
    assert number(constants.jac_weight) == pytest.approx(1 / np.cosh(1.5) ** 2, rel=1e-11)
    unbounded = Tanh(bias=True).constants(Region(), data, reads=True)
    assert unbounded.jac_weight == exact(1)


@pytest.mark.parametrize("case", activations(ACTIVATIONS, 2, bias=True), ids=str)
def test_on_data_the_weight_constant_is_attained(case):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((5, 2)) * 3
    data = Data(features, np.ones(5))
    bound = number(
        case.operator.constants(Region(weight=parse("1/4")), data, reads=True).jac_weight
    )
    w = np.concatenate([np.outer(np.linspace(-0.25, 0.25, 201), e) for e in np.eye(2)])
    rows, index = (a.ravel() for a in np.indices((5, len(w))))
    found = derivatives(case).at("d2", features[rows], w[index], np.ones(len(rows)))
    assert 0.999 * bound <= np.linalg.norm(found, ord=2, axis=(1, 2)).max() <= bound * SLACK


def test_tails_that_underflow_stay_positive():
    data = Data(np.array([[2000.0]]), np.zeros(1))
    constants = Tanh(bias=True).constants(Region(weight=parse(1)), data, reads=True)
    assert number(constants.jac_weight) > 0.0


# Rectifiers


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (0.0, 1.0), (-1e-300, 1e-300)])
def test_a_kink_has_a_jump_and_no_second_derivatives(low, high):
    constants = LeakyReLU(slope="1/4", scale=2, bias=True).constants(
        Region(low=low, high=high, center=np.zeros(1), change=exact(0)), None, reads=False
    )
    assert str(constants.jac_change) == str(constants.mixed_change) == "(2 * 3/4)"
    second = (constants.hess_input, constants.hess_mixed)
    third = (constants.third_input, constants.third_mixed)
    assert second == third == (None, None)
    alone = ReLU().constants(Region(low=low, high=high), None, reads=False)
    assert alone.jac_change == exact(1)
    assert (alone.mixed_change, alone.hess_mixed) == (None, exact(0))


@pytest.mark.parametrize(("kind", "parameters", "_"), KINKED)
def test_beside_the_kink_a_rectifier_is_linear(kind, parameters, _):
    left = {ReLU: "0", LeakyReLU: "1/4"}[kind]
    for low, high, slope in ((0.5, 3.0, "1"), (-3.0, 0.0, left), (-3.0, -0.5, left)):
        constants = kind(**parameters).constants(Region(low=low, high=high), None, reads=False)
        assert number(constants.jac_input) == number(parse(slope))
        assert (constants.hess_input, constants.third_input) == (exact(0), exact(0))
        assert constants.jac_change is None


def test_a_rectifiers_slope_at_its_kink_is_the_left_one():
    one = np.zeros((1, 1, 1))
    assert LeakyReLU(slope="1/4").vjp(one, np.zeros((1, 0)), one[0], one + 1)[0].item() == 0.25
    # So [0, 1] has both slopes, though φ is linear there.
    assert ReLU().constants(Region(low=0.0, high=1.0), None, reads=False).hess_input is None


def test_a_steep_left_side():
    constants = LeakyReLU(slope=3).constants(Region(), None, reads=False)
    assert (str(constants.jac_input), str(constants.jac_change)) == ("3", "2")
    symbolic = LeakyReLU(slope="s").constants(Region(), None, reads=False)
    assert str(symbolic.jac_change) == "max((1 - s), (s - 1))"
    rough = LeakyReLU(slope="sqrt(2)").constants(Region(), None, reads=False)
    assert number(rough.jac_change) == pytest.approx(math.sqrt(2) - 1)


# Ranges


@pytest.mark.parametrize("case", activations(ACTIVATIONS, 1), ids=str)
@settings(deadline=None, max_examples=60)
@given(low=st.floats(-12, 12), length=st.floats(0.01, 20))
def test_the_range_is_the_image_of_the_interval(case, low, length):
    domain = case.operator.output_domain(Region(low=low, high=low + length), None)
    values = case.operator.phi(np.linspace(low, low + length, 4001))
    wide = domain.high - domain.low
    # The domain is right to the last place, the values to a few more.
    low, high = values.min(), values.max()
    assert low - 1e-4 * wide - 1e-11 <= domain.low <= low + 1e-13 * abs(low)
    assert high - 1e-13 * abs(high) <= domain.high <= high + 1e-4 * wide + 1e-11


@pytest.mark.parametrize(
    ("operator", "radius", "low", "high"),
    [
        (Tanh(), "min(R, (sqrt(4) * 1))", -1.0, 1.0),
        (Sine(scale=3), None, -3.0, 3.0),
        (Sigmoid(), None, 0.0, 1.0),
        (Softplus(), None, 0.0, math.inf),
        (ReLU(), "R", 0.0, math.inf),
        (LeakyReLU(), "R", -math.inf, math.inf),
        (LeakyReLU(slope=3), "(3 * R)", -math.inf, math.inf),
        (Square(), "(R)**2", 0.0, math.inf),
        (SiLU(), "R", -0.278464542761, math.inf),
        (GELU(), "R", -0.16997120748, math.inf),
        (GELU(approximation="tanh"), "R", -0.17004075057, math.inf),
        (Tanh(scale="C", bias=True), "(C * min((R + S), (sqrt(4) * 1)))", -math.inf, math.inf),
        (ReLU(scale=0), "0", 0.0, 0.0),
    ],
    ids=str,
)
def test_ranges_without_numbers(operator, radius, low, high):
    domain = operator.shaped(((2, 2),)).output_domain(Region(parse("R"), parse("S")), None)
    assert (domain.low, domain.high) == (pytest.approx(low, rel=1e-10), pytest.approx(high))
    if radius is not None:
        assert str(domain.radius) == radius


def test_the_ball_of_an_output_shrinks_with_that_of_the_input():
    region = Region(input=exact(1))
    assert GELU().shaped(((100,),)).output_domain(region, None).radius is not None
    assert number(GELU().shaped(((100,),)).output_domain(region, None).radius) < 0.85
    assert str(ReLU().shaped(((100,),)).output_domain(region, None).radius) == "1"
    # σ(0) = 1/2 for each of 100 components, and a slope of 1/4.
    radius = Sigmoid().shaped(((100,),)).output_domain(region, None).radius
    assert number(radius) == pytest.approx(5.25, rel=1e-10)


def test_the_ball_of_an_output_far_from_0():
    # tanh is flat on [2, 3], but not between 0 and there.
    domain = Tanh().shaped(((1,),)).output_domain(Region(exact(3), low=2.0, high=3.0), None)
    assert number(domain.radius) == pytest.approx(np.tanh(3.0))


def test_ranges_never_leave_the_functions_own():
    for operator, low, high in ((Tanh(), -1.0, 1.0), (Sigmoid(), 0.0, 1.0), (Sine(), -1.0, 1.0)):
        domain = operator.output_domain(Region(low=-50.0, high=50.0), None)
        assert low <= domain.low <= low + 1e-20
        assert domain.high == high


def test_far_out_sines_peak_is_not_missed():
    # Multiples of a rounded π drift by 1e-4 here.
    for low in (1e12, -1e12 - 3.2, 1e300):
        assert Sine().constants(Region(low=low, high=low + 3.2), None, reads=False).jac_input == (
            exact(1)
        )
        assert Sine().image(low, low + 6.4) == (-1.0, 1.0)


def test_activations_keep_the_shape():
    assert Tanh().shaped(((3, 4, 5),)).output_shape == (3, 4, 5)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (GELU, {"approximation": "erf"}),
        (GELU, {"approximation": 1}),
        (LeakyReLU, {"slope": -1}),
        (LeakyReLU, {"slope": True}),
        (ReLU, {"slope": 0}),
        (Square, {"bias": "yes"}),
    ],
)
def test_parameters_are_checked(kind, parameters):
    with pytest.raises(ValidationError):
        kind(**parameters)


def test_formulas_have_no_product_with_one_or_zero():
    constants = ReLU(scale="C").constants(Region(), None, reads=False)
    assert (str(constants.jac_input), str(constants.jac_change)) == ("C", "C")
    linear = ReLU(scale="C").constants(Region(low=1.0, high=2.0), None, reads=False)
    assert linear.hess_input == linear.third_input == exact(0)


def test_measured_scales_are_used():
    constants = Tanh(scale=measured(0.5)).constants(Region(), None, reads=False)
    assert number(constants.jac_input) == 0.5
