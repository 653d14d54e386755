"""The files that a spec names: their digests, and their way to workers on other machines."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from boundcalc.data.paths import inside
from boundcalc.errors import DataError, SimulationError

MAX_SENT = 100_000_000  # bytes of files that are sent to workers

_received: dict[str, Mapping[str, bytes]] = {}


def files_named(tree: Any) -> Iterator[str]:
    """Names of files in a spec's plain data: CSV tables and files of weights.

    >>> list(files_named({"simulation": {"data": {"csv": "a.csv"}}, "b": [{"file": "w.npz"}]}))
    ['a.csv', 'w.npz']
    """
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("csv", "file") and isinstance(value, str):
                yield value
            else:
                yield from files_named(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from files_named(value)


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of every file, by name.

    Raises
    ------
    DataError
        If a file is missing or lies outside the folder of the spec.
    """
    found = {}
    for name in sorted(set(names)):
        path = inside(folder, name, "sweep")
        try:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DataError(
                f"the file cannot be read: {error.strerror}", where="sweep", value=name
            ) from None
    return found


def contents(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The files' bytes, to be sent.

    Raises
    ------
    SimulationError
        If they are too large for that.
    """
    paths = {name: inside(folder, name, "sweep") for name in sorted(set(names))}
    size = sum(path.stat().st_size for path in paths.values())
    if size > MAX_SENT:
        raise SimulationError(
            "the data are too large to be sent to the workers",
            value=f"{size} bytes",
            expected=f"at most {MAX_SENT} bytes",
            fix="run on this machine, or use generated data",
        )
    return {name: path.read_bytes() for name, path in paths.items()}


def receive(digest: str, files: Mapping[str, bytes]) -> None:
    """Keep files that were sent to this process."""
    _received[digest] = files


@cache
def folder_of(digest: str) -> Path:
    """A folder of this process's own with the files that were sent; removed at its end."""
    if digest not in _received:
        raise SimulationError("the files of the sweep have not reached this worker")
    folder = Path(_temporary().name) / digest
    for name, content in _received.pop(digest).items():
        path = inside(folder, name, "sweep")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="boundcalc-")
