"""Windows that slide over a signal or an image: where they stand, and their gathering.

The geometry of PyTorch's ``Conv1d``, ``Conv2d``, ``AvgPool1d`` and ``AvgPool2d``: along
one axis, position o and tap t meet entry o·stride + t·dilation − padding, and an entry
outside the input is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema

from boundcalc.errors import SpecError
from boundcalc.operators.regions import Array, Shape


@dataclass(frozen=True)
class Windows:
    """Windows along one axis.

    Attributes
    ----------
    size
        Entries of the input.
    taps
        Entries of a window.
    stride, padding, dilation
        As above.

    Examples
    --------
    >>> windows = Windows(size=5, taps=3, stride=2, padding=1)
    >>> windows.count, windows.overlap
    (3, 2)
    """

    size: int
    taps: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """From the first entry of a window to its last."""
        return self.dilation * (self.taps - 1)

    @property
    def count(self) -> int:
        """The number of positions; 0 or less where no window fits."""
        return (self.size + 2 * self.padding - self.reach - 1) // self.stride + 1

    def tap(self, t: int) -> slice:
        """The entries that tap t meets at all positions, in the padded input."""
        first = t * self.dilation
        return slice(first, first + (self.count - 1) * self.stride + 1, self.stride)

    @cached_property
    def inside(self) -> Array:
        """(count,): how many taps of each window meet an entry of the input."""
        padded = np.zeros(self.size + 2 * self.padding)
        padded[self.padding : self.padding + self.size] = 1.0
        return np.asarray(np.sum([padded[self.tap(t)] for t in range(self.taps)], axis=0))

    @cached_property
    def overlap(self) -> int:
        """μ, the largest number of (position, tap) pairs that meet one entry of the input."""
        met = np.zeros(self.size + 2 * self.padding, dtype=np.int64)
        for t in range(self.taps):
            met[self.tap(t)] += 1
        return int(met[self.padding : self.padding + self.size].max())

    def matrices(self) -> Array:
        """(taps, count, size): S_t with (S_t x)_o the entry of x that tap t meets at o, or 0."""
        full = np.zeros((self.taps, self.count, self.size + 2 * self.padding))
        for t in range(self.taps):
            np.fill_diagonal(full[t, :, self.tap(t)], 1.0)
        return full[:, :, self.padding : self.padding + self.size]


#: Rows and columns; a signal is an image of one row.
Grid: TypeAlias = tuple[Windows, Windows]


def padded(images: Array, grid: Grid) -> Array:
    """Images ``(…, H, W)`` with zeros around them; a fresh array."""
    rows, columns = grid
    around = np.zeros(
        (
            *images.shape[:-2],
            rows.size + 2 * rows.padding,
            columns.size + 2 * columns.padding,
        )
    )
    _core(around, grid)[...] = images
    return around


def gathered(images: Array, grid: Grid) -> Array:
    """What every window sees, ``(…, rows.taps, columns.taps, rows.count, columns.count)``."""
    around, (rows, columns) = padded(images, grid), grid
    seen = np.empty(
        (*images.shape[:-2], rows.taps, columns.taps, rows.count, columns.count),
    )
    for i, j in np.ndindex(rows.taps, columns.taps):
        seen[..., i, j, :, :] = around[..., rows.tap(i), columns.tap(j)]
    return seen


def scattered(seen: Array, grid: Grid) -> Array:
    """The adjoint of :func:`gathered`: ``(…, H, W)``; a fresh array."""
    rows, columns = grid
    around = padded(np.zeros((*seen.shape[:-4], rows.size, columns.size)), grid)
    for i, j in np.ndindex(rows.taps, columns.taps):
        around[..., rows.tap(i), columns.tap(j)] += seen[..., i, j, :, :]
    return np.ascontiguousarray(_core(around, grid))


def _core(around: Array, grid: Grid) -> Array:
    rows, columns = grid
    return around[
        ...,
        rows.padding : rows.padding + rows.size,
        columns.padding : columns.padding + columns.size,
    ]


def require_axes(shape: Shape, names: tuple[str, ...], operator: str) -> Shape:
    """The shape, if it has these axes; else SpecError.

    >>> require_axes((3, 8), ("channels", "length"), "conv1d")
    (3, 8)
    """
    if len(shape) != len(names) or 0 in shape:
        raise SpecError(
            f"the input of a `{operator}` operator has the wrong shape",
            value=f"input of shape {shape}",
            expected=f"a shape ({', '.join(names)}), none of them 0",
            fix="look at the shape of the operator before it, or of the data",
        )
    return shape


def require_fit(grid: Grid, shape: Shape, operator: str) -> None:
    """Raise SpecError where a window is longer than the padded input."""
    for windows in grid:
        if windows.count < 1:
            raise SpecError(
                f"the window of a `{operator}` operator is longer than its input",
                value=f"input of shape {shape}, {windows.size + 2 * windows.padding} entries "
                f"with padding, window of {windows.reach + 1}",
                expected="a window that fits at least once",
                fix="make the kernel smaller or the padding larger",
            )


#: A whole number ≥ 1, small enough to be a size.
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]

#: As Count, for what is gone through one by one.
Taps = Annotated[int, Field(strict=True, ge=1, le=10_000)]

#: A whole number ≥ 0, small enough to be a padding.
Margin = Annotated[int, Field(strict=True, ge=0, le=10_000)]


def _pair(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else value


def _number_or_pair(least: int) -> WithJsonSchema:
    number = {"type": "integer", "minimum": least}
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    return WithJsonSchema(
        {"anyOf": [number, pair], "description": "one number, or [rows, columns]"}
    )


#: One number for rows and columns, or one for each.
Counts = Annotated[tuple[Taps, Taps], BeforeValidator(_pair), _number_or_pair(1)]
Margins = Annotated[tuple[Margin, Margin], BeforeValidator(_pair), _number_or_pair(0)]
