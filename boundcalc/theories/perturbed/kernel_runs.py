"""Runs of operators with one norm together (docs/theory.md, Lemma 4.10), over flat arrays."""

from __future__ import annotations

from typing import Any

from boundcalc.theories.perturbed.kernel_columns import Graph
from boundcalc.theories.perturbed.kernel_drift import drift, half_squares, mean_source, saturated
from boundcalc.theories.perturbed.scaled import (
    ZERO,
    Column,
    Scaled,
    joint,
    load,
    plus,
    scaled,
    times,
)


def size_after(
    g: Graph, factors: Any, noise: Any, sizes: Column, run: int, centred: bool
) -> Scaled:
    """Norm · size before the run, and what perturbations inside it add: s, or μ."""
    start, inside = g.run_first[run], ZERO
    for j in range(start, g.run_first[run + 1] - 1):
        inside = joint(inside, scaled(noise[g.run_nodes[j]]), centred)
        inside = times(scaled(factors[g.first[g.run_nodes[j + 1]]]), inside)
    before = g.inputs[g.first[g.run_nodes[start]]]
    passed = times(scaled(g.run_norm[run]), load(sizes, before))
    return joint(passed, inside, centred and g.run_affine[run])


def noise_inside(g: Graph, noise: Any, run: int, centred: bool) -> Scaled:
    """What perturbations of the edges inside a run add to E or ν before it."""
    found = ZERO
    for j in range(g.run_first[run + 1] - 1, g.run_first[run] - 1, -1):
        k = g.first[g.run_nodes[j]]
        found = times(scaled(g.a[k]), found)
        if j > g.run_first[run]:
            found = joint(found, scaled(noise[g.edges[k]]), centred)
    return found


def sizes_inside(g: Graph, s: Column, V: Column, run: int, saturates: bool) -> Scaled:
    """What the operators of a run add to R before it."""
    found = ZERO
    for j in range(g.run_first[run + 1] - 1, g.run_first[run] - 1, -1):
        v, k = g.run_nodes[j], g.first[g.run_nodes[j]]
        moved = saturated(drift(g.A, g.pairs[k] - k, g.J[k], g, s, v), g.a[k], saturates)
        found = plus(times(scaled(g.a[k]), found), times(load(V, v), moved))
    return found


def means_inside(
    g: Graph,
    s: Column,
    mu: Column,
    V: Column,
    R: Column,
    run: int,
    capped: bool,
    saturates: bool,
) -> Scaled:
    """What they add to β."""
    found = ZERO
    for j in range(g.run_first[run + 1] - 1, g.run_first[run] - 1, -1):
        v, k = g.run_nodes[j], g.first[g.run_nodes[j]]
        squares = half_squares(g, s, v)
        source = mean_source(g, s, mu, load(V, v), load(R, v), squares, v, k, capped, saturates)
        found = plus(times(scaled(g.a[k]), found), source)
    return found


#: What compiled code may call.
FUNCTIONS = (size_after, noise_inside, sizes_inside, means_inside)
