"""What the columns of a :class:`~boundcalc.graph.arrays.GraphArrays` must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.graph.columns import Integers, check_magnitudes

if TYPE_CHECKING:
    from boundcalc.graph.arrays import GraphArrays


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


def check_runs(g: GraphArrays) -> None:
    """Operators one after the other, of one slot each, none in two runs, each with a norm."""
    lengths, nodes = np.diff(g.run_first), g.run_nodes
    fits = (
        len(g.run_first) == len(g.run_norm) + 1 == len(g.run_affine) + 1
        and g.run_first[0] == 0
        and g.run_first[-1] == len(nodes)
        and bool(np.all(lengths >= 2))
    )
    if not fits:
        raise SpecError(
            "`run_first` does not fit the other columns of runs",
            value=g.run_first[:8].tolist(),
            expected="0, and then for each run a number larger by its operators, 2 at least",
        )
    if not len(nodes):
        return
    check_magnitudes(g.run_norm, "run_norm", "entry")
    inside = (nodes >= 1) & (nodes <= g.size)
    if inside.all():
        inner = np.ones(len(nodes) - 1, dtype=np.bool_)
        inner[g.run_first[1:-1] - 1] = False  # from the last of a run to the first of the next
        before, after = nodes[:-1][inner], nodes[1:][inner]
        inside = np.diff(g.first)[nodes] == 1
        inside[1:][inner] &= g.inputs[g.first[after]] == before
        inside[1:][inner] &= np.bincount(g.inputs, minlength=g.size + 1)[before] == 1
    if not inside.all() or len(np.unique(nodes)) < len(nodes):
        raise SpecError(
            "a run is not one operator after the other",
            value=nodes[:8].tolist(),
            expected="operators of one slot each that read the one before, which no other reads",
        )
