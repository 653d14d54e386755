"""Linear layers, poolings and the embedding: against PyTorch, loops, and the ends of regions."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from visits import number

from boundcalc.errors import DataError, SpecError
from boundcalc.operators.affine import AffineLayer
from boundcalc.operators.base import Data, Region
from boundcalc.operators.conv1d import Conv1d
from boundcalc.operators.conv2d import Conv2d
from boundcalc.operators.dense import Dense
from boundcalc.operators.embedding import Embedding
from boundcalc.operators.mean_pool import MeanPool
from boundcalc.operators.windows import Windows, gathered, scattered
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse

SHAPED = (
    Dense(units=3).shaped(((4, 5),)),
    Dense(units=2, bias=False).shaped(((2, 3, 2),)),
    Conv1d(channels=4, kernel=3, stride=2, padding=1).shaped(((2, 9),)),
    Conv1d(channels=4, kernel=2, dilation=3, groups=2, bias=False).shaped(((4, 8),)),
    Conv2d(channels=3, kernel=3, padding=1).shaped(((2, 5, 4),)),
    Conv2d(channels=6, kernel=[2, 3], stride=[2, 1], padding=[0, 2], groups=3).shaped(((3, 6, 5),)),
    Conv2d(channels=2, kernel=2, dilation=2, stride=3, bias=False).shaped(((1, 8, 7),)),
    MeanPool().shaped(((3, 4, 5),)),
    MeanPool(over="tokens").shaped(((4, 3),)),
    MeanPool(kernel=3).shaped(((2, 10),)),
    MeanPool(kernel=[2, 3], stride=1, padding=1).shaped(((2, 5, 6),)),
)


def each(layers):
    return pytest.mark.parametrize(
        "layer", layers, ids=lambda layer: f"{layer.type}-{layer.shapes}"
    )


layers = each(SHAPED)


def size_of(layer):
    return int(np.prod(layer.shapes[0]))


def jacobian(layer, w, y=None):
    """In the input, or at y in the weights, (m, n) or (m, k): from the backward pass."""
    rows = np.eye(layer.output_size(size_of(layer)))[None]
    at = np.zeros(size_of(layer)) if y is None else y
    points = np.broadcast_to(at, (1, rows.shape[1], len(at)))
    return layer.vjp(points, w[None], np.zeros((1, rows.shape[1])), rows)[y is not None][0]


def matrix_norm(matrix):
    return float(np.linalg.norm(matrix, 2)) if matrix.size else 0.0


def constants(layer, **region):
    found = layer.constants(Region(**region), None, reads=False)
    return tuple(number(x) for x in (found.jac_input, found.jac_weight, found.hess_mixed))


# Against PyTorch.


def torch_module(torch, layer):
    """The PyTorch module that the operator is named after, made for its input's shape."""
    channels = layer.shapes[0][0]
    match layer:
        case Dense():
            return torch.nn.Linear(layer.shapes[0][-1], layer.units, bias=layer.bias)
        case Conv1d() | Conv2d():
            made = torch.nn.Conv1d if layer.type == "conv1d" else torch.nn.Conv2d
            return made(
                channels,
                layer.channels,
                layer.kernel,
                stride=layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
                groups=layer.groups,
                bias=layer.bias,
            )
        case MeanPool(kernel=None):
            axes = tuple(range(2, len(layer.shapes[0]) + 1))
            return lambda x: x.mean(dim=1 if layer.over == "tokens" else axes)
        case MeanPool():
            pick = 1 if len(layer.shapes[0]) == 2 else slice(None)
            made = torch.nn.AvgPool1d if pick == 1 else torch.nn.AvgPool2d
            stride = None if layer.stride is None else layer.stride[pick]
            return made(layer.kernel[pick], stride, layer.padding[pick])
    raise AssertionError(layer)


@layers
def test_the_passes_are_those_of_pytorch(layer):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    n = size_of(layer)
    y, w = rng.standard_normal((1, 3, n)), rng.standard_normal((1, layer.weight_size(n)))
    module = torch_module(torch, layer)
    parameters = [*module.parameters()] if layer.weight_size(n) else []
    torch.nn.utils.vector_to_parameters(torch.tensor(w[0]), parameters) if parameters else None
    x = torch.tensor(y[0].reshape(3, *layer.shapes[0]), requires_grad=True)
    value = module(x)
    assert tuple(value.shape) == (3, *layer.output_shape)
    output = layer.forward(y, w, np.zeros((1, 3)))
    np.testing.assert_allclose(output[0], value.detach().reshape(3, -1).numpy(), atol=1e-12)

    v = rng.standard_normal(output.shape)
    value.backward(torch.tensor(v[0]).reshape(value.shape))
    back, weight_part = layer.vjp(y, w, np.zeros((1, 3)), v)
    np.testing.assert_allclose(back[0], x.grad.reshape(3, -1).numpy(), atol=1e-12)
    if parameters:
        gradient = torch.cat([p.grad.reshape(-1) for p in parameters]).numpy()
        np.testing.assert_allclose(weight_part[0].sum(axis=0), gradient, atol=1e-11)
        mean = layer.mean_weight_vjp(y, w, np.zeros((1, 3)), v)
        np.testing.assert_allclose(3 * mean[0], gradient, atol=1e-11)


def test_the_embedding_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    layer = Embedding(vocabulary=5, width=3).shaped(((4,),))
    tokens, table = rng.integers(5, size=(1, 6, 4)), rng.standard_normal((2, 15))
    v = rng.standard_normal((2, 6, 12))
    output = layer.forward(tokens.astype(float), table, np.zeros((1, 6)))
    mean = layer.mean_weight_vjp(tokens.astype(float), table, np.zeros((1, 6)), v)
    for r in range(2):
        weight = torch.tensor(table[r].reshape(5, 3), requires_grad=True)
        value = torch.nn.functional.embedding(torch.tensor(tokens[0]), weight)
        np.testing.assert_array_equal(output[r], value.detach().reshape(6, -1).numpy())
        value.backward(torch.tensor(v[r]).reshape(value.shape))
        np.testing.assert_allclose(6 * mean[r], weight.grad.reshape(-1).numpy(), atol=1e-12)


def test_replicas_have_their_own_tokens():
    layer = Embedding(vocabulary=3, width=1).shaped(((2,),))
    tokens = np.array([[[0.0, 2.0]], [[1.0, 1.0]]])
    table = np.array([[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]])
    assert layer.forward(tokens, table, np.zeros((1, 1))).tolist() == [[[1.0, 4.0]], [[20.0, 20.0]]]
    v = np.array([[[1.0, -3.0]]])
    back, weight_part = layer.vjp(tokens, table, np.zeros((1, 1)), v)
    assert not back.any()
    assert weight_part.tolist() == [[[1.0, 0.0, -3.0]], [[0.0, -2.0, 0.0]]]


# Windows.


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_windows_meet_the_entries_that_they_say(data):
    whole = st.integers
    windows = Windows(
        size=data.draw(whole(1, 9)),
        taps=data.draw(whole(1, 4)),
        stride=data.draw(whole(1, 4)),
        padding=data.draw(whole(0, 4)),
        dilation=data.draw(whole(1, 3)),
    )
    met = [
        (o, t, o * windows.stride + t * windows.dilation - windows.padding)
        for o in range(100)
        for t in range(windows.taps)
        if o * windows.stride + windows.reach < windows.size + 2 * windows.padding
    ]
    assert max((o + 1 for o, _, _ in met), default=windows.count) == windows.count
    if windows.count < 1:
        return
    places = [(o, t, i) for o, t, i in met if 0 <= i < windows.size]
    expected = np.zeros((windows.taps, windows.count, windows.size))
    for o, t, i in places:
        expected[t, o, i] = 1.0
    np.testing.assert_array_equal(windows.matrices(), expected)
    assert windows.overlap == expected.sum(axis=(0, 1)).max()
    np.testing.assert_array_equal(windows.inside, expected.sum(axis=(0, 2)))

    grid = (Windows(3, 2, padding=1), windows)
    rng = np.random.default_rng(0)
    images = rng.integers(-9, 9, (2, 3, windows.size)).astype(float)
    seen = gathered(images, grid)
    by_matrix = np.einsum("aih,bjw,nhw->nabij", grid[0].matrices(), expected, images)
    np.testing.assert_array_equal(seen, by_matrix)
    other = rng.integers(-9, 9, seen.shape).astype(float)
    assert np.sum(scattered(other, grid) * images) == np.sum(other * seen)


# Constants that are attained.


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


# Where outputs lie.


def test_the_box_of_fixed_weights_is_attained():
    layer = Dense(units=2).shaped(((2,),))
    center = np.array([1.0, -2.0, 0.5, 0.5, 10.0, 0.0])  # rows (1, −2) and (½, ½), c = (10, 0)
    region = Region(parse("sqrt(18)"), low=-1.0, high=3.0, center=center, change=exact(0))
    domain = layer.output_domain(region, None)
    assert domain.low == pytest.approx(-1.0)  # the second row at (−1, −1)
    assert domain.high == pytest.approx(15.0)  # the first at (3, −1)
    moved = layer.output_domain(
        Region(exact(5), low=-1, high=3, center=center, change=exact(1)), None
    )
    spread = np.sqrt(2 * 9 + 1)  # of [y 1] on the box
    assert moved.low == pytest.approx(-1.0 - spread)
    assert moved.high == pytest.approx(15.0 + spread)


def test_the_output_ball_takes_the_smaller_description():
    layer = Dense(units=2).shaped(((3, 2),))
    center = np.array([3.0, 0.0, 0.0, 4.0, 1.0, 2.0])
    around = Region(exact(2), center=center, change=exact(0))
    # ‖W‖R_y + √3‖c‖
    assert number(layer.output_domain(around, None).radius) == pytest.approx(8 + np.sqrt(15))
    both = Region(exact(2), weight=exact(1), center=center, change=exact(0))
    assert number(layer.output_domain(both, None).radius) == pytest.approx(np.sqrt(4 + 3))
    without = Dense(units=2, bias=False).shaped(((3, 2),))
    assert str(without.output_domain(Region(exact(2), exact(3)), None).radius) == "(2 * 3)"


def test_zeros_of_the_padding_count():
    layer = Conv1d(channels=1, kernel=2, padding=1, bias=False).shaped(((1, 3),))
    region = Region(exact(9), low=2.0, high=4.0, center=np.array([1.0, -1.0]), change=exact(0))
    domain = layer.output_domain(region, None)
    assert (domain.low, domain.high) == pytest.approx((-4.0, 4.0))
    pool = MeanPool(kernel=2, padding=1).shaped(((1, 4),))
    assert pool.output_domain(region, None).low == 0.0
    inner = MeanPool(kernel=2).shaped(((1, 4),)).output_domain(region, None)
    assert (inner.low, inner.high) == (2.0, 4.0)


def test_nothing_is_known_of_an_unbounded_region():
    for layer in (Dense(units=1).shaped(((2,),)), MeanPool().shaped(((2, 2),))):
        domain = layer.output_domain(Region(), None)
        assert (domain.radius, domain.low, domain.high) == (None, -np.inf, np.inf)
    weights_only = (
        Dense(units=1)
        .shaped(((2,),))
        .output_domain(Region(center=np.zeros(3), change=exact(0)), None)
    )
    assert (weights_only.low, weights_only.high) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_where_an_embedding_lies():
    layer = Embedding(vocabulary=2, width=2).shaped(((3,),))
    center = np.array([3.0, 4.0, 0.0, 1.0])
    data = Data(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]), np.zeros(2))
    region = Region(center=center, change=parse("1/2"))
    domain = layer.output_domain(region, data)
    assert number(domain.radius) == pytest.approx(5 * np.sqrt(3) + np.sqrt(2) / 2)
    assert (domain.low, domain.high) == pytest.approx((-0.5, 4.5))
    assert number(layer.output_domain(Region(weight=exact(2)), None).radius) == pytest.approx(
        2 * np.sqrt(3)
    )


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


# What is refused.


@pytest.mark.parametrize(
    ("layer", "shape", "texts"),
    [
        (Dense(units=2), (), ["no last axis", "()"]),
        (Dense(units=2), (3, 0), ["(3, 0)"]),
        (Conv1d(channels=2, kernel=2), (3, 4, 4), ["(3, 4, 4)", "(channels, length)"]),
        (Conv2d(channels=2, kernel=2), (3, 4), ["(3, 4)", "(channels, height, width)"]),
        (Conv2d(channels=2, kernel=2), (3, 4, 0), ["(3, 4, 0)", "none of them 0"]),
        (Conv2d(channels=2, kernel=5, padding=[0, 1]), (3, 4, 4), ["(3, 4, 4)", "window of 5"]),
        (Conv1d(channels=2, kernel=3, dilation=4), (1, 8), ["(1, 8)", "window of 9"]),
        (Conv1d(channels=4, kernel=1, groups=2), (3, 8), ["input channels", "(3, 8)", "2 groups"]),
        (Conv1d(channels=3, kernel=1, groups=2), (4, 8), ["output channels", "3 output"]),
        (MeanPool(), (4,), ["nothing to average", "(4,)"]),
        (MeanPool(kernel=3), (1, 2), ["longer than its input", "(1, 2)"]),
        (MeanPool(kernel=[1, 3]), (1, 9), ["one length", "(1, 9)"]),
        (MeanPool(kernel=3), (9,), ["(9,)", "(channels, height, width)"]),
        (Embedding(vocabulary=3, width=1), (), ["no tokens"]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(layer, shape, texts):
    with pytest.raises(SpecError) as caught:
        layer.shaped((shape,))
    for text in texts:
        assert text in str(caught.value)


def test_a_convolution_needs_a_shape():
    with pytest.raises(SpecError, match="no shape yet"):
        Conv2d(channels=1, kernel=1).output_size(4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Conv2d(channels=0, kernel=1), "greater than or equal to 1"),
        (lambda: Conv2d(channels=1, kernel=[1, 2, 3]), "at most 2 items"),
        (lambda: Conv2d(channels=1, kernel=0), "greater than or equal to 1"),
        (lambda: Conv2d(channels=1, kernel=True), "not a number"),
        (lambda: Conv2d(channels=1, kernel=1.5), "tuple"),
        (lambda: Conv2d(channels=1, kernel=1, padding=-1), "greater than or equal to 0"),
        (lambda: Conv1d(channels=1, kernel=[3]), "integer"),
        (lambda: MeanPool(stride=2), "there is no window"),
        (lambda: MeanPool(padding=1), "there is no window"),
        (lambda: MeanPool(kernel=2, over="tokens"), "not over tokens"),
        (lambda: MeanPool(over="rows"), "'positions' or 'tokens'"),
        (lambda: Embedding(vocabulary=0, width=2), "greater than or equal to 1"),
    ],
)
def test_parameters_are_checked(make, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        make()


def test_one_number_stands_for_rows_and_columns():
    assert Conv2d(channels=1, kernel=3) == Conv2d(channels=1, kernel=[3, 3], stride=(1, 1))
    schema = Conv2d.model_json_schema()["properties"]
    assert schema["stride"]["default"] == 1
    assert schema["kernel"]["anyOf"][0] == {"type": "integer", "minimum": 1}


@pytest.mark.parametrize("bad", [-1.0, 3.0, 0.5, np.nan, np.inf])
def test_tokens_outside_the_vocabulary_are_named(bad):
    layer = Embedding(vocabulary=3, width=1).shaped(((2,),))
    tokens = np.array([[0.0, 1.0], [2.0, bad]])
    message = r"^sample 2, token 2: a token is not in the vocabulary"
    with pytest.raises(DataError, match=message):
        layer.constants(Region(), Data(tokens, np.zeros(2)), reads=True)
    with pytest.raises(DataError, match=message):
        layer.forward(tokens[None], np.zeros((1, 3)), np.zeros((1, 2)))


def test_weights_that_are_not_numbers_are_named():
    layer = Dense(units=2).shaped(((2,),))
    center = np.array([1.0, 2.0, 3.0, np.nan, 5.0, 6.0])
    region = Region(exact(1), center=center, change=exact(0))
    for ask in (layer.input_constants, layer.output_domain):
        with pytest.raises(DataError, match=r"^\[3\]: weights"):
            ask(region, None)


def test_radii_may_be_symbols():
    layer = Conv2d(channels=1, kernel=2, stride=1).shaped(((1, 3, 3),))
    region = Region(parse("R"), parse("S"))
    found = layer.constants(region, None, reads=False)
    assert str(found.jac_input) == "(2 * S)"
    assert found.jac_weight.symbols == {"R"}
    assert layer.output_domain(region, None).radius.symbols == {"R", "S"}


def test_without_a_bound_on_weights_the_constant_is_asked_for():
    layer = Conv1d(channels=1, kernel=2).shaped(((1, 3),))
    with pytest.raises(SpecError, match="jac_input of a `conv1d` operator needs a bound"):
        layer.constants(Region(input=exact(1)), None, reads=False)
    with pytest.raises(SpecError, match="jac_weight of a `conv1d` operator needs a bound"):
        layer.constants(Region(weight=exact(1)), None, reads=False)


def test_on_data_the_largest_sample_counts():
    layer = Conv1d(channels=1, kernel=2).shaped(((1, 3),))
    data = Data(np.array([[3.0, 0.0, 4.0], [1.0, 1.0, 1.0]]), np.zeros(2))
    b = layer.constants(Region(weight=exact(1)), data, reads=True).jac_weight
    assert number(b) == pytest.approx(np.sqrt(2 * 25 + 2))
