"""Linear layers, poolings and the embedding: passes as PyTorch's, and windows one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_layers import layers, size_of

from boundcalc.operators.conv1d import Conv1d
from boundcalc.operators.conv2d import Conv2d
from boundcalc.operators.dense import Dense
from boundcalc.operators.embedding import Embedding
from boundcalc.operators.mean_pool import MeanPool
from boundcalc.operators.windows import Windows, gathered, scattered


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
