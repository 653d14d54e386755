"""Where a graph with a symbolic ``repeat`` comes apart: before, the repeats, and after.

A cut is refused, with the reason, unless all repeats are alike and each is entered at one
node and left at one node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from boundcalc.arithmetic import SYMBOLS
from boundcalc.errors import ExpressionError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.numbers import GraphConstants, Run
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import parse
from boundcalc.spec.sections import OperatorSection


class NoCutError(Exception):
    """The graph does not come apart; the message says why."""


@dataclass(frozen=True)
class Part:
    """Nodes between an entry and an exit.

    Attributes
    ----------
    nodes
        Their numbers in topological order; the last one is the exit.
    entry
        The number of the node that is read from outside, 0 if that is the data.
    edges
        Numbers of the edges that end in it, in the order in which its nodes read them.
    """

    nodes: tuple[int, ...]
    entry: int
    edges: tuple[int, ...]

    @classmethod
    def of(cls, nodes: Sequence[int], entry: int, g: GraphConstants) -> Part:
        """The part with these nodes."""
        edges = dict.fromkeys(edge for v in nodes for edge in g.edges[v])
        return cls(tuple(nodes), entry, tuple(edges))

    def constants(self, g: GraphConstants) -> GraphConstants:
        """Its constants with its own numbers: the entry, and the data, are 0."""
        number = {v: k for k, v in enumerate(self.nodes, 1)} | {self.entry: 0, 0: 0}
        edge = {old: k for k, old in enumerate(self.edges, 1)}
        groups = {
            group: k for k, group in enumerate(dict.fromkeys(g.groups[v] for v in self.nodes))
        }

        def rows(column: Sequence[Any]) -> tuple[Any, ...]:
            return (column[0], *(column[v] for v in self.nodes))

        return GraphConstants(
            inputs=((), *(tuple(number[u] for u in g.inputs[v]) for v in self.nodes)),
            edges=((), *(tuple(edge[old] for old in g.edges[v]) for v in self.nodes)),
            groups=(-1, *(groups[g.groups[v]] for v in self.nodes)),
            runs=tuple(
                Run(tuple(number[v] for v in run.nodes), run.norm, run.affine)
                for run in (g.run_from[v] for v in self.nodes if v in g.run_from)
            ),
            **{
                name: rows(getattr(g, name))
                for name in ("a", "l", "A", "J", "A3", "b", "B", "K", "B3")
            },
        )


@dataclass(frozen=True)
class Cut:
    """A graph as a part before the repeats, one of the repeats, and a part after them.

    Attributes
    ----------
    symbol
        The symbol that counts the repeats.
    peeled
        1 if the first repeat is in ``before``, as it differs from the others; else 0.
    before, block, after
        ``before`` and ``after`` are None where there is nothing.
    """

    symbol: str
    peeled: int
    before: Part | None
    block: Part
    after: Part | None


def repeated_section(graph: OperatorGraph) -> tuple[int, OperatorSection] | None:
    """The section whose count is a symbol, with its position; None if there is none.

    Raises
    ------
    NoCutError
        If there are several, or it stands in another block.
    """
    sections = graph.spec.graph.operators
    found = [
        (index, depth, section)
        for index, top in enumerate(sections)
        for depth, section in _within(top, 0)
        if isinstance(section.repeat, str)
    ]
    if not found:
        return None
    if len(found) > 1:
        ids = ", ".join(section.id for _, _, section in found)
        raise NoCutError(f"several sections are repeated by a symbol: {ids}")
    index, depth, section = found[0]
    if depth:
        raise NoCutError(f"{section.id}, which is repeated by a symbol, stands in another block")
    return index, section


def _within(section: OperatorSection, depth: int) -> Iterator[tuple[int, OperatorSection]]:
    yield depth, section
    for member in section.block or ():
        yield from _within(member, depth + 1)


def cut(graph: OperatorGraph, index: int, section: OperatorSection, peeled: int) -> Cut:
    """Take a graph apart at the repeats of a section; O(N + edges).

    Raises
    ------
    NoCutError
        With the reason, if that cannot be done.
    """
    symbol = str(section.repeat)
    if _uses(graph.spec.graph, symbol) or _uses(graph.spec.perturbations, symbol):
        raise NoCutError(f"{symbol} occurs in constants, parameters or levels as well")
    g = graph.graph_constants(SYMBOLS)
    repeats = _repeats(graph, index, section)
    if len(repeats) < 2 + peeled:
        raise NoCutError(
            f"it takes two repeats of {section.id} that are alike to go on from: "
            f"set {symbol} to {2 + peeled} or more"
        )
    # Every other node of a part is read inside it, so that the last one is the exit.
    ends = [nodes[-1] for nodes in repeats]
    own = set(repeats[0])
    entry = ends[0] if peeled else max(u for v in own for u in (0, *g.inputs[v]) if u not in own)
    inside = {v for nodes in repeats[peeled:] for v in nodes}
    before = _ancestors(g, entry)
    after = [v for v in range(1, g.size + 1) if v not in before and v not in inside]
    entries = [entry, *ends[peeled:]]
    blocks = [Part.of(nodes, u, g) for nodes, u in zip(repeats[peeled:], entries, strict=False)]
    first = Part.of(sorted(before), 0, g) if before else None
    last = Part.of(after, ends[-1], g) if after else None
    _check_apart(graph, g, [part for part in (first, *blocks, last) if part is not None])
    _check_alike(graph, g, blocks, section.id, peeled)
    return Cut(symbol, peeled, first, blocks[0], last)


def _repeats(graph: OperatorGraph, index: int, section: OperatorSection) -> list[list[int]]:
    """The numbers of the operators of each repeat, whose ids are ``id.k`` or ``id.k.member``."""
    place, start = f"graph.operators[{index}]", len(section.id) + 1
    found: dict[int, list[int]] = {}
    for v, node in enumerate(graph.nodes, 1):
        if node.where == place or node.where.startswith(f"{place}."):
            found.setdefault(int(node.id[start:].partition(".")[0]), []).append(v)
    return [found[k] for k in sorted(found)]


def _ancestors(g: GraphConstants, v: int) -> set[int]:
    found, waiting = set[int](), [v]
    while waiting:
        u = waiting.pop()
        if u and u not in found:
            found.add(u)
            waiting.extend(g.inputs[u])
    return found


def _check_apart(graph: OperatorGraph, g: GraphConstants, parts: Sequence[Part]) -> None:
    """Each part is entered at one node; no weights and no merged run belong to two parts."""
    home = {v: k for k, part in enumerate(parts) for v in part.nodes}
    for k, part in enumerate(parts):
        for v in part.nodes:
            for u in g.inputs[v]:
                if u not in (0, part.entry) and home[u] != k:
                    raise NoCutError(
                        f"{graph.ids[v - 1]} reads {graph.ids[u - 1]}: a path around a repeat, "
                        "or a repeat that is entered at several operators"
                    )
    for what, sets in (
        ("share weights", g.members),
        ("have one norm together (`merge: none` keeps them apart)", [r.nodes for r in g.runs]),
    ):
        for nodes in sets:
            other = next((v for v in nodes if home[v] != home[nodes[0]]), None)
            if other is not None:
                one, two = graph.ids[nodes[0] - 1], graph.ids[other - 1]
                raise NoCutError(f"{one} and {two} {what}, but are not in the same repeat")


def _check_alike(
    graph: OperatorGraph, g: GraphConstants, parts: Sequence[Part], name: str, peeled: int
) -> None:
    """The same constants, with the same wiring, and the same levels in every repeat."""
    forward, backward = _levels(graph)
    first = parts[0].constants(g)
    for k, part in enumerate(parts[1:], peeled + 2):
        own = part.constants(g)
        if own != first:
            raise NoCutError(
                f"repeat {k} of {name} has other constants than the others"
                + _derived(graph, parts[0].nodes, part.nodes)
            )
        same = all(
            forward.get(u) == forward.get(v)
            for u, v in zip(parts[0].nodes, part.nodes, strict=True)
            if v != g.size  # what is added to the loss reaches no gradient
        ) and all(
            backward.get(x) == backward.get(y)
            for x, y in zip(parts[0].edges, part.edges, strict=True)
        )
        if not same:
            raise NoCutError(f"repeat {k} of {name} is perturbed in another way than the others")


def _derived(graph: OperatorGraph, first: Sequence[int], other: Sequence[int]) -> str:
    """Which operators the regions are to blame for."""
    ids = [
        graph.ids[v - 1]
        for u, v in zip(first, other, strict=True)
        if graph.nodes[v - 1].derived is not None
        and graph.nodes[u - 1].constants != graph.nodes[v - 1].constants
    ]
    if not ids:
        return ""
    return f": those of {', '.join(ids)} are derived on regions that grow; give `region` to them"


def _levels(graph: OperatorGraph) -> tuple[dict[int, list[Any]], dict[int, list[Any]]]:
    """By operator and by edge: the expressions that levels come from."""
    forward: dict[int, list[Any]] = {}
    backward: dict[int, list[Any]] = {}
    for p in graph.perturbations:
        size = p.rms if p.moments is None else p.moments.second
        level = (p.moments is None, None if size is None else size.node)
        if p.direction == "forward":
            forward.setdefault(p.site, []).append(level)
        elif graph.ends[p.edge][0]:
            backward.setdefault(p.edge, []).append(level)
    return forward, backward


def _uses(value: Any, symbol: str, *, text: bool = False) -> bool:
    """Whether a symbol occurs in an expression of a section, or in text that may be one."""
    if isinstance(value, Expression):
        return symbol in value.symbols
    if isinstance(value, BaseModel):
        fields = value.__dict__.items()
        return any(_uses(inner, symbol, text=name == "parameters") for name, inner in fields)
    if isinstance(value, dict):
        return any(_uses(inner, symbol, text=text) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_uses(inner, symbol, text=text) for inner in value)
    if isinstance(value, str) and text:
        try:
            return symbol in parse(value).symbols
        except ExpressionError:
            return False
    return False
