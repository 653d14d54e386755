"""What is searched for in a chain of operators that are given by constants only."""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import WIDE
from boundcalc.errors import UnsupportedError
from boundcalc.graph import OperatorGraph
from boundcalc.verify.adversary.chain import ScalarChain
from boundcalc.verify.adversary.impossible import reduced
from boundcalc.verify.adversary.laws import BackwardSite, ForwardSite


@dataclass(frozen=True)
class Plan:
    """The candidates of a spec and how its constants were read.

    Attributes
    ----------
    chains
        One for each kind of law that is tried: constants, where means are allowed, and
        two-point laws.
    notes
        Constants that no operator can have.
    """

    chains: tuple[ScalarChain, ...]
    notes: tuple[str, ...]


def by_constants(graph: OperatorGraph) -> bool:
    """Whether no operator has a type.

    Raises
    ------
    UnsupportedError
        If some have and others have not.
    """
    typed = [node.id for node in graph.nodes if node.operator is not None]
    if typed and len(typed) < graph.size:
        other = next(node.id for node in graph.nodes if node.operator is None)
        raise UnsupportedError(
            "some operators have a type and others are given by constants only",
            where="graph.operators",
            value=f"{typed[0]} has a type, {other} has none",
            expected="types for all operators, or for none",
            fix="give all operators a type, or leave all types out and state the constants",
        )
    return not typed


def plan(graph: OperatorGraph) -> Plan:
    """The search for a chain given by constants.

    Raises
    ------
    UnsupportedError
        For a graph that is not a chain, or that has no operator to perturb.
    """
    if not graph.is_chain:
        raise UnsupportedError(
            "operators given by constants only are searched for in chains",
            where="graph.operators",
            expected="a chain, or a `type` for every operator",
            fix="name the operators' types: then weights and noise are searched for",
        )
    levels = graph.levels(WIDE)
    size = graph.size
    notes: list[str] = []
    slopes, weights = [], []
    for node in graph.nodes[1:]:
        found = reduced(graph, node, reads_data=False)
        slopes.append(found.slope)
        weights.append(found.weight)
        notes += found.reasons
    first = reduced(graph, graph.nodes[0], reads_data=True).weight.size
    forward = tuple(
        ForwardSite(
            i,
            float(levels.e[i]),
            float(levels.m[i]),
            None if (fourth := levels.q[i]) is None else float(fourth) ** 0.25,
        )
        for i in range(1, size)
        if levels.e[i] > 0
    )
    backward = tuple(
        BackwardSite(i, float(levels.eps[i]), float(levels.n[i]))
        for i in range(2, size + 1)
        if levels.eps[i] > 0
    )
    by_operator = {site.operator: site.rms for site in forward}
    lengths, moved = [], 0.0
    for i in range(1, size):
        moved = (slopes[i - 2].size * moved if i > 1 else 0.0) + by_operator.get(i, 0.0)
        lengths.append(moved)
    kinds = []
    if any(site.mean > 0 for site in forward) or not forward:
        kinds.append(True)
    if any(site.mean < site.rms for site in forward) and len(forward) <= 12:
        kinds.append(False)
    return Plan(
        tuple(
            ScalarChain(
                tuple(slopes), tuple(weights), first, forward, backward, tuple(lengths), steady
            )
            for steady in kinds
        ),
        tuple(notes),
    )
