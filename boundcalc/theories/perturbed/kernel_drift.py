"""How far Jacobians move: :mod:`boundcalc.theories.perturbed.drift` over flat arrays."""

from __future__ import annotations

from math import isnan
from typing import Any

from boundcalc.theories.perturbed.kernel_columns import Jacobians, Slots
from boundcalc.theories.perturbed.scaled import (
    ZERO,
    Column,
    Scaled,
    load,
    plus,
    scaled,
    times,
)


def drift(row: Any, offset: int, change: float, at: Slots, s: Column, v: int) -> Scaled:
    """Σ_u c_u s_u over the inputs u of v, c = row[offset + slot]; the change where one is NaN."""
    found, moves, kinked = ZERO, False, False
    for j in range(at.first[v], at.first[v + 1]):
        x = load(s, at.inputs[j])
        moves = moves or x[0] != 0.0
        if isnan(row[offset + j]):
            kinked = True
        else:
            found = plus(found, times(scaled(row[offset + j]), x))
    if kinked:
        return scaled(change) if moves else ZERO
    return found


def mean_drift(
    row: Any,
    offset: int,
    third: float,
    squares: Scaled,
    size: Scaled,
    at: Slots,
    mu: Column,
    v: int,
) -> Scaled:
    """Σ_u c_u μ_u + c′ · ½ Σ_u s_u², and at most the root mean square where one is NaN."""
    if isnan(third):
        return size
    found = times(scaled(third), squares)
    for j in range(at.first[v], at.first[v + 1]):
        if isnan(row[offset + j]):
            return size
        found = plus(found, times(scaled(row[offset + j]), load(mu, at.inputs[j])))
    return found


def half_squares(at: Slots, s: Column, v: int) -> Scaled:
    """½ Σ_u s_u² over the inputs u of v."""
    found = ZERO
    for k in range(at.first[v], at.first[v + 1]):
        x = load(s, at.inputs[k])
        found = plus(found, times((0.5, 0), times(x, x)))
    return found


def moved_by(f: Jacobians, at: Slots, s: Column, v: int, k: int) -> Scaled:
    """The drift of ∇_u f_v in slot k."""
    return drift(f.A, f.pairs[k] - at.first[v], f.J[k], at, s, v)


def mean_source(
    f: Jacobians, at: Slots, s: Column, mu: Column, V: Scaled, R: Scaled, v: int, k: int
) -> Scaled:
    """Drift · R_v + V_v · mean drift: what passing back through slot k of v adds to β."""
    moved, squares = moved_by(f, at, s, v, k), half_squares(at, s, v)
    offset = f.pairs[k] - at.first[v]
    shift = mean_drift(f.A, offset, f.A3[k], squares, moved, at, mu, v)
    return plus(times(moved, R), times(V, shift))


#: What compiled code may call.
FUNCTIONS = (drift, mean_drift, half_squares, moved_by, mean_source)
