"""A graph's operators as steps of a program: what each reads, its weights, what it passes back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Node
from boundcalc.operators.base import Array, Operator


@dataclass(frozen=True)
class Arc:
    """An edge along which the gradient of a step is passed back.

    Attributes
    ----------
    edge, source
        The edge's number and that of the operator at its beginning.
    cuts
        Where the slots that share the edge lie in the step's concatenated input.
    """

    edge: int
    source: int
    cuts: tuple[slice, ...]


@dataclass(frozen=True)
class Step:
    """One operator of a program.

    Attributes
    ----------
    operator
        f_v, made for the shapes of its inputs.
    reads
        By slot: the number of the operator that it reads; 0 is the data.
    arcs
        The edges to operators before which there is something to train.
    group
        The position of its weights among all groups of trained weights, or None.
    part
        Where its trained weights lie in the vector of all; empty where it has none.
    kept
        ``(1, k)``: weights that are not trained; ``(1, 0)`` for an operator without
        weights; None for a trained one.
    last
        Numbers of the operators whose outputs no later step reads, in either pass.
    """

    operator: Operator
    reads: tuple[int, ...]
    arcs: tuple[Arc, ...]
    group: int | None
    part: slice
    kept: Array | None
    last: tuple[int, ...]

    def weights(self, w: Array) -> Array:
        """w_v, ``(R or 1, k)``, from the weights of all operators, ``(R, k)``."""
        return w[:, self.part] if self.kept is None else self.kept

    @property
    def wanted(self) -> bool:
        """Whether the backward pass comes here: is it, or anything before it, trained?"""
        return self.group is not None or bool(self.arcs)


def trained(node: Node) -> bool:
    """Whether an operator has weights that the training changes."""
    return node.trainable and node.weights > 0


def weight_slices(graph: OperatorGraph) -> dict[int, slice]:
    """Where each group of trained weights lies, by the number of its first operator, in order."""
    firsts = [
        node.group for v, node in enumerate(graph.nodes, 1) if trained(node) and node.group == v
    ]
    stops = list(accumulate((graph.nodes[v - 1].weights for v in firsts), initial=0))
    return {v: slice(*ends) for v, ends in zip(firsts, pairwise(stops), strict=True)}


def make_steps(graph: OperatorGraph) -> tuple[Step, ...]:
    """The steps of a graph whose operators all come from the library; O(N + edges).

    Raises
    ------
    SimulationError
        If an operator is given by constants only.
    """
    slices = weight_slices(graph)
    groups = {v: position for position, v in enumerate(slices)}
    wanted = [False]  # by operator: whether it, or anything before it, is trained
    for node in graph.nodes:
        wanted.append(trained(node) or any(wanted[u] for u in node.reads))
    last = _last_uses(graph, wanted)
    steps = []
    for v, node in enumerate(graph.nodes, 1):
        if node.operator is None:
            raise SimulationError(
                f"operator {node.id!r} is given by constants only and cannot be simulated",
                where=node.where,
                expected="a `type` from the library",
                fix="name a type for every operator, or use the bounds without a simulation",
            )
        steps.append(
            Step(
                operator=node.operator,
                reads=node.reads,
                arcs=_arcs(graph, node, wanted),
                group=groups[node.group] if trained(node) else None,
                part=slices[node.group] if trained(node) else slice(0, 0),
                kept=None if trained(node) else _kept(node),
                last=last[v],
            )
        )
    return tuple(steps)


def _kept(node: Node) -> Array:
    if node.weights == 0:
        return np.zeros((1, 0))
    assert node.values is not None  # noqa: S101 - the build asks for them
    return node.values[None]


def _arcs(graph: OperatorGraph, node: Node, wanted: list[bool]) -> tuple[Arc, ...]:
    """The wanted edges of one operator, slots that read the same operator together."""
    sizes = [graph.nodes[u - 1].outputs if u else node.inputs for u in node.reads]
    stops = list(accumulate(sizes, initial=0))
    cuts: dict[int, list[slice]] = {}
    for slot, edge in enumerate(node.edges):
        cuts.setdefault(edge, []).append(slice(stops[slot], stops[slot + 1]))
    return tuple(
        Arc(edge, graph.ends[edge][0], tuple(here))
        for edge, here in cuts.items()
        if wanted[graph.ends[edge][0]]
    )


def _last_uses(graph: OperatorGraph, wanted: list[bool]) -> list[tuple[int, ...]]:
    """By operator: what may be forgotten after it, as the backward pass never reads it."""
    last = [0] * (graph.size + 1)
    kept = {0, graph.size}
    for v, node in enumerate(graph.nodes, 1):
        for u in node.reads:
            last[u] = v
        if wanted[v]:
            kept.update(node.reads)
    found: list[list[int]] = [[] for _ in last]
    for u in range(1, graph.size):
        if u not in kept:
            found[last[u]].append(u)
    return [tuple(numbers) for numbers in found]
