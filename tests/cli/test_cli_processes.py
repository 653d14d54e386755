"""Exit codes and signals of the real program."""

import os
import signal
import sys
import time

import pytest
from cli_specs import HOLDS, UNDETERMINED, write

from boundcalc.resources import example

LONG = HOLDS.replace("horizon: 20", "horizon: 3000000")


def test_version_is_exit_code_0(process):
    done = process("--version")
    assert (done.code, done.err) == (0, "")


def test_a_bound_that_holds_is_exit_code_0(process, tmp_path):
    assert process("verify", write(tmp_path, HOLDS)).code == 0


def test_a_violated_bound_is_exit_code_1(process):
    done = process("verify", example("bilinear-erratum"), "--json")
    assert (done.code, done.json["ok"]) == (1, False)


def test_bad_input_is_exit_code_2(process, tmp_path):
    done = process("compile", write(tmp_path, "version: 2\n"))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("boundcalc: spec.yaml:1: version")
    assert "Traceback" not in done.err


def test_an_undetermined_bound_is_exit_code_3(process, tmp_path):
    assert process("verify", write(tmp_path, UNDETERMINED)).code == 3


def test_debug_shows_a_traceback(process, tmp_path):
    done = process("--debug", "compile", tmp_path / "no.yaml")
    assert done.code != 0
    assert done.err.startswith("Traceback")
    assert "SpecError" in done.err
    assert done.out == ""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupted_run_says_so_and_writes_nothing(started, tmp_path):
    folder = tmp_path / "out"
    # A shell that runs tests in the background lets its children ignore SIGINT.
    with started(
        "simulate",
        write(tmp_path, LONG),
        "-o",
        folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        deadline = time.monotonic() + 60
        while not folder.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "boundcalc: interrupted; no file is half-written\n"
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_goes_away_is_no_error_message(started):
    with started("schema") as process:
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=60)
    # Not 1, which would mean a violated bound.
    assert (process.returncode, err) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="has its own encodings")
def test_an_old_terminal_gets_an_answer(process, monkeypatch, tmp_path):
    monkeypatch.setattr("conftest.TERMINAL", {"COLUMNS": "100", "PYTHONIOENCODING": "ascii"})
    done = process("compile", write(tmp_path, HOLDS))
    assert (done.code, done.err) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="has its own encodings")
def test_json_is_json_on_an_old_terminal_too(process, monkeypatch, tmp_path):
    monkeypatch.setattr("conftest.TERMINAL", {"PYTHONIOENCODING": "ascii"})
    path = write(tmp_path, HOLDS.replace("two sine operators", "é ∇ 🐛"))
    assert process("compile", path, "--json").json["name"] == "é ∇ 🐛"
