"""Turn LaTeX into PDF with whatever engine is installed, at arm's length."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: Tried in this order.  Shell escape is refused to each.
ENGINES: dict[str, tuple[str, ...]] = {
    "pdflatex": ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"),
    "lualatex": ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"),
    "latexmk": (
        "-norc",
        "-pdf",
        "-latexoption=-no-shell-escape",
        "-interaction=nonstopmode",
        "-halt-on-error",
    ),
}

_RUNS = 5  # longtable needs a few until its column widths settle
_SECONDS = 180  # of one run


@dataclass(frozen=True)
class Typeset:
    """What an engine made.

    Attributes
    ----------
    engine
        Its name, or None where none is installed.
    made
        Whether the PDF is there.
    problem
        Why not, as a sentence; empty if it is.
    """

    engine: str | None
    made: bool
    problem: str


def find_engine(engines: Sequence[str] = tuple(ENGINES)) -> str | None:
    """The first installed engine, or None."""
    return next((name for name in engines if shutil.which(name)), None)


def typeset(folder: Path, stem: str, engine: str | None) -> Typeset:
    """Make ``folder/stem.pdf`` from ``folder/stem.tex``; ``stem.log`` says how it went.

    Never raises for a failing engine: the LaTeX source is worth having without its PDF.
    """
    if engine is None:
        return Typeset(None, False, "no TeX engine is installed (" + ", ".join(ENGINES) + ")")
    log = folder / f"{stem}.log"
    for _ in range(1 if engine == "latexmk" else _RUNS):
        problem = _run(folder, stem, engine)
        if problem:
            (folder / f"{stem}.pdf").unlink(missing_ok=True)
            return Typeset(engine, False, problem)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        # The package rerunfilecheck has the bare word in its description.
        if "Rerun to" not in text and "Rerun LaTeX" not in text:
            break
    return Typeset(engine, True, "")


def _run(folder: Path, stem: str, engine: str) -> str:
    """One run; the reason of its failure, or nothing."""
    # The document reads and writes nothing outside its own folder.
    environment = {
        **os.environ,
        "openin_any": "p",
        "openout_any": "p",
        "max_print_line": "1000",
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
    }
    command = [engine, *ENGINES[engine], f"{stem}.tex"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{engine} took more than {_SECONDS} seconds"
    except OSError as error:
        return f"{engine} could not be started: {error.strerror or error}"
    if done.returncode or not (folder / f"{stem}.pdf").exists():
        return f"{engine} ended with exit code {done.returncode}"
    return ""
