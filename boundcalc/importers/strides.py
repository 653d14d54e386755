"""Which reshape, transpose or slice a list of positions is."""

from __future__ import annotations

from math import prod

import numpy as np

from boundcalc.importers.values import Positions
from boundcalc.operators.regions import Shape

MAX_AXES = 8  # as many as the operator `identity` takes


def strided(positions: Positions) -> tuple[int, Shape, Shape] | None:
    """Offset, sizes and strides of a flat list of positions: start + Σ_j stride_j·i_j.

    The sizes are as few as can be, the last the fastest; None if the list has no such
    form.

    Examples
    --------
    >>> strided(np.arange(6).reshape(2, 3).T.ravel())
    (0, (3, 2), (1, 3))
    >>> strided(np.array([4, 5, 6]))
    (4, (3,), (1,))
    >>> strided(np.array([0, 1, 3])) is None
    True
    """
    sizes: list[int] = []
    strides: list[int] = []
    rest = positions
    while rest.size > 1:
        step = int(rest[1] - rest[0])
        breaks = np.flatnonzero(np.diff(rest) != step)
        run = int(breaks[0]) + 1 if breaks.size else rest.size
        if rest.size % run:
            return None
        rows = rest.reshape(-1, run)
        if not np.array_equal(rows, rows[:, :1] + step * np.arange(run)):
            return None
        sizes.append(run)
        strides.append(step)
        rest = rows[:, 0]
    return int(positions[0]), tuple(sizes[::-1]), tuple(strides[::-1])


def transposition(positions: Positions, size: int) -> tuple[Shape, tuple[int, ...]] | None:
    """The shape and axes with ``arange(size).reshape(shape).transpose(axes)`` the positions.

    Examples
    --------
    >>> transposition(np.arange(6).reshape(2, 3).T.ravel(), 6)
    ((2, 3), (1, 0))
    """
    found = strided(positions)
    if found is None or positions.size != size or found[0] != 0:
        return None
    _, sizes, strides = found
    order = sorted(range(len(sizes)), key=lambda axis: -strides[axis])
    shape = tuple(sizes[axis] for axis in order)
    whole = all(strides[axis] == prod(shape[place + 1 :]) for place, axis in enumerate(order))
    if not whole or len(shape) > MAX_AXES:
        return None
    return shape, tuple(order.index(axis) for axis in range(len(sizes)))


def columns(positions: Positions, width: int) -> Positions | None:
    """The columns u with ``positions[r, j] = r·width + u[j]``, all rows in order; else None.

    Examples
    --------
    >>> columns(np.arange(6).reshape(2, 3)[:, 1:], 3)
    array([1, 2])
    """
    first = positions[0]
    if first.max() >= width:
        return None
    rows = np.arange(len(positions))[:, None] * width
    return first if np.array_equal(positions, rows + first) else None
