"""Writing files so that none is ever half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from boundcalc.errors import OutputError


def make_folder(path: Path) -> Path:
    """The folder, made if it is not there.

    Raises
    ------
    OutputError
        If it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(path, error) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise refused(path, PermissionError("no permission to write"))
    return path


def write_text(path: Path, text: str) -> None:
    """Write a file beside its place, then rename it there.

    Raises
    ------
    OutputError
        If it cannot be written; a file that was there before is still there.
    """
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise refused(path, error) from None
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)


def refused(path: Path, error: OSError) -> OutputError:
    """The error for a place that cannot be written to."""
    return OutputError(
        "cannot write here",
        where=str(path),
        value=error.strerror or str(error),
        expected="a folder that can be written to",
        fix="choose another folder with -o",
    )
