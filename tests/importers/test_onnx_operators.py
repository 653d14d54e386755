"""Every supported ONNX node, alone or in the smallest model that has it, against the reference."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import TensorProto, helper
from onnx_models import chain, gap, model, random_weights, reference, saved
from spec_runs import outputs, written

from boundcalc.importers import import_model
from boundcalc.importers.onnx_ops import OPS

LINEAR = random_weights(1, W=(3, 6), b=(3,), V=(6, 3), c=(3,), S=(6, 6), U=(6, 6), v=(6,))
KERNELS = random_weights(
    2, K=(4, 3, 3, 3), k=(4,), G=(4, 1, 2, 3), g=(4,), D=(2, 4, 3), d=(2,), P=(4, 1, 1, 1)
)
BN = {
    **random_weights(3, gamma=(4,), beta=(4,), mean=(4,)),
    "variance": np.array([0.5, 1.0, 2.0, 3.0], np.float32),
}
NORM = random_weights(4, scale=(6,), shift=(6,))
SAME = {"pads": [1, 1, 1, 1]}
INTS = np.int64


def ints(*values):
    return np.array(values, INTS)


def flat(*steps, weights=None, opset=20):
    """Steps on six numbers."""
    return chain(*steps, shape=[1, 6], weights={**LINEAR, **(weights or {})}, opset=opset)


def image(*steps, weights=None, opset=20, channels=3):
    """Steps on an image of 6 × 7 pixels."""
    known = {**KERNELS, **BN, **(weights or {})}
    return chain(*steps, shape=[1, channels, 6, 7], weights=known, opset=opset)


def tokens(*steps, weights=None, opset=20):
    """Steps on five tokens of six numbers."""
    known = {**LINEAR, **NORM, **(weights or {})}
    return chain(*steps, shape=[1, 5, 6], weights=known, opset=opset)


def pair(*nodes, weights=None, shape=(1, 6), opset=20):
    """Nodes that name their own inputs and outputs."""
    made = [helper.make_node(kind, *names, **attributes) for kind, names, attributes in nodes]
    return model(made, list(shape), {**LINEAR, **NORM, **(weights or {})}, opset=opset)


def elementwise(kind, **attributes):
    return flat(("MatMul", ["S"], {}), (kind, attributes))


BIAS = ("Add", ["b"], {})
CONV = ("Conv", ["K", "k"], SAME)

#: Name → model, and the operators that it becomes (without the loss).
CASES = {
    "Gemm": (flat(("Gemm", ["V", "c"], {})), ["dense"]),
    "Gemm transposed": (flat(("Gemm", ["W", "b"], {"transB": 1})), ["dense"]),
    "Gemm scaled": (
        flat(("Gemm", ["W", "b"], {"transB": 1, "alpha": 0.5, "beta": -2.0})),
        ["dense"],
    ),
    "Gemm one bias": (
        flat(("Gemm", ["V", "one"], {}), weights={"one": np.array([0.7], np.float32)}),
        ["dense"],
    ),
    "MatMul": (flat(("MatMul", ["V"], {})), ["dense"]),
    "MatMul Add": (flat(("MatMul", ["V"], {}), BIAS), ["dense"]),
    "MatMul vector": (tokens(("MatMul", ["v"], {})), ["dense"]),
    "MatMul of tokens": (tokens(("MatMul", ["V"], {}), BIAS), ["dense"]),
    "MatMul from the left": (
        pair(
            ("MatMul", (["M", "x"], ["out"]), {}),
            weights=random_weights(5, M=(4, 5)),
            shape=(1, 5, 6),
        ),
        ["identity", "dense", "identity"],
    ),
    "Mul Sub after MatMul": (
        flat(("MatMul", ["V"], {}), ("Mul", ["c"], {}), ("Sub", ["b"], {})),
        ["dense"],
    ),
    "Div after MatMul": (flat(("MatMul", ["V"], {}), ("Div", ["c"], {})), ["dense"]),
    "Conv": (image(("Conv", ["K", "k"], {})), ["conv2d"]),
    "Conv padded": (image(CONV), ["conv2d"]),
    "Conv strided": (
        image(("Conv", ["K"], {"strides": [2, 1], "pads": [0, 1, 0, 1]})),
        ["conv2d"],
    ),
    "Conv dilated": (image(("Conv", ["K"], {"dilations": [2, 1]})), ["conv2d"]),
    "Conv grouped": (image(("Conv", ["G", "g"], {"group": 4}), channels=4), ["conv2d"]),
    "Conv 1D": (
        chain(("Conv", ["D", "d"], {"pads": [2, 2]}), shape=[1, 4, 9], weights=KERNELS),
        ["conv1d"],
    ),
    "Conv VALID": (image(("Conv", ["K"], {"auto_pad": "VALID"})), ["conv2d"]),
    "BatchNormalization after Conv": (
        image(CONV, ("BatchNormalization", ["gamma", "beta", "mean", "variance"], {})),
        ["conv2d"],
    ),
    "BatchNormalization after Conv without bias": (
        image(
            ("Conv", ["K"], {}),
            ("BatchNormalization", ["gamma", "beta", "mean", "variance"], {"epsilon": 0.25}),
        ),
        ["conv2d"],
    ),
    "BatchNormalization after Gemm": (
        flat(
            ("Gemm", ["Q"], {}),
            ("BatchNormalization", ["gamma", "beta", "mean", "variance"], {}),
            weights={**random_weights(6, Q=(6, 4)), **BN},
        ),
        ["dense"],
    ),
    "BatchNormalization first": (
        image(
            ("BatchNormalization", ["gamma", "beta", "mean", "variance"], {}),
            ("Relu", {}),
            channels=4,
        ),
        ["conv2d", "relu"],
    ),
    "BatchNormalization after Relu": (
        flat(
            ("Gemm", ["Q"], {}),
            ("Relu", {}),
            ("BatchNormalization", ["gamma", "beta", "mean", "variance"], {}),
            weights={**random_weights(6, Q=(6, 4)), **BN},
        ),
        ["dense", "relu", "identity", "conv1d", "identity"],
    ),
    "Relu": (elementwise("Relu"), ["dense", "relu"]),
    "LeakyRelu": (elementwise("LeakyRelu", alpha=0.3), ["dense", "leaky_relu"]),
    "PRelu": (
        flat(("PRelu", ["slope"], {}), weights={"slope": np.array([0.25], np.float32)}),
        ["leaky_relu"],
    ),
    "Gelu": (elementwise("Gelu"), ["dense", "gelu"]),
    "Gelu tanh": (elementwise("Gelu", approximate="tanh"), ["dense", "gelu"]),
    "Tanh": (elementwise("Tanh"), ["dense", "tanh"]),
    "Sigmoid": (elementwise("Sigmoid"), ["dense", "sigmoid"]),
    "Softplus": (elementwise("Softplus"), ["dense", "softplus"]),
    "Sin": (elementwise("Sin"), ["dense", "sine"]),
    "Neg": (elementwise("Neg"), ["dense"]),
    "Neg Relu": (flat(("Relu", {}), ("Neg", {})), ["relu", "add"]),
    "Identity Dropout": (
        flat(("Identity", {}), ("Relu", {}), ("Dropout", {})),
        ["relu"],
    ),
    "Cast": (flat(("Cast", {"to": TensorProto.FLOAT}), ("Relu", {})), ["relu"]),
    "square by Mul": (pair(("Mul", (["x", "x"], ["out"]), {})), ["square"]),
    "square by Pow": (
        flat(("Pow", ["two"], {}), weights={"two": np.array(2.0, np.float32)}),
        ["square"],
    ),
    "doubled": (pair(("Add", (["x", "x"], ["out"]), {})), ["add"]),
    "scale and shift of the input": (
        flat(
            ("Sub", ["m"], {}),
            ("Div", ["s"], {}),
            ("Relu", {}),
            weights={"m": np.array(0.13, np.float32), "s": np.array(0.3, np.float32)},
        ),
        ["conv1d", "identity", "relu"],
    ),
    "positions added": (
        tokens(("Add", ["p"], {}), ("Relu", {}), weights=random_weights(8, p=(1, 5, 6))),
        ["conv1d", "identity", "relu"],
    ),
    "factor after Relu": (
        flat(("Relu", {}), ("Mul", ["f"], {}), weights={"f": np.array(3.0, np.float32)}),
        ["relu"],
    ),
    "silu": (
        pair(("Sigmoid", (["x"], ["s"]), {}), ("Mul", (["x", "s"], ["out"]), {})),
        ["silu"],
    ),
    "silu by Exp": (
        pair(
            ("Neg", (["x"], ["m"]), {}),
            ("Exp", (["m"], ["e"]), {}),
            ("Add", (["e", "one"], ["d"]), {}),
            ("Div", (["x", "d"], ["out"]), {}),
            weights={"one": np.array(1.0, np.float32)},
        ),
        ["silu"],
    ),
    "softplus by Log": (
        pair(
            ("Exp", (["x"], ["e"]), {}),
            ("Add", (["one", "e"], ["d"]), {}),
            ("Log", (["d"], ["out"]), {}),
            weights={"one": np.array(1.0, np.float32)},
        ),
        ["softplus"],
    ),
    "softplus with a threshold": (
        pair(
            ("Softplus", (["x"], ["s"]), {}),
            ("Greater", (["x", "twenty"], ["g"]), {}),
            ("Where", (["g", "x", "s"], ["out"]), {}),
            weights={"twenty": np.array(20.0, np.float32)},
        ),
        ["softplus"],
    ),
    "gelu by Erf": (
        pair(
            ("Div", (["x", "root"], ["d"]), {}),
            ("Erf", (["d"], ["e"]), {}),
            ("Add", (["e", "one"], ["f"]), {}),
            ("Mul", (["x", "f"], ["g"]), {}),
            ("Mul", (["g", "half"], ["out"]), {}),
            weights={
                "root": np.array(2**0.5, np.float32),
                "one": np.array(1.0, np.float32),
                "half": np.array(0.5, np.float32),
            },
        ),
        ["gelu"],
    ),
    "gelu by Tanh": (
        pair(
            ("Pow", (["x", "three"], ["p"]), {}),
            ("Mul", (["p", "a"], ["q"]), {}),
            ("Add", (["x", "q"], ["r"]), {}),
            ("Mul", (["r", "k"], ["u"]), {}),
            ("Tanh", (["u"], ["t"]), {}),
            ("Add", (["t", "one"], ["f"]), {}),
            ("Mul", (["x", "half"], ["h"]), {}),
            ("Mul", (["h", "f"], ["out"]), {}),
            weights={
                "three": np.array(3.0, np.float32),
                "a": np.array(0.044715, np.float32),
                "k": np.array((2 / np.pi) ** 0.5, np.float32),
                "one": np.array(1.0, np.float32),
                "half": np.array(0.5, np.float32),
            },
        ),
        ["gelu"],
    ),
    "layer normalisation by parts": (
        pair(
            ("ReduceMean", (["x", "last"], ["m"]), {}),
            ("Sub", (["x", "m"], ["d"]), {}),
            ("Pow", (["d", "two"], ["s"]), {}),
            ("ReduceMean", (["s", "last"], ["v"]), {}),
            ("Add", (["v", "eps"], ["e"]), {}),
            ("Sqrt", (["e"], ["r"]), {}),
            ("Div", (["d", "r"], ["n"]), {}),
            ("Mul", (["n", "scale"], ["g"]), {}),
            ("Add", (["g", "shift"], ["out"]), {}),
            weights={
                "last": ints(-1),
                "two": np.array(2.0, np.float32),
                "eps": np.array(1e-3, np.float32),
            },
            shape=(1, 5, 6),
        ),
        ["layer_norm"],
    ),
    "RMS normalisation by parts": (
        pair(
            ("Mul", (["x", "x"], ["s"]), {}),
            ("ReduceMean", (["s", "last"], ["v"]), {}),
            ("Add", (["v", "eps"], ["e"]), {}),
            ("Sqrt", (["e"], ["r"]), {}),
            ("Reciprocal", (["r"], ["i"]), {}),
            ("Mul", (["i", "x"], ["n"]), {}),
            ("Mul", (["n", "scale"], ["out"]), {}),
            weights={"last": ints(-1), "eps": np.array(1e-3, np.float32)},
            shape=(1, 5, 6),
        ),
        ["rms_norm"],
    ),
    "LayerNormalization scaled and shifted": (
        tokens(
            ("LayerNormalization", ["scale", "shift"], {}),
            ("Mul", ["v"], {}),
            ("Add", ["scale"], {}),
        ),
        ["layer_norm"],
    ),
    "channels shifted and scaled": (
        image(
            ("Add", ["s"], {}),
            ("Mul", ["f"], {}),
            ("Sub", ["f"], {}),
            ("Relu", {}),
            weights=random_weights(10, s=(1, 3, 1, 1), f=(1, 3, 1, 1)),
        ),
        ["conv2d", "relu"],
    ),
    "factors of a layer that is read twice": (
        pair(
            ("MatMul", (["x", "S"], ["h"]), {}),
            ("Mul", (["h", "v"], ["g"]), {}),
            ("Add", (["g", "h"], ["out"]), {}),
        ),
        ["dense", "identity", "conv1d", "identity", "add"],
    ),
    "LayerNormalization": (
        tokens(("LayerNormalization", ["scale", "shift"], {"epsilon": 1e-3})),
        ["layer_norm"],
    ),
    "LayerNormalization without shift": (
        tokens(("LayerNormalization", ["scale"], {})),
        ["layer_norm"],
    ),
    "LayerNormalization over two axes": (
        tokens(
            ("LayerNormalization", ["two", "three"], {"axis": 1}),
            weights=random_weights(9, two=(5, 6), three=(5, 6)),
        ),
        ["layer_norm"],
    ),
    "RMSNormalization": (
        tokens(("RMSNormalization", ["scale"], {"epsilon": 1e-3}), opset=23),
        ["rms_norm"],
    ),
    "Softmax": (tokens(("Softmax", {}), ("Relu", {})), ["softmax", "relu"]),
    "Softmax of channels": (
        image(("Softmax", {"axis": 1}), ("Relu", {})),
        ["identity", "softmax", "relu", "identity"],
    ),
    "ReduceMean of tokens": (
        tokens(("ReduceMean", ["axis"], {"keepdims": 0}), weights={"axis": ints(1)}),
        ["mean_pool"],
    ),
    "ReduceMean of features": (
        tokens(("ReduceMean", ["axis"], {"keepdims": 0}), weights={"axis": ints(2)}),
        ["mean_pool"],
    ),
    "ReduceMean of rows": (
        image(("ReduceMean", ["axis"], {}), weights={"axis": ints(2)}),
        ["mean_pool"],
    ),
    "ReduceMean of old": (
        tokens(("ReduceMean", {"axes": [1, 2]}), ("Neg", {}), opset=13),
        ["mean_pool", "add"],
    ),
    "GlobalAveragePool": (
        image(CONV, ("GlobalAveragePool", {}), ("Flatten", {})),
        ["conv2d", "mean_pool"],
    ),
    "AveragePool": (
        image(("AveragePool", {"kernel_shape": [2, 3], "strides": [2, 2]})),
        ["mean_pool"],
    ),
    "AveragePool padded": (
        image(
            (
                "AveragePool",
                {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1},
            )
        ),
        ["mean_pool"],
    ),
    "Flatten": (
        image(CONV, ("Flatten", {}), ("Gemm", ["F"], {}), weights=random_weights(7, F=(168, 2))),
        ["conv2d", "identity", "dense"],
    ),
    "Reshape": (
        flat(
            ("Reshape", ["to"], {}),
            ("Gemm", ["R"], {}),
            weights={"to": ints(0, 2, -1), **random_weights(7, R=(3, 4))},
        ),
        ["dense"],
    ),
    "Squeeze Unsqueeze": (
        flat(
            ("Unsqueeze", ["one"], {}),
            ("Relu", {}),
            ("Squeeze", ["one"], {}),
            weights={"one": ints(1)},
        ),
        ["relu"],
    ),
    "Transpose": (
        tokens(("Transpose", {"perm": [0, 2, 1]}), ("Softmax", {}), ("Relu", {})),
        ["identity", "softmax", "relu"],
    ),
    "Transpose back": (
        tokens(
            ("Transpose", {"perm": [0, 2, 1]}),
            ("Relu", {}),
            ("Transpose", {"perm": [0, 2, 1]}),
            ("MatMul", ["V"], {}),
        ),
        ["relu", "dense"],
    ),
    "Transpose Flatten Gemm": (
        image(
            ("Transpose", {"perm": [0, 2, 3, 1]}),
            ("Flatten", {}),
            ("Gemm", ["F"], {}),
            weights=random_weights(7, F=(126, 2)),
        ),
        ["dense"],
    ),
    "Slice": (
        flat(
            ("Slice", ["from", "to", "axis"], {}),
            weights={"from": ints(1), "to": ints(4), "axis": ints(1)},
        ),
        ["select"],
    ),
    "Slice with steps": (
        flat(
            ("Slice", ["from", "to", "axis", "step"], {}),
            weights={"from": ints(1), "to": ints(6), "axis": ints(1), "step": ints(2)},
        ),
        ["select"],
    ),
    "Slice backwards": (
        flat(
            ("Slice", ["from", "to", "axis", "step"], {}),
            ("Gemm", ["V"], {}),
            weights={"from": ints(-1), "to": ints(-7), "axis": ints(1), "step": ints(-1)},
        ),
        ["dense"],
    ),
    "one matrix in both directions": (
        flat(("Gemm", ["S"], {}), ("Tanh", {}), ("Gemm", ["S"], {"transB": 1})),
        ["dense", "tanh", "dense"],
    ),
    "Slice of columns": (
        tokens(
            ("Slice", ["from", "to", "axis"], {}),
            weights={"from": ints(1), "to": ints(4), "axis": ints(2)},
        ),
        ["identity", "select", "identity", "identity"],
    ),
    "Gather of a token": (
        tokens(("Gather", ["first"], {"axis": 1}), weights={"first": np.array(0, INTS)}),
        ["select"],
    ),
    "Split of a linear layer": (
        pair(
            ("MatMul", (["x", "S"], ["h"]), {}),
            ("Add", (["h", "v"], ["g"]), {}),
            ("Split", (["g"], ["a", "b"]), {"axis": 2, "num_outputs": 2}),
            ("Sigmoid", (["b"], ["s"]), {}),
            ("Mul", (["a", "s"], ["out"]), {}),
            shape=(1, 5, 6),
        ),
        ["identity", "dense", "sigmoid", "dense", "multiply"],
    ),
    "Split of the input": (
        pair(
            ("Split", (["x", "parts"], ["a", "b"]), {"axis": 1}),
            ("Sub", (["a", "b"], ["out"]), {}),
            weights={"parts": ints(3, 3)},
        ),
        ["identity", "select", "select", "add"],
    ),
    "Add": (
        pair(("MatMul", (["x", "S"], ["h"]), {}), ("Add", (["x", "h"], ["out"]), {})),
        ["identity", "dense", "add"],
    ),
    "Sum": (
        pair(
            ("MatMul", (["x", "S"], ["h"]), {}),
            ("Relu", (["x"], ["r"]), {}),
            ("Sum", (["x", "h", "r"], ["out"]), {}),
        ),
        ["identity", "dense", "relu", "add", "add"],
    ),
    "Mul": (
        pair(
            ("MatMul", (["x", "S"], ["h"]), {}),
            ("MatMul", (["x", "U"], ["g"]), {}),
            ("Mul", (["g", "h"], ["out"]), {}),
        ),
        ["identity", "dense", "dense", "multiply"],
    ),
    "Tanh Sigmoid gate": (
        pair(
            ("Tanh", (["x"], ["t"]), {}),
            ("Sigmoid", (["x"], ["s"]), {}),
            ("Mul", (["t", "s"], ["out"]), {}),
        ),
        ["identity", "sigmoid", "tanh", "multiply"],
    ),
    "Concat": (
        pair(
            ("MatMul", (["x", "V"], ["h"]), {}),
            ("Concat", (["x", "h"], ["out"]), {"axis": -1}),
            shape=(1, 5, 6),
        ),
        ["identity", "dense", "concat"],
    ),
    "Concat of tokens": (
        pair(
            ("MatMul", (["x", "S"], ["h"]), {}),
            ("Concat", (["h", "x"], ["out"]), {"axis": 1}),
            shape=(1, 5, 6),
        ),
        ["identity", "dense", "concat"],
    ),
    "Constant": (
        pair(
            ("Constant", ([], ["c0"]), {"value_float": 0.5}),
            ("Relu", (["x"], ["r"]), {}),
            ("Mul", (["r", "c0"], ["out"]), {}),
        ),
        ["relu"],
    ),
    "shape arithmetic": (
        pair(
            ("Shape", (["x"], ["s"]), {}),
            ("Gather", (["s", "zero"], ["n"]), {}),
            ("Unsqueeze", (["n", "zeros"], ["m"]), {}),
            ("Concat", (["m", "rest"], ["to"]), {"axis": 0}),
            ("Reshape", (["x", "to"], ["out"]), {}),
            ("Relu", (["out"], ["y"]), {}),
            weights={"zero": np.array(0, INTS), "zeros": ints(0), "rest": ints(-1)},
            shape=(1, 5, 6),
        ),
        ["relu"],
    ),
}
CASES["shape arithmetic"][0].graph.output[0].name = "y"


@pytest.mark.parametrize("name", CASES)
def test_a_node_becomes_operators_that_compute_the_same(tmp_path, name):
    proto, expected = CASES[name]
    shape = [dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim][1:]
    samples = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
    network = import_model(saved(proto, tmp_path))
    assert expected == [layer.type for layer in network.layers[1:]]
    spec = written(network, tmp_path)
    assert gap(outputs(spec, samples), reference(proto, samples)) <= 1e-5


def test_every_supported_node_has_a_case():
    seen = {node.op_type for proto, _ in CASES.values() for node in proto.graph.node}
    assert set(OPS) - seen <= {"Attention", "LogSoftmax", "Swish"}  # these have tests of their own


def test_softmax_of_old_operator_sets_is_over_all_axes_that_follow(tmp_path):
    # The reference implementation reads it as the softmax of today.
    proto = tokens(("Softmax", {}), ("Relu", {}), opset=11)
    samples = np.random.default_rng(0).normal(size=(3, 5, 6))
    found = outputs(written(import_model(saved(proto, tmp_path)), tmp_path), samples)
    powers = np.exp(samples.reshape(3, -1))
    assert gap(found, powers / powers.sum(axis=1, keepdims=True)) <= 1e-12
