"""ONNX files as untrusted input: bounded, checked, and loaded one constant at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.data.array_formats import missing
from boundcalc.data.paths import inside
from boundcalc.data.weights_file import MAX_BYTES, MAX_NUMBERS, check_size
from boundcalc.errors import DataError, shown
from boundcalc.importers.base import MAX_LAYERS, Numbers, check_total, unsupported

MIN_OPSET = 7  # before it, broadcasting had other rules


@dataclass(frozen=True)
class OnnxFile:
    """A checked model.

    Attributes
    ----------
    name
        The file's name, for messages.
    folder
        Where external data must lie.
    graph
        The graph, as the ``onnx`` package has it.
    opset
        The version of the default operator set.
    tensors
        Its initialisers by name, not loaded.
    """

    name: str
    folder: Path
    graph: Any
    opset: int
    tensors: dict[str, Any]

    def load(self, tensor: Any, name: str) -> Numbers:
        """The numbers of an initialiser or of a constant node.

        Raises
        ------
        DataError
            If it does not hold what its shape says, or lies outside the folder.
        """
        where = f"{self.name}: initialiser {shown(name)}"
        _check_tensor(tensor, where)
        if tensor.data_location == 1:
            tensor = self._with_external(tensor, where)
        elif _held(tensor) != prod(tensor.dims):
            raise DataError(
                "the weights are cut off",
                where=where,
                value=f"{_held(tensor)} numbers",
                expected=f"{prod(tensor.dims)}, as its shape {list(tensor.dims)} says",
                fix="export the model again",
            )
        from onnx import numpy_helper

        array: Numbers = numpy_helper.to_array(tensor)
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    def _with_external(self, tensor: Any, where: str) -> Any:
        """The same tensor with the bytes of its file."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = inside(self.folder, entries.get("location", ""), where, of="the model")
        try:
            check_size(path)
        except DataError as error:
            raise error.located(where) from None
        size = prod(tensor.dims) * _item_size(tensor)
        try:
            offset, length = int(entries.get("offset", 0)), int(entries.get("length", size))
        except ValueError:
            raise DataError("a place in external data that is no number", where=where) from None
        if length != size or offset < 0 or offset + size > path.stat().st_size:
            raise DataError(
                "the external data do not fit the weights",
                where=where,
                value=f"{length} bytes from {offset} of {path.stat().st_size}",
                expected=f"{size} bytes inside the file",
                fix="export the model again",
            )
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        made = type(tensor)()
        made.CopyFrom(tensor)
        made.ClearField("external_data")
        made.data_location = 0
        made.raw_data = content
        return made


def read_onnx(path: Path) -> OnnxFile:
    """Read and check a model; its weights stay in the file or unparsed.

    Raises
    ------
    DataError
        If the file is not ONNX, is cut off, or holds more than can be handled.
    UnsupportedError
        If ``onnx`` is not installed, or the model uses local functions, sparse weights or
        an old operator set.
    """
    check_size(path, MAX_BYTES)
    model = _parsed(path)
    graph = model.graph
    if not graph.node:
        raise DataError("the model has no nodes", where=path.name, fix="export the model again")
    if len(graph.node) > MAX_LAYERS:
        raise unsupported(f"the model has more than {MAX_LAYERS} nodes", path.name)
    for part, present in (
        ("functions of its own", model.functions),
        ("sparse weights", graph.sparse_initializer),
    ):
        if present:
            raise unsupported(
                f"the model has {part}",
                path.name,
                fix="inline them: onnx.inliner.inline_local_functions"
                if present is model.functions
                else "save the weights densely",
            )
    opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    if opset < MIN_OPSET:
        raise unsupported(
            "the model uses an operator set that is too old",
            path.name,
            f"version {opset}",
            fix=f"convert it with onnx.version_converter to version {MIN_OPSET} or later",
        )
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for name, tensor in tensors.items():
        _check_tensor(tensor, f"{path.name}: initialiser {shown(name)}")
    check_total(sum(prod(tensor.dims) for tensor in tensors.values()), path.name)
    return OnnxFile(path.name, path.parent, graph, opset, tensors)


def _parsed(path: Path) -> Any:
    try:
        from onnx import ModelProto
    except ImportError:
        raise missing("onnx", "onnx", path.name) from None
    model = ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except Exception as error:  # protobuf's own, of which its implementations have several
        raise DataError(
            f"this is not a complete ONNX model: {str(error)[:100]}",
            where=path.name,
            expected="a file that an exporter wrote, such as torch.onnx.export",
            fix="it may have been cut off: export or copy it again",
        ) from None
    return model


def _check_tensor(tensor: Any, where: str) -> None:
    """Sizes first: nothing is allocated for a tensor that is refused here."""
    from onnx import TensorProto

    dims = list(tensor.dims)
    if any(size < 1 for size in dims):
        raise DataError(
            "an initialiser without entries",
            where=where,
            value=f"shape {dims}",
            expected="sizes of 1 and more",
        )
    if prod(dims) > MAX_NUMBERS:
        raise DataError(
            "an initialiser is too large",
            where=where,
            value=f"shape {dims}: {prod(dims)} numbers",
            expected=f"at most {MAX_NUMBERS}",
        )
    if tensor.data_type not in _item_sizes():
        raise unsupported(
            "an initialiser of a number type that is not supported",
            where,
            TensorProto.DataType.Name(tensor.data_type)
            if tensor.data_type in TensorProto.DataType.values()
            else tensor.data_type,
            fix="export the model in float32, not quantised",
        )


def _item_sizes() -> dict[int, int]:
    """Bytes of a number, for the types that are read."""
    from onnx import TensorProto as T

    return {
        T.FLOAT: 4, T.DOUBLE: 8, T.FLOAT16: 2, T.BFLOAT16: 2, T.BOOL: 1,
        T.INT8: 1, T.INT16: 2, T.INT32: 4, T.INT64: 8,
        T.UINT8: 1, T.UINT16: 2, T.UINT32: 4, T.UINT64: 8,
    }  # fmt: skip


def _item_size(tensor: Any) -> int:
    return _item_sizes()[tensor.data_type]


def _held(tensor: Any) -> int | float:
    """How many numbers a tensor holds, wherever it keeps them."""
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data) / _item_size(tensor)
    fields = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")
    return max(len(getattr(tensor, field)) for field in fields)


def input_dims(value: Any) -> Iterator[int | str | None]:
    """The dimensions of a graph's input: numbers, names of dynamic ones, or None."""
    for dim in value.type.tensor_type.shape.dim:
        if dim.HasField("dim_value"):
            yield int(dim.dim_value)
        else:
            yield dim.dim_param or None
