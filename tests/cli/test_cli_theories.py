"""Theories on the command line: the keys of the contract, refused options, the terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_specs import RATES, ones, write

from boundcalc.resources import examples
from boundcalc.spec.loading import load
from boundcalc.theories.registry import THEORIES

NEW = [name for name in THEORIES if name != "perturbed"]
SPECS = {stem: path for stem, path in examples().items() if load(path).theory in NEW}
COMMANDS = ("compile", "rate", "budget", "simulate", "verify")


def one(theory: str) -> Any:
    """A shipped spec of a theory."""
    return next(path for path in SPECS.values() if load(path).theory == theory)


def test_they_are_listed(cli):
    done = cli("theories")
    assert done.code == 0
    for name in THEORIES:
        assert f"{name}: " in done.out
    found = cli("theories", "--json").json["theories"]
    assert list(found) == list(THEORIES)
    assert found["perturbed"]["section"] is None
    assert all(found[name]["section"] == name for name in NEW)
    entries = cli("theories", "--bibtex").out.strip().split("\n\n@")
    keys = [citation["key"] for theory in found.values() for citation in theory["citations"]]
    assert len(entries) == len(set(keys))


@pytest.mark.parametrize("stem", SPECS)
def test_the_terminal_shows_every_answer(cli, stem):
    for command in COMMANDS:
        done = cli(command, SPECS[stem])
        assert done.code == 0, done.out + done.err
        assert done.out.splitlines()[0].endswith(f": {command}")
        assert "\\" not in done.out, "LaTeX on the terminal"
        assert "nan" not in done.out.split()


def test_rate_of_staleness_has_the_keys_of_the_contract(cli):
    found = cli("rate", one("staleness"), "--json").json["staleness"]
    assert {"bound", "step_size_limit", "c0", "c1"} <= set(found["sgd"])
    assert {"bound", "step_size_limit", "c2", "c3", "c4", "c5"} <= set(found["momentum"])
    assert isinstance(found["queues"]["q"], list)


def test_rate_of_shrinkage_has_the_keys_of_the_contract(cli):
    found = cli("rate", one("shrinkage"), "--json").json["shrinkage"]
    assert "bound" in found["nonconvex"]
    assert {"bound", "floor"} <= set(found["pl"])
    assert isinstance(found["raises_floor"], bool)


def test_rate_of_distributed_has_the_keys_of_the_contract(cli):
    found = cli("rate", one("distributed"), "--json").json["distributed"]
    assert {"step_size_limit", "step_size_limit_classic", "bound"} <= set(found)


@pytest.mark.parametrize("stem", SPECS)
def test_simulate_and_verify_have_the_keys_of_all_theories(cli, stem, tmp_path):
    run = cli("simulate", SPECS[stem], "--json", "-o", tmp_path / "run").json
    assert {"metrics", "seed", "replicas", "steps", "seconds"} <= set(run)
    assert all({"mean", "ci"} <= set(metric) for metric in run["metrics"].values())
    written = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert written["metrics"] == run["metrics"]
    found = cli("verify", SPECS[stem], "--json").json
    assert found["ok"] is True
    for verdict in found["verdicts"]:
        assert {"claim", "family", "bound", "observed", "ci", "status", "slack"} <= set(verdict)


@pytest.mark.parametrize(
    "arguments",
    [
        ("compile", "--family", "sharp"),
        ("compile", "--formulas"),
        ("budget", "--formats"),
        ("budget", "--allocate"),
        ("budget", "--calibrate"),
    ],
)
def test_options_for_perturbed_passes_are_refused(cli, arguments):
    command, *options = arguments
    done = cli(command, one("shrinkage"), *options)
    assert done.code == 2
    assert options[0] in done.err
    assert "theory: shrinkage" in done.err


@pytest.mark.parametrize("command", ["adversary", "certify"])
def test_commands_for_perturbed_passes_refuse(cli, command, tmp_path):
    options = ("-o", tmp_path / "out") if command == "certify" else ()
    done = cli(command, one("staleness"), *options)
    assert done.code == 2
    assert "for perturbed passes" in done.err
    assert not (tmp_path / "out").exists()


def test_an_unknown_theory_and_a_section_without_one(cli, tmp_path):
    text = ones(2, rest=RATES)
    done = cli("rate", write(tmp_path, text + "theory: stalenes\n"))
    assert (done.code, "did you mean 'staleness'" in done.err) == (2, True)
    done = cli("rate", write(tmp_path, text + "staleness: {queues: {p: [0], m: [0]}}\n"))
    assert (done.code, "add `theory: staleness`" in done.err) == (2, True)


def test_naming_the_default_changes_nothing(cli, tmp_path):
    text = ones(2, rest=RATES)
    plain = cli("rate", write(tmp_path, text), "--json").json
    assert cli("rate", write(tmp_path, text + "theory: perturbed\n"), "--json").json == plain
