"""The network line by line, as words and numbers: what the report and the terminal show."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from boundcalc.graph import OperatorGraph
from boundcalc.graph.ends import shape_text
from boundcalc.graph.parts import Node
from boundcalc.report.repeats import Stretch, stretches

#: Longest network of which every operator has a line.
WRITTEN_OUT = 40


@dataclass(frozen=True)
class Line:
    """One operator, several alike one after the other, or repeats of the lines above.

    Attributes
    ----------
    first, last
        Numbers of its operators, from 1.
    ids
        Ids of the first and the last.
    type
        What they compute, or, for repeats of lines above, which.
    reads
        Numbers of what the operator reads, 0 the data; empty where that is the one before
        each.
    shape
        Of the output; empty where it is not known.
    weights
        How many each has, or None where that is not known.
    remark
        ``frozen``, ``shared`` or empty.
    owner
        The id of the first operator with these weights, if that is another one.
    repeats
        The number of lines above that are repeated; 0 for others.
    """

    first: int
    last: int
    ids: tuple[str, str]
    type: str
    reads: tuple[int, ...] = ()
    shape: str = ""
    weights: int | None = None
    remark: str = ""
    owner: str | None = None
    repeats: int = 0

    @property
    def numbers(self) -> str:
        """``3``, or ``3–40``."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def lines(graph: OperatorGraph) -> list[Line]:
    """A line for each operator; in a network of more than 40 repeats are drawn together."""
    shared = shared_groups(graph)
    if graph.size <= WRITTEN_OUT:
        return [_line(graph, Stretch(k), shared) for k in range(graph.size)]
    keys = [_key(graph, number, shared) for number in range(1, graph.size + 1)]
    found: list[Line] = []
    for stretch in stretches(keys):
        if stretch.period == 1:
            found.append(_line(graph, stretch, shared))
            continue
        pattern = range(stretch.start, stretch.start + stretch.period)
        found += [_line(graph, Stretch(k), shared) for k in pattern]
        found.append(_again(graph, stretch))
    return found


def shared_groups(graph: OperatorGraph) -> frozenset[int]:
    """The numbers of first operators whose weights another one uses as well."""
    return frozenset(node.group for v, node in enumerate(graph.nodes, 1) if node.group != v)


def _key(graph: OperatorGraph, number: int, shared: frozenset[int]) -> Hashable:
    """What two operators must have in common to be called alike."""
    node = graph.nodes[number - 1]
    offsets = tuple(number - u if u else None for u in node.reads)
    own = node.group == number and number not in shared
    return (node.where, node.shape, node.weights, offsets, None if own else node.group)


def _line(graph: OperatorGraph, stretch: Stretch, shared: frozenset[int]) -> Line:
    node, number = graph.nodes[stretch.start], stretch.start + 1
    last = stretch.stop
    return Line(
        first=number,
        last=last,
        ids=(node.id, graph.ids[last - 1]),
        type=type_name(node),
        reads=node.reads if last == number else (),
        shape=shape_text(node.shape) if has_shape(graph, node) else "",
        weights=None if node.operator is None else node.weights,
        remark=_remark(node, shared),
        owner=graph.ids[node.group - 1] if node.group != number else None,
    )


def _again(graph: OperatorGraph, stretch: Stretch) -> Line:
    """The line for the repeats of a pattern that was written out once."""
    first, last = stretch.start + stretch.period + 1, stretch.stop
    times = stretch.count - 1
    return Line(
        first=first,
        last=last,
        ids=(graph.ids[first - 1], graph.ids[last - 1]),
        type=f"the {stretch.period} above, {times} times more"
        if times > 1
        else f"the {stretch.period} above once more",
        repeats=stretch.period,
    )


def type_name(node: Node) -> str:
    """The operator's type in the spec; without one only its constants are known."""
    return "constants only" if node.operator is None else node.operator.type


def has_shape(graph: OperatorGraph, node: Node) -> bool:
    """Whether the output's shape is more than the default of the format."""
    return node.operator is not None or node.outputs > 1


def _remark(node: Node, shared: frozenset[int]) -> str:
    if node.weights and not node.trainable:
        return "frozen"
    return "shared" if node.group in shared else ""


@dataclass(frozen=True)
class Totals:
    """Numbers of a whole network; shared weights count once.

    Attributes
    ----------
    operators, edges
        Of the graph; an edge from the data counts.
    weights, frozen
        All weights, and those that keep their values.
    shared
        Sets of weights that more than one operator uses.
    unknown
        Operators without a type, whose weights are not known.
    """

    operators: int
    edges: int
    weights: int
    frozen: int
    shared: int
    unknown: int


def totals(graph: OperatorGraph) -> Totals:
    """Count; O(N)."""
    leaders = [node for v, node in enumerate(graph.nodes, 1) if node.group == v]
    return Totals(
        operators=graph.size,
        edges=len(graph.ends) - 1,
        weights=sum(node.weights for node in leaders),
        frozen=sum(node.weights for node in leaders if not node.trainable),
        shared=len(shared_groups(graph)),
        unknown=sum(node.operator is None for node in graph.nodes),
    )
