"""Where numbers lie: the values of a pass in rows of the working memory, constants in a list."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from boundcalc.operators.base import Array

_CACHE = 384 * 1024  # bytes of working memory that stay close to the processor
_FEWEST, _MOST = 32, 128  # samples of a block


class Rows:
    """Rows given out and taken back, first fit.

    >>> rows = Rows()
    >>> rows.take(3), rows.take(2)
    (0, 3)
    >>> rows.give(0, 3)
    >>> rows.take(2), rows.take(2), rows.count
    (0, 5, 7)
    """

    def __init__(self) -> None:
        self.count = 0
        self._free: list[tuple[int, int]] = []

    def take(self, rows: int) -> int:
        """The first of so many rows in a row."""
        for index, (start, length) in enumerate(self._free):
            if length >= rows:
                rest = [(start + rows, length - rows)] if length > rows else []
                self._free[index : index + 1] = rest
                return start
        start = self.count
        self.count += rows
        return start

    def give(self, start: int, rows: int) -> None:
        """Take back rows that nothing reads any more."""
        if rows:
            self._free.append((start, rows))


def lanes_for(rows: int, features: int, itemsize: int) -> int:
    """How many samples a block has, so that its values stay in the cache.

    >>> lanes_for(8, 10, 8), lanes_for(9000, 10, 8)
    (128, 32)
    """
    lanes = _MOST
    while lanes > _FEWEST and (rows + features) * lanes * itemsize > _CACHE:
        lanes //= 2
    return lanes


@dataclass
class Numbers:
    """Run-time numbers of the kernels one after the other, so that the source knows none."""

    parts: list[Array] = field(default_factory=list)
    count: int = 0

    def add(self, numbers: Array) -> int:
        """Where they begin."""
        start = self.count
        self.parts.append(np.ravel(numbers))
        self.count += numbers.size
        return start

    def joined(self) -> Array:
        """All of them."""
        return np.concatenate([np.empty(0), *self.parts])


def row(start: int) -> str:
    """How a row of the working memory is written.

    >>> row(3)
    'work + 3 * LANES'
    """
    return f"work + {start} * LANES"
