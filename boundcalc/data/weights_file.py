"""Weights from files of named arrays: NPZ, safetensors and MAT; untrusted input."""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boundcalc.data.array_formats import Entry, npz_entries, safetensors_entries
from boundcalc.data.mat_format import mat_entries
from boundcalc.errors import DataError, nearest

MAX_BYTES = 2**30
MAX_NUMBERS = 10**8  # of one request: 800 MB

_FORMATS = {".npz": npz_entries, ".safetensors": safetensors_entries, ".mat": mat_entries}
_KINDS = frozenset(
    ["bool", "float16", "float32", "float64"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


def array_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a file's arrays, in its order, without loading them.

    Raises
    ------
    DataError
        If the file cannot be read; UnsupportedError if its package is not installed.
    """
    return {name: entry.shape for name, entry in _entries(path).items()}


def read_arrays(path: Path, names: Sequence[str]) -> list[npt.NDArray[Any]]:
    """Named arrays of a file, real and finite, as the file stores them.

    Parameters
    ----------
    path
        A file ending in ``.npz``, ``.safetensors`` or ``.mat``, at most 1 GiB.
    names
        Which arrays; cells of a MAT file are called ``weights{1}``, ``weights{2}``, ….

    Returns
    -------
    list
        One array for each name, of its own shape and number type; together at most 10⁸
        numbers.

    Raises
    ------
    DataError
        If the file is broken or too large, if an array is not there, is empty, is not
        of real numbers, or holds a NaN or an infinity: with the name of the array.
    UnsupportedError
        If the package of the format is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "w.npz"
    ...     np.savez(path, W=np.eye(2), b=np.zeros(2))
    ...     read_arrays(path, ["b"])
    [array([0., 0.])]
    """
    entries = _entries(path)
    chosen = []
    for name in names:
        if name not in entries:
            raise _unknown(name, entries, path)
        _check(name, entries[name], path)
        chosen.append(entries[name])
    total = sum(math.prod(entry.shape) for entry in chosen)
    if total > MAX_NUMBERS:
        largest = max(zip(names, chosen, strict=True), key=lambda pair: math.prod(pair[1].shape))
        raise DataError(
            "the arrays are too large",
            where=f"{path.name}: array {largest[0]!r}",
            value=f"{total} numbers in all",
            expected=f"at most {MAX_NUMBERS}",
        )
    arrays = [entry.read() for entry in chosen]
    for name, array in zip(names, arrays, strict=True):
        check_finite(array, f"{path.name}: array {name!r}")
    return arrays


def check_finite(array: npt.NDArray[Any], where: str) -> None:
    """Raise DataError at the first entry that is NaN or infinite."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise DataError(
            "a weight is not a finite number",
            where=where,
            value=f"{array[at]} at {list(at)}",
            expected="finite numbers",
            fix="a model that diverged has no bounds: take an earlier one",
        )


def _entries(path: Path) -> dict[str, Entry]:
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise DataError(
            "this is no file of named arrays",
            where=path.name,
            expected="a name that ends in .npz, .safetensors or .mat",
        )
    check_size(path)
    return _FORMATS[suffix](path, path.name)


def check_size(path: Path, limit: int = MAX_BYTES) -> None:
    """Raise DataError unless the path is a regular file, neither empty nor above the limit."""
    try:
        # Before opening: to open a pipe would wait for its other end.
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"the file cannot be read: {reason}", where=str(path)) from None
    if not stat.S_ISREG(status.st_mode):
        raise DataError("this is not a regular file", where=str(path), fix="name a file")
    if status.st_size == 0:
        raise DataError("the file is empty", where=path.name)
    if status.st_size > limit:
        raise DataError(
            "the file is too large",
            where=path.name,
            value=f"{status.st_size} bytes",
            expected=f"at most {limit} bytes",
        )


def _check(name: str, entry: Entry, path: Path) -> None:
    where = f"{path.name}: array {name!r}"
    if entry.kind not in _KINDS:
        raise DataError(
            "this is not an array of real numbers that NumPy has",
            where=where,
            value=entry.kind,
            expected="float16, float32, float64, whole numbers or truth values",
            fix="save it as float32 or float64",
        )
    if 0 in entry.shape:
        raise DataError("the array is empty", where=where, value=f"shape {entry.shape}")


def _unknown(name: str, entries: dict[str, Entry], path: Path) -> DataError:
    close = nearest(name, entries)
    listed = ", ".join(list(entries)[:20]) + (", …" if len(entries) > 20 else "")
    return DataError(
        "the file has no array of this name",
        where=path.name,
        value=name,
        expected=f"one of {listed}" if entries else "the file holds no arrays",
        fix=f"did you mean {close!r}?" if close else None,
    )
