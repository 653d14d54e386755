"""ONNX models made by hand, and what the reference implementation computes with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def model(nodes, shape, weights=None, *, outputs=("out",), opset=20, kind=TensorProto.FLOAT):
    """A model of one input ``x`` of this shape, with initialisers by name."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [
            numpy_helper.from_array(np.asarray(a, order="C"), name)
            for name, a in (weights or {}).items()
        ],
    )
    ir = {20: 9}.get(opset, 7 if opset < 15 else 10)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def chain(*steps, shape, weights=None, opset=20):
    """A model whose nodes follow each other: ``("Relu", {}), ("Gemm", ["W", "b"], {…})``."""
    nodes, before = [], "x"
    for number, step in enumerate(steps, 1):
        kind, inputs, attributes = step if len(step) == 3 else (step[0], [], step[1])
        after = "out" if number == len(steps) else f"h{number}"
        nodes.append(
            helper.make_node(kind, [before, *inputs], [after], name=f"n{number}", **attributes)
        )
        before = after
    return model(nodes, shape, weights, opset=opset)


def saved(proto, folder: Path) -> Path:
    """The model's file."""
    path = folder / "model.onnx"
    onnx.save(proto, path)
    return path


def reference(proto, samples: np.ndarray) -> np.ndarray:
    """The first output for each sample, flat: ``(M, m)``."""
    run = ReferenceEvaluator(proto)
    return np.stack([np.ravel(run.run(None, {"x": sample[None]})[0]) for sample in samples])


def random_weights(seed: int, **shapes) -> dict[str, np.ndarray]:
    """Arrays of float32 by name."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) * 0.5 for name, shape in shapes.items()}


def gap(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference, relative to the largest output where that is above 1."""
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max()))


__all__ = ["chain", "gap", "model", "random_weights", "reference", "saved"]
