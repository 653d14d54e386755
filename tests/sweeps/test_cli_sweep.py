"""``boundcalc sweep``."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

import pytest
from sweep_cases import TEXT, start
from test_kill import COMMAND

import boundcalc.cli as command_line
from boundcalc.cli.sweep import sweep as command
from boundcalc.sweeps import read_sweep


@pytest.fixture(scope="module", autouse=True)
def registered():
    names = {found.callback.__name__ for found in command_line.app.registered_commands}
    if "sweep" not in names:
        command_line.app.command()(command)


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "small.yaml").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments, workers=("--workers", "0")):
        out, err = io.StringIO(), io.StringIO()
        argv = ["boundcalc", "sweep", "small.yaml", *arguments, *workers]
        with redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "argv", argv):
            try:
                command_line.main()
                code = 0
            except SystemExit as stop:
                code = stop.code or 0
        return code, out.getvalue(), err.getvalue()

    return call


def test_a_sweep_shows_its_points_and_where_the_files_are(run):
    code, out, err = run("--over", "training.step_size=1/2,1/4", "--seeds", "2", "-o", "out")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].strip() == "small: 4 points (sampled)"
    assert lines[1].split()[:3] == ["training.step_size", "seed", "stable_gradient_norm"]
    assert [line.split()[:2] for line in lines[2:6]] == [
        [step, seed] for step in ("1/2", "1/4") for seed in ("3", "4")
    ]
    found = read_sweep("out")
    metric = found.points[2].metrics["stable_gradient_norm"]
    assert f"{metric.mean:.4g} ± {(metric.hi - metric.lo) / 2:.1g}" in lines[4]
    assert "confidence 0.999" in out
    assert "out/table.csv" in out
    assert "out/results.nc" in out


def test_json_is_one_object_with_every_metric(run):
    code, out, err = run("--over", "symbols.D=1,0", "-o", "out", "--json")
    assert (code, err) == (1, "")
    found = json.loads(out)
    assert found["failed"] == 1
    assert found["status"] == "sampled"
    assert [point["settings"] for point in found["points"]] == [
        {"symbols.D": "1"},
        {"symbols.D": "0"},
    ]
    metric = read_sweep("out").points[0].metrics["final_loss"]
    shown = found["points"][0]["metrics"]["final_loss"]
    assert shown == {"mean": metric.mean, "ci": [metric.lo, metric.hi]}
    assert "division by zero" in found["points"][1]["error"]


def test_failed_and_diverged_points_are_marked_and_the_exit_code_is_1(run):
    code, out, _ = run(
        "--zip", "symbols.D=1,1,0; training.step_size=1/2,20,1/2", "-o", "out",
        "--over", "simulation.regulariser={kind: squared, strength: 1}",
        "--over", "training.horizon=150", "--zip",
        "simulation.ewma=0.5,0.5; simulation.confidence=0.9,0.99",
    )  # fmt: skip
    assert code == 1
    assert "4/4 diverged, first at step" in out
    assert "failed" in out
    assert "division by zero" in out
    assert "confidence 0.9, 0.99" in out


def test_symbols_are_set_before_the_sweep(run):
    assert run("--set", "D=2", "-o", "out")[0] == 0
    assert read_sweep("out").spec.symbols["D"].source == "2"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--over", "training.step_size"], "not an axis"),
        (["--over", "=1"], "not an axis"),
        (["--over", "symbols.C=1", "--over", "symbols.C=2"], "given twice"),
        (["--zip", "symbols.C=1,2"], "zipping needs two paths"),
        (["--zip", "symbols.C=1,2; symbols.D=1"], "same number of values"),
        (["--engine", "nump"], "did you mean 'numpy'"),
        (["--over", "training.stepsize=1"], "did you mean 'step_size'"),
        (["--over", "symbols.C=1:2:1000", "--over", "symbols.D=1:2:1000", "--seeds", "1000"],
         "the sweep has 1000000000 points"),
    ],
)  # fmt: skip
def test_bad_options_end_in_one_message_and_exit_code_2(run, tmp_path, arguments, words):
    code, out, err = run(*arguments, "-o", "out")
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("boundcalc: ")
    assert not (tmp_path / "out").exists()


def test_an_interrupt_says_how_to_go_on(run, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("boundcalc.sweeps.sweep", interrupted)
    code, _, err = run("-o", "out")
    assert code == 130
    assert "every finished point is kept in out: give the same command again" in err


def test_help_names_the_exit_codes():
    with start("-c", COMMAND, "sweep", "--help") as process:
        said = process.communicate()[0]
    assert "Exit code 0 if every point ran, 1 if one raised an error" in " ".join(said.split())
