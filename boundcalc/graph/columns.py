"""Columns of numbers for :mod:`boundcalc.graph.arrays`: making and checking them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from boundcalc.errors import SpecError

if TYPE_CHECKING:
    from boundcalc.graph.arrays import GraphArrays

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

_TINY = float(np.finfo(np.float64).tiny)


def rounded(values: Iterable[Any], name: str) -> Floats:
    """Scalars of any kind as float64, None as NaN; refused where float64 is too small for one."""
    given = list(values)
    try:
        column = np.array(given, dtype=np.float64)
    except OverflowError:
        column = np.full(len(given), np.inf)  # which of them it is does not matter to the message
    lost = np.flatnonzero((np.abs(column) < _TINY) | np.isinf(column))
    for k in lost:
        if given[k] != 0:
            raise SpecError(
                f"a constant {name} is outside the range of float64",
                value=str(given[k]),
                expected="0, or a number between 2.3e-308 and 1.7e+308",
                fix="rescale the operators, or use the recurrences in WIDE arithmetic",
            )
    return column


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


def check_structure(g: GraphArrays) -> None:
    """Sizes of columns, slots of operators, and that each operator reads earlier ones."""
    counts = np.diff(g.first)
    if len(counts) < 2 or g.first[0] != 0 or counts[0] != 0 or counts[1:].min() < 1:
        raise SpecError(
            "`first` does not give every operator its slots",
            value=g.first[:8].tolist(),
            expected="0, 0, and then a number larger by at least 1 for each operator",
        )
    slots = int(g.first[-1])
    sizes = dict.fromkeys(("inputs", "edges", "a", "l", "J", "A3", "B"), slots)
    sizes |= dict.fromkeys(("b", "K", "B3", "groups"), g.size + 1)
    sizes["A"] = int(np.sum(counts**2))
    for name, size in sizes.items():
        if getattr(g, name).shape != (size,):
            raise SpecError(
                f"`{name}` does not fit `first`",
                value=getattr(g, name).shape,
                expected=f"an array of {size} entries",
            )
    wrong = (g.inputs < 0) | (g.inputs >= g.owners)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise SpecError(
            f"operator {g.owners[k]} reads an operator that is not before it",
            value=int(g.inputs[k]),
            expected="the number of an earlier operator, or 0 for the data",
            fix="number the operators in topological order",
        )


def check_edges(g: GraphArrays) -> None:
    """One number for each pair of an operator and one that it reads, in the order of slots."""
    own = np.flatnonzero(g.leads)
    wrong = not np.array_equal(g.edges[own], np.arange(1, len(own) + 1)) or g.edges.min() < 1
    if not wrong and len(g.edges) > g.size:
        ends = g.owners * (g.size + 1) + g.inputs  # one number for each pair
        ordered = np.sort(ends[own], kind="stable")
        wrong = not np.array_equal(ends[own[g.edges - 1]], ends) or not np.diff(ordered).all()
    if wrong:
        raise SpecError(
            "edges are not numbered one by one",
            value=g.edges[:8].tolist(),
            expected="numbers from 1 in the order of slots, one for each pair of an operator "
            "and one that it reads",
        )


def check_constants(g: GraphArrays) -> None:
    """Sizes, and a bounded change J or K wherever a Lipschitz constant is missing."""
    check_magnitudes(g.b, "b", "entry")
    for name in ("a", "l"):
        check_magnitudes(getattr(g, name), name, "slot")
    for name in ("J", "A3", "B", "A", "K", "B3"):
        check_magnitudes(getattr(g, name), name, "entry", optional=True)
    if np.isnan(g.A.sum()):
        kinked = np.logical_or.reduceat(np.isnan(g.A), g.pairs[:-1])
        _refuse_kinks(g.owners[kinked & (g.inputs > 0) & np.isnan(g.J)], "A", "J")
    if np.isnan(g.B.sum()):
        starts = g.first[1:-1]
        kinked = np.logical_or.reduceat(np.isnan(g.B), starts)
        moves = np.logical_or.reduceat(g.inputs > 0, starts)
        _refuse_kinks(np.flatnonzero(kinked & moves & np.isnan(g.K[1:])) + 1, "B", "K")


def _refuse_kinks(operators: Integers, constant: str, change: str) -> None:
    if len(operators):
        raise SpecError(
            f"operator {operators[0]} has neither {constant} nor {change}",
            expected=f"a Lipschitz constant {constant} of its Jacobian, or a bound {change} on "
            "how far the Jacobian moves",
            fix=f"give {change}; twice the bound of the Jacobian always holds",
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
