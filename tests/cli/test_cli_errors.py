"""Bad input: exit code 2, one message with place, value and fix, and no traceback."""

import json
import re

import pytest
from cli_specs import DIVERGES, HOLDS, RATES, SYMBOLS, ones, write

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
CYCLE = ones(2).replace("[{id: f, repeat: 2}]", "[{id: a, inputs: [b]}, {id: b}]")
TWICE = ones(2).replace("[{id: f, repeat: 2}]", "[{id: a}, {id: a}]")
LACKING = "version: 1\nname: x\ngraph: {operators: [{id: a}, {id: b}]}\n"

#: What is wrong → (the file, parts of the message).
FILES = {
    "empty": (b"", ["spec.yaml: the spec is empty", "expected: `version:`"]),
    "binary": (bytes(range(256)), ["not a text file", "fix:      save the file as UTF-8"]),
    "a list": (b"- 1\n- 2\n", ["this is not a spec"]),
    "bomb": (BOMB, ["spec.yaml:", "expected:"]),
    "no yaml": (b"version: 1\nname: [\n", ["spec.yaml:", "this is not YAML"]),
    "unknown key": (
        ones(2).replace("graph:", "grph:"),
        ["spec.yaml:3: grph: unknown key 'grph'", "did you mean 'graph'?"],
    ),
    "negative constant": (
        ones(2).replace("jac: 1", "jac: -1"),
        ["spec.yaml:4: graph.uniform.jac: a negative number", "found:    -1"],
    ),
    "nan": (
        ones(2).replace("jac: 1", "jac: .nan"),
        ["spec.yaml:4: graph.uniform.jac: not a finite number", "found:    '.nan'"],
    ),
    "code": (ones(2).replace("jac: 1", 'jac: "__import__(1)"'), ["graph.uniform.jac", "found:"]),
    "cycle": (CYCLE, ["graph.operators: the operators form a cycle", "found:    'a -> b -> a'"]),
    "duplicate id": (TWICE, ["graph.operators[1].id: two operators have the same id"]),
    "missing constant": (
        LACKING,
        ["graph.operators[1].constants: operator 'b' lacks constants", "found:    'jac_input,"],
    ),
    "unknown site": (
        ones(2, at="{at: f2, pass: forward, rms: 1}"),
        ["perturbations[0].at: a perturbation at an unknown operator", "found:    'f2'", "fix:"],
    ),
    "probability": (
        ones(2, at="{at: f.1, pass: forward, rms: 1, probability: 2}"),
        ["perturbations[0].probability", "expected: a number between 0 and 1"],
    ),
}


def check_refused(done, *parts):
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    assert len(re.findall(r"^boundcalc: ", done.err, re.MULTILINE)) == 1
    assert done.err.startswith("boundcalc: ")
    for part in parts:
        assert part in done.err


@pytest.mark.parametrize("problem", FILES)
@pytest.mark.parametrize("command", ["compile", "rate"])
def test_a_bad_spec_is_refused(cli, tmp_path, command, problem):
    content, parts = FILES[problem]
    path = write(tmp_path, content)
    plain, as_json = cli(command, path), cli(command, path, "--json")
    check_refused(plain, *parts)
    assert as_json == plain


@pytest.mark.parametrize("command", ["simulate", "verify", "report"])
def test_every_command_refuses_alike(cli, tmp_path, command):
    check_refused(cli(command, write(tmp_path, CYCLE)), "found:    'a -> b -> a'")


def test_more_problems_of_one_file_are_counted(cli, tmp_path):
    text = ones(2).replace("jac: 1", "jac: -1").replace("third: 1", "thrd: 1")
    check_refused(cli("compile", write(tmp_path, text)), "graph.uniform.", "and 1 more problem")


def test_files_that_cannot_be_read(cli, tmp_path):
    check_refused(cli("compile", tmp_path / "no.yaml"), "no.yaml: there is no such file", "fix:")
    check_refused(cli("compile", tmp_path), "this is a folder", "fix:")


@pytest.mark.parametrize(
    ("setting", "parts"),
    [
        ("D=1", ["unknown symbol 'D'", "expected: one of C, L", "fix:"]),
        ("C", ["--set: not a setting", "found:    'C'", "expected: NAME=VALUE"]),
        ("C=", ["--set: not a setting"]),
        ("=1", ["--set: not a setting"]),
        ("C=x", ["symbols.C", "found:    'x'"]),
        ("C=-1", ["symbols.C: a negative number"]),
        ("C=nan", ["symbols.C: not a finite number"]),
        ("C=1e999", ["symbols.C"]),
    ],
)
def test_bad_settings_are_refused(cli, tmp_path, setting, parts):
    check_refused(cli("compile", write(tmp_path, SYMBOLS), "--set", setting), *parts)


def test_an_unknown_family_names_the_nearest(cli, tmp_path):
    done = cli("compile", write(tmp_path, ones(2)), "--family", "shrp")
    check_refused(done, "--family: unknown family", "did you mean 'sharp'?")


def test_an_unknown_example_names_the_nearest(cli):
    check_refused(cli("examples", "three-operatrs"), "did you mean 'three-operators'?")


def test_a_rate_names_the_symbol_without_a_value(cli, tmp_path):
    check_refused(cli("rate", write(tmp_path, SYMBOLS)), "symbol 'C' has no value", "--set C=")


@pytest.mark.parametrize(
    ("removed", "parts"),
    [
        ("smoothness: 1, ", ["loss.smoothness: a rate needs the Lipschitz constant"]),
        ("gradient_noise: 1/10, ", ["loss.gradient_noise: a rate needs the sampling noise"]),
        ("training: {step_size: 1/4, horizon: 1000}", ["training: a rate needs a step size"]),
    ],
)
def test_a_rate_names_what_it_lacks(cli, tmp_path, removed, parts):
    text = ones(2, rest=RATES).replace(removed, "")
    check_refused(cli("rate", write(tmp_path, text)), *parts, "expected:", "fix:")


def test_a_simulation_names_what_it_lacks(cli, tmp_path):
    check_refused(cli("simulate", write(tmp_path, ones(2))), "the spec has no `simulation` section")
    moments = HOLDS.replace("model: constant, value: 1/10", "rms: 1/10, mean: 0")
    check_refused(
        cli("simulate", write(tmp_path, moments)), "given by its moments cannot be drawn", "fix:"
    )


@pytest.mark.parametrize("place", ["spec.yaml/out", "/proc/out"])
@pytest.mark.parametrize("command", ["simulate", "report"])
def test_a_folder_that_cannot_be_written(cli, tmp_path, place, command):
    path = write(tmp_path, HOLDS)
    done = cli(command, path, "-o", tmp_path / place)
    check_refused(done, "cannot write here", "expected: a folder", "fix:      choose another")
    assert [found.name for found in tmp_path.iterdir()] == ["spec.yaml"]


def test_a_refused_simulation_writes_nothing(cli, tmp_path):
    folder = tmp_path / "out"
    moments = HOLDS.replace("model: constant, value: 1/10", "rms: 1/10, mean: 0")
    check_refused(cli("simulate", write(tmp_path, moments), "-o", folder))
    assert not folder.exists() or not list(folder.iterdir())


def test_wrong_usage_is_refused_by_the_parser(cli):
    for arguments in (["compile"], ["compile", "x", "--nope"], ["nope"]):
        done = cli(*arguments)
        assert done.code == 2
        assert "Traceback" not in done.err


def test_a_diverged_run_is_no_crash_and_prints_valid_json(cli, tmp_path):
    # After 1000 steps the weights are NaN, and the iterate at the end is not checked.
    path = write(tmp_path, DIVERGES.replace("horizon: 40", "horizon: 1000"))
    found = cli("simulate", path, "--json").json
    assert found["diverged_at"] > 0
    assert found["diverged"] == found["replicas"]
    final = found["metrics"]["final_loss"]
    assert final == {"mean": "nan", "ci": ["-inf", "inf"], "method": "student"}
    verified = cli("verify", path)
    assert verified.code == 3
    assert "✓" not in verified.out
    shown = cli("simulate", path)
    assert "[-inf, inf]" in shown.out
    assert "a replica diverged at step" in shown.out


def test_a_run_on_the_way_to_divergence_is_silent(cli, tmp_path):
    assert cli("verify", write(tmp_path, DIVERGES)).err == ""


def test_nothing_outside_the_message_is_written(cli, tmp_path):
    cli("compile", write(tmp_path, CYCLE), "--json")
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yaml"]


def test_json_files_are_specs_too(cli, tmp_path):
    spec = {
        "version": 1,
        "name": "json",
        "graph": {
            "uniform": dict.fromkeys(("jac", "lip", "hess", "hess_op", "third"), 1),
            "operators": [{"id": "a"}, {"id": "b"}],
        },
    }
    found = cli("compile", write(tmp_path, json.dumps(spec), "spec.json"), "--json").json
    assert found["coefficients"]["error"]["forward"] == {"a": 2}
