"""The command line in this process: fast, and through ``main`` like the real one.

Terminal output is compared with text files in tests/golden.  After a change that is
meant, write them again and read the difference before committing it::

    pytest tests/cli --regenerate-golden
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

import boundcalc
from boundcalc.cli import main

GOLDEN = Path(__file__).parent.parent / "golden"
ROOT = Path(boundcalc.__file__).parent.parent
TERMINAL = {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


def pytest_addoption(parser):
    parser.addoption(
        "--regenerate-golden",
        action="store_true",
        default=False,
        help="write the files in tests/golden again instead of comparing with them",
    )


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one JSON object on stdout."""
        assert self.code in (0, 1, 3), self.err
        found = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        assert isinstance(found, dict)
        assert self.err == ""
        return found


def boundcalc_in_process(*arguments: object) -> Done:
    """``boundcalc ARGUMENTS`` as ``main`` runs it, without a new process."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["boundcalc", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict(os.environ, TERMINAL),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        for name in ("FORCE_COLOR", "BOUNDCALC_DEBUG"):
            os.environ.pop(name, None)
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    return Done(code, out.getvalue(), err.getvalue())


def start(*arguments: object, **options) -> subprocess.Popen[str]:
    """``python -m boundcalc ARGUMENTS``, running."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "boundcalc", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **TERMINAL},
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def boundcalc_process(*arguments: object) -> Done:
    """``python -m boundcalc ARGUMENTS``, finished."""
    with start(*arguments) as process:
        out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


@pytest.fixture
def cli():
    """Run the command line in this process."""
    return boundcalc_in_process


@pytest.fixture
def process():
    """Run the command line in a process of its own."""
    return boundcalc_process


@pytest.fixture
def started():
    """Start the command line in a process of its own."""
    return start


def steady(text: str) -> str:
    """The same text without what differs between machines: spaces at ends, rounding errors."""
    text = re.sub(r"± [1-9]\S*e-1\d", "± 0    ", text)
    text = re.sub(r"(\d\.\d{8})\d{4,}", r"\1…", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.fixture
def golden(request):
    """Compare text with a file in tests/golden, or write that file again."""

    def compare(name: str, text: str) -> None:
        path, text = GOLDEN / name, steady(text)
        if request.config.getoption("--regenerate-golden", default=False):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name} differs; if that is meant: pytest tests/cli --regenerate-golden"
        )

    return compare
