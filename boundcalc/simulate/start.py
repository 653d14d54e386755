"""Where a run starts."""

from __future__ import annotations

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.program import Program
from boundcalc.simulate.streams import stream


def initial_weights(graph: OperatorGraph, program: Program) -> Array:
    """w^(0), ``(R, k)``: one start for all replicas, since the statements are about a given w⁰.

    Operators that have ``initial`` weights start from these, all others from
    ``simulation.initial_weights``.

    Raises
    ------
    SpecError
        If that is a list of the wrong length.
    """
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - callers have looked
    row, left = np.empty(program.weights), np.ones(program.weights, dtype=np.bool_)
    # Backwards, so that of operators that share weights the first one decides.
    for node in reversed(graph.nodes):
        if node.values is not None and node.group in program.slices:
            part = program.slices[node.group]
            row[part], left[part] = node.values, False
    count = int(left.sum())
    row[left] = _from_section(graph, count, count < program.weights)
    return np.tile(row, (section.replicas, 1))


def _from_section(graph: OperatorGraph, count: int, others: bool) -> Array:
    """The starting values of weights for which no operator gives any."""
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - callers have looked
    values, initial = graph.values(FLOATS), section.initial_weights
    if initial == "zeros":
        return np.zeros(count)
    if isinstance(initial, list):
        if len(initial) != count:
            without = " that have no `initial` weights" if others else ""
            raise SpecError(
                "the wrong number of initial weights",
                where="simulation.initial_weights",
                value=len(initial),
                expected=f"{count}, one for each weight of the operators{without}, in order",
            )
        return np.array([float(value.evaluate(FLOATS, values)) for value in initial])
    std = float(initial.evaluate(FLOATS, values))
    return std * stream(section.seed, "weights").standard_normal(count)
