"""Numeric arrays and cells of them from MAT files of version 5, as MATLAB and SciPy write them.

They are read here and not by SciPy, whose reader can crash the interpreter on a file that
is damaged.  Structures, objects, functions, text and sparse matrices are left out.

The format, from "Level 5 MAT-File Format" in MathWorks' *MAT-File Format*: after 128 bytes of
header, elements of a type, a size and that many bytes, each filled up to a multiple of
8; an element may be packed by zlib, and one of 4 bytes or less may be packed into 8.  A
matrix is an element of elements: flags, dimensions, name, numbers in column order; or,
for a cell, matrices.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boundcalc.data.array_formats import Entry
from boundcalc.errors import DataError

MAX_BYTES = 2**30  # of one file, decompressed
MAX_CELLS = 100_000
_HEADER = 128

_MATRIX, _COMPRESSED = 14, 15  # types of an element
_CELL = 1  # classes of an array
_COMPLEX = 0x800

#: Number types by the type of an element, and by the class of an array.
_STORED = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_CLASSES = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip


class _OtherError(Exception):
    """A variable that is no real array of numbers, nor a cell of such arrays."""


def mat_entries(path: Path, where: str) -> dict[str, Entry]:
    """The numeric arrays of a MAT file; the cells of ``weights`` are ``weights{1}``, ….

    Raises
    ------
    DataError
        If the file is of another version, is cut off, or would fill the memory.
    """
    content = path.read_bytes()
    order = _byte_order(content, where)
    entries: dict[str, Entry] = {}
    room = MAX_BYTES
    for body in _variables(content, order, where):
        room -= len(body)
        if room < 0:
            raise DataError(
                "the file is too large once it is decompressed",
                where=where,
                expected=f"at most {MAX_BYTES} bytes",
            )
        try:
            entries.update(_variable(body, order))
        except _OtherError:
            continue
        except (struct.error, ValueError) as error:
            raise DataError(
                f"a variable is broken: {str(error)[:100]}", where=where, fix="write it again"
            ) from None
    return entries


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
        whole = stream.decompress(body, MAX_BYTES + 9)
    except zlib.error as error:
        raise DataError(f"a variable cannot be decompressed: {error}", where=where) from None
    if len(whole) < 8:
        raise _cut_off(where)
    kind, size = struct.unpack(f"{order}II", whole[:8])
    if len(whole) < 8 + size and not stream.unconsumed_tail:
        raise _cut_off(where)
    return kind, whole[8:]  # longer than MAX_BYTES if there was more: refused by the caller


def _variable(body: bytes, order: str) -> dict[str, Entry]:
    """One variable: an array, or the arrays of a cell."""
    elements = _elements(body, order)
    flags, shape, name = _start(elements, order)
    if flags & 0xFF != _CELL:
        return {name: _array(flags, shape, elements, order)}
    if prod(shape) > MAX_CELLS:
        raise ValueError(f"a cell array of {prod(shape)} cells")
    entries = {}
    for number in range(1, prod(shape) + 1):
        kind, part = next(elements, (0, b""))
        if kind != _MATRIX:
            raise ValueError("a cell is missing")
        inner = _elements(part, order)
        inner_flags, inner_shape, _ = _start(inner, order)
        entries[f"{name}{{{number}}}"] = _array(inner_flags, inner_shape, inner, order)
    return entries


def _elements(body: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Types and contents of the elements of a matrix."""
    at = 0
    while at + 8 <= len(body):
        kind, size = struct.unpack(f"{order}II", body[at : at + 8])
        if kind >> 16:  # a small one: its size in the upper half, its content in the next word
            kind, size, start, at = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        else:
            start, at = at + 8, at + 8 + -(-size // 8) * 8
        if start + size > len(body):
            raise ValueError("it is cut off")
        yield kind, body[start : start + size]


def _start(elements: Iterator[tuple[int, bytes]], order: str) -> tuple[int, tuple[int, ...], str]:
    """Flags, shape and name of an array."""
    parts = [next(elements, (0, b""))[1] for _ in range(3)]
    flags = struct.unpack(f"{order}II", parts[0])[0]
    shape = tuple(int(size) for size in np.frombuffer(parts[1], f"{order}i4"))
    if len(shape) < 2 or min(shape) < 0:
        raise ValueError("its dimensions are none")
    return flags, shape, parts[2].decode("ascii")


def _array(
    flags: int, shape: tuple[int, ...], elements: Iterator[tuple[int, bytes]], order: str
) -> Entry:
    """An array whose numbers may be stored in a smaller type than its own."""
    own = _CLASSES.get(flags & 0xFF)
    if own is None:
        raise _OtherError
    if flags & _COMPLEX:
        return Entry(shape, "complex", partial(np.zeros, 0))
    kind, content = next(elements, (0, b""))
    stored = _STORED.get(kind)
    if stored is None or len(content) != prod(shape) * np.dtype(stored).itemsize:
        raise ValueError("it does not hold as many numbers as its dimensions say")
    numbers = np.frombuffer(content, f"{order}{stored}")
    return Entry(shape, np.dtype(own).name, partial(_shaped, numbers, shape, own))


def _shaped(numbers: npt.NDArray[Any], shape: tuple[int, ...], kind: str) -> npt.NDArray[Any]:
    return np.ascontiguousarray(numbers.astype(kind).reshape(shape, order="F"))


def _cut_off(where: str) -> DataError:
    return DataError("the MAT file is cut off", where=where, fix="write the file again")
