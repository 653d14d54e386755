"""ONNX files that are broken, hostile or beyond the library: one message, and no crash."""

from contextlib import suppress

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx_models import chain, model, random_weights, saved

from boundcalc.errors import BoundcalcError, DataError, UnsupportedError
from boundcalc.importers import Settings, import_model, write_spec

WEIGHTS = random_weights(0, W=(4, 3), b=(3,))
GEMM = ("Gemm", ["W", "b"], {})


def good():
    return chain(GEMM, ("Relu", {}), shape=[1, 4], weights=WEIGHTS)


def with_weight(array):
    return chain(GEMM, ("Relu", {}), shape=[1, 4], weights={**WEIGHTS, "W": array})


def declared(dims, **fields):
    """A model whose first weight only says that it has these dimensions."""
    proto = good()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    del tensor.dims[:]
    tensor.dims.extend(dims)
    for key, value in fields.items():
        setattr(tensor, key, value)
    return proto


def external(location, **entries):
    """A model whose first weight lies in another file."""
    proto = declared([4, 3], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        entry = proto.graph.initializer[0].external_data.add()
        entry.key, entry.value = key, str(value)
    return proto


def renamed(kind, domain=""):
    proto = good()
    proto.graph.node[1].op_type = kind
    proto.graph.node[1].domain = domain
    return proto


def dynamic(*dims):
    return chain(GEMM, ("Relu", {}), shape=list(dims), weights=WEIGHTS)


def two_inputs():
    proto = good()
    proto.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4]))
    return proto


def two_outputs():
    proto = good()
    proto.graph.output.append(helper.make_tensor_value_info("h1", TensorProto.FLOAT, [1, 3]))
    return proto


def with_subgraph():
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["r"])], "g", [], [])
    node = helper.make_node("Relu", ["x"], ["out"], body=branch)
    return model([node], [1, 4])


def with_function():
    proto = good()
    body = [helper.make_node("Relu", ["a"], ["b"])]
    opset = [helper.make_opsetid("", 20)]
    proto.functions.append(helper.make_function("d", "F", ["a"], ["b"], body, opset))
    return proto


NAN = WEIGHTS["W"].copy()
NAN[2, 1] = np.nan
INF = WEIGHTS["W"].copy()
INF[0, 0] = -np.inf

#: What is wrong → the model, the kind of error, parts of the message.
CASES = {
    "nan": (with_weight(NAN), DataError, ["W", "nan at", "not a finite number", "node 1 of 2"]),
    "inf": (with_weight(INF), DataError, ["W", "-inf at"]),
    "no axes": (with_weight(np.array(1.0, np.float32)), DataError, ["W", "shape []", "axes"]),
    "one axis": (with_weight(np.ones(4, np.float32)), DataError, ["W", "shape [4]", "2 axes"]),
    "empty": (with_weight(np.ones((4, 0), np.float32)), DataError, ["'W'", "shape [4, 0]"]),
    "integers that fit": (
        chain(("MatMul", ["W"], {}), shape=[1, 4], weights={"W": np.array([["a"]])}),
        UnsupportedError,
        ["'W'", "STRING"],
    ),
    "too large": (
        declared([2**15, 2**14]),
        DataError,
        ["'W'", "[32768, 16384]", "at most 100000000"],
    ),
    "huge": (declared([2**40, 2**40]), DataError, ["'W'", "too large"]),
    "negative": (declared([-1, 3]), DataError, ["'W'", "[-1, 3]"]),
    "cut off": (declared([4, 3]), DataError, ["'W'", "cut off", "12, as its shape [4, 3] says"]),
    "outside": (external("../weights.bin"), DataError, ["'W'", "lies outside the folder"]),
    "absolute": (external("/etc/hostname"), DataError, ["lies outside the folder of the model"]),
    "no such file": (external("missing.bin"), DataError, ["cannot be read"]),
    "no location": (external(""), DataError, ["'W'"]),
    "offset": (external("weights.bin", offset=40), DataError, ["do not fit", "inside the file"]),
    "length": (external("weights.bin", length=4), DataError, ["do not fit", "48 bytes"]),
    "no number": (external("weights.bin", offset="x"), DataError, ["no number"]),
    "null": (external("a\0b"), DataError, ["'W'"]),
    "link": (external("link.bin"), DataError, ["lies outside the folder of the model"]),
    "unsupported": (
        renamed("MaxRoiPool"),
        UnsupportedError,
        ["node 2 of 2, MaxRoiPool 'n2'", "supported: Add, ", "Where"],
    ),
    "other domain": (renamed("Relu", "com.acme"), UnsupportedError, ["com.acme.Relu"]),
    "a subgraph": (with_subgraph(), UnsupportedError, ["node 1 of 1, Relu", "a graph inside"]),
    "functions": (with_function(), UnsupportedError, ["functions of its own", "inline"]),
    "two inputs": (two_inputs(), UnsupportedError, ["2 inputs", "x, z"]),
    "two outputs": (two_outputs(), UnsupportedError, ["2 outputs", "out, h1", "--output out"]),
    "open axis": (
        dynamic("N", "length"),
        DataError,
        ["axis 1 is left open", "length", "--input-shape"],
    ),
    "no input axes": (dynamic(), DataError, ["has no shape", "--input-shape"]),
    "empty input": (dynamic(1, 0), DataError, ["without components"]),
    "huge input": (dynamic(1, 10**8), DataError, ["too large", "at most 10000000"]),
    "misfit": (dynamic(1, 5), UnsupportedError, ["node 1 of 2", "does not fit its input"]),
    "old operators": (
        chain(("Relu", {}), shape=[1, 4], opset=6),
        UnsupportedError,
        ["too old", "version 6"],
    ),
    "no nodes": (model([], [1, 4], outputs=("x",)), DataError, ["no nodes"]),
    "nothing computed": (
        chain(("Identity", {}), shape=[1, 4]),
        UnsupportedError,
        ["the output is the input"],
    ),
    "unknown name": (
        model([helper.make_node("Relu", ["y"], ["out"])], [1, 4]),
        DataError,
        ["that no node before makes", "'y'"],
    ),
    "constant output": (
        chain(("Shape", {}), shape=[1, 4]),
        UnsupportedError,
        ["output 'out'", "not a constant"],
    ),
    "training": (
        chain(
            ("BatchNormalization", ["g", "g", "g", "g"], {"training_mode": 1}),
            shape=[1, 4],
            weights={"g": np.ones(4, np.float32)},
        ),
        UnsupportedError,
        ["training mode", "model.eval()"],
    ),
    "variance": (
        chain(
            ("BatchNormalization", ["g", "g", "g", "v"], {}),
            shape=[1, 4],
            weights={"g": np.ones(4, np.float32), "v": -np.ones(4, np.float32)},
        ),
        DataError,
        ["negative or 0"],
    ),
    "uneven padding": (
        chain(
            ("Conv", ["K"], {"pads": [0, 0, 1, 1]}),
            shape=[1, 1, 5, 5],
            weights=random_weights(0, K=(1, 1, 2, 2)),
        ),
        UnsupportedError,
        ["differs between the two sides"],
    ),
    "automatic padding": (
        chain(
            ("Conv", ["K"], {"auto_pad": "SAME_UPPER"}),
            shape=[1, 1, 5, 5],
            weights=random_weights(0, K=(1, 1, 2, 2)),
        ),
        UnsupportedError,
        ["SAME_UPPER"],
    ),
    "ceil": (
        chain(("AveragePool", {"kernel_shape": [2, 2], "ceil_mode": 1}), shape=[1, 1, 5, 5]),
        UnsupportedError,
        ["smaller at the border"],
    ),
    "three axes": (
        chain(
            ("Conv", ["K"], {}), shape=[1, 1, 5, 5, 5], weights=random_weights(0, K=(1, 1, 2, 2, 2))
        ),
        UnsupportedError,
        ["other than 1 or 2 axes"],
    ),
    "transposed activation": (
        chain(("Gemm", ["W", "b"], {"transA": 1}), shape=[1, 4], weights=WEIGHTS),
        UnsupportedError,
        ["transposed activation"],
    ),
    "steep slope": (
        chain(("LeakyRelu", {"alpha": -0.1}), shape=[1, 4]),
        UnsupportedError,
        ["outside [0, 1]", "-0.1"],
    ),
    "unknown formula": (
        chain(("Exp", {}), ("Erf", {}), ("Relu", {}), shape=[1, 4]),
        UnsupportedError,
        ["erf(exp(x))", "no operator of the library"],
    ),
    "products outside attention": (
        model(
            [
                helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
                helper.make_node("MatMul", ["x", "t"], ["m"]),
                helper.make_node("Relu", ["m"], ["out"]),
            ],
            [1, 3, 4],
        ),
        UnsupportedError,
        ["node 3 of 3, Relu", "inside attention alone"],
    ),
    "broadcast activations": (
        model(
            [
                helper.make_node("ReduceMean", ["x"], ["m"], keepdims=1),
                helper.make_node("Relu", ["m"], ["r"]),
                helper.make_node("Add", ["x", "r"], ["out"]),
            ],
            [1, 3, 4],
        ),
        UnsupportedError,
        ["different shapes are added"],
    ),
    "repeated components": (
        chain(
            ("Gather", ["i"], {"axis": 1}),
            ("Relu", {}),
            shape=[1, 4],
            weights={"i": np.array([0, 0, 3])},
        ),
        UnsupportedError,
        ["neither a slice nor a transpose"],
    ),
    "a low threshold": (
        model(
            [
                helper.make_node("Softplus", ["x"], ["s"]),
                helper.make_node("Greater", ["x", "t"], ["g"]),
                helper.make_node("Where", ["g", "x", "s"], ["out"]),
            ],
            [1, 4],
            {"t": np.array(5.0, np.float32)},
        ),
        UnsupportedError,
        ["node 2 of 3, Greater", "a comparison of activations"],
    ),
    "inner LogSoftmax": (
        chain(("LogSoftmax", {}), ("Relu", {}), shape=[1, 4]),
        UnsupportedError,
        ["not the last operator"],
    ),
    "a bomb of constants": (
        model(
            [
                helper.make_node("ConstantOfShape", ["s"], ["c"]),
                helper.make_node("Add", ["x", "c"], ["out"]),
            ],
            [1, 4],
            {"s": np.array([10**6, 10**6])},
        ),
        DataError,
        ["a computed constant is too large"],
    ),
    "a bomb of indices": (
        chain(
            ("Gather", ["i"], {"axis": 0}),
            ("Gather", ["i"], {"axis": 0}),
            ("Gather", ["i"], {"axis": 0}),
            shape=[1, 4],
            weights={"i": np.zeros((100, 100), np.int64)},
        ),
        UnsupportedError,
        ["makes a value too large"],
    ),
    "shapes of constants": (
        model(
            [
                helper.make_node("Add", ["a", "b"], ["c"]),
                helper.make_node("Add", ["x", "c"], ["out"]),
            ],
            [1, 4],
            {"a": np.ones(3), "b": np.ones(4)},
        ),
        DataError,
        ["do not fit each other"],
    ),
    "division by zero": (
        chain(("Div", ["z"], {}), shape=[1, 4], weights={"z": np.zeros(1, np.float32)}),
        UnsupportedError,
        ["divided by 0"],
    ),
    "reshape": (
        chain(("Reshape", ["s"], {}), ("Relu", {}), shape=[1, 4], weights={"s": np.array([3, 3])}),
        DataError,
        ["shapes that do not fit", "input [1, 4]"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_model_is_refused_with_its_reason(tmp_path, name):
    proto, kind, parts = CASES[name]
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(48))
    (folder / "weights.bin").write_bytes(bytes(48))
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(kind) as caught:
        import_model(saved_unchecked(proto, folder))
    for part in ["model.onnx", *parts]:
        assert part in str(caught.value)


def saved_unchecked(proto, folder):
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_two_gigabytes_are_refused_before_memory_is_asked_for(tmp_path):
    resource = pytest.importorskip("resource")
    path = saved_unchecked(declared([2**15, 2**14]), tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match="too large"):
        import_model(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_every_truncation_is_refused(tmp_path):
    content = saved(good(), tmp_path).read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(BoundcalcError) as caught:
            import_model(path)
        assert "cut.onnx" in str(caught.value)


def test_changed_bytes_never_crash(tmp_path):
    content = bytearray(saved(good(), tmp_path).read_bytes())
    path = tmp_path / "changed.onnx"
    rng = np.random.default_rng(0)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] = rng.integers(256)
        path.write_bytes(bytes(changed))
        with suppress(BoundcalcError):  # anything else is a failure
            import_model(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"not a model at all", b"\x08" * 50])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"other\.onnx"):
        import_model(path)


def test_folders_and_unknown_suffixes_are_refused(tmp_path):
    with pytest.raises(UnsupportedError, match="this is no model file"):
        import_model(tmp_path / "model.h5")
    with pytest.raises(DataError, match="cannot be read"):
        import_model(tmp_path / "missing.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(DataError, match="not a regular file"):
        import_model(tmp_path / "folder.onnx")


def test_external_data_in_the_folder_are_read(tmp_path):
    proto = external("weights.bin", offset=4, length=48)
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    (tmp_path / "weights.bin").write_bytes(bytes(4) + array.tobytes() + bytes(9))
    network = import_model(saved_unchecked(proto, tmp_path))
    assert np.array_equal(network.layers[1].arrays[0], array.T)


def test_sizes_left_open_are_asked_for_and_given(tmp_path):
    path = saved(dynamic("N", "length"), tmp_path)
    assert import_model(path, input_shape=[4]).input_shape == (4,)
    with pytest.raises(UnsupportedError, match="does not fit its input"):
        import_model(path, input_shape=[5])
    with pytest.raises(DataError, match="does not fit the model"):
        import_model(path, input_shape=[1, 2, 4])
    with pytest.raises(DataError, match="4 at position 1"):
        import_model(saved(good(), tmp_path), input_shape=[5])


def test_the_batch_axis_is_dropped_and_said_if_it_was_fixed(tmp_path):
    assert import_model(saved(dynamic("N", 4), tmp_path)).notes == ()
    fixed = import_model(saved(dynamic(8, 4), tmp_path))
    assert "batches of 8" in fixed.notes[0]
    assert fixed.input_shape == (4,)


def test_a_reshape_may_repeat_the_batch_of_the_export(tmp_path):
    weights = {**random_weights(0, W=(4, 3)), "s": np.array([8, 4])}
    proto = chain(("Reshape", ["s"], {}), ("Gemm", ["W"], {}), shape=[8, 2, 2], weights=weights)
    assert import_model(saved(proto, tmp_path)).output_size == 3


def test_one_of_several_outputs_is_chosen_and_the_rest_left_out(tmp_path):
    path = saved(two_outputs(), tmp_path)
    network = import_model(path, output="h1")
    assert [layer.type for layer in network.layers] == ["input", "dense"]
    assert network.notes == ("1 nodes do not lead to the output and were left out",)
    with pytest.raises(UnsupportedError, match="no such output"):
        import_model(path, output="h9")


def test_a_missing_package_says_which_extra_to_install(tmp_path, monkeypatch):
    path = saved(good(), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'boundcalc\[onnx\]'"):
        import_model(path)


def test_options_of_other_formats_are_refused(tmp_path):
    with pytest.raises(UnsupportedError, match="--activation does not apply"):
        import_model(saved(good(), tmp_path), activation="relu")


def test_names_of_a_model_are_data(tmp_path):
    proto = good()
    for initializer in proto.graph.initializer:
        initializer.name = f"{{{initializer.name}: [!!x]}}\n- \x1b[31m.weight"
    proto.graph.node[0].input[1:] = [t.name for t in proto.graph.initializer]
    path = write_spec(import_model(saved(proto, tmp_path)), tmp_path / "a.yaml", Settings()).spec
    text = path.read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "!!x" not in text.split("version: 1")[1]


def test_bfloat16_is_read(tmp_path):
    proto = good()
    tensor = proto.graph.initializer[0]
    tensor.CopyFrom(helper.make_tensor("W", TensorProto.BFLOAT16, [4, 3], np.arange(12.0).tolist()))
    first = import_model(saved(proto, tmp_path)).layers[1].arrays[0]
    assert np.array_equal(first, np.arange(12.0).reshape(4, 3).T)
    assert onnx.load(tmp_path / "model.onnx").graph.initializer[0].data_type == 16
    assert numpy_helper.to_array(tensor).shape == (4, 3)
