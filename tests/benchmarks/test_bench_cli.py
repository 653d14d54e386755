"""Whole processes: what a user waits for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench_specs import repeated, written_out

import boundcalc


def run(*arguments):
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "boundcalc", *map(str, arguments)],
        cwd=Path(boundcalc.__file__).parent.parent,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    )


@pytest.mark.benchmark(group="process")
def test_python_alone(benchmark):
    """The floor: an interpreter that does nothing."""
    benchmark.pedantic(
        subprocess.run, ([sys.executable, "-c", ""],), {"check": True}, rounds=5, warmup_rounds=1
    )


@pytest.mark.benchmark(group="process")
def test_help(benchmark):
    assert b"compile" in benchmark.pedantic(run, ("--help",), rounds=5, warmup_rounds=1).stdout


@pytest.mark.benchmark(group="process")
@pytest.mark.parametrize("text", [repeated, written_out])
def test_compile_a_thousand_operators(benchmark, tmp_path, text):
    path = tmp_path / "spec.yaml"
    path.write_text(text(1000), encoding="utf-8")
    done = benchmark.pedantic(run, ("compile", path, "--json"), rounds=5, warmup_rounds=1)
    assert done.stdout.startswith(b"{")
