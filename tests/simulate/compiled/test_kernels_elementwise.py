"""Kernels of activations and losses against the operators, which are NumPy."""

from dataclasses import dataclass
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtr
from simulate.compiled.harness import compare, needs_compiler, run_backward, run_forward

from boundcalc.arithmetic import FLOATS
from boundcalc.operators import (
    GELU,
    CrossEntropyLoss,
    HuberLoss,
    Inner,
    LeakyReLU,
    LogisticLoss,
    Quadratic,
    ReLU,
    Sigmoid,
    SiLU,
    Sine,
    Softmax,
    Softplus,
    Spline,
    Square,
    SquaredLoss,
    Tanh,
)
from boundcalc.simulate.compiled.kernels_elementwise import ELEMENTWISE

pytestmark = needs_compiler

ACTIVATIONS = {
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "softplus": Softplus,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "gelu": GELU,
    "gelu_tanh": lambda **given: GELU(approximation="tanh", **given),
    "silu": SiLU,
    "sine": Sine,
    "square": Square,
}


@dataclass(frozen=True, eq=False)
class Sample:
    """Arrays for one operator: M samples whose inputs have a given size."""

    y: np.ndarray
    w: np.ndarray
    labels: np.ndarray
    v: np.ndarray

    @property
    def all(self):
        return self.y, self.w, self.labels, self.v


def sample(operator, seed, size, count=37, labels=(-1.0, 1.0)):
    rng = np.random.default_rng(seed)
    n = sum(prod(shape) for shape in operator.shapes)
    # Sizes of many orders, and exact zeros.
    y = rng.normal(size=(count, n)) * size ** rng.uniform(0, 1, (count, n))
    y *= rng.random((count, n)) > 0.05
    w = rng.normal(size=operator.weight_size(n))
    v = rng.normal(size=(count, operator.output_size(n)))
    return Sample(y, w, rng.choice(labels, count), v)


def in_both(operator, given, real="double"):
    """Value, products and gradient, of the kernel and of the operator."""
    y, w, labels, v = (rounded(x, real) for x in given.all)
    kernel = ELEMENTWISE[operator.type](operator)
    with np.errstate(all="ignore"):
        value = operator.forward(y[None], w[None], labels[None])[0]
        back, grads = (x[0] for x in operator.vjp(y[None], w[None], labels[None], v[None]))
    found = run_forward(kernel, y, w, labels, v.shape[1], real=real)
    return (found, *run_backward(kernel, y, w, labels, v, real=real)), (value, back, grads)


def rounded(x, real):
    return x.astype(np.float32 if real == "float" else np.float64).astype(np.float64)


def agree(found, expected, scale, share, floor=0.0):
    """|found − expected| ≤ share·scale + floor, and the same where that is not finite."""
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(found[~finite], expected[~finite])
    allowed = np.broadcast_to(share * scale + floor, expected.shape)
    gap = np.abs(np.asarray(found, np.float64) - expected)
    assert (gap[finite] <= allowed[finite]).all(), np.max(gap[finite] / allowed[finite])


def slopes_without_cancelling(name, t):
    """Sums of sizes of φ′'s terms, where it is a sum that may vanish."""
    if name == "gelu":
        return ndtr(t) + np.abs(t) * np.exp(-t * t / 2) / np.sqrt(2 * np.pi)
    if name == "gelu_tanh":
        t = np.clip(t, -40, 40)
        q = np.sqrt(8 / np.pi) * (t + 0.044715 * t**3)
        slope = np.sqrt(8 / np.pi) * (1 + 3 * 0.044715 * t**2)
        return expit(q) * (1 + np.abs(t) * slope * expit(-q))
    if name == "silu":
        return expit(t) * (1 + np.abs(t) * expit(-t))
    return None


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", list(ACTIVATIONS))
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([1e-9, 1e-3, 1.0, 30.0, 700.0, 1e9]))
def test_activations_agree_in_double_precision(name, bias, seed, size):
    operator = ACTIVATIONS[name](scale="3/2", bias=bias).shaped(((3,),))
    given = sample(operator, seed, size)
    (value, back, grad), (exact, exact_back, grads) = in_both(operator, given)
    # Below the normal range there are fewer digits, and SciPy's erfc is 0.
    floor = np.finfo(np.float64).smallest_normal * (2 + 2 * np.abs(given.v).max() + size)
    agree(value, exact, np.abs(exact), 1e-12, floor)
    slopes = slopes_without_cancelling(name, given.y + given.w if bias else given.y)
    scale = np.abs(exact_back) if slopes is None else 1.5 * slopes * np.abs(given.v)
    agree(back, exact_back, scale, 1e-12, floor)
    if bias:
        agree(grad, grads.sum(axis=0), scale.sum(axis=0), 1e-12, len(given.y) * floor)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([1e-3, 1.0, 10.0, 80.0]))
def test_activations_in_single_precision(name, seed, size):
    operator = ACTIVATIONS[name](scale="3/2", bias=True).shaped(((3,),))
    given = sample(operator, seed, size)
    (value, back, grad), (exact, exact_back, grads) = in_both(operator, given, "float")
    # y + w is off by 2^-24·(|y| + |w|), and so is an exponent by that; q by more, q′ ≤ 1 + t².
    t = np.abs(given.y) + np.abs(given.w)
    share = 1e-6 * (1 + t * np.abs(t) if name.startswith("gelu") else 1 + t)
    floor = np.finfo(np.float32).smallest_normal * (1 + t) * (1 + np.abs(given.v))
    if name == "sine":  # next to a zero that error is not relative
        floor = floor + 1e-6 * t * (1 + np.abs(given.v))
    agree(value, exact, np.abs(exact), share, floor)
    slopes = slopes_without_cancelling(name, given.y + given.w)
    scale = np.abs(exact_back) if slopes is None else 1.5 * slopes * np.abs(given.v)
    agree(back, exact_back, scale, share, floor)
    agree(grad, grads.sum(axis=0), scale.sum(axis=0), 3 * share.max(axis=0), floor.sum(axis=0))


@pytest.mark.parametrize("name", list(ACTIVATIONS))
@pytest.mark.parametrize("real", ["double", "float"])
def test_activations_at_kinks_zeros_and_infinities(name, real):
    operator = ACTIVATIONS[name](scale="3/2").shaped(((1,),))
    points = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1e4, -1e4, 1e30])
    y, ones = points[:, None], np.ones((len(points), 1))
    given = Sample(y, np.empty(0), np.ones(len(points)), ones)
    (value, back, _), (exact, exact_back, _) = in_both(operator, given, real)
    with np.errstate(over="ignore"):
        dtype = np.float32 if real == "float" else np.float64
        exact, exact_back = exact.astype(dtype), exact_back.astype(dtype)
    share = 1e-14 if real == "double" else 1e-6
    np.testing.assert_allclose(value, exact, rtol=share, atol=2e-45)
    np.testing.assert_allclose(back, exact_back, rtol=share, atol=2e-45)


@st.composite
def splines(draw):
    quarters = st.integers(-12, 12).map(lambda k: f"{k}/4")

    def column():
        count = draw(st.sampled_from([0, 2, 5]))  # each count is another compilation
        steps = draw(st.lists(st.integers(1, 8), min_size=count, max_size=count))
        knots = np.cumsum(steps) - draw(st.integers(-4, 30))
        inner = [draw(quarters) for _ in steps[2:]]
        return [f"{k}/4" for k in knots], [0, *inner, 0][:count]

    knots, second = column()
    weight_knots, weight_first = column()
    return Spline(
        slope=draw(quarters),
        knots=knots,
        second=second,
        weight_value=draw(quarters),
        weight_knots=weight_knots,
        weight_first=weight_first,
    ).shaped(((1,),))


def test_the_makers_state_sizes_and_numbers():
    kernel = ELEMENTWISE["leaky_relu"](LeakyReLU(slope="1/8", scale=2, bias=True).shaped(((2, 3),)))
    assert (kernel.name, kernel.sizes, kernel.saved) == ("leaky_relu", (6, 1), 0)
    assert kernel.parameters.tolist() == [2, 0.125]
    kernel = ELEMENTWISE["softmax"](Softmax(temperature="1/2").shaped(((2, 3),)))
    assert (kernel.sizes, kernel.saved, kernel.parameters.tolist()) == ((2, 3), 6, [0.5])
    kernel = ELEMENTWISE["gelu"](GELU(approximation="tanh").shaped(((4,),)))
    assert (kernel.name, kernel.sizes, kernel.saved) == ("gelu_tanh", (4, 0), 4)


LOSSES = {
    "logistic": (LogisticLoss().shaped(((1,),)), (-1.0, 1.0)),
    "squared": (SquaredLoss().shaped(((1,),)), (-1.0, 0.5, 3.0)),
    "huber": (HuberLoss(delta="3/2").shaped(((1,),)), (-1.0, 0.5, 3.0)),
    "cross_entropy": (CrossEntropyLoss().shaped(((4,),)), (0.0, 1.0, 2.0, 3.0)),
    "inner": (Inner().shaped(((3,), (3,))), (0.0,)),
    "quadratic": (Quadratic().shaped(((3,),)), (0.0,)),
    "softmax": (Softmax(temperature="1/2").shaped(((2, 3),)), (0.0,)),
}


def terms(name, operator, given):
    """The sizes of the terms that the value, the product and the gradient are sums of."""
    y, v = np.abs(given.y), np.abs(given.v)
    if name in ("inner", "quadratic"):
        one = y[None], np.abs(given.w)[None], given.labels[None]
        return operator.forward(*one)[0], *(part[0] for part in operator.vjp(*one, v[None]))
    one = given.y[None], given.w[None], given.labels[None]
    value = operator.forward(*one)[0]
    back, grads = (part[0] for part in operator.vjp(*one, given.v[None]))
    if name == "softmax":
        # (v − a constant) at one entry, and its mean: at most twice the largest |v − constant|.
        p, v = value.reshape(len(y), 2, 3), given.v.reshape(len(y), 2, 3)
        pivot = np.take_along_axis(v, p.argmax(axis=-1)[..., None], axis=-1)
        mean = (p * np.abs(v - pivot)).sum(axis=-1, keepdims=True)
        back = (2 * p * (np.abs(v - pivot) + mean)).reshape(y.shape)
    return np.abs(value), np.abs(back), np.abs(grads)


@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize("name", list(LOSSES))
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([1e-9, 1e-3, 1.0, 30.0, 700.0, 1e6]))
def test_losses_and_products_agree(name, real, seed, size):
    operator, labels = LOSSES[name]
    size = min(size, 30.0) if real == "float" else size
    given = sample(operator, seed, size, labels=labels)
    given = Sample(*(rounded(x, real) for x in given.all))
    (value, back, grad), (exact, exact_back, grads) = in_both(operator, given, real)
    of_value, of_back, of_grads = terms(name, operator, given)
    most = 2 * np.abs(given.y).max() + 3
    share = 1e-12 if real == "double" else 1e-6 * most
    limits = np.finfo(np.float64 if real == "double" else np.float32)
    floor = limits.smallest_normal * most * (1 + np.abs(given.v).max())
    agree(value, exact, of_value, share, floor)
    agree(back, exact_back, of_back, share, floor)
    agree(grad, grads.sum(axis=0), of_grads.sum(axis=0), share, len(given.y) * floor)


@pytest.mark.parametrize("name", ["logistic", "squared", "huber", "cross_entropy", "softmax"])
def test_losses_at_infinities_and_ties(name):
    operator, labels = LOSSES[name]
    points = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.5, -1.5, 800.0, 1e300]
    n = sum(prod(shape) for shape in operator.shapes)
    columns = np.array(np.meshgrid(*[points] * min(n, 3))).reshape(min(n, 3), -1).T
    y = np.zeros((len(columns), n))
    y[:, : columns.shape[1]] = columns
    given = sample(operator, 3, 1.0, len(y), labels)
    (value, back, _), (exact, exact_back, _) = in_both(
        operator, Sample(y, given.w, given.labels, given.v)
    )
    np.testing.assert_allclose(value, exact, rtol=1e-12)
    np.testing.assert_allclose(back, exact_back, rtol=1e-12)


@settings(deadline=None, max_examples=40)
@given(operator=splines(), seed=st.integers(0, 2**32))
def test_splines_agree_at_knots_between_and_outside(operator, seed):
    knots = [float(x.evaluate(FLOATS)) for x in (*operator.knots, *operator.weight_knots)]
    given = sample(operator, seed, 9.0)
    given.y[: len(knots), 0] = knots
    (value, back, grad), (exact, exact_back, grads) = in_both(operator, given)
    # Values of cubics on an interval of length 20 with heights up to 3 are below 1e4.
    weight, v = 1 + np.abs(given.w[0]), np.abs(given.v)
    agree(value, exact, 1e3 * weight, 1e-14)
    agree(back, exact_back, 1e2 * weight * v, 1e-14)
    agree(grad, grads.sum(axis=0), 1e2 * v.sum(axis=0), 1e-14)


def test_splines_outside_at_infinity_and_without_knots():
    operator = Spline(slope=2, weight_knots=[0, 1, 2], weight_first=[0, 1, 0]).shaped(((1,),))
    for made in (operator, Spline(weight_value=3).shaped(((1,),))):
        y = np.array([[np.inf], [-np.inf], [np.nan], [0.0], [2.0]])
        given = Sample(y, np.array([0.5]), np.ones(5), np.ones((5, 1)))
        (value, back, _), (exact, exact_back, _) = in_both(made, given)
        np.testing.assert_array_equal(value, exact)
        np.testing.assert_array_equal(back, exact_back)


EVERY = {
    **{
        name: (make(scale="3/2", bias=True).shaped(((3,),)), (1.0,))
        for name, make in ACTIVATIONS.items()
    },
    **LOSSES,
    "spline": (
        Spline(
            knots=[-1, 0, 1],
            second=[0, 1, 0],
            weight_value=1,
            weight_knots=[-1, 1, 2],
            weight_first=[0, 1, 0],
        ).shaped(((1,),)),
        (1.0,),
    ),
}


@pytest.mark.parametrize("name", list(EVERY))
def test_what_nobody_wants_changes_nothing(name):
    operator, labels = EVERY[name]
    kernel = ELEMENTWISE[operator.type](operator)
    given = sample(operator, 5, 2.0, 19, labels)
    back, grad = run_backward(kernel, *given.all, value=True)
    for wanted in ((True, False), (False, True), (False, False)):
        found = run_backward(kernel, *given.all, back=wanted[0], grad=wanted[1])
        for want, each, whole in zip(wanted, found, (back, grad), strict=True):
            assert (each is None) == (not want)
            if want:
                np.testing.assert_allclose(each, whole, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["softplus", "tanh", "cross_entropy", "sine"])
@pytest.mark.parametrize("count", [1, 15, 16, 17, 64, 100])
def test_a_sample_does_not_depend_on_its_block(name, count):
    operator, labels = EVERY[name]
    kernel = ELEMENTWISE[operator.type](operator)
    given = sample(operator, 6, 3.0, count, labels)
    y, w, label, v = given.all
    value = run_forward(kernel, y, w, label, v.shape[1])
    back, grad = run_backward(kernel, *given.all)
    ones = [run_forward(kernel, y[[b]], w, label[[b]], v.shape[1]) for b in range(count)]
    np.testing.assert_allclose(value, np.concatenate(ones), rtol=1e-15)
    parts = [run_backward(kernel, y[[b]], w, label[[b]], v[[b]]) for b in range(count)]
    np.testing.assert_allclose(back, np.concatenate([part[0] for part in parts]), rtol=1e-15)
    np.testing.assert_allclose(grad, sum(part[1] for part in parts), rtol=1e-12, atol=1e-13)


def test_the_harness_sees_a_wrong_product():
    operator, _ = LOSSES["huber"]
    kernel = ELEMENTWISE["huber"](operator)
    given = sample(operator, 1, 4.0)
    compare(operator, kernel, *given.all)
    wrong = ELEMENTWISE["huber"](HuberLoss(delta="5/3").shaped(((1,),)))
    with pytest.raises(AssertionError):
        compare(operator, wrong, *given.all)
