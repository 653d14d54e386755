"""Optimiser steps, control steps and quadratic costs: exact values, attainment, bad input."""

from fractions import Fraction

import numpy as np
import pytest
from cases_control import (
    DOUBLE_INTEGRATOR,
    LABELS,
    ROWS,
    SCALAR_CASES,
    WIDE_CONTROL,
    logistic,
    quadratic,
    region_of,
)
from claims import claims, op_norm
from visits import Points, number

from boundcalc.errors import SpecError, SymbolError
from boundcalc.operators.base import ANYWHERE, Region
from boundcalc.operators.control_step import ControlStep
from boundcalc.operators.gradient_step import GradientStep
from boundcalc.operators.quadratic_cost import QuadraticCost
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse
from boundcalc.spec.loading import library_object

NAMES = (
    *("jac_input", "jac_weight", "lip_input", "hess_input"),
    *("hess_mixed", "third_input", "third_mixed"),
)


def listed(array):
    return tuple(map(listed, array)) if np.ndim(array) else float(array)


D = ("1", "1/4", "-1/2")
EXACT = [
    # |1 − wλ| over w in [1/2, 1] and λ in {1, 1/4, −1/2}: largest at w = 1, λ = −1/2.
    (quadratic(D), region_of(2, [0.75], "1/4"), ("3/2", "2", "3/2", "0", "1", "0", "0")),
    (quadratic(D), region_of(2, weight="1/3"), ("4/3", "2", "4/3", "0", "1", "0", "0")),
    # c along the first axis, that of the largest eigenvalue: ‖H‖R + ‖c‖ is attained.
    (
        quadratic(D, linear=(-3, 0, 0)),
        region_of(2, [0.1], 0),
        ("21/20", "5", "21/20", "0", "1", "0", "0"),
    ),
    # One step size for each coordinate, in the ball of radius 1/10 around (1, 2, 0).
    (
        quadratic(D, linear=(1, 4, 0), per_coordinate=True),
        region_of(2, [1, 2, 0], "1/10"),
        ("21/20", "9/2", "21/20", "0", "1", "0", "0"),
    ),
    (
        quadratic(((3, 4), (4, -3)), per_coordinate=True),
        region_of(2, weight="1/5"),
        ("2", "10", "2", "0", "5", "0", "0"),
    ),
    (
        ControlStep(state_matrix=((0, -2), (3, 0)), control_matrix=(("3/4",), (0,))),
        Region(),
        ("3", "5/4", "3", "0", "0", "0", "0"),
    ),
    (QuadraticCost(diagonal=(2, -4)), region_of("1/2"), ("2", "0", "2", "4", "0", "0", "0")),
    (
        QuadraticCost(diagonal=(2, -4), linear=(0, 5)),
        region_of("1/2"),
        ("7", "0", "7", "4", "0", "0", "0"),
    ),
    (
        QuadraticCost(matrix=((1, 2), (-2, 1)), linear=(3, 4)),
        region_of(1),
        ("6", "0", "6", "1", "0", "0", "0"),
    ),
]


@pytest.mark.parametrize(("operator", "region", "expected"), EXACT)
def test_rational_numbers_give_exact_constants(operator, region, expected):
    constants = operator.constants(region, None, reads=False)
    assert tuple(str(getattr(constants, name)) for name in NAMES) == expected
    nodes = [getattr(constants, name).node for name in NAMES]
    assert nodes == [exact(Fraction(text)).node for text in expected]


def test_a_symbolic_radius_stays_a_formula():
    step = quadratic((2, 1), linear=(3, 4))
    constants = step.constants(region_of("R", weight="S"), None, reads=False)
    assert str(constants.jac_input) == "(1 + (S * 2))"
    assert str(constants.jac_weight) == "((2 * R) + 5)"
    logistic_step = logistic(((2,),), (1,), ridge="1/2")
    found = logistic_step.constants(region_of("R", weight="S"), None, reads=False)
    assert found.jac_weight.symbols == {"R"}
    assert number(found.jac_weight.substitute({"R": parse(3)})) == pytest.approx(3.5, rel=1e-9)


@pytest.mark.parametrize("case", SCALAR_CASES, ids=str)
@pytest.mark.parametrize("radii", [("0.05", "0.02"), ("0.5", "1"), ("3", "0.7"), ("30", "4")])
def test_constants_of_numbers_are_attained(case, radii):
    region = region_of(radii[0], weight=radii[1])
    # More points near 0; both ends of the weight's interval at each.
    y = np.repeat(float(radii[0]) * np.linspace(-1, 1, 1201)[:, None] ** 3, 2, axis=0)
    ends = np.tile(float(radii[1]) * np.array([[-1.0], [1.0]]), (1201, 1))
    points = Points(y, (1 - 1e-3) * y, ends[:, : case.weights], np.ones(len(y)))
    rng = np.random.default_rng(0)
    for claim in claims(case, case.operator.constants(region, None, reads=False), points, rng):
        largest = claim.found.max()
        # A quotient of differences shows what lies between, a little less than at an end.
        assert 0.999 * claim.bound - 1e-12 <= largest <= claim.bound * (1 + 1e-6) + 1e-9, claim.name


@pytest.mark.parametrize("step", [quadratic((1, "1/4")), quadratic((1, 1), per_coordinate=True)])
def test_the_domain_of_a_step_is_attained(step):
    count = step.weight_size(2)
    region = region_of(3, [1.5] * count, "1/4")
    w = 1.5 + np.concatenate([np.eye(count), -np.eye(count)]) / 4
    y = 3 * np.concatenate([np.eye(2), -np.eye(2)])
    outputs = step.forward(np.repeat(y[None], len(w), axis=0), w, np.zeros((1, 4)))
    found = np.linalg.norm(outputs, axis=-1).max()
    assert found == pytest.approx(number(step.output_domain(region, None).radius), rel=1e-12)


def test_the_domain_of_a_control_step_is_attained():
    # Ax and Bu in one direction, that of the first component.
    step = ControlStep(state_matrix=((2, 0), (0, 1)), control_matrix=((3,), (0,)))
    domain = step.output_domain(region_of(2, weight="1/2"), None)
    output = step.forward(np.array([[[2.0, 0.0]]]), np.array([[0.5]]), np.zeros((1, 1)))
    assert number(domain.radius) == pytest.approx(np.linalg.norm(output), rel=1e-12)
    assert str(domain.radius) == "sqrt(61/2)"


def test_the_domain_of_a_cost_is_attained():
    cost = QuadraticCost(diagonal=(4, -2))
    domain = cost.output_domain(region_of(3), None)
    values = cost.forward(3 * np.eye(2)[None], np.zeros((1, 0)), np.zeros((1, 2))).ravel()
    np.testing.assert_allclose([domain.low, domain.high], values[::-1], rtol=1e-11)
    convex = QuadraticCost(diagonal=(4, 2), linear=(0, 1)).output_domain(region_of(3), None)
    np.testing.assert_allclose([convex.low, convex.high], [-3, 21], rtol=1e-11)


def test_without_bounds_an_output_may_lie_anywhere():
    for operator in (quadratic((1,)), DOUBLE_INTEGRATOR, QuadraticCost(diagonal=(1,))):
        assert operator.output_domain(Region(), None) == ANYWHERE


def test_slopes_without_a_ridge_need_no_region():
    step = logistic(ROWS, LABELS)
    z = -np.array(LABELS)[:, None] * np.array([[1, -0.5], [1.5, 2], [-1 / 3, 1]])
    found = number(step.weight_constant(Region(), None))
    mean = np.linalg.norm(z, axis=1).mean()
    around = np.linalg.norm(z.mean(axis=0)) / 2 + np.linalg.norm(z, 2) / np.sqrt(12)
    assert found == pytest.approx(min(mean, around), rel=1e-9)
    with pytest.raises(SpecError, match="jac_weight of a `gradient_step` operator needs a bound"):
        logistic(ROWS, LABELS, ridge=1).weight_constant(Region(), None)


@pytest.mark.parametrize("per_coordinate", [False, True])
def test_on_data_the_slope_is_that_of_the_samples(per_coordinate):
    features = np.random.default_rng(0).standard_normal((6, 2))
    for step in (
        logistic(ROWS, LABELS, ridge="1/3", per_coordinate=per_coordinate),
        quadratic(((2, 1), (1, -1)), linear=(1, 0), per_coordinate=per_coordinate),
    ):
        w = np.zeros((1, step.weight_size(2)))
        jacobians = [
            step.vjp(features[None], w, np.zeros((1, 6)), np.tile(v, (1, 6, 1)))[1][0]
            for v in np.eye(2)
        ]
        expected = op_norm(np.stack(jacobians, axis=1)).max()
        found = number(step.weight_constant(region_of(1000), features))
        assert expected <= found <= expected * (1 + 1e-11)


def test_control_steps_make_a_trajectory():
    A, B = np.array([[1, 0.5], [0, 1]]), np.array([[0.125], [0.5]])
    rng = np.random.default_rng(3)
    x, controls = rng.standard_normal((5, 2)), rng.standard_normal((4, 1))
    y = x[None]
    for u in controls:
        y = DOUBLE_INTEGRATOR.forward(y, u[None], np.zeros((1, 5)))
        x = x @ A.T + u @ B.T
        np.testing.assert_allclose(y[0], np.column_stack([np.full(5, u), x]), rtol=1e-13)


def test_steps_with_the_inverse_curvature_reach_the_minimum():
    hessian, linear = np.array([2.0, 0.5]), np.array([1.0, -1.0])
    step = quadratic(listed(hessian), linear=listed(linear), per_coordinate=True)
    y = step.forward(np.ones((1, 1, 2)), 1 / hessian[None], np.zeros((1, 1)))
    np.testing.assert_allclose(y[0, 0], -linear / hessian, rtol=1e-14)


def test_a_cost_does_not_care_how_its_matrix_is_written():
    rng = np.random.default_rng(2)
    y, none, labels = rng.standard_normal((1, 4, 3)), np.zeros((1, 0)), np.zeros((1, 4))
    diagonal, linear = [1.0, -2.0, 0.5], (1, 2, 3)
    skew = np.array([[0, 5, -1], [-5, 0, 2], [1, -2, 0]]) + np.diag(diagonal)
    one = QuadraticCost(diagonal=tuple(diagonal), linear=linear)
    other = QuadraticCost(matrix=listed(skew), linear=linear)
    np.testing.assert_allclose(
        one.forward(y, none, labels), other.forward(y, none, labels), rtol=1e-12
    )
    region = region_of(2)
    assert one.constants(region, None, reads=False) == other.constants(region, None, reads=False)


STEP, CONTROL, COST = GradientStep, ControlStep, QuadraticCost
LQ = {"objective": "quadratic"}
LL = {"objective": "logistic", "rows": [[1, 2]]}
BAD = [
    (STEP, LQ, "a quadratic objective needs `hessian`"),
    (STEP, {"objective": "logistic", "labels": [1]}, "a logistic objective needs `rows`"),
    (STEP, {**LQ, "hessian": [1], "ridge": 1}, "a quadratic objective has no `ridge`"),
    (STEP, {**LL, "labels": [1], "linear": [1]}, "a logistic objective has no `linear`"),
    (STEP, {**LQ, "hessian": [[1, 2], [3, 1]]}, "not symmetric: 3 in row 2, column 1, but 2"),
    (STEP, {**LQ, "hessian": [[1, 2], [2]]}, "row 2 of the matrix has 1 entries, row 1 has 2"),
    (STEP, {**LQ, "hessian": [[1, 2]]}, "the matrix has 1 rows and 2 columns"),
    (STEP, {**LQ, "hessian": [1, 2], "linear": [1]}, "`linear` has 1 entries, `hessian` has 2"),
    (STEP, {**LQ, "hessian": []}, "this is too short"),
    (STEP, {**LL, "labels": [1, -1]}, "`labels` has 2 entries, `rows` has 1"),
    (STEP, {**LL, "labels": [0]}, "a label that is no sign"),
    (STEP, {**LL, "labels": [1], "ridge": -1}, "a negative number"),
    (STEP, {"objective": "cubic"}, "not one of the known values"),
    (STEP, {**LQ, "hessian": [1, "a b"]}, r"\.hessian\[1\]: not a number or an expression"),
    (STEP, {**LQ, "hessian": [1], "per_coordinate": 1}, "neither true nor false"),
    (CONTROL, {"state_matrix": [[1]]}, "missing key 'control_matrix'"),
    (CONTROL, {"state_matrix": [[1, 2]], "control_matrix": [[1]]}, "1 rows and 2 columns"),
    (CONTROL, {"state_matrix": [[1]], "control_matrix": [[1], [2]]}, "`control_matrix` has 2"),
    (CONTROL, {"state_matrix": [[float("nan")]], "control_matrix": [[1]]}, "not a finite number"),
    (COST, {}, "a quadratic cost has one matrix"),
    (COST, {"diagonal": [1], "matrix": [[1]]}, "a quadratic cost has one matrix"),
    (COST, {"diagonal": [1], "linear": [1, 2]}, "`linear` has 2 entries, the matrix 1 rows"),
    (COST, {"diagonal": [1] * 1001}, "this is too long"),
]


@pytest.mark.parametrize(("model", "parameters", "message"), BAD)
def test_wrong_parameters_are_explained(model, parameters, message):
    with pytest.raises(SpecError, match=message) as caught:
        library_object(model, parameters, "graph.operators[0]")
    assert str(caught.value).startswith("graph.operators[0]")


@pytest.mark.parametrize(
    ("operator", "inputs", "message"),
    [
        (quadratic((1, 2)), 3, "the objective of this `gradient_step` operator is a function of 2"),
        (logistic(ROWS, LABELS), 3, "is a function of 2 numbers"),
        (DOUBLE_INTEGRATOR, 4, "reads a state of 2 numbers, or 1 controls and a state"),
        (WIDE_CONTROL, 3, "reads a state of 2 numbers, or 2 controls and a state"),
        (QuadraticCost(diagonal=(1, 2)), 1, "has a matrix of 2 rows"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(operator, inputs, message):
    with pytest.raises(SpecError, match=message):
        operator.output_size(inputs)


@pytest.mark.parametrize(
    ("operator", "region", "constant", "key"),
    [
        (quadratic((1,)), region_of(1), "jac_input", "weight"),
        (quadratic((1,)), region_of(None, weight=1), "jac_weight", "input"),
        (quadratic((1,), per_coordinate=True), region_of(None, weight=1), "jac_weight", "input"),
        (QuadraticCost(diagonal=(1,)), Region(), "jac_input", "input"),
    ],
)
def test_a_missing_bound_is_named(operator, region, constant, key):
    with pytest.raises(SpecError) as caught:
        operator.constants(region, None, reads=False)
    assert caught.value.problem.startswith(f"the constant {constant} of a `{operator.type}`")
    assert caught.value.expected == f"region: {{{key}: R}}"


def test_a_constant_gradient_needs_no_region():
    cost = QuadraticCost(diagonal=(0, 0), linear=(3, 4))
    constants = cost.constants(Region(), None, reads=False)
    assert [str(constants.jac_input), str(constants.hess_input)] == ["5", "0"]


def test_a_symbol_without_a_value_is_named():
    with pytest.raises(SymbolError, match="mu"):
        quadratic(("mu",)).forward(np.ones((1, 1, 1)), np.ones((1, 1)), np.zeros((1, 1)))
