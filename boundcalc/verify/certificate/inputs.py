"""What a certificate assumes, read from a graph: constants, runs and levels as short rationals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import Scalar
from boundcalc.graph import Levels, OperatorGraph
from boundcalc.graph.numbers import GraphConstants, Run
from boundcalc.spec.expressions import Expression
from boundcalc.verify.certificate.numbers import Given, at_most, text_of


class Replaced:
    """Numbers that stand for longer or irrational ones, with what they stand for."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def above(self, value: Scalar, source: str) -> Fraction:
        """A short number no smaller than ``value``, noted if it is another one."""
        found = at_most(value)
        if not isinstance(value, Fraction) or found != value:
            self.texts.setdefault(text_of(found), source)
        return found

    def entries(self) -> list[list[str]]:
        """Pairs of number and expression."""
        return [[number, source] for number, source in self.texts.items()]


def constants(graph: OperatorGraph, kind: Given, replaced: Replaced) -> GraphConstants:
    """The graph's constants as short upper bounds, without those that nothing reads.

    An operator that reads the data has no slots here: the data does not move.
    """
    _note(graph, kind, replaced)
    known: dict[int, Any] = {}

    def above(value: Scalar) -> Any:
        # Repeated operators share their numbers.
        if id(value) not in known:
            known[id(value)] = None if value is None else replaced.above(value, "derived")
        return known[id(value)]

    g = graph.graph_constants(kind)
    slots = [slot_numbers if slot_numbers != (0,) else () for slot_numbers in g.inputs]
    rows = [range(len(row)) for row in slots]

    def by_slot(table: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            tuple(above(table[v][k]) for k in row) if v else () for v, row in enumerate(rows)
        )

    A = tuple(tuple(tuple(map(above, g.A[v][k])) for k in row) for v, row in enumerate(rows))
    B = by_slot(g.B)
    moves = [bool(row) for row in slots]
    return replace(
        g,
        inputs=tuple(slots),
        edges=tuple(edges if row else () for edges, row in zip(g.edges, slots, strict=True)),
        a=by_slot(g.a),
        l=by_slot(g.l),
        A=A,
        J=tuple(
            tuple(above(g.J[v][k]) if None in A[v][k] else None for k in row)
            for v, row in enumerate(rows)
        ),
        A3=by_slot(g.A3),
        b=tuple(above(b) for b in g.b),
        B=B,
        K=tuple(above(K) if None in row else None for K, row in zip(g.K, B, strict=True)),
        B3=tuple(
            above(B3) if moving else Fraction(0) for B3, moving in zip(g.B3, moves, strict=True)
        ),
        runs=tuple(_run(run, above) for run in g.runs if moves[run.first]),
    )


def _run(run: Run, above: Callable[[Scalar], Fraction]) -> Run:
    return replace(run, norm=above(run.norm))


def _note(graph: OperatorGraph, kind: Given, replaced: Replaced) -> None:
    """Note the expressions of all constants that are not short rationals."""
    values, seen = graph.values(kind), set()
    for node in graph.nodes:
        if id(node.constants) in seen:
            continue
        seen.add(id(node.constants))
        for expression in _inside(node.constants):
            replaced.above(expression.evaluate(kind, values), expression.source)
    for run in graph.merged:
        replaced.above(run.norm.evaluate(kind, values), run.norm.source)


def levels(
    graph: OperatorGraph, kind: Given, replaced: Replaced, active: Iterable[int] | None
) -> Levels:
    """What acts, as short upper bounds; what never reaches the gradient is left out."""
    found = graph.levels(kind, active)
    labels = [f"at {name}" for name in ("the data", *graph.ids)]
    edges = ["", *(graph.edge_label(edge) for edge in range(1, len(graph.ends)))]

    def forward(column: tuple[Scalar, ...], what: str) -> tuple[Fraction, ...]:
        last = len(column) - 1
        return tuple(
            replaced.above(value, f"{what} of the forward perturbation {labels[v]}")
            if 0 < v < last
            else Fraction(0)
            for v, value in enumerate(column)
        )

    def backward(column: tuple[Scalar, ...], what: str) -> tuple[Fraction, ...]:
        return tuple(
            replaced.above(value, f"{what} of the backward perturbation at {edges[edge]}")
            if edge and graph.ends[edge][0]
            else Fraction(0)
            for edge, value in enumerate(column)
        )

    return Levels(
        e=forward(found.e, "root mean square"),
        m=forward(found.m, "mean"),
        q=(None,) * len(found.e),
        eps=backward(found.eps, "root mean square"),
        n=backward(found.n, "mean"),
        dependence=found.dependence,
    )


def graph_json(graph: OperatorGraph, g: GraphConstants) -> dict[str, Any]:
    """Operators and runs as the certificate lists them."""
    write = _writer()
    operators = [
        {
            "id": graph.ids[v - 1],
            "reads": list(g.inputs[v]),
            "group": g.groups[v],
            "a": write(g.a[v]),
            "l": write(g.l[v]),
            "A": write(g.A[v]),
            "J": write(g.J[v]),
            "A3": write(g.A3[v]),
            "b": write(g.b[v]),
            "B": write(g.B[v]),
            "K": write(g.K[v]),
            "B3": write(g.B3[v]),
        }
        for v in range(1, g.size + 1)
    ]
    runs = [
        {"nodes": list(run.nodes), "norm": write(run.norm), "affine": run.affine} for run in g.runs
    ]
    return {"operators": operators, "runs": runs}


def levels_json(g: GraphConstants, found: Levels) -> dict[str, Any]:
    """Levels by operator, and by operator and predecessor."""
    write = _writer()

    def by_edge(column: tuple[Scalar, ...]) -> list[Any]:
        return [write([column[edge] for edge in dict.fromkeys(row)]) for row in g.edges[1:]]

    return {
        "e": write(found.e[1:]),
        "m": write(found.m[1:]),
        "eps": by_edge(found.eps),
        "n": by_edge(found.n),
        "dependence": [
            int(known) if e else 0
            for e, known in zip(found.e, found.dependence or (0,) * len(found.e), strict=True)
        ][1:],
    }


def _writer() -> Callable[[Any], Any]:
    """Text of numbers in nested tuples, that of each number made once."""
    known: dict[Fraction, str] = {}

    def write(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, tuple | list):
            return [write(entry) for entry in value]
        if value not in known:
            known[value] = text_of(value)
        return known[value]

    return write


def is_measured(graph: OperatorGraph) -> bool:
    """Whether a constant or a region was measured on the data, so that it is not proved."""
    if graph.sampled:
        return True
    seen: set[int] = set()
    for expression in _expressions(graph):
        if id(expression) not in seen:
            seen.add(id(expression))
            if _holds_measured(expression.node):
                return True
    return False


def _expressions(graph: OperatorGraph) -> Iterator[Expression]:
    """Every expression that a certificate's inputs are made from."""
    for constants_of in {id(node.constants): node.constants for node in graph.nodes}.values():
        yield from _inside(constants_of)
    for run in graph.merged:
        yield run.norm
    for perturbation in graph.perturbations:
        yield from _inside(perturbation.moments)
        yield from (x for x in (perturbation.rms, perturbation.mean) if x is not None)


def _inside(record: Any) -> Iterator[Expression]:
    """The expressions in a record of records and tuples."""
    if isinstance(record, Expression):
        yield record
    elif isinstance(record, tuple):
        for entry in record:
            yield from _inside(entry)
    elif hasattr(record, "__dataclass_fields__"):
        for entry in fields(record):
            yield from _inside(getattr(record, entry.name))


def _holds_measured(node: object) -> bool:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            if current and current[0] == "measured":
                return True
            stack.extend(current[1:])
    return False
