"""Columns of numbers for :mod:`boundcalc.graph.arrays`: making and checking them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from boundcalc.arithmetic.number import format_number
from boundcalc.errors import SpecError

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]

_TINY = float(np.finfo(np.float64).tiny)


def rounded(values: Iterable[Any], name: str) -> Floats:
    """Scalars of any kind as float64, None as NaN; refused where float64 is too small for one."""
    given = list(values)
    try:
        column = np.array(given, dtype=np.float64)
    except OverflowError:  # a rational; anything else gives an infinity
        column = np.array([_nearest(value) for value in given])
    for k in np.flatnonzero((np.abs(column) < _TINY) | np.isinf(column)):
        if given[k] != 0:
            raise SpecError(
                f"{name} is outside the range of float64",
                value=format_number(given[k]),
                expected="0, or a number between 2.3e-308 and 1.7e+308",
                fix="rescale the operators, or use the recurrences in WIDE arithmetic",
            )
    return column


def _nearest(value: Any) -> float:
    try:
        return np.nan if value is None else float(value)
    except OverflowError:
        return np.inf


def numbers(value: ArrayLike | None, name: str) -> Floats:
    """An array of float64 from what a caller gave; None is NaN."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise SpecError(f"{name} is no array of numbers", value=value) from None


def integers(value: ArrayLike | Iterable[int], name: str) -> Integers:
    """An array of whole numbers."""
    found = np.asarray(value)
    if found.dtype.kind not in "iu" and found.size:
        raise SpecError(f"{name} is no array of whole numbers", value=found.dtype.name)
    return found.astype(np.int64, copy=False)


def booleans(value: ArrayLike, name: str) -> Booleans:
    """An array of truth values."""
    found = np.asarray(value)
    if found.dtype.kind != "b" and found.size:
        raise SpecError(f"{name} is no array of truth values", value=found.dtype.name)
    return found.astype(np.bool_, copy=False)


#: How an array of each type is made.
CONVERSIONS: dict[str, Callable[[Any, str], NDArray[Any]]] = {
    "Floats": numbers,
    "Integers": integers,
    "Booleans": booleans,
}


def spread(column: Floats, name: str, size: int, what: str) -> Floats:
    """One number for all, or a number for each of ``size`` operators or edges, from entry 1."""
    if column.shape not in ((), (size,)):
        raise SpecError(
            f"{name} does not fit the graph",
            value=column.shape,
            expected=f"one number, or an array with one for each of the {size} {what}",
        )
    found = np.empty(size + 1)
    found[0] = 0.0
    found[1:] = column
    return found


def check_count(count: object, name: str, fix: str) -> None:
    """A whole number from 1."""
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
        raise SpecError(
            f"{name} is no count", value=count, expected="a whole number from 1", fix=fix
        )


def check_magnitudes(column: Floats, name: str, what: str, *, optional: bool = False) -> None:
    """Finite and ≥ 0; NaN where the constant may be missing."""
    # Comparisons with NaN are false: one pass over the column in the usual case.
    if not len(column) or (column.min() >= 0 and column.max() < np.inf):
        return
    wrong = ~((column >= 0) & (column < np.inf))
    if optional:
        wrong &= ~np.isnan(column)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise SpecError(
            f"{name} of {what} {k} is no size",
            value=float(column[k]),
            expected="a finite number ≥ 0" + (", or NaN for none" if optional else ""),
        )


def check_means(means: Floats, sizes: Floats, mean: str, size: str) -> None:
    """A mean is at most the root mean square."""
    if (means > sizes).any():
        k = int(np.argmax(means > sizes))
        raise SpecError(
            f"{mean} exceeds {size} at entry {k}",
            value=float(means[k]),
            expected=f"at most {float(sizes[k])}: no mean exceeds the root mean square",
        )
