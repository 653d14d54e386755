"""Files of named arrays, listed without being loaded: NPZ and safetensors.

Neither holds code: NPZ is read without pickle, and safetensors has none.  Every size is
known, and checked by the caller, before memory is asked for.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boundcalc.errors import DataError, UnsupportedError

MAX_ARRAYS = 100_000


@dataclass(frozen=True)
class Entry:
    """One array of a file.

    Attributes
    ----------
    shape
        Its shape, as the file declares it.
    kind
        The name of its number type, such as ``float32``.
    read
        Loads it; raises DataError if the file does not hold what it declares.
    """

    shape: tuple[int, ...]
    kind: str
    read: Callable[[], npt.NDArray[Any]]


def npz_entries(path: Path, where: str) -> dict[str, Entry]:
    """The arrays of an NPZ file, in its order."""
    entries: dict[str, Entry] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
            _few(len(members), where)
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in entries:
                    raise DataError("two arrays have the same name", where=where, value=name)
                with archive.open(member) as stream:
                    shape, dtype = _npy_header(stream)
                entries[name] = Entry(shape, dtype.name, _npy_reader(path, member, where, name))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise _broken("an NPZ file", error, where) from None
    except (ValueError, EOFError, struct.error) as error:
        raise _broken("an NPZ file of plain arrays", error, where) from None
    return entries


def safetensors_entries(path: Path, where: str) -> dict[str, Entry]:
    """The arrays of a safetensors file, by name."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise missing("safetensors", "safetensors", where) from None
    entries: dict[str, Entry] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            _few(len(names), where)
            for name in names:
                part = file.get_slice(name)
                kind = _SAFETENSORS.get(part.get_dtype(), part.get_dtype())
                reader = _safetensors_reader(path, where, name)
                entries[name] = Entry(tuple(part.get_shape()), kind, reader)
    except (SafetensorError, OSError, ValueError) as error:
        raise _broken("a safetensors file", error, where) from None
    return entries


_SAFETENSORS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
}  # fmt: skip


def missing(package: str, extra: str, where: str) -> UnsupportedError:
    """The error for a format whose package is not installed."""
    return UnsupportedError(
        f"reading this file needs the package {package!r}, which is not installed",
        where=where,
        fix=f"pip install 'boundcalc[{extra}]'",
    )


def _npy_header(stream: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version[0]}.{version[1]} of the NPY format")
    return shape, dtype


def _npy_reader(
    path: Path, member: zipfile.ZipInfo, where: str, name: str
) -> Callable[[], npt.NDArray[Any]]:
    def read() -> npt.NDArray[Any]:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
                return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
        except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError) as error:
            raise _broken("a complete array", error, f"{where}: array {name!r}") from None

    return read


def _safetensors_reader(path: Path, where: str, name: str) -> Callable[[], npt.NDArray[Any]]:
    def read() -> npt.NDArray[Any]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                return np.asarray(file.get_tensor(name))
        except (SafetensorError, OSError, ValueError) as error:
            raise _broken("a complete array", error, f"{where}: array {name!r}") from None

    return read


def _few(count: int, where: str) -> None:
    if count > MAX_ARRAYS:
        raise DataError(
            f"the file holds {count} arrays", where=where, expected=f"at most {MAX_ARRAYS}"
        )


def _broken(wanted: str, error: Exception, where: str) -> DataError:
    return DataError(
        f"this cannot be read as {wanted}: {str(error)[:200]}",
        where=where,
        fix="write the file again; it may have been cut off",
    )
