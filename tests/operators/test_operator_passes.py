"""Forward and backward passes against SymPy, finite differences and themselves."""

import numpy as np
import pytest
from derivatives import derivatives
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_cases import CASES

from boundcalc.errors import DataError, SymbolError
from boundcalc.operators import Dense, LogisticLoss, Margin, SquaredLoss, Tanh
from boundcalc.operators.elementwise import Elementwise

quick = settings(deadline=None, max_examples=6)
cases = pytest.mark.parametrize("case", CASES, ids=str)


def dyadic(rng, shape, bits):
    # Multiples of 2⁻²⁰: sums such as y + w are exact, and so comparable to 1e-12.
    return rng.integers(-(2 ** (20 + bits)), 2 ** (20 + bits), shape) / 2.0**20


@st.composite
def batches(draw, case, bits=4):
    """(y, w, labels, v); each has its own R, either 1 or the common one."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, samples = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    own = [draw(st.sampled_from([1, count])) for _ in range(4)]
    inputs = (own[0], samples, case.inputs)
    return (
        rng.integers(case.tokens, size=inputs).astype(float)
        if case.tokens
        else dyadic(rng, inputs, bits),
        dyadic(rng, (own[1], case.weights), bits),
        rng.choice(case.labels, (own[2], samples)),
        dyadic(rng, (own[3], samples, case.outputs), 1),
    )


def spread_out(case, batch):
    """The same batch with every R written out."""
    relevant = [a for i, a in enumerate(batch) if i != 2 or case.operator.uses_label]
    count = max(len(a) for a in relevant)
    return tuple(
        np.broadcast_to(a[:1] if len(a) > count else a, (count, *a.shape[1:])) for a in batch
    )


@cases
@quick
@given(data=st.data())
def test_forward_is_the_symbolic_form(case, data):
    y, w, labels, _ = spread_out(case, data.draw(batches(case)))
    value = case.operator.forward(y, w, labels)
    for r, m in np.ndindex(labels.shape):
        f = derivatives(case).precise("f", y[r, m], w[r], labels[r, m])
        np.testing.assert_allclose(value[r, m], f, rtol=1e-12, atol=1e-11)


@cases
@quick
@given(data=st.data())
def test_vjp_is_the_symbolic_jacobian_transposed(case, data):
    # Both tails of an activation are seen at 2⁹; other operators mix large and small there.
    far = [9] if isinstance(case.operator, Elementwise) else []
    bits = data.draw(st.sampled_from([-3, 1, 4, *far]))
    y, w, labels, v = spread_out(case, data.draw(batches(case, bits)))
    parts = case.operator.vjp(y, w, labels, v)
    for r, m in np.ndindex(labels.shape):
        point = y[r, m], w[r], labels[r, m]
        for part, which in zip(parts, ("d1", "d2"), strict=True):
            jacobian = derivatives(case).precise(which, *point)
            size = np.abs(jacobian).T @ np.abs(v[r, m])
            error = np.abs(part[r, m] - jacobian.T @ v[r, m])
            allowed = 1e-12 * size + 1e-300
            if np.any(error > allowed):
                allowed += rounded_input(case, which, point, v[r, m])
                # Where components mix, small ones carry the rounding of large ones.
                if not isinstance(case.operator, Elementwise):
                    allowed += 1e-14 * size.max()
            assert np.all(error <= allowed)


def rounded_input(case, which, point, v):
    """How far the product moves when a few units in the last place of y do.

    Near a zero of a derivative no formula in floats keeps relative accuracy.
    """
    second = np.abs(derivatives(case).precise(f"{which}1", *point))
    return 8 * np.finfo(float).eps * np.einsum("mkn,m,n->k", second, np.abs(v), np.abs(point[0]))


@cases
@quick
@given(data=st.data())
def test_vjp_is_the_slope_of_the_forward_pass(case, data):
    y, w, labels, v = spread_out(case, data.draw(batches(case, 1)))
    step = 1e-5
    here = (case.operator.forward(y, w, labels) * v).sum(axis=-1)

    def slopes(x, move):
        """The slope in each component, and whether there is a kink in between."""
        for i in range(x.shape[-1]):
            direction = np.zeros(x.shape[-1])
            direction[i] = step
            right = ((move(x + direction) * v).sum(axis=-1) - here) / step
            left = (here - (move(x - direction) * v).sum(axis=-1)) / step
            kink = np.abs(right - left) > 1e-2 if not case.operator.smooth else False
            yield (left + right) / 2, np.broadcast_to(kink, left.shape)

    parts = case.operator.vjp(y, w, labels, v)
    moves = (
        slopes(y, lambda x: case.operator.forward(x, w, labels)) if not case.tokens else (),
        slopes(w, lambda x: case.operator.forward(y, x, labels)),
    )
    for part, found in zip(parts, moves, strict=True):
        for i, (slope, kink) in enumerate(found):
            known = np.where(kink, slope, part[..., i])
            np.testing.assert_allclose(known, slope, rtol=1e-6, atol=1e-7)


@cases
@quick
@given(data=st.data())
def test_mean_vjp_is_vjp_averaged(case, data):
    batch = data.draw(batches(case))
    input_part, weight_part = case.operator.vjp(*batch)
    mean = weight_part.mean(axis=1)
    size = 1e-12 * (1.0 + np.abs(weight_part).max(initial=0.0))
    found_input, found_mean = case.operator.mean_vjp(*batch)
    np.testing.assert_array_equal(found_input, input_part)
    np.testing.assert_allclose(found_mean, mean, rtol=1e-12, atol=size)
    alone = case.operator.mean_weight_vjp(*batch)
    np.testing.assert_array_equal(alone, found_mean)
    assert alone.shape == mean.shape


@cases
@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_an_axis_of_length_one_broadcasts(case, data):
    batch = data.draw(batches(case))
    full = spread_out(case, batch)
    # The forward pass does not see v, so its R may be smaller.
    count = max(len(a) for i, a in enumerate(batch[:3]) if i != 2 or case.operator.uses_label)
    forward = case.operator.forward(*batch[:3])
    assert forward.shape == (count, batch[0].shape[1], case.outputs)
    np.testing.assert_allclose(
        np.broadcast_to(forward, (len(full[0]), *forward.shape[1:])),
        case.operator.forward(*full[:3]),
        rtol=1e-12,
        atol=1e-11,
    )
    for found, wanted in zip(case.operator.vjp(*batch), case.operator.vjp(*full), strict=True):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-11)


@cases
@pytest.mark.parametrize("count", [1, 3])
def test_results_may_be_written_into(case, count):
    batch = (
        np.ones((3, 2, case.inputs)),
        np.ones((count, case.weights)),
        np.full((count, 2), case.labels[0]),
        np.ones((count, 2, case.outputs)),
    )
    kept = [a.copy() for a in batch]
    operator = case.operator
    results = [operator.forward(*batch[:3]), *operator.vjp(*batch), *operator.mean_vjp(*batch)]
    copies = [a.copy() for a in results]
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, copies[i])
        result += 7.0
    for array, before in zip(batch, kept, strict=True):
        np.testing.assert_array_equal(array, before)


@cases
@pytest.mark.parametrize("size", [0.0, 1e-300, 30.0, 1e3])
def test_no_overflow_far_out(case, size):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for y in (-size, size):
            batch = (
                np.full((1, 2, case.inputs), y if not case.tokens else 1.0),
                np.full((1, case.weights), y),
                np.resize(case.labels, (1, 2)),
                np.ones((1, 2, case.outputs)),
            )
            forward = case.operator.forward(*batch[:3])
            assert all(np.isfinite(a).all() for a in (forward, *case.operator.vjp(*batch)))


def test_dense_weights_are_rows_then_bias():
    y, w = np.array([[[1.0, 10.0]]]), np.arange(1.0, 7.0)[None]
    layer = Dense(units=2)
    assert layer.forward(y, w, np.zeros((1, 1))).tolist() == [[[26.0, 49.0]]]
    weight_part = layer.vjp(y, w, np.zeros((1, 1)), np.array([[[1.0, -2.0]]]))[1]
    assert weight_part.tolist() == [[[1.0, 10.0, -2.0, -20.0, 1.0, -2.0]]]


@pytest.mark.parametrize("operator", [LogisticLoss(), Margin()], ids=["logistic", "margin"])
@pytest.mark.parametrize("bad", [0.0, 2.0, np.nan])
def test_labels_are_signs(operator, bad):
    operator.check_labels(np.array([1.0, -1.0]))
    with pytest.raises(DataError, match="are signs"):
        operator.check_labels(np.array([1.0, bad, -1.0]))


def test_other_operators_take_any_label():
    SquaredLoss().check_labels(np.array([0.5, 7.0]))
    Tanh().check_labels(np.zeros(2))


def test_a_symbolic_scale_has_formulas_but_no_numbers():
    operator = Tanh(scale="C")
    assert str(operator.symbolic(1).outputs[0]) == "C*tanh(y1)"
    with pytest.raises(SymbolError):
        operator.forward(np.zeros((1, 1, 1)), np.zeros((1, 0)), np.zeros((1, 1)))
