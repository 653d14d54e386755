"""ONNX models: the graph is walked once, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.errors import BoundcalcError, DataError, shown
from boundcalc.importers.base import Network, unsupported
from boundcalc.importers.builder import Builder
from boundcalc.importers.onnx_call import Call
from boundcalc.importers.onnx_constants import FOLDS, folded
from boundcalc.importers.onnx_file import OnnxFile, input_dims, read_onnx
from boundcalc.importers.onnx_moves import MOVES
from boundcalc.importers.onnx_ops import OPS
from boundcalc.importers.passes import simplified
from boundcalc.importers.values import Constant, Value
from boundcalc.operators.regions import Shape


def import_onnx(
    path: Path, *, input_shape: Sequence[int] | None = None, output: str | None = None
) -> Network:
    """Read an ONNX model as a network for one sample.

    Parameters
    ----------
    path
        The file; external data must lie in its folder.
    input_shape
        The shape of one sample, without the batch axis, where the model leaves sizes open.
    output
        Which output to take, if the model has several.

    Raises
    ------
    DataError
        If the file is broken, too large, or holds weights that are no numbers.
    UnsupportedError
        If a node is none of those in ``boundcalc.importers.onnx_ops.OPS``, or does what no
        operator of the library does: with its type, name and position.
    """
    file = read_onnx(path)
    name, shape, batch = _input(file, input_shape)
    chosen = _output(file, output)
    needed = _needed(file.graph, chosen)
    builder = Builder(shape, f"{file.name}: input {shown(name)}")
    values: dict[str, Value | None] = {name: builder.input()}
    if len(shape) and batch is None:
        values[name] = builder.input().reshaped(shape)
    nodes = file.graph.node
    for position, node in enumerate(nodes, start=1):
        if not needed.isdisjoint(node.output):
            where = f"{file.name}: node {position} of {len(nodes)}, {node.op_type}"
            where += f" {shown(node.name)}" if node.name else ""
            try:
                _run(file, builder, node, values, batch or 1)
            except BoundcalcError as error:
                raise error.located(where) from None
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise DataError(
                    f"the node does not fit its inputs: {str(error)[:150]}", where=where
                ) from None
    unused = sum(needed.isdisjoint(node.output) for node in nodes)
    if unused:
        builder.note(f"{unused} nodes do not lead to the output and were left out")
    if (batch or 1) > 1:
        builder.note(f"the model was exported for batches of {batch}; it is read for one sample")
    if chosen not in values:
        raise DataError("no node makes the output", where=file.name, value=chosen)
    try:
        result = builder.view(_known(file, values, chosen))
        last = builder.last(result)
    except BoundcalcError as error:
        raise error.located(f"{file.name}: output {shown(chosen)}") from None
    layers, notes = tuple(builder.layers), tuple(builder.notes)
    network = Network(path.stem, layers, last, notes=notes, source=path)
    return simplified(network, file.name)


def _input(file: OnnxFile, wanted: Sequence[int] | None) -> tuple[str, Shape, int | None]:
    """The input's name, the shape of one sample, and the length of the batch axis."""
    inputs = [value for value in file.graph.input if value.name not in file.tensors]
    if len(inputs) != 1:
        raise unsupported(
            f"the model has {len(inputs)} inputs",
            file.name,
            ", ".join(value.name for value in inputs[:10]),
            fix="export a module whose forward takes one tensor",
        )
    (value,) = inputs
    where = f"{file.name}: input {shown(value.name)}"
    dims = list(input_dims(value))
    if not dims and wanted is None:
        raise DataError(
            "the input has no shape", where=where, fix="say --input-shape 1,28,28, for instance"
        )
    if wanted is not None and dims and len(wanted) not in (len(dims), len(dims) - 1):
        raise DataError(
            "the input shape does not fit the model",
            where=where,
            value=list(wanted),
            expected=f"{len(dims) - 1} sizes, for the axes after the batch axis",
        )
    # An input of one axis has no batch axis, unless the shape of a sample was asked for.
    bare = len(dims) == 1 if wanted is None else bool(dims) and len(wanted) == len(dims)
    axes = dims if bare else dims[1:]
    shape = []
    for axis, size in enumerate(axes if dims else list(wanted or ())):
        given = None if wanted is None else int(wanted[axis])
        if isinstance(size, int) and given not in (None, size):
            raise DataError(
                "the input shape does not fit the model",
                where=where,
                value=list(wanted or ()),
                expected=f"{size} at position {axis + 1}",
            )
        if not isinstance(size, int) and given is None:
            raise DataError(
                f"the size of axis {axis + (0 if bare else 1)} is left open",
                where=where,
                value=size or "no name",
                expected="a size for every axis but the batch axis",
                fix="give the shape of one sample: --input-shape 1,28,28, for instance",
            )
        shape.append(size if isinstance(size, int) else int(given or 0))
    batch = None if bare else (dims[0] if dims and isinstance(dims[0], int) else 1)
    return value.name, tuple(shape), batch


def _output(file: OnnxFile, wanted: str | None) -> str:
    names = [value.name for value in file.graph.output]
    if wanted is None and len(names) == 1:
        return str(names[0])
    if wanted in names:
        return str(wanted)
    raise unsupported(
        f"the model has {len(names)} outputs" if wanted is None else "there is no such output",
        file.name,
        ", ".join(names[:10]),
        fix=f"choose one: --output {names[0]}" if names else "export the model again",
    )


def _needed(graph: Any, output: str) -> set[str]:
    """The names that the output depends on."""
    needed = {output}
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
    needed.discard("")
    return needed


def _known(file: OnnxFile, values: dict[str, Value | None], name: str) -> Value:
    """What a name stands for; initialisers are loaded when they are read."""
    if name not in values:
        if name not in file.tensors:
            raise DataError("a value that no node before makes", value=name)
        values[name] = Constant(file.load(file.tensors[name], name), name)
    found = values[name]
    if found is None:
        raise unsupported("an output of a node that is not supported is used", "", name)
    return found


def _run(
    file: OnnxFile, builder: Builder, node: Any, values: dict[str, Value | None], batch: int
) -> None:
    """Compute one node."""
    kind = node.op_type
    constant = kind == "Constant"
    if node.domain not in ("", "ai.onnx") or not (constant or kind in OPS or kind in FOLDS):
        raise unsupported(
            f"the operator {kind!r} is not supported",
            "",
            f"{node.domain}.{kind}" if node.domain else kind,
            fix="supported: " + ", ".join(sorted(OPS)),
        )
    attributes = _attributes(file, node)
    if constant:
        made: Value | tuple[Value, ...] = Constant(_constant(attributes))
    else:
        inputs = tuple(_known(file, values, name) if name else None for name in node.input)
        arrays = [v.array if isinstance(v, Constant) else None for v in inputs]
        constants = all(isinstance(v, Constant) or v is None for v in inputs)
        call = Call(
            builder, kind, node.name, inputs, attributes, len(node.output), file.opset, batch
        )
        if constants and kind not in MOVES:
            made = Constant(folded(kind, arrays, attributes))
        elif kind in OPS:
            made = OPS[kind](call)
        else:
            raise unsupported(f"a {kind} of activations is not supported", "")
    outputs = made if isinstance(made, tuple) else (made,)
    for position, name in enumerate(node.output):
        values[name] = outputs[position] if position < len(outputs) else None


def _attributes(file: OnnxFile, node: Any) -> dict[str, Any]:
    """The attributes as Python values; subgraphs are not supported."""
    from onnx import AttributeProto, helper

    found: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
            raise unsupported(
                "a node with a graph inside", "", fix="export the model without control flow"
            )
        if attribute.type == AttributeProto.TENSOR:
            found[attribute.name] = file.load(attribute.t, node.name or attribute.name)
            continue
        value = helper.get_attribute_value(attribute)
        found[attribute.name] = (
            value.decode(errors="replace") if isinstance(value, bytes) else value
        )
    return found


def _constant(attributes: dict[str, Any]) -> Any:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in attributes:
            value = attributes[name]
            if isinstance(value, np.ndarray):
                return value
            return np.array(value, dtype=np.float32 if "float" in name else np.int64)
    raise unsupported("a constant that is no number", "", ", ".join(attributes))
