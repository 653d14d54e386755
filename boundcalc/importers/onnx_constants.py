"""Nodes that read constants alone, computed in NumPy: shapes, masks, scales.

Exporters compute shapes and attention masks inside the graph.  Each function here makes
an array whose size was checked before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

from boundcalc.errors import DataError
from boundcalc.importers.base import MAX_VALUES, Numbers, unsupported

#: From the inputs and attributes of a node to its value.
Fold: TypeAlias = Callable[[Sequence[Any], Mapping[str, Any]], Numbers]


def folded(kind: str, inputs: Sequence[Numbers | None], attributes: Mapping[str, Any]) -> Numbers:
    """The value of a node whose inputs are constants.

    Raises
    ------
    UnsupportedError
        If the node's type is none of those in ``FOLDS``.
    DataError
        If its inputs do not fit, or its value would be too large.
    """
    if kind not in FOLDS:
        raise unsupported(f"a {kind} of constants is not supported", "")
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(FOLDS[kind](inputs, attributes))
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        raise DataError(f"constants that do not fit each other: {str(error)[:100]}") from None
    return value


def _fits(*shape: int) -> tuple[int, ...]:
    if any(size < 0 for size in shape) or prod(shape) > MAX_VALUES:
        raise DataError(
            "a computed constant is too large",
            value=f"shape {list(shape)}",
            expected=f"at most {MAX_VALUES} numbers",
        )
    return shape


def _ints(array: Any) -> list[int]:
    return [int(value) for value in np.asarray(array).ravel()]


def _elementwise(function: Callable[..., Any]) -> Fold:
    def fold(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
        _fits(*np.broadcast_shapes(*(array.shape for array in inputs)))
        return np.asarray(function(*inputs))

    return fold


def _divide(x: Numbers, y: Numbers) -> Numbers:
    if x.dtype.kind in "iu":
        return np.asarray(np.trunc(x / y)).astype(x.dtype)
    return np.asarray(x / y)


def _cast(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
    from onnx import helper

    return np.asarray(inputs[0].astype(helper.tensor_dtype_to_np_dtype(attributes["to"])))


def _expand(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
    shape = np.broadcast_shapes(inputs[0].shape, _fits(*_ints(inputs[1])))
    return np.array(np.broadcast_to(inputs[0], _fits(*shape)))


def _filled(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
    value = attributes.get("value", np.zeros(1, np.float32))
    return np.full(_fits(*_ints(inputs[0])), value.ravel()[0])


def _triangle(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
    k = _ints(inputs[1])[0] if len(inputs) > 1 and inputs[1] is not None else 0
    return np.triu(inputs[0], k) if attributes.get("upper", 1) else np.tril(inputs[0], k)


def _range(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
    start, limit, delta = (array.ravel()[0] for array in inputs)
    _fits(max(0, int(np.ceil((limit - start) / delta))))
    return np.arange(start, limit, delta, dtype=inputs[0].dtype)


def _concat(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
    _fits(sum(array.size for array in inputs))
    return np.concatenate(list(inputs), axis=attributes["axis"])


def _product(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Numbers:
    return np.asarray(np.prod(inputs[0], keepdims=bool(attributes.get("keepdims", 1))))


FOLDS: dict[str, Fold] = {
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Div": _elementwise(_divide),
    "Mod": _elementwise(np.mod),
    "Pow": _elementwise(np.power),
    "Sqrt": _elementwise(np.sqrt),
    "Reciprocal": _elementwise(lambda x: 1.0 / x),
    "Neg": _elementwise(np.negative),
    "Exp": _elementwise(np.exp),
    "Abs": _elementwise(np.abs),
    "Floor": _elementwise(np.floor),
    "Ceil": _elementwise(np.ceil),
    "Min": _elementwise(lambda *arrays: np.minimum.reduce(np.broadcast_arrays(*arrays))),
    "Max": _elementwise(lambda *arrays: np.maximum.reduce(np.broadcast_arrays(*arrays))),
    "Equal": _elementwise(np.equal),
    "Greater": _elementwise(np.greater),
    "GreaterOrEqual": _elementwise(np.greater_equal),
    "Less": _elementwise(np.less),
    "LessOrEqual": _elementwise(np.less_equal),
    "And": _elementwise(np.logical_and),
    "Or": _elementwise(np.logical_or),
    "Not": _elementwise(np.logical_not),
    "Where": _elementwise(np.where),
    "Cast": _cast,
    "Concat": _concat,
    "ConstantOfShape": _filled,
    "Expand": _expand,
    "Range": _range,
    "ReduceProd": _product,
    "Trilu": _triangle,
}
