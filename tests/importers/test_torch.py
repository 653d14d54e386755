"""PyTorch modules, directly and through its own ONNX exporters: the same function."""

import logging
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from onnx_models import gap  # noqa: E402
from spec_runs import outputs, types, written  # noqa: E402
from torch import nn  # noqa: E402
from torch_modules import MODULES, made, samples  # noqa: E402

import boundcalc as bc  # noqa: E402
from boundcalc.errors import DataError, UnsupportedError  # noqa: E402
from boundcalc.importers import from_torch, import_model  # noqa: E402

#: What PyTorch's own exporter to ONNX writes today, and what it wrote for years.
EXPORTERS = {"today": {"dynamo": True}, "legacy": {"dynamo": False, "opset_version": 17}}


def logits(module, x):
    """The outputs without what the loss contains."""
    inner = module
    if isinstance(module, nn.Sequential) and isinstance(module[-1], nn.LogSoftmax | nn.Sigmoid):
        inner = module[:-1]
    with torch.no_grad():
        return inner(x).numpy().reshape(len(x), -1)


def exported(module, x, path, **options):
    pytest.importorskip("onnx")
    if options["dynamo"]:
        pytest.importorskip("onnxscript")
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, (x,), path, verbose=False, **options)
    finally:
        logging.disable(logging.NOTSET)
    return path


@pytest.mark.parametrize("name", [name for name in MODULES if name != "encoder"])
def test_a_module_is_the_spec_of_its_function(tmp_path, name):
    module, x = made(name), samples(name)
    spec = written(from_torch(module, MODULES[name][1]), tmp_path)
    assert gap(outputs(spec, x.numpy()), logits(module, x)) <= 1e-5


#: Modules that meet what today's exporter writes otherwise than the legacy one.
SLOW = ("sequential", "residual", "transformer", "encoder")


@pytest.mark.parametrize(
    ("name", "exporter"),
    [(name, "legacy") for name in MODULES] + [(name, "today") for name in SLOW],
)
def test_what_pytorch_exports_is_the_spec_of_its_function(tmp_path, name, exporter):
    module, x = made(name), samples(name)
    if exporter == "legacy" and name == "sequential":
        module[13] = nn.Identity()  # that exporter has no RMS normalisation
    path = exported(module, x[:1], tmp_path / "model.onnx", **EXPORTERS[exporter])
    spec = written(import_model(path), tmp_path)
    assert gap(outputs(spec, x.numpy()), logits(module, x)) <= 1e-5


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_a_dynamic_batch_axis_is_dropped(tmp_path, exporter):
    module, x = made("residual"), samples("residual")
    axes = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
    if exporter == "legacy":
        axes = {"dynamic_axes": {"x": {0: "batch"}}, "input_names": ["x"]}
    path = exported(module, x, tmp_path / "model.onnx", **EXPORTERS[exporter], **axes)
    network = import_model(path)
    assert network.input_shape == (4, 6, 6)
    assert gap(outputs(written(network, tmp_path), x.numpy()), logits(module, x)) <= 1e-5


def test_a_block_reads_as_it_is_drawn(tmp_path):
    spec = written(from_torch(made("transformer"), (5, 8)), tmp_path)
    graph = bc.load(spec).graph.operators
    assert [section.id for section in graph] == [
        "input", "norm1", "query", "key", "value", "attention1", "out", "add1", "norm2", "up",
        "gelu1", "down", "add2", "mean_pool1", "head", "loss",
    ]  # fmt: skip
    assert graph[5].inputs == ["query", "key", "value"]
    assert graph[7].inputs == ["input", "out"]
    bc.build(bc.load(spec))


def test_both_ways_to_a_spec_give_the_same_operators(tmp_path):
    module = made("residual")
    path = exported(module, samples("residual"), tmp_path / "m.onnx", dynamo=False)
    one, two = import_model(path), from_torch(module, (4, 6, 6))
    assert [layer.type for layer in one.layers] == [layer.type for layer in two.layers]
    for first, second in zip(one.layers, two.layers, strict=True):
        assert dict(first.parameters) == dict(second.parameters)
        for a, b in zip(first.arrays, second.arrays, strict=True):
            assert np.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_tied_parameter_is_one_group(tmp_path):
    path = written(from_torch(made("tied"), (6,)), tmp_path)
    assert [s.weights for s in bc.load(path).graph.operators][:4] == ["inner", None, "inner", None]
    exported_path = exported(made("tied"), samples("tied"), tmp_path / "m.onnx", dynamo=False)
    network = import_model(exported_path)
    groups = [s.weights for s in bc.load(written(network, tmp_path)).graph.operators]
    assert groups[0] == groups[2] is not None


def test_equal_values_of_different_parameters_are_not_shared(tmp_path):
    module = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    module[2].load_state_dict(module[0].state_dict())
    path = written(from_torch(module, (3,)), tmp_path)
    assert {s.weights for s in bc.load(path).graph.operators} == {None}


def test_parameters_that_need_no_gradient_are_not_trained(tmp_path):
    module = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    module[0].requires_grad_(False)
    operators = bc.load(written(from_torch(module, (3,)), tmp_path)).graph.operators
    assert [s.trainable for s in operators] == [False, True, True, True]


def test_positions_that_are_added_are_fixed_and_said(tmp_path):
    network = from_torch(made("patches"), (1, 8, 8))
    assert "identity" in [layer.type for layer in network.layers]
    assert any("not trained" in note for note in network.notes)


def test_a_model_from_pytorch_compiles_and_holds_against_its_simulation(tmp_path):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 3))
    path = exported(module, torch.randn(1, 4), tmp_path / "model.onnx", dynamo=False)
    spec = written(import_model(path), tmp_path)
    verdicts = bc.verify(bc.load(spec)).verdicts
    assert {v.status for v in verdicts if v.family == "sharp"} == {"holds"}


class Branches(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Two(nn.Module):
    def forward(self, x, y):
        return x + y


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Sorted(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 1)


class Options(nn.Module):
    def forward(self, x):
        return torch.nn.functional.softplus(x, beta=2)


NAN = nn.Linear(3, 2)
NAN.weight.data[1, 2] = float("nan")

#: What is wrong → module, shape, kind of error, text.
BAD = {
    "control flow": (Branches(), (3,), DataError, "cannot be traced.*torch.onnx.export"),
    "two inputs": (Two(), (3,), UnsupportedError, "several inputs"),
    "two outputs": (Pair(), (3,), UnsupportedError, "several outputs"),
    "a function": (Sorted(), (3,), UnsupportedError, "node 2 of 3, .*'cumsum' is not supported"),
    "a module": (nn.Sequential(nn.Linear(3, 2), nn.ELU()), (3,), UnsupportedError, "1: .*'ELU'"),
    "a pool": (nn.MaxPool2d(2), (1, 4, 4), UnsupportedError, "'MaxPool2d'"),
    "nan": (nn.Sequential(NAN), (3,), DataError, "0.weight: .*nan at"),
    "a shape": (nn.Linear(4, 2), (3,), UnsupportedError, "does not fit its input"),
    "no components": (nn.Linear(4, 2), (0,), DataError, "without components"),
    "an option": (Options(), (3,), UnsupportedError, "softplus.*another scale"),
    "nothing": (nn.Identity(), (3,), UnsupportedError, "the output is the input"),
    "padding": (
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        (1, 5, 5),
        UnsupportedError,
        "circular",
    ),
    "same padding": (
        nn.Conv2d(1, 1, 2, padding="same"),
        (1, 5, 5),
        UnsupportedError,
        "depends on the input",
    ),
    "statistics": (
        nn.BatchNorm1d(3, track_running_stats=False),
        (3,),
        UnsupportedError,
        "without running statistics",
    ),
}


@pytest.mark.parametrize("problem", BAD)
def test_other_modules_are_refused_with_their_place(problem):
    module, shape, kind, text = BAD[problem]
    with pytest.raises(kind, match=f"(?s){text}"):
        from_torch(module.eval(), shape)


def test_types_of_an_encoder_layer(tmp_path):
    path = exported(made("encoder"), samples("encoder", 1), tmp_path / "m.onnx", dynamo=False)
    assert types(written(import_model(path), tmp_path)) == [
        "identity", "dense", "dense", "dense", "attention", "dense", "add", "layer_norm", "dense",
        "relu", "dense", "add", "layer_norm", "select", "dense", "cross_entropy",
    ]  # fmt: skip
