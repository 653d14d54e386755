"""ONNX nodes that move numbers: views change, and no operator is made."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from boundcalc.errors import DataError
from boundcalc.importers.base import INPUT, MAX_VALUES, unsupported
from boundcalc.importers.moves import AnyArray, Move, moved_value
from boundcalc.importers.onnx_call import Call, Handler
from boundcalc.importers.values import Constant, Value
from boundcalc.importers.weighted import embedding


def moved(call: Call, value: Value, move: Move) -> Value:
    """A value of the node, moved."""
    return moved_value(call.builder, value, move)


def _identity(call: Call) -> Value:
    return call.value(0)


def _cast(call: Call) -> Value:
    value = call.value(0)
    name = _type_name(int(call.attributes["to"]))
    tokens = not isinstance(value, Constant) and call.builder.view(value).layer == INPUT
    if name not in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16") and not tokens:
        raise call.refuse("an activation is rounded", f"a Cast to {name}")
    return value


def _type_name(number: int) -> str:
    from onnx import TensorProto

    return str(TensorProto.DataType.Name(number))


def _reshape(call: Call) -> Value:
    value, target = call.value(0), call.numbers("shape", 1) or []
    shape = _target(call, value.shape, target)
    return moved(call, value, lambda array: array.reshape(shape))


def _target(call: Call, shape: tuple[int, ...], target: list[int]) -> list[int]:
    """The new shape: 0 copies a size, and a batch axis of the export becomes 1."""
    if not call.flag("allowzero"):
        target = [
            shape[axis] if size == 0 and axis < len(shape) else size
            for axis, size in enumerate(target)
        ]
    size, known = int(np.prod(shape)), int(np.prod([n for n in target if n != -1]))
    fits = size == known if -1 not in target else known > 0 and size % known == 0
    if not fits and call.batch > 1 and target and target[0] == call.batch:
        return [1, *target[1:]]
    return target


def _flatten(call: Call) -> Value:
    value = call.value(0)
    axis = int(call.attributes.get("axis", 1))
    axis += len(value.shape) if axis < 0 else 0
    first = int(np.prod(value.shape[:axis]))
    return moved(call, value, lambda array: array.reshape(first, -1))


def _transpose(call: Call) -> Value:
    return moved(call, call.value(0), lambda array: array.transpose(call.numbers("perm")))


def _squeeze(call: Call) -> Value:
    axes = call.numbers("axes", 1)
    return moved(call, call.value(0), lambda a: a.squeeze(None if axes is None else tuple(axes)))


def _unsqueeze(call: Call) -> Value:
    axes = tuple(call.numbers("axes", 1) or ())
    return moved(call, call.value(0), lambda array: np.expand_dims(array, axes))


def _slice(call: Call) -> Value:
    value = call.value(0)
    starts, ends = call.numbers("starts", 1) or [], call.numbers("ends", 2) or []
    axes = call.numbers("axes", 3) or list(range(len(starts)))
    steps = call.numbers("steps", 4) or [1] * len(starts)
    key = [slice(None)] * len(value.shape)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        key[axis] = slice(start, end, step)
    return moved(call, value, lambda array: array[tuple(key)])


def _gather(call: Call) -> Value:
    value, at = call.value(0), call.value(1)
    axis = int(call.attributes.get("axis", 0))
    if isinstance(at, Constant):
        places = at.array.astype(np.int64)
        rest = int(np.prod(value.shape)) // max(1, value.shape[axis])
        if places.size * rest > MAX_VALUES:
            raise unsupported("a Gather makes a value too large", "", list(places.shape))
        return _taken(call, value, axis, places)
    tokens = call.builder.view(at)
    if not isinstance(value, Constant) or axis != 0 or tokens.layer != INPUT:
        raise call.refuse(
            "a Gather at positions that depend on the input",
            fix="supported: an embedding table that the input's tokens are looked up in",
        )
    return embedding(call.builder, tokens, value, call.hint)


def _split(call: Call) -> tuple[Value, ...]:
    value = call.value(0)
    axis = int(call.attributes.get("axis", 0))
    sizes = call.numbers("split", 1)
    length, parts = value.shape[axis], int(call.attributes.get("num_outputs", call.outputs))
    if sizes is None:
        each = -(-length // parts)
        sizes = [min(each, length - each * part) for part in range(parts)]
    if min(sizes) < 1 or sum(sizes) != length:
        raise DataError("a Split that does not fit", value=sizes, expected=f"a sum of {length}")
    edges = np.cumsum([0, *sizes])
    return tuple(_taken(call, value, axis, np.arange(a, b)) for a, b in pairwise(edges))


def _taken(call: Call, value: Value, axis: int, places: AnyArray) -> Value:
    return moved(call, value, lambda array: np.take(array, places, axis=axis))


def _shape(call: Call) -> Value:
    shape = call.value(0).shape[call.attributes.get("start", 0) : call.attributes.get("end")]
    return Constant(np.array(shape, dtype=np.int64))


MOVES: dict[str, Handler] = {
    "Cast": _cast,
    "Dropout": _identity,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": _identity,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
