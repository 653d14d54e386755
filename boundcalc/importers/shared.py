"""Layers without weights that ONNX nodes and PyTorch modules describe alike."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from boundcalc.errors import DataError
from boundcalc.importers.base import Layer, Numbers, unsupported, weight
from boundcalc.importers.builder import Builder
from boundcalc.importers.layers import sample_shape
from boundcalc.importers.values import Constant, View
from boundcalc.importers.weighted import one_or_all


def average_pool(
    builder: Builder,
    view: View,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> View:
    """Averages over windows of (1, C, L) or (1, C, H, W)."""
    if len(kernel) not in (1, 2) or len(view.shape) != 2 + len(kernel) or view.shape[0] != 1:
        raise unsupported(
            "an average over other than 1 or 2 axes", "", f"{list(kernel)} on {list(view.shape)}"
        )
    after = [
        (n + 2 * p - k) // s + 1
        for n, k, s, p in zip(view.shape[2:], kernel, stride, padding, strict=True)
    ]
    number = builder.sample(view)
    shape = (view.shape[1], *after)
    parameters = {"kernel": one_or_all(kernel), "stride": one_or_all(stride)}
    if any(padding):
        parameters["padding"] = one_or_all(padding)
    return builder.new(Layer("mean_pool", (number,), shape, parameters), (1, *shape))


def batch_affine(
    builder: Builder,
    view: View,
    scale: Numbers,
    shift: Numbers,
    mean: Numbers,
    variance: Numbers,
    *,
    eps: float,
    hint: str,
) -> View:
    """Batch normalisation with fixed statistics: γ(y − μ)/√(σ² + eps) + β for each channel."""
    parts = [weight(array, hint, (1,)).astype(np.float64) for array in (scale, shift, mean)]
    spread = weight(variance, hint, (1,)).astype(np.float64)
    if (spread < 0).any() or eps < 0 or not (spread + eps).all():
        raise DataError("a variance that is negative or 0", where=hint)
    gamma, beta, mu = parts
    factor = gamma / np.sqrt(spread + eps)
    shape = (1, -1, *(1 for _ in view.shape[2:]))
    factors, shifts = (Constant(array.reshape(shape)) for array in (factor, beta - mu * factor))
    return builder.affine(view, factors, shifts, hint)


def softmax(builder: Builder, view: View, axis: int, log: bool = False) -> View:
    """Softmax along one axis; ``log_softmax`` is removed later or refused."""
    axis %= len(view.shape)
    if prod(view.shape[axis + 1 :]) != 1:
        turned = view.moved(lambda index: np.moveaxis(index, axis, -1))
        made = softmax(builder, turned, -1, log)
        return made.moved(lambda index: np.moveaxis(index, -1, axis))
    number, shape = builder.rows(view.reshaped(view.shape[: axis + 1]))
    kind = "log_softmax" if log else "softmax"
    return builder.new(Layer(kind, (number,), shape), view.shape)


def concatenated(builder: Builder, views: Sequence[View], axis: int) -> View:
    """Views joined along one axis."""
    axis %= len(views[0].shape)
    first = views[0].shape
    for view in views[1:]:
        same = [n == m for n, m in zip(view.shape, first, strict=False)]
        if len(view.shape) != len(first) or not all(same[:axis] + same[axis + 1 :]):
            raise DataError(
                "shapes that cannot be joined",
                value=f"{list(first)} and {list(view.shape)} along axis {axis}",
            )
    shape = list(first)
    shape[axis] = sum(view.shape[axis] for view in views)
    inside = len(sample_shape(first)) < len(first) and axis > 0
    if len(views) == 1:
        return views[0]
    parts = [view if inside else view.reshaped((1, *view.shape)) for view in views]
    numbers = tuple(builder.sample(part) for part in parts)
    place = axis - 1 if inside else axis
    full = list(sample_shape(parts[0].shape))
    full[place] = shape[axis]
    layer = Layer("concat", numbers, tuple(full), {"axis": place})
    return builder.new(layer, tuple(shape))
