"""Operators in a row: repeats written out, edges drawn, order found."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from boundcalc.errors import SpecError, UnsupportedError, nearest
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import MAX_OPERATORS, OperatorSection


@dataclass(frozen=True)
class Entry:
    """One operator after ``repeat`` is written out.

    Attributes
    ----------
    id
        ``block.3`` for the third repeat of ``block``.
    inputs
        Ids of its predecessors.
    section
        The section of the spec it comes from.
    where
        That section's place.
    """

    id: str
    inputs: tuple[str, ...]
    section: OperatorSection
    where: str


def expand(spec: Spec) -> list[Entry]:
    """One entry per operator, ``repeat`` written out, default inputs filled in.

    Raises
    ------
    SpecError
        For a duplicate id, or more operators than can be handled.
    """
    entries: list[Entry] = []
    places: dict[str, str] = {}
    total = sum(section.repeat or 1 for section in spec.graph.operators)
    if total > MAX_OPERATORS:
        raise SpecError(
            "too many operators",
            where="graph.operators",
            value=total,
            expected=f"at most {MAX_OPERATORS}",
        )
    for index, section in enumerate(spec.graph.operators):
        where = f"graph.operators[{index}]"
        count = section.repeat or 1
        names = (
            [section.id]
            if section.repeat is None
            else [f"{section.id}.{k + 1}" for k in range(count)]
        )
        for position, name in enumerate(names):
            if name in places:
                raise SpecError(
                    "two operators have the same id",
                    where=f"{where}.id",
                    value=name,
                    expected=f"an id that {places[name]} does not use",
                    fix="rename one of them",
                )
            places[name] = where
            before = (entries[-1].id,) if entries else ()
            inputs = before if section.inputs is None or position else tuple(section.inputs)
            entries.append(Entry(name, inputs, section, where))
    return entries


def connect(entries: list[Entry]) -> nx.DiGraph[str]:
    """The graph over operator ids; it must be a chain for now.

    Raises
    ------
    SpecError
        For an unknown input or a cycle.
    UnsupportedError
        For a branch, a join, or an order in the file that is not the chain's.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(entry.id for entry in entries)
    for entry in entries:
        _refuse_shared(entry)
        for name in entry.inputs:
            if name not in graph:
                close = nearest(name, graph.nodes)
                raise SpecError(
                    "an input that is no operator",
                    where=f"{entry.where}.inputs",
                    value=name,
                    expected="the id of an operator; a repeated one is called id.1, id.2, …",
                    fix=f"did you mean {close!r}?" if close else None,
                )
            graph.add_edge(name, entry.id)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [edge[0] for edge in nx.find_cycle(graph)]
        raise SpecError(
            "the operators form a cycle",
            where="graph.operators",
            value=" -> ".join([*cycle, cycle[0]]),
            expected="an acyclic graph",
            fix="remove one of these edges from `inputs`",
        )
    _require_chain(graph, entries)
    return graph


def _refuse_shared(entry: Entry) -> None:
    """Two readings of one output, or one set of weights in two operators, make no chain."""
    if len(set(entry.inputs)) < len(entry.inputs):
        raise UnsupportedError(
            "an operator that reads the same input twice is not supported yet",
            where=f"{entry.where}.inputs",
            value=", ".join(entry.inputs),
            expected="every input once",
            fix="write the operator with one input and its own constants",
        )
    if entry.section.weights is not None:
        raise UnsupportedError(
            "shared weights are not supported yet",
            where=f"{entry.where}.weights",
            value=entry.section.weights,
            expected="operators that each have their own weights",
            fix="leave `weights` out",
        )


def _require_chain(graph: nx.DiGraph[str], entries: list[Entry]) -> None:
    for entry in entries:
        above, below = graph.in_degree(entry.id), graph.out_degree(entry.id)
        if above > 1 or below > 1:
            raise UnsupportedError(
                "branches are not supported yet",
                where=entry.where,
                value=f"{entry.id} has {above} inputs and feeds {below} operators",
                expected="a chain: every operator reads the one before it",
                fix="write the branch as one operator with its own constants",
            )
    roots = [name for name, degree in graph.in_degree() if degree == 0]
    if len(roots) > 1:
        raise UnsupportedError(
            "the graph has several separate parts",
            where="graph.operators",
            value=", ".join(roots[:5]),
            expected="one chain with one first operator",
            fix="connect the parts through `inputs`, or remove one",
        )
    order = list(nx.topological_sort(graph))
    if order != [entry.id for entry in entries]:
        raise UnsupportedError(
            "the operators are not listed in the order of the chain",
            where="graph.operators",
            value=" -> ".join(order[:8]),
            expected="every operator after the one it reads",
            fix="list them in that order",
        )
