"""Scales that follow the values: one for each group of components.

A scale is at least a/top, a the largest size in the group and top the format's largest number,
so that nothing is clipped; the rule ⌊log2 a⌋ − ⌊log2 top⌋ of the OCP Microscaling Formats
Specification, section 6.3, clips up to 1/8 of a value in fp8_e4m3 and makes stochastic rounding
biased.  Scales are ::

    power of two:  the least 2^k ≥ a/top,  below 2 a/top
    real:          a/top rounded up to 24 significant bits, at most (1 + 2⁻²²) a/top

Products of a real scale with numbers of a format of at most 24 bits are exact in float64.  The
exponent of a scale is not limited; groups whose a is below 2⁻⁶⁰⁰ are left as they are.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.exact import power
from boundcalc.perturbations.formats.rounding import Grid, rounded

ScaleKind: TypeAlias = Literal["power_of_two", "real"]

#: At least scale · top / a.
SLACK: dict[ScaleKind, Fraction] = {
    "power_of_two": Fraction(2),
    "real": 1 + power(-22),
}

#: Bits of one scale: an E8M0 exponent, or a float32.
SCALE_BITS: dict[ScaleKind, int] = {"power_of_two": 8, "real": 32}

_TINY = 2.0**-600
_DROPPED = 53 - 24  # bits of a float64 that a real scale does not have


def scales(largest: Array, top: float, kind: ScaleKind) -> Array:
    """A scale for each largest size.

    Parameters
    ----------
    largest
        a ≥ 2⁻⁶⁰⁰ for each group.
    top
        The format's largest number.
    kind
        Which scales there are.

    Examples
    --------
    >>> scales(np.array([1.0, 127.0, 128.0]), 127.0, "power_of_two")
    array([0.015625, 1.      , 2.      ])
    >>> bool(127.0 * scales(np.array([1.0]), 127.0, "real")[0] >= 1.0)
    True
    """
    if kind == "real":
        # Where a > s top for a scale s, the rounded quotient is above s too: float64 holds s top,
        # whose neighbours differ from it by more than half of those of s, relatively.
        bits = (largest / top).view(np.int64)
        kept = (bits + ((1 << _DROPPED) - 1)) >> _DROPPED << _DROPPED
        return np.asarray(kept.view(np.float64))
    found = np.ldexp(1.0, np.frexp(largest / top)[1])
    half = found / 2
    return np.asarray(np.where(half * top >= largest, half, found))


def rounded_in_groups(
    values: Array,
    longest: int,
    grid: Grid,
    kind: ScaleKind,
    rng: np.random.Generator | None = None,
) -> Array:
    """Every ``longest`` consecutive components of the last axis rounded with their own scale.

    Fewer are left for the last group where their number does not divide that of the components.
    A group that holds NaN or an infinity becomes NaN.

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> x = np.array([1.0, 0.3, 100.0, 30.0])
    >>> rounded_in_groups(x, 2, Grid.of(FORMATS["int4"]), "power_of_two")
    array([  1. ,   0.25, 96. ,  32. ])
    """
    size = values.shape[-1]
    if size % longest == 0:
        rows = values.reshape(-1, longest)
        largest = np.max(np.abs(rows), axis=1, keepdims=True)
        return _with_scales(rows, largest, grid, kind, rng).reshape(values.shape)
    # The numbers of one vector are drawn together, so that every component has its scale.
    rows = values.reshape(-1, size)
    starts = np.arange(0, size, longest)
    found = np.maximum.reduceat(np.abs(rows), starts, axis=1)
    largest = np.repeat(found, np.diff(starts, append=size), axis=1)
    return _with_scales(rows, largest, grid, kind, rng).reshape(values.shape)


def _with_scales(
    rows: Array, largest: Array, grid: Grid, kind: ScaleKind, rng: np.random.Generator | None
) -> Array:
    """Rounded with a scale for each of the ``largest``, which belong to rows or to values."""
    tiny = largest < _TINY
    lost = ~np.isfinite(largest)
    usual = np.where(tiny | lost, 1.0, largest)
    out = rounded(rows, grid, scales(usual, grid.largest, kind), rng)
    if tiny.any():
        out = np.where(tiny, rows, out)
    if lost.any():
        out = np.where(lost, np.nan, out)
    return out
