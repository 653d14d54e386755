"""Files that are whole or not there, whatever happens; and a folder for one process at a time."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from boundcalc.errors import OutputError

_LOCK = ".lock"


def write_durably(path: Path, content: bytes) -> None:
    """Write a file beside its place, have it on the disk, then rename it there.

    A process that is killed leaves the old file or the new one; after a power failure too,
    since the content reaches the disk before the name does.

    Raises
    ------
    OutputError
        If it cannot be written, on a full disk for instance; nothing is left beside it.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror or error}",
            where=str(path),
            fix="make room on the disk or remove the obstacle, then start the same sweep "
            "again: every point that is finished is kept",
        ) from None


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # folders cannot be opened there
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_parts(folder: Path) -> None:
    """Remove what a killed process left half-written."""
    for path in folder.glob(".*.part"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold a folder against every other sweep until the end of the block.

    The operating system's lock on an open file ends with the process that holds it, however
    that ends, so that no lock is ever left behind; the file itself stays and means nothing.

    Raises
    ------
    OutputError
        If another sweep runs in the folder.
    """
    path = folder / _LOCK
    try:
        file = path.open("a+b")
    except OSError as error:
        raise OutputError(f"cannot write: {error.strerror}", where=str(path)) from None
    with file:
        if not _try_lock(file):
            raise OutputError(
                "another sweep is running in this folder",
                where=str(folder),
                fix="wait for its end, or choose another folder with -o",
            )
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if sys.platform == "win32":  # the same there
            return False
        raise OutputError(
            f"the folder cannot be locked: {error.strerror}",
            where=str(file.name),
            fix="choose a folder on a local disk",
        ) from None
    return True
