"""Import of an ONNX model of 50 layers."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

LAYERS, WIDTH = 50, 256


def deep_model(path):
    """Fifty linear layers of 256 units with ReLU between, 3.3 million weights."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, weights, before = [], [], "x"
    for number in range(LAYERS):
        for name, shape in ((f"fc{number}.weight", (WIDTH, WIDTH)), (f"fc{number}.bias", WIDTH)):
            array = rng.normal(size=shape).astype(np.float32) / WIDTH**0.5
            weights.append(numpy_helper.from_array(array, name))
        inputs = [before, f"fc{number}.weight", f"fc{number}.bias"]
        nodes.append(helper.make_node("Gemm", inputs, [f"h{number}"], transB=1))
        nodes.append(helper.make_node("Relu", [f"h{number}"], [f"r{number}"]))
        before = f"r{number}"
    graph = helper.make_graph(
        nodes,
        "deep",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, WIDTH])],
        [helper.make_tensor_value_info(before, TensorProto.FLOAT, [1, WIDTH])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)


@pytest.mark.benchmark(group="import")
def test_import_of_fifty_layers(benchmark, tmp_path):
    from boundcalc.importers import import_model, write_spec

    path = tmp_path / "deep.onnx"
    deep_model(path)

    def run():
        return write_spec(import_model(path), tmp_path / "deep.yaml")

    done = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    assert len(done.network.layers) == 2 * LAYERS + 2
