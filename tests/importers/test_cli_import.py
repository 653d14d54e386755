"""`boundcalc import` as a command: a model in, a spec that reports out."""

import io
import json
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.cli import main

RNG = np.random.default_rng(0)


def run(*arguments):
    """Exit code, output and messages of a command."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["boundcalc", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict("os.environ", {"COLUMNS": "100", "NO_COLOR": "1"}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, W1=RNG.normal(size=(4, 3)) / 2, b1=np.zeros(4), W2=RNG.normal(size=(2, 4)) / 2)
    return path


def test_a_table_says_what_was_imported(weights, tmp_path):
    spec = tmp_path / "made.yaml"
    code, out, err = run("import", weights, "-o", spec, "--activation", "tanh")
    assert (code, err) == (0, "")
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[:6] == [
        "net",
        "operator  type           reads  output  weights",
        "W1        dense          data        4       16",
        "tanh1     tanh           W1          4",
        "W2        dense          tanh1       2        8",
        "loss      cross_entropy  W2          1",
    ]
    assert "  4 operators, 24 trained weights" in lines
    assert spec.is_file()


def test_json_is_one_object(weights, tmp_path):
    code, out, err = run("import", weights, "-o", tmp_path / "made.yaml", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert [row["id"] for row in found["operators"]] == ["W1", "relu1", "W2", "loss"]
    assert found["notes"] == ["the activation 'relu' between layers is what the command says"]


def test_options_reach_the_spec(weights, tmp_path):
    spec = tmp_path / "made.yaml"
    code, _, err = run(
        "import", weights, "-o", spec, "--input-low", "0", "--input-high", "1/2",
        "--weight-change", "1/20", "--activation", "gelu",
    )  # fmt: skip
    assert (code, err) == (0, "")
    graph = bc.load(spec).graph
    assert (str(graph.input.low), str(graph.input.high)) == ("0", "1/2")
    assert str(bc.load(spec).symbols["rho"]) == "1/20"
    assert graph.operators[1].type == "gelu"


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--loss", "hinge"], ["unknown loss", "'hinge'", "cross_entropy"]),
        (["--loss", "squared"], ["takes one output", "the model has 2"]),
        (["--input-shape", "a"], ["--input-shape", "not a shape"]),
        (["--input-radius", "-"], ["--input-radius"]),
        (["--weight-change", "x y"], ["--weight-change"]),
        (["--weight-change", "-1"], ["--weight-change", "negative"]),
        (["--output", "y"], ["--output does not apply"]),
        (["-o", "made.json"], ["end its name in .yaml"]),
    ],
)
def test_bad_options_end_in_one_message(weights, tmp_path, monkeypatch, options, parts):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("import", weights, *options)
    assert (code, out) == (2, "")
    assert err.startswith("boundcalc: ")
    assert "Traceback" not in err
    for part in parts:
        assert part in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.npz"]


def test_a_report_of_what_was_imported(weights, tmp_path):
    spec = tmp_path / "made.yaml"
    assert run("import", weights, "-o", spec, "--activation", "gelu")[0] == 0
    code, out, err = run("report", spec, "-o", tmp_path / "report")
    assert (code, err) == (0, "")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "2 claims checked" in text or "6 claims checked" in text
    assert "report.md" in out


def test_a_model_of_pytorch_from_export_to_verdict(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.SiLU(), torch.nn.Linear(5, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.randn(1, 4),), tmp_path / "m.onnx", dynamo=False)
    assert run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.yaml")[0] == 0
    code, out, _ = run("verify", tmp_path / "m.yaml", "--json")
    assert code == 0
    assert json.loads(out)["ok"] is True
