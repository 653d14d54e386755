"""A strict reader of NetCDF-3 files: untrusted input.

The classic format is a header, in big-endian 32-bit words, and arrays at stated offsets
(NetCDF Classic Format Specification, https://doi.org/10.5065/D6H70CW6).  Everything that the
header claims is checked against the length of the file before memory is asked for, and what a
results file has no use for (record dimensions) is refused.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_MOST = 256  # dimensions, attributes or variables in one list
_LONGEST_NAME = 256
_DIMENSION, _VARIABLE, _ATTRIBUTE = 10, 11, 12
_TYPES = {1: ">i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8"}

Values = npt.NDArray[Any]


class NetCDFError(ValueError):
    """The bytes are not a NetCDF-3 file as this reader takes it."""


@dataclass(frozen=True)
class Variable:
    """One array, with the names of its dimensions."""

    dimensions: tuple[str, ...]
    values: Values


@dataclass(frozen=True)
class Dataset:
    """What a file holds: lengths, global attributes (text, or arrays of numbers), arrays."""

    dimensions: dict[str, int]
    attributes: dict[str, str | Values]
    variables: dict[str, Variable]


def parse(content: bytes) -> Dataset:
    """The content of a NetCDF-3 file, with 32-bit or with 64-bit offsets.

    Raises
    ------
    NetCDFError
        If it is anything else, or claims more than it holds.
    """
    if content[:3] != b"CDF" or content[3:4] not in (b"\x01", b"\x02"):
        raise NetCDFError("the file does not begin as NetCDF-3 files do")
    cursor = _Cursor(content, wide=content[3] == 2)
    if cursor.word() != 0:
        raise NetCDFError("the file has records, which results files have not")
    dimensions: dict[str, int] = {}
    for _ in range(cursor.count(_DIMENSION)):
        name, length = cursor.name(), cursor.word()
        if length == 0:
            raise NetCDFError(f"dimension {name!r} has no length")
        dimensions[_new(name, dimensions)] = length
    attributes = cursor.attributes()
    variables: dict[str, Variable] = {}
    sizes, left = list(dimensions.items()), len(content)
    for _ in range(cursor.count(_VARIABLE)):
        name, variable = cursor.variable(sizes)
        # Arrays that overlap would make a short file fill the memory.
        left -= variable.values.nbytes
        if left < 0:
            raise NetCDFError("the arrays are longer than the file")
        variables[_new(name, variables)] = variable
    return Dataset(dimensions, attributes, variables)


def _new(name: str, known: dict[str, Any]) -> str:
    if name in known:
        raise NetCDFError(f"{name!r} is there twice")
    return name


class _Cursor:
    """A place in the header that moves on with what is read."""

    def __init__(self, content: bytes, *, wide: bool) -> None:
        self._content, self._at, self._wide = content, 4, wide

    def take(self, length: int) -> bytes:
        """So many bytes, and the padding to a multiple of four."""
        end = self._at + length
        if end > len(self._content):
            raise NetCDFError("the file is cut off")
        part = self._content[self._at : end]
        self._at = end + -length % 4
        return part

    def word(self) -> int:
        """A 32-bit number that is not negative."""
        value = int(struct.unpack(">i", self.take(4))[0])
        if value < 0:
            raise NetCDFError("a negative length")
        return value

    def offset(self) -> int:
        """Where an array begins."""
        if not self._wide:
            return self.word()
        value = int(struct.unpack(">q", self.take(8))[0])
        if value < 0:
            raise NetCDFError("a negative offset")
        return value

    def count(self, tag: int) -> int:
        """How many entries the list has that begins here; an absent list has none."""
        found, count = self.word(), self.word()
        if found not in (0, tag) or (found == 0 and count) or count > _MOST:
            raise NetCDFError("a list of the header is broken or too long")
        return count

    def name(self) -> str:
        """A name, in UTF-8."""
        length = self.word()
        if not 0 < length <= _LONGEST_NAME:
            raise NetCDFError("a name is empty or too long")
        return _decoded(self.take(length))

    def attributes(self) -> dict[str, str | Values]:
        """A list of attributes."""
        found: dict[str, str | Values] = {}
        for _ in range(self.count(_ATTRIBUTE)):
            name = _new(self.name(), found)
            kind, count = self._kind(), self.word()
            part = self.take(count * kind.itemsize)
            found[name] = _decoded(part) if kind.kind == "S" else np.frombuffer(part, kind)
        return found

    def variable(self, sizes: list[tuple[str, int]]) -> tuple[str, Variable]:
        """An array, found by the entry of the header that begins here."""
        name, rank = self.name(), self.word()
        if rank > 8:
            raise NetCDFError(f"variable {name!r} has too many dimensions")
        places = [self.word() for _ in range(rank)]
        if any(place >= len(sizes) for place in places):
            raise NetCDFError(f"variable {name!r} has a dimension that is not there")
        self.attributes()
        kind = self._kind()
        self.take(4)  # its length in bytes, which the shape says too
        shape, begin = tuple(sizes[place][1] for place in places), self.offset()
        count = math.prod(shape)
        if begin + count * kind.itemsize > len(self._content):
            raise NetCDFError(f"variable {name!r} ends after the file")
        values = np.frombuffer(self._content, kind, count, begin).reshape(shape)
        return name, Variable(tuple(sizes[place][0] for place in places), values)

    def _kind(self) -> np.dtype[Any]:
        code = self.word()
        if code not in _TYPES:
            raise NetCDFError("an unknown type of numbers")
        return np.dtype(_TYPES[code])


def _decoded(part: bytes) -> str:
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError:
        raise NetCDFError("a text is not UTF-8") from None
