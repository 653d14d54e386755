"""Constants of linear layers, poolings and the embedding, at the ends of their regions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_layers import SHAPED, constants, each, jacobian, layers, matrix_norm, size_of
from visits import number

from boundcalc.operators.affine import AffineLayer
from boundcalc.operators.base import Data, Region
from boundcalc.operators.conv1d import Conv1d
from boundcalc.operators.conv2d import Conv2d
from boundcalc.operators.dense import Dense
from boundcalc.operators.embedding import Embedding
from boundcalc.operators.mean_pool import MeanPool
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse


def test_equal_tokens_attain_the_weight_constant():
    layer = Dense(units=2).shaped(((5, 3),))
    y = np.tile([1.0, 2.0, 2.0], 5)
    _, b, B = constants(layer, input=exact(7), weight=exact(1))
    assert b == pytest.approx(np.sqrt(49 + 5))
    assert B == 1.0
    y *= 7 / np.linalg.norm(y)
    assert matrix_norm(jacobian(layer, np.zeros(8), y)) == pytest.approx(b, rel=1e-12)
    # One token alone attains B, and does not attain b.
    one = np.zeros(15)
    one[4] = 7.0
    change = jacobian(layer, np.zeros(8), one) - jacobian(layer, np.zeros(8), -one)
    assert matrix_norm(change) == pytest.approx(14.0)
    assert matrix_norm(jacobian(layer, np.zeros(8), one)) < 0.97 * b


@each([layer for layer in SHAPED if isinstance(layer, AffineLayer)])
def test_a_ball_around_a_center_is_attained_or_nearly(layer):
    """ΔK along the gradient of the norm; attained by Dense, approached by convolutions."""
    rng = np.random.default_rng(2)
    center = rng.standard_normal(layer.weight_size(size_of(layer)))
    rho = 0.5
    a, *_ = constants(layer, input=exact(1), center=center, change=parse("1/2"))
    moved = center.copy()
    for _ in range(8):
        u, s, vt = np.linalg.svd(jacobian(layer, moved))
        slope = u[:, 0] @ jacobian(layer, center, vt[0])  # of uᵀ(A(K)v + c) in (K, c)
        if layer.bias:  # c does not enter the norm
            units = layer.units if isinstance(layer, Dense) else layer.channels
            slope[-units:] = 0.0
        moved = center + rho * slope / np.linalg.norm(slope)
        reached = s[0]
    assert reached <= a * (1 + 1e-12)
    at_center = matrix_norm(jacobian(layer, center))
    assert reached - at_center >= (a - at_center) * (0.999 if isinstance(layer, Dense) else 0.4)


def worst_weight_jacobian(layer, radius):
    """The largest ‖∇₂f‖ on a ball of inputs, by turning y to where it adds most."""
    rng = np.random.default_rng(3)
    w = np.zeros(layer.weight_size(size_of(layer)))
    y, reached = 1.0 + 0.1 * rng.random(size_of(layer)), 0.0
    for _ in range(60):
        y *= radius / np.linalg.norm(y)
        u, s, vt = np.linalg.svd(jacobian(layer, w, y), full_matrices=False)
        reached = max(reached, s[0])
        y = u[:, 0] @ jacobian(layer, vt[0])
    return reached


@pytest.mark.parametrize(
    ("layer", "share"),
    [
        (Conv2d(channels=1, kernel=3, padding=1, bias=False).shaped(((1, 6, 6),)), 0.85),
        (Conv2d(channels=1, kernel=3, padding=1).shaped(((1, 6, 6),)), 0.85),
        (Conv2d(channels=2, kernel=2, stride=2).shaped(((1, 4, 4),)), 1.0),
        (Conv1d(channels=1, kernel=3, padding=1, bias=False).shaped(((1, 40),)), 0.99),
        (Conv1d(channels=2, kernel=3, stride=2, groups=2).shaped(((2, 21),)), 0.95),
        (Dense(units=1).shaped(((3, 2),)), 1.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("radius", [1, 20])
def test_the_weight_constant_is_nearly_attained(layer, share, radius):
    _, b, _ = constants(layer, input=exact(radius), weight=exact(1))
    reached = worst_weight_jacobian(layer, radius)
    assert share * b * (1 - 1e-5) <= reached <= b * (1 + 1e-12)


@pytest.mark.parametrize(
    ("layer", "overlap"),
    [
        (Conv2d(channels=1, kernel=3, padding=1).shaped(((1, 8, 8),)), "3"),
        (Conv2d(channels=1, kernel=3, stride=2, padding=1).shaped(((1, 8, 8),)), "2"),
        (Conv2d(channels=1, kernel=[3, 1], stride=[2, 1]).shaped(((1, 9, 8),)), "sqrt(2)"),
        (Conv1d(channels=1, kernel=5, padding=2).shaped(((1, 3),)), "sqrt(3)"),
        (Conv1d(channels=1, kernel=2, stride=3).shaped(((1, 8),)), "1"),
    ],
)
def test_the_overlap_is_counted_not_bounded_by_taps(layer, overlap):
    found = layer.constants(Region(exact(1), exact(1)), None, reads=False)
    assert str(found.hess_mixed) == overlap
    assert str(found.jac_input) == overlap


@layers
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_layers_of_any_size_stay_below_their_constants(layer, seed):
    rng = np.random.default_rng(seed)
    n, k = size_of(layer), layer.weight_size(size_of(layer))
    center, change = rng.standard_normal(k), float(rng.choice([0.0, 0.3]))
    step = rng.standard_normal(k)
    w = center + change * step / max(np.linalg.norm(step), 1e-300)
    y, other = rng.standard_normal((2, n)) * rng.random()
    radius = float(max(np.linalg.norm(y), np.linalg.norm(other)))
    region = Region(
        parse(radius), center=center, change=parse(change), low=-5.0, high=float(max(y.max(), 0))
    )
    a, b, B = (
        number(getattr(layer.constants(region, None, reads=False), name))
        for name in ("jac_input", "jac_weight", "hess_mixed")
    )
    assert matrix_norm(jacobian(layer, w)) <= a * (1 + 1e-12)
    assert matrix_norm(jacobian(layer, w, y)) <= b * (1 + 1e-12)
    change = jacobian(layer, w, y) - jacobian(layer, w, other)
    assert matrix_norm(change) <= B * np.linalg.norm(y - other) * (1 + 1e-12)


@each([layer for layer in SHAPED if isinstance(layer, MeanPool)])
def test_pooling_norms_are_exact(layer):
    found = matrix_norm(jacobian(layer, np.zeros(0)))
    a, *_ = constants(layer, input=exact(1))
    assert found <= a * (1 + 1e-13)
    assert a <= found * (1 + 1e-11)


@pytest.mark.parametrize(
    ("layer", "norm"),
    [
        (MeanPool().shaped(((7, 3, 3),)), "1/3"),
        (MeanPool(over="tokens").shaped(((5, 2),)), "sqrt(1/5)"),
        (MeanPool(kernel=2).shaped(((1, 4, 4),)), "1/2"),
        (MeanPool(kernel=3, stride=4).shaped(((1, 8),)), "sqrt(1/3)"),
        (MeanPool(kernel=4, padding=1).shaped(((1, 3),)), "sqrt(3)/4"),  # 3 entries in 4
        (MeanPool(kernel=1).shaped(((2, 5),)), "1"),
    ],
)
def test_pooling_norms_without_overlap_are_numbers(layer, norm):
    found = layer.constants(Region(), None, reads=False).jac_input
    assert "measured" not in str(found.node)
    assert number(found) == pytest.approx(number(parse(norm)), rel=1e-15)


def test_a_long_signal_has_the_bound_by_sums(monkeypatch):
    layer = MeanPool(kernel=3, stride=2).shaped(((1, 9),))
    exact_norm = constants(layer, input=exact(1))[0]
    monkeypatch.setattr("boundcalc.operators.mean_pool._WRITTEN_OUT", 0)
    assert exact_norm < constants(layer, input=exact(1))[0] == pytest.approx(np.sqrt(6) / 3)


def test_the_smaller_description_of_the_weights_counts():
    layer = Dense(units=2).shaped(((2,),))
    center = np.array([3.0, 0.0, 0.0, 4.0, 0.0, 0.0])
    for weight, a in ((exact(2), 2.0), (exact(9), 4.5), (None, 4.5)):
        region = {"weight": weight, "center": center, "change": parse("1/2"), "input": exact(1)}
        assert constants(layer, **region)[0] == pytest.approx(a, rel=1e-11)
    assert constants(layer, weight=exact(2), center=center, input=exact(1))[0] == 2.0


def test_the_most_frequent_token_of_a_sample_counts():
    layer = Embedding(vocabulary=9, width=1).shaped(((5,),))
    for sample, most in (
        ([0, 1, 2, 3, 4], "1"),
        ([7, 1, 7, 2, 7], "sqrt(3)"),
        ([4] * 5, "sqrt(5)"),
    ):
        data = Data(np.array([[0.0, 0, 1, 1, 2], sample]), np.zeros(2))
        expected = "sqrt(2)" if most == "1" else most
        assert str(layer.constants(Region(), data, reads=True).jac_weight) == expected
        alone = Data(np.array([sample], dtype=float), np.zeros(1))
        b = layer.constants(Region(), alone, reads=True).jac_weight
        assert str(b) == most
        found = jacobian(layer, np.zeros(9), alone.features[0])
        assert matrix_norm(found) == pytest.approx(number(b))
    assert str(layer.constants(Region(), None, reads=True).jac_weight) == "sqrt(5)"


def test_on_data_the_largest_sample_counts():
    layer = Conv1d(channels=1, kernel=2).shaped(((1, 3),))
    data = Data(np.array([[3.0, 0.0, 4.0], [1.0, 1.0, 1.0]]), np.zeros(2))
    b = layer.constants(Region(weight=exact(1)), data, reads=True).jac_weight
    assert number(b) == pytest.approx(np.sqrt(2 * 25 + 2))


def test_radii_may_be_symbols():
    layer = Conv2d(channels=1, kernel=2, stride=1).shaped(((1, 3, 3),))
    region = Region(parse("R"), parse("S"))
    found = layer.constants(region, None, reads=False)
    assert str(found.jac_input) == "(2 * S)"
    assert found.jac_weight.symbols == {"R"}
    assert layer.output_domain(region, None).radius.symbols == {"R", "S"}
