"""Constants are never exceeded, and are attained, by derivatives that SymPy takes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_cases import (
    CASES,
    ELEMENTWISE,
    SCALAR_CASES,
    Case,
    derivatives,
    number,
    numbers,
)

from boundcalc.errors import SpecError
from boundcalc.operators import (
    OPERATORS,
    Bilinear,
    Data,
    Dense,
    LogisticLoss,
    Margin,
    Quadratic,
    Region,
    Sigmoid,
    Sine,
    Softplus,
    SquaredLoss,
    Tanh,
)
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse

LABELS = Data(np.zeros((2, 1)), np.array([1.0, -1.0]))
SLACK = 1 + 1e-9
POINTS = 300


def region_of(input_radius, weight_radius):
    return Region(input=parse(input_radius), weight=parse(weight_radius))


def in_ball(rng, radius, dimension):
    """Points of a ball, one in three on its sphere and some on an axis."""
    x = rng.standard_normal((POINTS, dimension))
    x[::4] *= np.eye(dimension)[rng.integers(dimension, size=len(x[::4]))] if dimension else 1.0
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    return radius * x * rng.choice([1.0, 0.5, rng.random()], (POINTS, 1))


def op_norm(matrices):
    if 0 in matrices.shape:
        return np.zeros(len(matrices))
    return np.linalg.norm(matrices, ord=2, axis=(1, 2))


def form_norm(rng, forms):
    """A lower bound of the norm of the bilinear maps (P, m, k, n): some directions tried."""
    best = np.zeros(len(forms))
    if 0 in forms.shape:
        return best
    for i in range(forms.shape[2]):
        best = np.maximum(best, op_norm(forms[:, :, i]))  # a basis vector in one argument
    for _ in range(3):
        direction = rng.standard_normal(forms.shape[2])
        along = np.einsum("pmkn,k->pmn", forms, direction / np.linalg.norm(direction))
        best = np.maximum(best, op_norm(along))
    return best


def found_suprema(case, y, other, w, labels, rng):
    """What the points (y, w) and the pairs (y, other) show of each constant."""
    d = derivatives(case)
    gap = np.maximum(np.linalg.norm(y - other, axis=1), 1e-6)

    def change(which):
        return d.at(which, y, w, labels) - d.at(which, other, w, labels)

    return {
        "jac_input": op_norm(d.at("d1", y, w, labels)),
        "jac_weight": op_norm(d.at("d2", y, w, labels)),
        "lip_input": np.linalg.norm(change("f"), axis=1) / gap,
        "hess_input": op_norm(change("d1")) / gap,
        "hess_mixed": op_norm(change("d2")) / gap,
        "third_input": form_norm(rng, change("d11")) / gap,
        "third_mixed": form_norm(rng, change("d21")) / gap,
    }


@pytest.mark.parametrize("case", [c for c in CASES if not c.operator.reads_data], ids=str)
@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    input_radius=st.sampled_from(["0.01", "0.3", "1", "3", "20"]),
    weight_radius=st.sampled_from(["0.02", "0.7", "2"]),
    near=st.sampled_from([0.0, 0.99, 0.9999]),
)
def test_constants_are_never_exceeded(case, seed, input_radius, weight_radius, near):
    rng = np.random.default_rng(seed)
    constants = numbers(
        case.operator.constants(region_of(input_radius, weight_radius), LABELS, reads=False)
    )
    y = in_ball(rng, float(input_radius), case.inputs)
    other = near * y + (1 - near) * in_ball(rng, float(input_radius), case.inputs)
    w = in_ball(rng, float(weight_radius), case.weights)
    labels = rng.choice([-1.0, 1.0], POINTS)
    for name, found in found_suprema(case, y, other, w, labels, rng).items():
        assert np.all(found <= constants[name] * SLACK + 1e-9), name


def weight_grid(radius, weights):
    if weights == 0:
        return np.zeros((1, 0))
    line = np.linspace(-radius, radius, 41)
    if weights == 1:
        return line[:, None]
    angle = np.linspace(0, 2 * np.pi, 181)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def grid_suprema(case, inputs, weight_radius, labels):
    """Suprema on a grid, for n = m = 1: a Lipschitz constant is that of one derivative more."""
    d = derivatives(case)
    if not hasattr(d, "d111"):
        d.d111, d.d211 = d.along(d.d11, d.inputs), d.along(d.d21, d.inputs)
    grid = weight_grid(weight_radius, case.weights)
    y, i, labels = (
        a.ravel() for a in np.meshgrid(inputs, np.arange(len(grid)), labels, indexing="ij")
    )

    def largest(which):
        values = d.at(which, y[:, None], grid[i], labels).reshape(len(y), -1)
        return float(np.linalg.norm(values, axis=1).max(initial=0.0)) if values.size else 0.0

    return {
        "jac_input": largest("d1"),
        "jac_weight": largest("d2"),
        "lip_input": largest("d1"),
        "hess_input": largest("d11"),
        "hess_mixed": largest("d21"),
        "third_input": largest("d111"),
        "third_mixed": largest("d211"),
    }


def assert_attained(found, constants):
    for name, value in found.items():
        assert 0.99 * constants[name] <= value <= constants[name] * SLACK, name


@pytest.mark.parametrize("case", [c for c in SCALAR_CASES if c.operator.type != "margin"], ids=str)
@pytest.mark.parametrize(
    ("input_radius", "weight_radius"),
    [("0.05", "0.02"), ("0.3", "0.2"), ("0.5", "1"), ("1", "0.5"), ("1.5", "2"), ("30", "4")],
)
def test_constants_of_numbers_are_attained_on_the_region(case, input_radius, weight_radius):
    inputs = np.linspace(-float(input_radius), float(input_radius), 3001)
    constants = case.operator.constants(region_of(input_radius, weight_radius), LABELS, reads=False)
    found = grid_suprema(case, inputs, float(weight_radius), LABELS.labels)
    assert_attained(found, numbers(constants))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", ELEMENTWISE)
def test_global_constants_are_exact_and_attained(activation, bias):
    case = next(
        c for c in SCALAR_CASES if type(c.operator) is activation and c.operator.bias == bias
    )
    constants = case.operator.constants(Region(), None, reads=False)
    assert all("measured" not in str(value.node) for value in vars(constants).values())
    found = grid_suprema(case, np.linspace(-30, 30, 20_001), 0.0, np.ones(1))
    assert_attained(found, numbers(constants))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("activation", ELEMENTWISE)
def test_suprema_over_intervals(activation, order):
    supremum = activation.suprema[order - 1]
    case = next(c for c in SCALAR_CASES if c.operator == activation())
    d = derivatives(case)
    d.d111 = d.along(d.d11, d.inputs)
    t = np.linspace(-8, 8, 3201)
    values = np.abs(d.at("d" + "1" * order, t[:, None], np.zeros((3201, 0)), np.ones(3201)))
    values = values.ravel()
    # Lengths of 0.3 every 0.2: each critical point is well inside some short interval.
    for length, first in itertools.product((0, 60, 200, 1000), range(0, 3201, 40)):
        last = min(first + length, 3200)
        found = values[first : last + 1].max()
        bound = number(supremum.over(t[first], t[last]))
        assert found <= bound * SLACK + 1e-14
        # Third derivatives have smaller maxima elsewhere; there the global bound stands in.
        if order < 3:
            assert found >= 0.999 * bound - 1e-14
    for last in range(1601, 3201, 20):
        found = values[3200 - last : last + 1].max()
        assert found >= 0.999 * number(supremum.over(-t[last], t[last]))


# (φ′, φ″, φ‴) in the literature.
PUBLISHED = {
    "tanh": ("1", "4/(3*sqrt(3))", "2"),
    "sigmoid": ("1/4", "1/(6*sqrt(3))", "1/8"),
    "sine": ("1", "1", "1"),
    "softplus": ("1", "1/4", "1/(6*sqrt(3))"),
    "logistic": ("1", "1/4", "1/(6*sqrt(3))"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_constants(name):
    constants = OPERATORS[name]().constants(Region(), None, reads=False)
    found = (constants.jac_input, constants.hess_input, constants.third_input)
    assert [value.node for value in found] == [parse(text).node for text in PUBLISHED[name]]


@pytest.mark.parametrize("activation", [Tanh, Sigmoid, Sine])
def test_a_region_that_holds_the_peak_keeps_exact_constants(activation):
    unbounded = activation().constants(Region(), None, reads=False)
    ball = activation().constants(Region(input=parse(2)), None, reads=False)
    assert vars(ball) == vars(unbounded)


def test_a_region_that_misses_the_peak_is_measured():
    constants = Tanh().constants(Region(input=parse("1/2")), None, reads=False)
    assert constants.hess_input.node[0] == "measured"
    assert constants.jac_input == exact(1)  # attained at 0, in every ball


def test_a_symbolic_radius_gives_the_global_constants():
    unbounded = Softplus(bias=True).constants(Region(), None, reads=False)
    half = parse("1/2")
    for region in (Region(parse("R"), half), Region(half), Region(None, half)):
        assert Softplus(bias=True).constants(region, None, reads=False) == unbounded


def test_radii_and_scales_may_be_symbols():
    region = Region(parse("R"), parse("S"))
    assert str(Quadratic().constants(region, None, reads=False).jac_input) == "R"
    assert str(Bilinear().constants(region, None, reads=False).jac_input) == "S"
    assert Dense(units=1).constants(region, None, reads=False).jac_weight.symbols == {"R"}
    assert str(Tanh(scale="C").constants(region, None, reads=False).third_input) == "(C * 2)"


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
    constants = numbers(operator.constants(region_of(5, 1), None, reads=False))
    jacobian = derivatives(Case(operator, 3)).precise(which, y, w, 1.0)
    assert np.linalg.norm(jacobian, ord=2) == pytest.approx(constants[name], rel=1e-12)


READERS = [c for c in CASES if c.operator.type not in ("logistic", "squared")]


@pytest.mark.parametrize("case", READERS, ids=str)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([0.1, 1.0, 4.0]))
def test_on_data_only_the_weight_constant_is_left(case, seed, size):
    rng = np.random.default_rng(seed)
    features = size * rng.standard_normal((5, case.inputs))
    data = Data(features, rng.choice([-1.0, 1.0], 5))
    # A region much larger than the data must not matter.
    region = region_of(1000, "0.25")
    constants = case.operator.constants(region, data, reads=True)
    values = numbers(constants)
    weight = values.pop("jac_weight")
    assert set(values.values()) == {0.0}
    assert all(getattr(constants, name) == exact(0) for name in values)

    rows = rng.integers(5, size=POINTS)
    w = in_ball(rng, 0.25, case.weights)
    found = op_norm(derivatives(case).at("d2", features[rows], w, data.labels[rows]))
    assert np.all(found <= weight * SLACK)
    if case.weights:
        # Weights along an axis reach the ends of every component's interval.
        steps = np.linspace(-0.25, 0.25, 51)
        w = np.concatenate([np.outer(steps, e) for e in np.eye(case.weights)])
        rows, index = (a.ravel() for a in np.indices((5, len(w))))
        at = derivatives(case).at("d2", features[rows], w[index], data.labels[rows])
        assert op_norm(at).max() >= 0.99 * weight


def test_margin_reads_data_wherever_it_stands():
    data = Data(np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([1.0, -1.0]))
    for reads in (True, False):
        values = numbers(Margin().constants(Region(), data, reads=reads))
        assert values.pop("jac_weight") == pytest.approx(5, rel=1e-11)
        assert values.pop("jac_input") == 0.0
        assert set(values.values()) == {0.0}


def test_measured_norms_are_not_too_small():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((50, 7))
    largest = max(sum(parse(float(x)).node[1] ** 2 for x in row) for row in features)
    found = Margin().constants(Region(), Data(features, np.ones(50)), reads=True).jac_weight
    assert found.node[0] == "measured"
    assert parse(found.node[1]).node[1] ** 2 > largest


def test_elementwise_on_data_takes_each_entry_by_itself():
    # Both entries are far from 0, where tanh′ is 1; a ball around 0 would not see it.
    data = Data(np.array([[2.0, -3.0]]), np.zeros(1))
    constants = Tanh(bias=True).constants(Region(weight=parse("1/2")), data, reads=True)
    assert number(constants.jac_weight) == pytest.approx(1 / np.cosh(1.5) ** 2, rel=1e-11)
    unbounded = Tanh(bias=True).constants(Region(), data, reads=True)
    assert unbounded.jac_weight == exact(1)


def test_without_data_the_region_stands_in():
    constants = Dense(units=1, bias=False).constants(region_of(3, 1), None, reads=True)
    assert str(constants.jac_weight) == "3"
    assert constants.jac_input == exact(0)


def test_squared_needs_the_largest_label():
    data = Data(np.zeros((3, 1)), np.array([2.0, -7.0, 0.5]))
    constants = SquaredLoss().constants(Region(input=parse("1/2")), data, reads=False)
    assert number(constants.jac_input) == 7.5
    halves = Data(data.features, data.labels / 2)
    measured = SquaredLoss().constants(Region(input=parse("1/2")), halves, reads=False)
    assert number(measured.jac_input) == 4.0
    with pytest.raises(SpecError, match="jac_input of a `squared` operator needs the labels"):
        SquaredLoss().constants(Region(input=parse(1)), None, reads=False)


@pytest.mark.parametrize(
    ("operator", "region", "constant", "noun", "key"),
    [
        (Quadratic(), Region(), "jac_input", "input", "input"),
        (SquaredLoss(), Region(), "jac_input", "input", "input"),
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


@pytest.mark.parametrize("operator", [Tanh(), Sine(bias=True), LogisticLoss()], ids=str)
def test_bounded_derivatives_need_no_region(operator):
    assert number(operator.constants(Region(), None, reads=False).jac_input) == 1.0


def test_tails_that_underflow_stay_positive():
    data = Data(np.array([[2000.0]]), np.zeros(1))
    constants = Tanh(bias=True).constants(Region(weight=parse(1)), data, reads=True)
    assert number(constants.jac_weight) > 0.0
