"""The contract: constants are never exceeded, and no output leaves its domain."""

import numpy as np
import pytest
from case import Case
from claims import claims, leaves, op_norm
from derivatives import derivatives
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_cases import CASES
from visits import any_points, any_region, in_ball, number

from boundcalc.errors import SpecError
from boundcalc.operators.base import Data, Region
from boundcalc.operators.bilinear import Bilinear
from boundcalc.operators.dense import Dense
from boundcalc.operators.logistic import LogisticLoss
from boundcalc.operators.margin import Margin
from boundcalc.operators.quadratic import Quadratic
from boundcalc.operators.sine import Sine
from boundcalc.operators.softplus import Softplus
from boundcalc.operators.square import Square
from boundcalc.operators.squared import SquaredLoss
from boundcalc.operators.tanh import Tanh
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.grammar import parse

SLACK = 1 + 1e-9
POINTS = 200
MOVED = [case for case in CASES if not case.operator.reads_data]
READERS = [case for case in CASES if not case.operator.joins]

seeds = st.integers(0, 2**32)


def numbers(constants):
    return {
        name: number(value)
        for name, value in vars(constants).items()
        if isinstance(value, Expression)
    }


moved = pytest.mark.parametrize("case", MOVED, ids=str)


@moved
@settings(deadline=None, max_examples=6)
@given(seed=seeds)
def test_constants_are_never_exceeded(case, seed):
    assert_never_exceeded(case, seed)


@moved
@pytest.mark.long
@settings(deadline=None, max_examples=300)
@given(seed=seeds)
def test_constants_are_never_exceeded_in_many_regions(case, seed):
    assert_never_exceeded(case, seed)


def assert_never_exceeded(case, seed):
    rng = np.random.default_rng(seed)
    region = any_region(rng, case)
    points = any_points(rng, case, region, POINTS)
    constants = case.operator.constants(region, case.data, reads=False)
    for claim in claims(case, constants, points, rng):
        assert np.all(claim.found <= claim.bound * SLACK + 1e-9), (claim.name, region)


@moved
@settings(deadline=None, max_examples=10)
@given(seed=seeds)
def test_outputs_stay_in_their_domain(case, seed):
    rng = np.random.default_rng(seed)
    region = any_region(rng, case)
    points = any_points(rng, case, region, POINTS)
    outputs = case.operator.forward(points.y[:, None], points.w, points.labels[:, None])
    assert not leaves(case.operator.output_domain(region, case.data), outputs[:, 0]), region


def any_features(rng, case, size, count=5):
    if case.tokens:
        return rng.integers(case.tokens, size=(count, case.inputs)).astype(float)
    return size * rng.standard_normal((count, case.inputs))


@pytest.mark.parametrize("case", READERS, ids=str)
@settings(deadline=None, max_examples=8)
@given(seed=seeds, size=st.sampled_from([0.1, 1.0, 4.0]))
def test_on_data_only_the_weight_constant_is_left(case, seed, size):
    rng = np.random.default_rng(seed)
    features = any_features(rng, case, size)
    data = Data(features, rng.choice(case.labels, 5))
    # A region much larger than the data must not matter.
    region = Region(input=parse(1000), weight=parse("0.25"))
    constants = case.operator.constants(region, data, reads=True)
    values = numbers(constants)
    weight = values.pop("jac_weight")
    assert set(values.values()) == {0.0}
    assert all(getattr(constants, name) == exact(0) for name in values)

    rows = rng.integers(5, size=POINTS)
    w = in_ball(rng, 0.25, case.weights, POINTS)
    found = op_norm(derivatives(case).at("d2", features[rows], w, data.labels[rows]))
    assert np.all(found <= weight * SLACK)


@pytest.mark.parametrize("case", [c for c in CASES if c.operator.reads_data], ids=str)
@settings(deadline=None, max_examples=8)
@given(seed=seeds)
def test_outputs_on_data_stay_in_their_domain(case, seed):
    rng = np.random.default_rng(seed)
    features = any_features(rng, case, 2.0)
    data = Data(features, rng.choice(case.labels, 5))
    w = in_ball(rng, 0.25, case.weights, POINTS)
    outputs = case.operator.forward(features[None], w, data.labels[None])
    radius = np.linalg.norm(features, axis=1).max()
    region = Region(input=parse(float(radius)) * 2, weight=parse("0.25"))
    domain = case.operator.output_domain(region, data)
    assert not leaves(domain, outputs.reshape(-1, case.outputs))


@pytest.mark.parametrize(
    ("operator", "y", "w", "name", "which"),
    [
        (Dense(units=2), [0, 3, 4], np.zeros(8), "jac_weight", "d2"),
        (Dense(units=2, bias=False), [0, 3, 4], np.zeros(6), "jac_weight", "d2"),
        (Dense(units=2), [0, 0, 0], [0.6, 0, 0.8, 0.0, 0, 0, 0, 0], "jac_input", "d1"),
        (Bilinear(), [0, 3, 4], np.zeros(3), "jac_weight", "d2"),
        (Bilinear(), [0, 0, 0], [0.6, 0, 0.8], "jac_input", "d1"),
        (Quadratic(), [0, 3, 4], np.zeros(1), "jac_input", "d1"),
    ],
    ids=str,
)
def test_constants_of_vectors_are_attained(operator, y, w, name, which):
    region = Region(parse(5), parse(1))
    constants = numbers(operator.constants(region, None, reads=False))
    jacobian = derivatives(Case(operator, 3)).precise(which, y, w, 1.0)
    assert np.linalg.norm(jacobian, ord=2) == pytest.approx(constants[name], rel=1e-12)


def test_a_ball_around_values_of_the_weights_is_used():
    region = Region(input=exact(2), center=np.array([3.0, 4.0]), change=parse("1/2"))
    assert number(Bilinear().constants(region, None, reads=False).jac_input) == pytest.approx(5.5)
    assert number(Bilinear().output_domain(region, None).radius) == pytest.approx(11.0)
    both = Region(input=exact(2), weight=exact(1), center=region.center, change=region.change)
    assert Bilinear().constants(both, None, reads=False).jac_input == exact(1)


def test_margin_reads_data_wherever_it_stands():
    data = Data(np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([1.0, -1.0]))
    for reads in (True, False):
        values = numbers(Margin().constants(Region(), data, reads=reads))
        assert values.pop("jac_weight") == pytest.approx(5, rel=1e-11)
        assert values.pop("jac_input") == 0.0
        assert set(values.values()) == {0.0}


def test_norms_of_data_are_not_too_small():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((50, 7))
    largest = max(sum(parse(float(x)).node[1] ** 2 for x in row) for row in features)
    found = Margin().constants(Region(), Data(features, np.ones(50)), reads=True).jac_weight
    assert found.node[0] == "bounded"
    assert parse(found.node[1]).node[1] ** 2 > largest


def test_without_data_the_region_stands_in():
    region = Region(parse(3), parse(1))
    constants = Dense(units=1, bias=False).constants(region, None, reads=True)
    assert str(constants.jac_weight) == "3"
    assert constants.jac_input == exact(0)


def test_radii_and_scales_may_be_symbols():
    region = Region(parse("R"), parse("S"))
    assert str(Quadratic().constants(region, None, reads=False).jac_input) == "R"
    assert str(Bilinear().constants(region, None, reads=False).jac_input) == "S"
    assert str(Bilinear().output_domain(region, None).radius) == "(S * R)"
    assert Dense(units=1).constants(region, None, reads=False).jac_weight.symbols == {"R"}
    assert str(Tanh(scale="C").constants(region, None, reads=False).third_input) == "(C * 2)"
    assert str(Square(bias=True).constants(region, None, reads=False).jac_weight) == "(2 * (R + S))"


def test_a_symbolic_radius_gives_the_global_constants():
    unbounded = Softplus(bias=True).constants(Region(), None, reads=False)
    half = parse("1/2")
    for region in (Region(parse("R"), half), Region(half), Region(None, half)):
        assert Softplus(bias=True).constants(region, None, reads=False) == unbounded


@pytest.mark.parametrize(
    ("operator", "region", "constant", "noun", "key"),
    [
        (Quadratic(), Region(), "jac_input", "input", "input"),
        (SquaredLoss(), Region(), "jac_input", "input", "input"),
        (Square(), Region(), "jac_input", "input", "input"),
        (Square(bias=True), Region(low=0.0, high=1.0), "jac_input", "weights", "weight"),
        (Bilinear(), Region(input=parse(1)), "jac_input", "weights", "weight"),
        (Bilinear(), Region(weight=parse(1)), "jac_weight", "input", "input"),
        (Dense(units=1), Region(input=parse(1)), "jac_input", "weights", "weight"),
        (Dense(units=1), Region(weight=parse(1)), "jac_weight", "input", "input"),
        (Margin(), Region(), "jac_weight", "input", "input"),
    ],
)
def test_a_missing_radius_is_named(operator, region, constant, noun, key):
    with pytest.raises(SpecError) as caught:
        operator.constants(region, None, reads=False)
    error = caught.value
    assert error.problem == (
        f"the constant {constant} of a `{operator.type}` operator needs a bound on its {noun}"
    )
    assert error.expected == f"region: {{{key}: R}}"
    assert f"`region: {{{key}: R}}`" in (error.fix or "")


def test_a_square_on_data_needs_a_bound_on_its_weights():
    data = Data(np.ones((2, 1)), np.zeros(2))
    with pytest.raises(SpecError, match=r"jac_weight of a `square` operator .* its weights"):
        Square(bias=True).constants(Region(), data, reads=True)
    assert Square().constants(Region(), data, reads=True).jac_weight == exact(0)


@pytest.mark.parametrize("operator", [Tanh(), Sine(bias=True), LogisticLoss()], ids=str)
def test_bounded_derivatives_need_no_region(operator):
    assert number(operator.constants(Region(), None, reads=False).jac_input) == 1.0
