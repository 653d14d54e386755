"""How far Jacobians move: :mod:`boundcalc.theories.perturbed.drift` over flat arrays."""

from __future__ import annotations

from math import isnan
from typing import Any

from boundcalc.theories.perturbed.kernel_columns import Graph
from boundcalc.theories.perturbed.scaled import (
    ZERO,
    Column,
    Scaled,
    less,
    load,
    plus,
    scaled,
    times,
)


def drift(row: Any, offset: int, change: float, g: Graph, s: Column, v: int) -> Scaled:
    """Σ_u c_u s_u over the inputs u of v, c = row[offset + slot]; the change where one is NaN."""
    found, moves, kinked = ZERO, False, False
    for j in range(g.first[v], g.first[v + 1]):
        x = load(s, g.inputs[j])
        moves = moves or x[0] != 0.0
        if isnan(row[offset + j]):
            kinked = True
        else:
            found = plus(found, times(scaled(row[offset + j]), x))
    if kinked:
        return scaled(change) if moves else ZERO
    return found


def saturated(size: Scaled, bound: float, apply: bool) -> Scaled:
    """At most twice the bound of the Jacobian (docs/theory.md, Lemma 4.11)."""
    return less(size, times((2.0, 0), scaled(bound))) if apply else size


def mean_drift(
    row: Any,
    offset: int,
    third: float,
    squares: Scaled,
    size: Scaled,
    g: Graph,
    mu: Column,
    v: int,
    capped: bool,
) -> Scaled:
    """Σ_u c_u μ_u + c′ · ½ Σ_u s_u²; the root mean square where one is NaN, or it is smaller."""
    if isnan(third):
        return size
    found = times(scaled(third), squares)
    for j in range(g.first[v], g.first[v + 1]):
        if isnan(row[offset + j]):
            return size
        found = plus(found, times(scaled(row[offset + j]), load(mu, g.inputs[j])))
    return less(found, size) if capped else found


def half_squares(g: Graph, s: Column, v: int) -> Scaled:
    """½ Σ_u s_u² over the inputs u of v."""
    found = ZERO
    for k in range(g.first[v], g.first[v + 1]):
        x = load(s, g.inputs[k])
        found = plus(found, times((0.5, 0), times(x, x)))
    return found


def mean_source(
    g: Graph,
    s: Column,
    mu: Column,
    V: Scaled,
    R: Scaled,
    squares: Scaled,
    v: int,
    k: int,
    capped: bool,
    saturates: bool,
) -> Scaled:
    """Drift · R_v + V_v · mean drift: what passing back through slot k of v adds to β."""
    offset = g.pairs[k] - g.first[v]
    moved = saturated(drift(g.A, offset, g.J[k], g, s, v), g.a[k], saturates)
    shift = mean_drift(g.A, offset, g.A3[k], squares, moved, g, mu, v, capped)
    return plus(times(moved, R), times(V, shift))


#: What compiled code may call.
FUNCTIONS = (drift, saturated, mean_drift, half_squares, mean_source)
