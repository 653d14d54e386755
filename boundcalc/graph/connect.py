"""From entries to a directed acyclic graph with one sink: order, and what is no such graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx

from boundcalc.errors import SpecError, nearest
from boundcalc.graph.expand import Entry

_SHOWN = 5  # ids in a message


@dataclass(frozen=True)
class Links:
    """The graph by number: operators from 1 to N in topological order, the data 0.

    Attributes
    ----------
    entries
        Operators in that order.
    reads
        By operator, 1 to N: the number of the operator that each slot reads; (0,) for
        one that reads the data.
    ends
        By edge, from 1: (u, v) for the edge from u to v.  Slots of v that read the same
        u share an edge.  Entry 0 is padding.
    slots
        By operator, 1 to N: the edge number of each slot.
    """

    entries: tuple[Entry, ...]
    reads: tuple[tuple[int, ...], ...]
    ends: tuple[tuple[int, int], ...]
    slots: tuple[tuple[int, ...], ...]


def connect(entries: Sequence[Entry]) -> Links:
    """Operators in topological order, with their edges; O(N + edges).

    The order is that of the file wherever that is topological.

    Raises
    ------
    SpecError
        For an unknown input, a cycle, two sinks, or an operator that does not reach
        the sink.
    """
    numbers = {entry.id: k for k, entry in enumerate(entries)}
    sorted_already = True
    for k, entry in enumerate(entries):
        for name in entry.inputs:
            if name not in numbers:
                raise _unknown(entry, name, numbers)
            sorted_already &= numbers[name] < k
    if not sorted_already:
        entries = _ordered(entries)
    _check_sink(entries)
    numbers = {entry.id: k for k, entry in enumerate(entries, 1)}
    reads: list[tuple[int, ...]] = [()]
    ends: list[tuple[int, int]] = [(0, 0)]
    slots: list[tuple[int, ...]] = [()]
    for v, entry in enumerate(entries, 1):
        read = tuple(numbers[name] for name in entry.inputs) or (0,)
        known: dict[int, int] = {}
        for u in read:
            if u not in known:
                known[u] = len(ends)
                ends.append((u, v))
        reads.append(read)
        slots.append(tuple(known[u] for u in read))
    return Links(tuple(entries), tuple(reads), tuple(ends), tuple(slots))


def _unknown(entry: Entry, name: str, numbers: dict[str, int]) -> SpecError:
    close = nearest(name, numbers)
    return SpecError(
        "an input that is no operator",
        where=f"{entry.where}.inputs",
        value=name,
        expected="the id of an operator; a repeated one is called id.1, id.2, …",
        fix=f"did you mean {close!r}?" if close else None,
    )


def _ordered(entries: Sequence[Entry]) -> list[Entry]:
    """A topological order, the file's order deciding wherever it can."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    numbers = {entry.id: k for k, entry in enumerate(entries)}
    graph.add_nodes_from(range(len(entries)))
    graph.add_edges_from((numbers[name], k) for k, e in enumerate(entries) for name in e.inputs)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [entries[edge[0]].id for edge in nx.find_cycle(graph)]
        raise SpecError(
            "the operators form a cycle",
            where="graph.operators",
            value=" -> ".join([*cycle, cycle[0]]),
            expected="an acyclic graph",
            fix="remove one of these edges from `inputs`",
        )
    return [entries[k] for k in nx.lexicographical_topological_sort(graph)]


def _check_sink(entries: Sequence[Entry]) -> None:
    """One operator feeds no other: the loss.  It must be last, as it is in every order then."""
    read = {name for entry in entries for name in entry.inputs}
    sinks = [entry for entry in entries if entry.id not in read]
    if len(sinks) > 1:
        loss = sinks[-1]
        others = ", ".join(entry.id for entry in sinks[:-1][:_SHOWN])
        raise SpecError(
            "the graph has more than one end",
            where=sinks[0].where,
            value=", ".join(entry.id for entry in sinks[:_SHOWN]),
            expected="one operator that no other reads: the loss",
            fix=f"let another operator read {others}, or remove it; {loss.id} is read as the loss",
        )
