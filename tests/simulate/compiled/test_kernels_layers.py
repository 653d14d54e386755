"""Kernels of layers: equal to the NumPy operators, on blocks that are not full as well."""

from __future__ import annotations

from ctypes import CDLL
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate.compiled.any_size import AnySize, source
from simulate.compiled.harness import compare, library, needs_compiler

from boundcalc.operators import (
    OPERATORS,
    Add,
    Attention,
    Bilinear,
    Concat,
    ControlStep,
    Conv1d,
    Conv2d,
    Dense,
    Embedding,
    GradientStep,
    Identity,
    LayerNorm,
    MeanPool,
    Multiply,
    Operator,
    QuadraticCost,
    RMSNorm,
    Select,
)
from boundcalc.simulate.compiled.kernels import inputs_of
from boundcalc.simulate.compiled.kernels_layers import LAYERS

Array = npt.NDArray[np.float64]
pytestmark = needs_compiler

LANES = 32

ROWS = [[2, "1/3", 0], [1, -1, "sqrt(2)"], ["1/2", 4, 3]]
MATRIX = [[2, "1/3", -1], ["1/3", -1, "sqrt(2)"], [-1, "sqrt(2)", 3]]

#: Operators with their input shapes.
CASES: dict[str, tuple[Operator, tuple[tuple[int, ...], ...]]] = {
    "dense": (Dense(units=7), ((5,),)),
    "dense-one-unit": (Dense(units=1), ((6,),)),
    "dense-one-input": (Dense(units=5, bias=False), ((1,),)),
    "dense-tokens": (Dense(units=8), ((2, 3, 4),)),
    "dense-tiles": (Dense(units=26), ((17,),)),
    "dense-panels": (Dense(units=3), ((600,),)),
    "dense-deep": (Dense(units=523, bias=False), ((4,),)),
    "conv1d": (Conv1d(channels=5, kernel=3), ((2, 9),)),
    "conv1d-all": (
        Conv1d(channels=6, kernel=3, stride=2, padding=3, dilation=2, groups=2, bias=False),
        ((4, 11),),
    ),
    "conv1d-wide": (Conv1d(channels=3, kernel=5, padding=4), ((60, 6),)),
    "conv1d-many": (Conv1d(channels=300, kernel=1), ((2, 2),)),
    "conv2d": (Conv2d(channels=9, kernel=(3, 2), padding=(1, 0)), ((3, 4, 5),)),
    "conv2d-all": (
        Conv2d(channels=4, kernel=(2, 3), stride=(2, 1), padding=(1, 2), dilation=(3, 2), groups=4),
        ((4, 5, 6),),
    ),
    "mean_pool": (MeanPool(), ((3, 2, 4),)),
    "mean_pool-tokens": (MeanPool(over="tokens"), ((4, 2, 3),)),
    "mean_pool-signal": (MeanPool(kernel=3, stride=2, padding=1), ((2, 8),)),
    "mean_pool-image": (MeanPool(kernel=(2, 3), stride=(1, 2), padding=(1, 0)), ((2, 4, 7),)),
    "attention": (Attention(), ((3, 4), (5, 4), (5, 2))),
    "attention-heads": (Attention(heads=3, causal=True), ((4, 6), (4, 6), (4, 9))),
    "attention-one": (Attention(), ((1, 1), (1, 1), (1, 1))),
    "layer_norm": (LayerNorm(), ((6,),)),
    "layer_norm-tokens": (LayerNorm(eps="1/10"), ((2, 3, 4),)),
    "layer_norm-bare": (LayerNorm(scale_and_shift=False), ((2, 5),)),
    "rms_norm": (RMSNorm(), ((3, 4),)),
    "rms_norm-bare": (RMSNorm(scale=False, eps="sqrt(2)"), ((7,),)),
    "embedding": (Embedding(vocabulary=6, width=3), ((4,),)),
    "bilinear": (Bilinear(), ((9,),)),
    "multiply": (Multiply(), ((2, 3), (2, 3))),
    "add": (Add(), ((4,), (4,), (4,))),
    "add-factors": (Add(factors=(1, "-1/3", "sqrt(2)")), ((2, 2),) * 3),
    "add-one": (Add(factors=("1/7",)), ((3,),)),
    "concat": (Concat(), ((2,), (3,), (1,))),
    "concat-axis": (Concat(axis=-1), ((2, 1), (2, 3))),
    "identity": (Identity(shape=(6,)), ((2, 3),)),
    "identity-axes": (Identity(axes=(2, 0, 1)), ((2, 3, 4),)),
    "select": (Select(start=1, stop=4), ((6,),)),
    "select-step": (Select(start=2, step=3), ((3, 4),)),
    "gradient_step-diagonal": (
        GradientStep(objective="quadratic", hessian=["1", "1/4", -2], linear=[1, 0, "1/3"]),
        ((3,),),
    ),
    "gradient_step-matrix": (
        GradientStep(objective="quadratic", hessian=MATRIX, linear=[1, 2, 3], per_coordinate=True),
        ((3,),),
    ),
    "gradient_step-logistic": (
        GradientStep(objective="logistic", rows=ROWS[:2], labels=[1, -1], ridge="1/5"),
        ((3,),),
    ),
    "gradient_step-each": (
        GradientStep(objective="logistic", rows=ROWS, labels=[1, -1, 1], per_coordinate=True),
        ((3,),),
    ),
    "control_step-first": (
        ControlStep(state_matrix=ROWS, control_matrix=[[1, 2], [0, "1/3"], [-1, 1]]),
        ((3,),),
    ),
    "control_step": (
        ControlStep(state_matrix=ROWS, control_matrix=[[1, 2], [0, "1/3"], [-1, 1]]),
        ((5,),),
    ),
    "quadratic_cost-diagonal": (QuadraticCost(diagonal=[2, 0, "1/3"], linear=[1, 2, -3]), ((3,),)),
    "quadratic_cost": (QuadraticCost(matrix=ROWS), ((3,),)),
}


def made(name: str) -> Operator:
    operator, shapes = CASES[name]
    return operator.shaped(shapes)


def arrays(operator: Operator, samples: int, seed: int = 0) -> tuple[Array, Array, Array, Array]:
    """y, w, labels and v for one replica."""
    rng = np.random.default_rng(seed)
    n = inputs_of(operator)
    y = rng.normal(size=(samples, n))
    if isinstance(operator, Embedding):
        y = rng.integers(operator.vocabulary, size=(samples, n)).astype(float)
    w = rng.normal(size=operator.weight_size(n))
    v = rng.normal(size=(samples, operator.output_size(n)))
    return y, w, np.zeros(samples), v


def close(operator: Operator) -> float:
    """An absolute difference: rounding of sums that cancel, in units of their terms."""
    n, m = inputs_of(operator), operator.output_size(inputs_of(operator))
    return 1e-14 * max(n, m)


def test_every_layer_is_tried() -> None:
    assert {operator.type for operator, _ in CASES.values()} == set(LAYERS) <= set(OPERATORS)


def agree(operator: Operator, samples: int, real: str = "double", seed: int = 0) -> None:
    """One compilation for all shapes: equal to the operator, whatever is asked for."""
    y, w, labels, v = (single(x) if real == "float" else x for x in arrays(operator, samples, seed))
    kernel = LAYERS[operator.type](operator)
    one = (y[None], w[None], labels[None])
    value = operator.forward(*one)[0]
    back, grads = (part[0] for part in operator.vjp(*one, v[None]))
    runner = AnySize(libraries(real), kernel, real, LANES)
    rtol, atol = (1e-12, close(operator)) if real == "double" else (2e-5, 4e-6 * max(8, y.shape[1]))
    found = runner.forward(y, w, labels, v.shape[1])
    np.testing.assert_allclose(found, value, rtol=rtol, atol=atol)
    found_back, found_grad = runner.backward(y, w, labels, v, True, True, True)
    assert found_back is not None
    assert found_grad is not None
    np.testing.assert_allclose(found_back, back, rtol=rtol, atol=atol)
    np.testing.assert_allclose(found_grad, grads.sum(axis=0), rtol=rtol, atol=atol * samples)
    alone, nothing = runner.backward(y, w, labels, v, False, True, False)
    assert nothing is None
    np.testing.assert_array_equal(alone, found_back)
    nothing, alone = runner.backward(y, w, labels, v, False, False, True)
    assert nothing is None
    np.testing.assert_array_equal(alone, found_grad)


def single(x: Array) -> Array:
    return x.astype(np.float32).astype(np.float64)


@cache
def libraries(real: str) -> CDLL:
    sizes = {}
    for name in CASES:
        kernel = LAYERS[made(name).type](made(name))
        sizes[kernel.name] = len(kernel.sizes)
    return library(source(sizes, real, LANES))


#: One of each kernel, and of each way through its code that constant sizes choose.
CONSTANT = (
    *("dense-one-unit", "dense-tiles", "conv2d-all", "attention-heads", "layer_norm-tokens"),
    *("rms_norm-bare", "select-step", "gradient_step-matrix"),
)


@pytest.mark.parametrize("name", CONSTANT)
def test_kernel_with_constant_sizes_is_the_operator(name: str) -> None:
    compare_constant(name)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted({*CASES} - {*CONSTANT}))
def test_every_kernel_with_constant_sizes_is_the_operator(name: str) -> None:
    compare_constant(name)


def compare_constant(name: str) -> None:
    operator = made(name)
    y, w, labels, v = arrays(operator, samples=45)  # blocks of 32 and 13
    compare(operator, LAYERS[operator.type](operator), y, w, labels, v, atol=close(operator))


@pytest.mark.parametrize("name", CASES)
def test_kernel_is_the_operator(name: str) -> None:
    for samples in (1, 45, 64):
        agree(made(name), samples)


@pytest.mark.parametrize("name", CASES)
def test_single_precision_is_within_its_rounding(name: str) -> None:
    agree(made(name), 45, "float")


small = st.integers(1, 9)


@st.composite
def layers(draw: st.DrawFn) -> Operator:
    a, b, c, heads = draw(small), draw(small), draw(small), draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["dense", "conv1d", "conv2d", "attention", "norm", "pool"]))
    if kind == "dense":
        units, bias = draw(st.integers(1, 30)), draw(st.booleans())
        return Dense(units=units, bias=bias).shaped(((a, b * c),))
    if kind == "attention":
        causal = draw(st.booleans())
        keys = a if causal else b
        shapes = ((a, heads * c), (keys, heads * c), (keys, heads * draw(small)))
        return Attention(heads=heads, causal=causal).shaped(shapes)
    if kind == "norm":
        norm = draw(st.sampled_from([LayerNorm, RMSNorm]))
        return norm(eps=draw(st.sampled_from(["1/10", 1]))).shaped(((a, b + 1),))
    taps, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    padding, dilation = draw(st.integers(0, 3)), draw(st.integers(1, 2))
    if kind == "pool":
        pool = MeanPool(kernel=(1, taps), stride=(stride, 1), padding=(0, padding))
        return pool.shaped(((a, b, c + taps),))
    options = {"channels": heads * draw(st.integers(1, 9)), "groups": heads, "padding": padding}
    if kind == "conv1d":
        conv = Conv1d(kernel=taps, stride=stride, dilation=dilation, **options)
        return conv.shaped(((heads * a, b + dilation * taps),))
    image = Conv2d(kernel=(2, taps), stride=(stride, 2), dilation=(3, dilation), **options)
    return image.shaped(((heads * (1 + a // 3), b + 3, c + dilation * taps),))


@settings(max_examples=80, deadline=None)
@given(operator=layers(), samples=st.integers(1, 70), seed=st.integers(0, 1000))
def test_random_layers(operator: Operator, samples: int, seed: int) -> None:
    agree(operator, samples, seed=seed)


def runner_of(operator: Operator) -> AnySize:
    return AnySize(libraries("double"), LAYERS[operator.type](operator), "double", LANES)


def test_gradients_are_added_to_what_is_there() -> None:
    # Two blocks add up: the gradient of all samples is that of the first and the others.
    for name in ("dense", "conv2d", "layer_norm", "embedding", "bilinear", "control_step"):
        operator = made(name)
        y, w, labels, v = arrays(operator, samples=40)
        run = runner_of(operator)
        whole, first, rest = (
            run.backward(y[part], w, labels[part], v[part], False, False, True)[1]
            for part in (slice(None), slice(0, 19), slice(19, None))
        )
        assert whole is not None
        np.testing.assert_allclose(whole, first + rest, rtol=1e-12, atol=1e-12)


def test_not_finite_numbers_reach_their_own_sample_only() -> None:
    for name in ("dense-tiles", "conv2d", "attention", "layer_norm", "gradient_step-logistic"):
        operator = made(name)
        y, w, labels, v = arrays(operator, samples=20)
        run = runner_of(operator)
        clean, (clean_back, _) = (
            run.forward(y, w, labels, v.shape[1]),
            run.backward(y, w, labels, v, False, True, True),
        )
        for wrong in (np.nan, np.inf):
            broken = y.copy()
            broken[7] = wrong
            value = run.forward(broken, w, labels, v.shape[1])
            back, _ = run.backward(broken, w, labels, v, False, True, True)
            assert back is not None
            assert clean_back is not None
            assert not np.isfinite(value[7]).all()
            others = np.arange(20) != 7
            np.testing.assert_array_equal(value[others], clean[others])
            np.testing.assert_array_equal(back[others], clean_back[others])


def test_attention_with_scores_far_apart() -> None:
    # Powers neither overflow nor lose the small weights' part of the product.
    operator = made("attention")
    y, w, labels, v = arrays(operator, samples=9)
    y[:, : 3 * 4 + 5 * 4] *= 8
    run = runner_of(operator)
    one = (y[None], w[None], labels[None])
    back = operator.vjp(*one, v[None])[0][0]
    found, _ = run.backward(y, w, labels, v, False, True, False)
    assert found is not None
    np.testing.assert_allclose(found, back, rtol=1e-9, atol=1e-12)
    y[:, : 3 * 4 + 5 * 4] *= 1e3
    np.testing.assert_allclose(
        run.forward(y, w, labels, v.shape[1]), operator.forward(*one)[0], rtol=1e-12, atol=1e-13
    )


def test_attention_pulls_twice_from_what_it_kept() -> None:
    # The room that it works in is behind the weights it keeps.
    operator = made("attention-heads")
    y, w, labels, v = arrays(operator, samples=5)
    run = runner_of(operator)
    saved = run._forward(0, y, w, labels, None)
    backs = []
    for _ in range(2):
        back = run._room(y.shape[1])
        inputs = (run._block(y, 0), run._flat(w), run._block(labels[:, None], 0))
        run._call("backward", 5, *inputs, saved, run._block(v, 0), back, None)
        backs.append(back[:-1, :5])
    np.testing.assert_array_equal(*backs)


def test_a_number_that_is_no_token_is_nan() -> None:
    operator = made("embedding")
    y = np.array([[0.0, 6.0, -1.0, 1.5], [5.0, np.nan, np.inf, 1e30]])
    w, labels = arrays(operator, 2)[1:3]
    value = runner_of(operator).forward(y, w, labels, 12).reshape(2, 4, 3)
    assert np.isfinite(value[:, 0]).all()
    assert np.isnan(value[:, 1:]).all()
    _, grad = runner_of(operator).backward(y, w, labels, np.ones((2, 12)), False, True, True)
    assert grad is not None
    np.testing.assert_array_equal(grad.reshape(6, 3)[:, 0], [1, 0, 0, 0, 0, 1])


def test_parameters_are_no_constants_of_the_source() -> None:
    # A sweep over them compiles once.
    for one, other in (
        (LayerNorm(), LayerNorm(eps=1)),
        (Add(factors=(1, 2)), Add(factors=(3, "sqrt(2)"))),
        (QuadraticCost(diagonal=[1, 2]), QuadraticCost(diagonal=[3, 4], linear=[1, 1])),
    ):
        shapes = ((2,), (2,)) if isinstance(one, Add) else ((2,),)
        kernels = [LAYERS[x.type](x.shaped(shapes)) for x in (one, other)]
        assert kernels[0].sizes == kernels[1].sizes
        assert not np.array_equal(kernels[0].parameters, kernels[1].parameters)
