"""Runs of operators with one norm together (docs/theory.md, Lemma 4.10), over flat arrays."""

from __future__ import annotations

from typing import Any

from boundcalc.theories.perturbed.kernel_columns import Jacobians, Runs, Slots
from boundcalc.theories.perturbed.kernel_drift import mean_source, moved_by
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
    runs: Runs,
    at: Slots,
    l: Any,
    e: Any,
    s: Column,
    run: int,
    centred: bool,  # noqa: E741
) -> Scaled:
    """Norm · s before the run, and what perturbations inside it add."""
    start, inside = runs.first[run], ZERO
    for j in range(start, runs.first[run + 1] - 1):
        inside = joint(inside, scaled(e[runs.nodes[j]]), centred)
        inside = times(scaled(l[at.first[runs.nodes[j + 1]]]), inside)
    before = at.inputs[at.first[runs.nodes[start]]]
    passed = times(scaled(runs.norm[run]), load(s, before))
    return joint(passed, inside, centred and runs.affine[run])


def noise_inside(
    runs: Runs, at: Slots, a: Any, edges: Any, noise: Any, run: int, centred: bool
) -> Scaled:
    """What perturbations of the edges inside a run add to E or ν before it."""
    found = ZERO
    for j in range(runs.first[run + 1] - 1, runs.first[run] - 1, -1):
        k = at.first[runs.nodes[j]]
        found = times(scaled(a[k]), found)
        if j > runs.first[run]:
            found = joint(found, scaled(noise[edges[k]]), centred)
    return found


def sizes_inside(
    runs: Runs, at: Slots, a: Any, f: Jacobians, s: Column, V: Column, run: int
) -> Scaled:
    """What the operators of a run add to R before it."""
    found = ZERO
    for j in range(runs.first[run + 1] - 1, runs.first[run] - 1, -1):
        v, k = runs.nodes[j], at.first[runs.nodes[j]]
        added = times(load(V, v), moved_by(f, at, s, v, k))
        found = plus(times(scaled(a[k]), found), added)
    return found


def means_inside(
    runs: Runs,
    at: Slots,
    a: Any,
    f: Jacobians,
    s: Column,
    mu: Column,
    V: Column,
    R: Column,
    run: int,
) -> Scaled:
    """What they add to β."""
    found = ZERO
    for j in range(runs.first[run + 1] - 1, runs.first[run] - 1, -1):
        v, k = runs.nodes[j], at.first[runs.nodes[j]]
        source = mean_source(f, at, s, mu, load(V, v), load(R, v), v, k)
        found = plus(times(scaled(a[k]), found), source)
    return found


#: What compiled code may call.
FUNCTIONS = (size_after, noise_inside, sizes_inside, means_inside)
