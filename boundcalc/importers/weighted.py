"""Layers with weights, from arrays as models hold them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from boundcalc.importers.base import Layer, Numbers, unsupported, weight
from boundcalc.importers.builder import Builder
from boundcalc.importers.strides import columns
from boundcalc.importers.values import Constant, View


def linear(
    builder: Builder, view: View, matrix: Constant, bias: Constant | None, hint: str
) -> View:
    """W y + c along the last axis; W has one row for each output."""
    array = weight(matrix.array, matrix.origin or hint, (2,))
    units, width = array.shape
    if not view.shape or view.shape[-1] != width:
        raise unsupported(
            "a linear layer does not fit its input", "", f"{list(array.shape)} on {view.shape}"
        )
    number, order = _columns(builder, view)
    arrays, origins = [array if order is None else _with_columns(array, order)], [matrix.origin]
    if bias is not None:
        arrays.append(_row(bias, units, hint))
        origins.append(bias.origin)
    count = prod(view.shape[:-1])
    layer = Layer(
        "dense",
        (number,),
        (units,) if count == 1 else (count, units),
        {"units": units, "bias": bias is not None},
        tuple(arrays),
        tuple(origins),
        hint=hint,
    )
    return builder.new(layer, (*view.shape[:-1], units))


def _columns(builder: Builder, view: View) -> tuple[int, Any]:
    """The rows that a linear layer reads, and a permutation of its columns if they need one.

    A layer whose columns are permuted reads its input where it lies, so that transposing
    and flattening cost no operator.
    """
    source = builder.layers[view.layer]
    if view.index is not None and view.index.size == view.size:
        width = view.shape[-1]
        table = view.positions().reshape(-1, width)
        order = columns(table, width)
        if order is not None and len(table) * width == source.size:
            shape = (width,) if len(table) == 1 else (len(table), width)
            return builder.materialise(View(view.layer, view.size, shape), shape), order
    return builder.rows(view)[0], None


def _with_columns(array: Numbers, order: Any) -> Numbers:
    """The matrix V with V y = W y[order]."""
    permuted = np.empty_like(array)
    permuted[:, order] = array
    return permuted


def convolution(
    builder: Builder,
    view: View,
    kernel: Constant,
    bias: Constant | None,
    *,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    hint: str,
) -> View:
    """A convolution of (1, C, L) or (1, C, H, W), zero-padded on both sides alike."""
    array = weight(kernel.array, kernel.origin or hint, (3, 4))
    spatial = array.ndim - 2
    if len(view.shape) != array.ndim or view.shape[0] != 1:
        raise unsupported(
            "a convolution does not fit its input", "", f"{array.shape} on {view.shape}"
        )
    channels, size = array.shape[0], array.shape[2:]
    if view.shape[1] != groups * array.shape[1] or channels % groups:
        raise unsupported(
            "the channels of a convolution do not fit",
            "",
            f"kernel {list(array.shape)}, {groups} groups, input {list(view.shape)}",
        )
    after = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(view.shape[2:], padding, dilation, size, stride, strict=True)
    )
    shape = (channels, *after)
    arrays, origins = [array], [kernel.origin]
    if bias is not None:
        arrays.append(_row(bias, channels, hint))
        origins.append(bias.origin)
    parameters = {
        "channels": channels,
        "kernel": one_or_all(size),
        "stride": one_or_all(stride),
        "padding": one_or_all(padding),
        "dilation": one_or_all(dilation),
        "groups": groups,
        "bias": bias is not None,
    }
    number = builder.materialise(view, view.shape[1:])
    layer = Layer(
        f"conv{spatial}d", (number,), shape, parameters, tuple(arrays), tuple(origins), hint=hint
    )
    return builder.new(layer, (1, *shape))


def embedding(builder: Builder, tokens: View, table: Constant, hint: str) -> View:
    """The rows of a table at the tokens."""
    array = weight(table.array, table.origin or hint, (2,))
    vocabulary, width = array.shape
    count = prod(tokens.shape)
    number = builder.materialise(tokens, (count,))
    layer = Layer(
        "embedding",
        (number,),
        (count, width),
        {"vocabulary": vocabulary, "width": width},
        (array,),
        (table.origin,),
        hint=hint,
    )
    return builder.new(layer, (*tokens.shape, width))


def normalisation(
    builder: Builder,
    view: View,
    kind: str,
    eps: float,
    axes: int,
    scale: Constant | None,
    shift: Constant | None,
    hint: str,
) -> View:
    """``layer_norm`` or ``rms_norm`` over the last axes."""
    width = prod(view.shape[len(view.shape) - axes :])
    rows = prod(view.shape[: len(view.shape) - axes])
    table = view.reshaped((width,) if rows == 1 else (rows, width))
    number, shape = builder.rows(table)
    switch = "scale_and_shift" if kind == "layer_norm" else "scale"
    arrays, origins = [], []
    if scale is not None or shift is not None:
        arrays.append(np.ones(width) if scale is None else _row(scale, width, hint))
        origins.append("" if scale is None else scale.origin)
        if kind == "layer_norm":
            arrays.append(np.zeros(width) if shift is None else _row(shift, width, hint))
            origins.append("" if shift is None else shift.origin)
        elif shift is not None:
            raise unsupported("an RMS normalisation with a shift", "")
    parameters = {"eps": float(eps), switch: bool(arrays)}
    layer = Layer(kind, (number,), shape, parameters, tuple(arrays), tuple(origins), hint=hint)
    return builder.new(layer, view.shape)


def _row(constant: Constant, width: int, hint: str) -> Numbers:
    """A vector of weights, one for each output."""
    where = constant.origin or hint
    array = weight(constant.array, where, tuple(range(1, 5)))
    if array.size == 1 and width > 1:
        array = np.repeat(array.ravel(), width)
    if array.size != width:
        raise unsupported(
            "weights of the wrong size", where, f"{list(array.shape)}, for {width} outputs"
        )
    return array.ravel()


def one_or_all(sizes: Sequence[int]) -> int | list[int]:
    """One number for all axes where they agree, as specs are written by hand.

    >>> one_or_all((3, 3)), one_or_all((1, 3))
    (3, [1, 3])
    """
    values = [int(size) for size in sizes]
    return values[0] if len(set(values)) == 1 else values
