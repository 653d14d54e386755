"""Numeric arrays and cells of them from MAT files of version 5, as MATLAB and SciPy write them.

SciPy reads the numbers.  Before it does, the file is cut into its variables, each
decompressed within bounds, and everything is left out that is no numeric array and no
cell of numeric arrays: structures, objects and functions never reach the reader.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boundcalc.data.array_formats import Entry
from boundcalc.errors import DataError

MAX_BYTES = 2**30  # of one file, decompressed
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15  # types of an element
_CELL, _NUMERIC = 1, range(6, 16)  # classes of an array: double, single, int8 … uint64


def mat_entries(path: Path, where: str) -> dict[str, Entry]:
    """The numeric arrays of a MAT file; the cells of ``weights`` are ``weights{1}``, ….

    Raises
    ------
    DataError
        If the file is of another version, is cut off, or would fill the memory.
    """
    content = path.read_bytes()
    order = _byte_order(content, where)
    kept = [content[:_HEADER]]
    room = MAX_BYTES
    for body in _variables(content, order, where):
        room -= len(body)
        if room < 0:
            raise DataError(
                "the file is too large once it is decompressed",
                where=where,
                expected=f"at most {MAX_BYTES} bytes",
            )
        if _is_numeric(body, order):
            kept.append(struct.pack(f"{order}II", _MATRIX, len(body)) + body)
    return _loaded(b"".join(kept), where)


def _byte_order(content: bytes, where: str) -> str:
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or struct.unpack(f"{order}H", content[124:126])[0] != 0x0100:
        raise DataError(
            "this is not a MAT file of version 5",
            where=where,
            expected="a file that scipy.io.savemat or MATLAB's save -v7 wrote",
            fix="in MATLAB: save('weights.mat', 'weights', '-v7')",
        )
    return order


def _variables(content: bytes, order: str, where: str) -> Iterator[bytes]:
    """The bytes of each variable, without its tag and decompressed."""
    at = _HEADER
    while at + 8 <= len(content):
        kind, size = struct.unpack(f"{order}II", content[at : at + 8])
        body = content[at + 8 : at + 8 + size]
        if len(body) < size:
            raise _cut_off(where)
        at += 8 + size
        if kind == _COMPRESSED:
            kind, body = _decompressed(body, order, where)
        if kind == _MATRIX:
            yield body
    if at != len(content):
        raise _cut_off(where)


def _decompressed(body: bytes, order: str, where: str) -> tuple[int, bytes]:
    try:
        stream = zlib.decompressobj()
        whole = stream.decompress(body, MAX_BYTES + 8)
    except zlib.error as error:
        raise DataError(f"a variable cannot be decompressed: {error}", where=where) from None
    if len(whole) < 8:
        raise _cut_off(where)
    kind, size = struct.unpack(f"{order}II", whole[:8])
    if len(whole) < 8 + size and not stream.unconsumed_tail:
        raise _cut_off(where)
    return kind, whole[8:]  # longer than MAX_BYTES if there was more: refused by the caller


def _is_numeric(body: bytes, order: str) -> bool:
    """Whether a variable is a real array of numbers, or a cell of such arrays."""
    try:
        array_class, at = _start(body, order)
        if array_class in _NUMERIC:
            return True
        if array_class != _CELL:
            return False
        while at + 8 <= len(body):
            kind, size = struct.unpack(f"{order}II", body[at : at + 8])
            part = body[at + 8 : at + 8 + size]
            if kind != _MATRIX or len(part) < size or _start(part, order)[0] not in _NUMERIC:
                return False
            at += 8 + size
    except (struct.error, IndexError):
        return False
    return at == len(body)


def _start(body: bytes, order: str) -> tuple[int, int]:
    """The class of an array, and where its content begins: after flags, dimensions and name."""
    array_class = struct.unpack(f"{order}I", body[8:12])[0] & 0xFF
    at = 0
    for _ in range(3):
        kind, size = struct.unpack(f"{order}II", body[at : at + 8])
        # A small element keeps its size in the upper half of the first word.
        at += 8 if kind >> 16 else 8 + -(-size // 8) * 8
    return array_class, at


def _loaded(content: bytes, where: str) -> dict[str, Entry]:
    from scipy.io import loadmat

    try:
        found: dict[str, Any] = loadmat(io.BytesIO(content))
    except Exception as error:  # SciPy raises many kinds for a broken file
        raise DataError(f"the MAT file cannot be read: {str(error)[:200]}", where=where) from None
    entries: dict[str, Entry] = {}
    for name, value in found.items():
        if name.startswith("__") or not isinstance(value, np.ndarray):
            continue
        if value.dtype != object:
            entries[name] = _entry(value)
            continue
        for number, part in enumerate(value.ravel(order="F"), start=1):
            entries[f"{name}{{{number}}}"] = _entry(np.asarray(part))
    return entries


def _entry(array: npt.NDArray[Any]) -> Entry:
    return Entry(array.shape, array.dtype.name, partial(np.ascontiguousarray, array))


def _cut_off(where: str) -> DataError:
    return DataError("the MAT file is cut off", where=where, fix="write the file again")
