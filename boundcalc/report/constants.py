"""Assumption 3: the constants of every operator, and the uniform ones made from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from boundcalc.arithmetic import RATIONALS, SYMBOLS, WIDE, Number, Status
from boundcalc.errors import InexactError, SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES, Node
from boundcalc.report.cells import Code, Column, Content, Maths, Piece, Table
from boundcalc.report.notation import LETTERS, UNIFORM, stated
from boundcalc.report.numbers import value
from boundcalc.report.rows import shortened_rows
from boundcalc.report.width import width
from boundcalc.spec.expressions import Expression
from boundcalc.spec.sections import OperatorSection

_WIDEST = 11.0  # em of a symbolic constant in a cell
_PLACE = re.compile(r"graph\.operators\[(\d+)\]")


def operator_table(graph: OperatorGraph) -> Table:
    """a, b, ℓ, A, B, A′, B′ by operator; neighbours that are alike share a row."""
    made = _Cells(graph)
    rows: list[tuple[Content, ...]] = []
    numbered = enumerate(graph.nodes)
    for row, group in groupby(numbered, key=lambda entry: made.row(*entry)):
        members = [node.id for _, node in group]
        rows.append((_names(members), *row))
    shown, note = shortened_rows(tuple(rows), "rows")
    letters = (Column(Maths(LETTERS[name])) for name in CONSTANT_NAMES)
    return Table(
        caption=("A3: the operators’ constants. ", "They are suprema over the region."),
        columns=(Column("operator", 2.6), *letters, Column("source", 2.1), Column("region", 1.8)),
        rows=shown,
        remarks=(
            (
                Maths("a, b"),
                ": bounds on the Jacobians in input and weight; ",
                Maths(r"\ell"),
                ": Lipschitz constant in the input; ",
                Maths("A, B"),
                ": of the Jacobians in the input; ",
                Maths("A', B'"),
                ": of their derivatives. The first operator reads data, so its input constants "
                "are never used.",
            ),
            *note,
        ),
    )


def uniform_table(graph: OperatorGraph) -> Table:
    """The uniform constants that the published and corrected families use."""
    made = "stated by the spec" if graph.uniform else "maxima over the operators"
    rows = []
    for name, corrected in (("published", False), ("corrected", True)):
        rows.append((name, *_uniform(graph, corrected=corrected)))
    return Table(
        caption=f"A3 as [KZY] has it: one set of constants for all operators, {made}.",
        columns=(
            Column("family", 2.4),
            *(Column(Maths(letter)) for letter in UNIFORM.values()),
        ),
        rows=tuple(rows),
        remarks=(
            (
                "The corrected family lets ",
                Maths(UNIFORM["hess_op"]),
                " bound the second derivative in the input as well (E2).",
            ),
        ),
    )


def _uniform(graph: OperatorGraph, *, corrected: bool) -> tuple[Content, ...]:
    status = None if graph.uniform else Status.PROVED
    for kind in (RATIONALS, WIDE):
        try:
            found = graph.uniform_constants(kind, corrected=corrected)
        except SymbolError:
            return _symbolic(graph, corrected=corrected)
        except InexactError:
            status = None if graph.uniform else Status.COMPUTED
            continue
        cells = (value(Number(getattr(found, key), Status.COMPUTED), 5) for key in UNIFORM)
        return tuple(type(cell)(cell.text, status, cell.fraction) for cell in cells)
    raise AssertionError  # WIDE never raises InexactError


def _symbolic(graph: OperatorGraph, *, corrected: bool) -> tuple[Content, ...]:
    import sympy

    found = graph.uniform_constants(SYMBOLS, corrected=corrected)
    formulas = (sympy.latex(getattr(found, key), order="none") for key in UNIFORM)
    return tuple(Maths(f) if width(f) <= _WIDEST else "a maximum" for f in formulas)


def _names(members: list[str]) -> Content:
    if len(members) == 1:
        return Code(members[0])
    return (Code(members[0]), " to ", Code(members[-1]), f" ({len(members)})")


class _Cells:
    """Cells of one operator's row; equal expressions are evaluated once."""

    def __init__(self, graph: OperatorGraph) -> None:
        self._graph = graph
        self._known: dict[tuple[int, bool], Content] = {}

    def row(self, position: int, node: Node) -> tuple[Content, ...]:
        sources = dict(_sources(self._graph, position, node))
        cells = [
            self._cell(getattr(node.constants, name), sources[name] == "derived")
            for name in CONSTANT_NAMES
        ]
        return (*cells, _said(sources), self._region(node))

    def _cell(self, expression: Expression, derived: bool) -> Content:
        key = (id(expression), derived)
        if key not in self._known:
            self._known[key] = stated(self._graph, expression, letter=derived, digits=5)
        return self._known[key]

    def _region(self, node: Node) -> Content:
        radii = [("y", node.region.input), ("w", node.region.weight)]
        pieces: list[Piece] = []
        for letter, radius in radii:
            if radius is not None:
                pieces += [", "] if pieces else []
                cell = self._cell(radius, False)
                pieces += [Maths(rf"\lVert {letter}\rVert\le"), " "]
                pieces += cell if isinstance(cell, tuple) else (cell,)
        return tuple(pieces) if pieces else "everywhere"


def _sources(graph: OperatorGraph, position: int, node: Node) -> Iterator[tuple[str, str]]:
    """Constant → given (by the operator), uniform, derived (from its type) or default."""
    section = _section(graph, node)
    for name in CONSTANT_NAMES:
        if position == 0 and name.endswith("_input"):
            yield name, "unused"
        elif section is not None and getattr(section.constants, name) is not None:
            yield name, "given"
        elif graph.uniform is not None:
            yield name, "uniform"
        elif node.derived is not None:
            yield name, "derived"
        else:
            yield name, "default"


def _section(graph: OperatorGraph, node: Node) -> OperatorSection | None:
    found = _PLACE.search(node.where)
    sections = graph.spec.graph.operators
    if found is None or int(found[1]) >= len(sections):
        return None
    return sections[int(found[1])]


def _said(sources: dict[str, str]) -> Content:
    """The commonest source as a word, then the others with their letters."""
    used = {name: source for name, source in sources.items() if source != "unused"}
    words = [word for word, _ in Counter(used.values()).most_common()]
    pieces: list[Piece] = [words[0]]
    for word in words[1:]:
        names = [name for name, source in used.items() if source == word]
        if word == "default":
            # The Lipschitz constant is that of the Jacobian; other gaps are read as zero.
            text = ", ".join(f"{LETTERS[n]}={'a' if n == 'lip_input' else '0'}" for n in names)
            pieces += ["; ", Maths(text)]
        else:
            pieces += [f"; {word} ", Maths(", ".join(LETTERS[n] for n in names))]
    return tuple(pieces)
