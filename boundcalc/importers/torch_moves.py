"""PyTorch functions and methods that move numbers: views change, and no operator is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from boundcalc.importers.base import unsupported
from boundcalc.importers.builder import Builder
from boundcalc.importers.moves import moved_value
from boundcalc.importers.values import Value

#: From a builder and a call's arguments to its result.
Function: TypeAlias = Callable[..., Any]


def pair(x: Any, axes: int) -> list[int]:
    """One number for each axis."""
    return [int(n) for n in x] if isinstance(x, Sequence) else [int(x)] * axes


def _flatten(b: Builder, x: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    shape = list(x.shape)
    first, last = start_dim % len(shape), end_dim % len(shape)
    target = [*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]]
    return moved_value(b, x, lambda array: array.reshape(target))


def _reshape(b: Builder, x: Value, *shape: Any) -> Value:
    target = [int(n) for n in (shape[0] if isinstance(shape[0], Sequence) else shape)]
    return moved_value(b, x, lambda array: array.reshape(target))


def _permute(b: Builder, x: Value, *dims: Any) -> Value:
    axes = dims[0] if isinstance(dims[0], Sequence) else dims
    return moved_value(b, x, lambda array: array.transpose([int(axis) for axis in axes]))


def _transpose(b: Builder, x: Value, dim0: int, dim1: int) -> Value:
    return moved_value(b, x, lambda array: array.swapaxes(dim0, dim1))


def _matrix_transpose(b: Builder, x: Value) -> Value:
    return _transpose(b, x, -1, -2)


def _squeeze(b: Builder, x: Value, dim: Any = None) -> Value:
    axes = range(len(x.shape)) if dim is None else pair(dim, 1)
    ones = tuple(axis for axis in axes if x.shape[axis] == 1)
    return moved_value(b, x, lambda array: array.squeeze(ones))


def _unsqueeze(b: Builder, x: Value, dim: int) -> Value:
    return moved_value(b, x, lambda array: np.expand_dims(array, dim))


def _unflatten(b: Builder, x: Value, dim: int, sizes: Sequence[int]) -> Value:
    at = dim % len(x.shape)
    return _reshape(b, x, [*x.shape[:at], *sizes, *x.shape[at + 1 :]])


def _split(b: Builder, x: Value, size: Any, dim: int = 0) -> tuple[Value, ...]:
    length = x.shape[dim]
    sizes = list(size) if isinstance(size, Sequence) else [size] * -(-length // size)
    edges = [min(edge, length) for edge in np.cumsum([0, *sizes]).tolist()]
    return tuple(_taken(b, x, dim, first, last) for first, last in pairwise(edges))


def _chunk(b: Builder, x: Value, chunks: int, dim: int = 0) -> tuple[Value, ...]:
    return _split(b, x, -(-x.shape[dim] // chunks), dim)


def _taken(b: Builder, x: Value, axis: int, first: int, last: int) -> Value:
    return moved_value(b, x, lambda array: np.take(array, np.arange(first, last), axis=axis))


def _getitem(b: Builder, x: Any, key: Any) -> Any:
    if isinstance(x, tuple | list):
        return x[key]
    keys = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(k, int | slice) or k is None or k is Ellipsis for k in keys):
        raise unsupported("an index that is not a number or a slice", "", str(key))
    return moved_value(b, x, lambda array: array[key])


def _getattr(b: Builder, x: Any, name: str) -> Any:
    if name == "shape":
        return tuple(x.shape)
    if name == "T":
        return _matrix_transpose(b, x)
    raise unsupported("an attribute of an activation", "", name)


def _size(b: Builder, x: Value, dim: int | None = None) -> Any:
    return tuple(x.shape) if dim is None else x.shape[dim]


def same(b: Builder, x: Any, *_: Any, **__: Any) -> Any:
    """What changes nothing in a model that is not trained further."""
    return x


#: Functions and methods by name, underscores at their ends left out.
MOVES: dict[str, Function] = {
    "chunk": _chunk,
    "contiguous": same,
    "flatten": _flatten,
    "getattr": _getattr,
    "getitem": _getitem,
    "permute": _permute,
    "reshape": _reshape,
    "size": _size,
    "split": _split,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "unflatten": _unflatten,
    "unsqueeze": _unsqueeze,
    "view": _reshape,
}
