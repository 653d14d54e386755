"""What :mod:`boundcalc.theories.perturbed.kernel` reads and writes, column by column.

A column is a list, or an array where the kernel is compiled.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from boundcalc.theories.perturbed.scaled import Column, Sums


class Slots(NamedTuple):
    """What each operator reads: slots ``first[v]`` to ``first[v + 1]``, exclusive."""

    first: Any
    inputs: Any


class Jacobians(NamedTuple):
    """How ∇_u f_v changes, for slot k from ``pairs[k]`` on."""

    pairs: Any
    A: Any
    J: Any
    A3: Any


class Runs(NamedTuple):
    """Runs of operators with one norm together, ``nodes[first[r]]`` to ``nodes[first[r + 1] - 1]``."""

    begin: Any  # by operator: the run that begins with it, or −1
    end: Any  # by operator: the run that ends with it, or −1
    first: Any
    nodes: Any
    norm: Any
    affine: Any


class Graph(NamedTuple):
    """The columns of :class:`~boundcalc.graph.arrays.GraphArrays`, NaN for None.

    In parts: a compiled function takes the longer to compile, the more it is handed over.
    """

    slots: Slots
    edges: Any
    leads: Any  # whether a slot is the first one on its edge
    smooth: Any  # whether every A of an operator exists
    a: Any
    l: Any  # noqa: E741 - the letter of the theory
    jacobians: Jacobians
    b: Any
    B: Any
    K: Any
    B3: Any
    groups: Any
    runs: Runs


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
