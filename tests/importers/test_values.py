"""Views, and what is recognised in the way they move numbers."""

from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.importers.arithmetic import multiplied, summed
from boundcalc.importers.builder import Builder
from boundcalc.importers.strides import columns, strided, transposition
from boundcalc.importers.values import View

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@st.composite
def transposed(draw):
    """A shape, a permutation of its axes, and the positions that it moves."""
    shape = draw(shapes)
    axes = draw(st.permutations(range(len(shape))))
    return shape, np.arange(prod(shape)).reshape(shape).transpose(axes)


@given(transposed())
def test_every_transpose_is_recognised(case):
    shape, positions = case
    found = transposition(positions.ravel(), prod(shape))
    assert found is not None
    before, axes = found
    again = np.arange(prod(shape)).reshape(before).transpose(axes)
    assert np.array_equal(again.ravel(), positions.ravel())


@given(st.permutations(range(6)))
def test_what_is_called_a_transpose_is_one(order):
    positions = np.array(order)
    found = transposition(positions, 6)
    if found is not None:
        before, axes = found
        assert np.array_equal(np.arange(6).reshape(before).transpose(axes).ravel(), positions)


@given(shapes, st.data())
def test_every_slice_has_strides(shape, data):
    key = tuple(
        slice(start := data.draw(st.integers(0, n - 1)), data.draw(st.integers(start + 1, n)))
        for n in shape
    )
    positions = np.arange(prod(shape)).reshape(shape)[key]
    found = strided(positions.ravel())
    assert found is not None
    offset, sizes, strides = found
    grid = np.indices(sizes).reshape(len(sizes), prod(sizes))
    assert np.array_equal(offset + np.array(strides, int) @ grid, positions.ravel())


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_what_is_called_strided_is(numbers):
    positions = np.array(numbers)
    found = strided(positions)
    if found is not None:
        offset, sizes, strides = found
        grid = np.indices(sizes).reshape(len(sizes), prod(sizes))
        assert np.array_equal(offset + np.array(strides, int) @ grid, positions)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.integers(1, 4))
def test_columns_of_a_table(units, rows):
    table = np.arange(rows * 5).reshape(rows, 5)[:, units]
    assert columns(table, 5).tolist() == units
    assert columns(table + 5, 5) is None


@given(transposed())
def test_moves_that_cancel_leave_no_trace(case):
    shape, positions = case
    view = View(1, prod(shape), (1, *shape))
    there = view.moved(lambda index: index.reshape(-1)[positions])
    back = there.moved(lambda index: index.reshape(-1)[np.argsort(positions.ravel())])
    assert back.index is None
    assert back.reshaped((1, *shape)).same(view)


def test_a_mean_combined_with_what_it_is_of_has_the_wider_shape():
    builder = Builder((5, 6), "here")
    x = builder.input()
    mean = builder.applied(x, "mean")
    assert mean.shape == (1, 5, 1)
    assert summed(builder, x, mean, -1.0).shape == (1, 5, 6)
    assert summed(builder, mean, x, -1.0).shape == (1, 5, 6)
    assert multiplied(builder, mean, x).shape == (1, 5, 6)


def test_equal_layers_without_weights_are_made_once():
    builder = Builder((5, 6), "here")
    first = builder.activation(builder.input(), "relu", {})
    assert builder.activation(builder.input(), "relu", {}).layer == first.layer
    assert builder.activation(builder.input(), "tanh", {}).layer != first.layer
