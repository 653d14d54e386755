"""What :mod:`boundcalc.theories.perturbed.kernel` reads and writes, column by column.

A column is a list, or an array where the kernel is compiled.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from boundcalc.theories.perturbed.scaled import Column, Sums


class Graph(NamedTuple):
    """The columns of :class:`~boundcalc.graph.arrays.GraphArrays`, NaN for None."""

    first: Any
    inputs: Any
    edges: Any
    leads: Any  # whether a slot is the first one on its edge
    pairs: Any
    smooth: Any  # whether every A of an operator exists
    a: Any
    l: Any  # noqa: E741 - the letter of the theory
    A: Any
    J: Any
    A3: Any
    b: Any
    B: Any
    K: Any
    B3: Any
    groups: Any
    run_from: Any  # the run that begins with an operator, or −1
    run_to: Any  # the run that ends with it, or −1
    run_first: Any
    run_nodes: Any
    run_norm: Any
    run_affine: Any


class Given(NamedTuple):
    """The columns of :class:`~boundcalc.graph.arrays.LevelArrays`."""

    e: Any
    m: Any
    eps: Any
    n: Any


class State(NamedTuple):
    """By operator, as in :mod:`boundcalc.theories.perturbed.sharp`, for which see.

    ``E`` is the ε part, in the centred form Σ a √W; ``squares`` is then Σ ϵ² over the edges.
    """

    s: Column
    mu: Column
    V: Column
    R: Column
    E: Column
    squares: Column
    beta: Column
    nu: Column


class Gradient(NamedTuple):
    """By group: the parts that forward and backward perturbations cause, and the mean."""

    forward: Sums
    backward: Sums
    mean: Sums
