"""Suprema of an objective's derivatives, and norms of matrices, against what a search finds."""

from fractions import Fraction

import numpy as np
import pytest
from cases_control import quadratic, region_of
from claims import op_norm
from hypothesis import given, settings
from hypothesis import strategies as st
from visits import number

from boundcalc.arithmetic import RATIONALS
from boundcalc.operators.matrices import eigenvalue_range, operator_norm
from boundcalc.operators.objectives import MeanLogistic, QuadraticForm, Steps
from boundcalc.operators.quadratic_cost import QuadraticCost
from boundcalc.spec.grammar import parse

seeds = st.integers(0, 2**32)


def expressions(array):
    return tuple(map(expressions, array)) if np.ndim(array) else parse(float(array))


def test_short_decimals_stand_for_themselves():
    steps = Steps.of(region_of(1, [0.1], 0), 1, None)
    assert (steps.center, steps.certain) == ((Fraction(1, 10),), True)
    drawn = Steps.of(region_of(1, [np.pi], 0), 1, None)
    assert (drawn.center, drawn.certain) == ((Fraction(np.pi),), False)
    constants = quadratic(("1/3",)).constants(region_of(1, [np.pi], 0), None, reads=False)
    exact = Fraction(np.pi) / 3 - 1
    assert exact <= constants.jac_input.evaluate(RATIONALS) <= exact * (1 + Fraction(1, 10**11))


@pytest.mark.parametrize(
    ("weight", "center", "change", "expected"),
    [
        (None, [0.5], "1/4", ([0.5], "1/4")),
        ("2", None, None, ([0], "2")),
        ("3/5", [0.5], "1/4", ([17 / 40], "7/40")),  # [1/4, 3/4] cut to [1/4, 3/5]
        ("3/5", [-0.5], "1/4", ([-17 / 40], "7/40")),
        ("9", [0.5], "1/4", ([0.5], "1/4")),
        ("2", [0.5, 1.0], "3", ([0, 0], "2")),
        ("4", [0.5, 1.0], "3", ([0.5, 1.0], "3")),
        (None, None, None, None),
    ],
)
def test_step_sizes_of_a_region(weight, center, change, expected):
    region = region_of(1, center, change, weight)
    steps = Steps.of(region, len(center or [0]), region.weight)
    if expected is None:
        assert steps is None
        return
    assert [float(c) for c in steps.center] == expected[0]
    assert str(steps.radius) == expected[1]


def steepest_found(matrix, linear, radius):
    """The largest ‖Hy + c‖ that a fixed-point iteration finds from many starts."""
    y = np.random.default_rng(1).standard_normal((200, len(linear)))
    for _ in range(400):
        y *= radius / np.linalg.norm(y, axis=1, keepdims=True)
        y = (y @ matrix + linear) @ matrix + 1e-300
    y *= radius / np.linalg.norm(y, axis=1, keepdims=True)
    return np.linalg.norm(y @ matrix + linear, axis=1).max()


@settings(deadline=None, max_examples=60)
@given(
    seed=seeds,
    size=st.integers(1, 5),
    radius=st.sampled_from([0.01, 0.5, 3.0, 100.0]),
    full=st.booleans(),
)
def test_the_steepest_slope_of_a_quadratic_is_attained(seed, size, radius, full):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((size, size))
    matrix = matrix + matrix.T if full else np.diag(np.diag(matrix))
    linear = rng.standard_normal(size) * rng.choice([0.0, 0.1, 1.0, 30.0], size)
    form = QuadraticForm(expressions(matrix if full else np.diag(matrix)), expressions(linear))
    bound = number(form.steepest(parse(radius)))
    found = steepest_found(matrix, linear, radius)
    assert found <= bound * (1 + 1e-12)
    assert found >= bound * (1 - 2e-5)
    simple = np.linalg.norm(matrix, 2) * radius + np.linalg.norm(linear)
    assert bound <= simple * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(seed=seeds, size=st.integers(1, 4), low=st.integers(-16, 16), width=st.integers(0, 16))
def test_the_contraction_of_one_step_size_is_attained(seed, size, low, width):
    low, width = low / 8, width / 8
    matrix = np.random.default_rng(seed).standard_normal((size, size))
    matrix = matrix + matrix.T
    steps = Steps.of(region_of(1, [low + width / 2], str(width / 2)), 1, None)
    bound = number(QuadraticForm(expressions(matrix)).contraction(steps, None))
    grid = np.linspace(low, low + width, 11)[:, None, None]
    assert op_norm(np.eye(size) - grid * matrix).max() == pytest.approx(bound, rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(seed=seeds, size=st.integers(1, 4), diagonal=st.booleans())
def test_the_contraction_of_several_step_sizes(seed, size, diagonal):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((size, size))
    matrix = np.diag(np.diag(matrix)) if diagonal else matrix + matrix.T
    center, radius = rng.standard_normal(size), 0.5
    entries = np.diag(matrix) if diagonal else matrix
    steps = Steps.of(region_of(1, center, "1/2"), size, None)
    bound = number(QuadraticForm(expressions(entries)).contraction(steps, None))
    moves = rng.standard_normal((300, size))
    moves[: 2 * size] = np.concatenate([np.eye(size), -np.eye(size)])
    moves *= radius / np.linalg.norm(moves, axis=1, keepdims=True)
    found = op_norm(np.eye(size) - (center + moves)[:, :, None] * matrix).max()
    assert found <= bound * (1 + 1e-12)
    assert not diagonal or found >= bound * (1 - 1e-9)


def spectra(z, ridge, y):
    t = y @ z.T
    slope = 1 / (np.exp(t / 2) + np.exp(-t / 2)) ** 2
    hessians = np.einsum("pj,ja,jb->pab", slope, z, z) / len(z) + ridge * np.eye(z.shape[1])
    return np.linalg.eigvalsh(hessians)


@settings(deadline=None, max_examples=40)
@given(seed=seeds, ridge=st.sampled_from([0.0, 0.5]), radius=st.sampled_from([0.1, 1.0, 5.0]))
def test_the_spectrum_of_a_logistic_objective(seed, ridge, radius):
    rng = np.random.default_rng(seed)
    rows, labels = rng.standard_normal((4, 2)), rng.choice([-1.0, 1.0], 4)
    g = MeanLogistic(expressions(rows), expressions(labels), parse(ridge))
    low, high, _ = g.spectrum(parse(radius))
    angles = np.linspace(0, 2 * np.pi, 73)
    circle = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = spectra(-labels[:, None] * rows, ridge, np.concatenate([circle, np.zeros((1, 2))]))
    assert low <= found.min()
    assert found.max() <= high
    assert found.max() == pytest.approx(float(high), rel=1e-9)  # at y = 0
    assert low > ridge
    wide = g.spectrum(None)
    assert (float(wide[0]), wide[1]) == (ridge, high)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (((0, "-3/2"), (1, 0), (0, 0)), "3/2"),
        (((3, 4),), "5"),
        (((1,), (2,)), "sqrt(5)"),
        (((0, 0), (0, 0)), "0"),
    ],
)
def test_norms_of_plain_matrices_are_exact(matrix, expected):
    assert str(operator_norm(tuple(tuple(map(parse, row)) for row in matrix))) == expected


@settings(deadline=None, max_examples=40)
@given(seed=seeds, size=st.integers(2, 8), scale=st.sampled_from([1e-8, 1.0, 1e5]))
def test_norms_and_eigenvalues_are_on_the_safe_side(seed, size, scale):
    matrix = scale * np.random.default_rng(seed).standard_normal((size, size))
    norm = operator_norm(expressions(matrix))
    assert norm.node[0] == "bounded"
    true = np.linalg.norm(matrix, 2)
    assert true <= number(norm) <= true * (1 + 1e-10)
    low, high = eigenvalue_range(matrix + matrix.T)
    values = np.linalg.eigvalsh(matrix + matrix.T)
    assert low <= values[0]
    assert values[-1] <= high
    gap = 1e-10 * np.abs(values).max()
    np.testing.assert_allclose([low, high], values[[0, -1]], atol=gap)


def test_norms_of_irrational_entries_are_bounded():
    constants = QuadraticCost(diagonal=("sqrt(2)", 1)).constants(region_of(1), None, reads=False)
    assert constants.hess_input.node[0] == "bounded"
    assert constants.hess_input.evaluate(RATIONALS) ** 2 > 2
    assert np.sqrt(2) <= number(constants.hess_input) <= np.sqrt(2) * (1 + 1e-11)


def test_tiny_and_huge_radii_give_numbers():
    form = QuadraticForm(expressions([1.0, 2.0]), expressions([3.0, 4.0]))
    for radius in ("1e-300", "1e-9", "1e9", "1e150", "1e200"):
        found, r = number(form.steepest(parse(radius))), float(radius)
        assert 5.0 <= found <= (2 * r + 5) * (1 + 1e-9)
