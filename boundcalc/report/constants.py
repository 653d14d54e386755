"""Assumption 3: the constants of every operator, input by input where it has several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from boundcalc.arithmetic import Status
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES, Node
from boundcalc.operators.base import Constants, Slot
from boundcalc.report.cells import Code, Column, Content, Maths, Piece, Table, Value
from boundcalc.report.notation import LETTERS, joined, names, stated
from boundcalc.report.rows import name_width, shortened_rows
from boundcalc.simulate.reach import sections_of
from boundcalc.spec.expressions import Expression
from boundcalc.spec.sections import OperatorSection

_DIGITS = 5
_PAIRS = 3  # inputs whose A are listed pair by pair; beyond that the largest stands for them

#: What stands in a cell where no constant exists.
KINK = "none (kink)"

#: Constants that only weights have: 0 where these are frozen.
_WEIGHT = ("jac_weight", "hess_mixed", "third_mixed")
_CHANGES = ("jac_change", "mixed_change")


def operator_table(graph: OperatorGraph) -> Table:
    """a, b, ℓ, A, B, A′, B′ by operator; neighbours that are alike share a row."""
    made = _Cells(graph)
    rows: list[tuple[Content, ...]] = []
    numbered = zip(graph.nodes, sections_of(graph), strict=True)
    for block, group in groupby(numbered, key=lambda entry: made.block(*entry)):
        members = [node.id for node, _ in group]
        # Lines of several inputs name them, so that no two operators have the same.
        for name, row in zip([names(members), *[""] * len(block)], block, strict=False):
            rows.append((name, *row))
    shown, note = shortened_rows(tuple(rows), "rows")
    kinked, joins = made.kinked, made.joins
    sources = {row[-1] for row in rows} - {""}
    columns = [
        Column("operator", name_width(graph.ids, 2.6)),
        Column("input", name_width(graph.ids, 2.0)),
        *(Column(Maths(LETTERS[name])) for name in CONSTANT_NAMES),
        *(Column(Maths(letter)) for letter in ("J", "K")),
        Column("source", 2.1),
    ]
    dropped = ({1} if not joins else set()) | ({9, 10} if not kinked else set())
    if len(sources) == 1:
        dropped.add(11)
    kept = [k for k in range(len(columns)) if k not in dropped]
    return Table(
        caption=("A3: the operators’ constants. ", "They are suprema over the region."),
        columns=tuple(columns[k] for k in kept),
        rows=tuple(tuple(row[k] for k in kept) for row in shown),
        remarks=(_legend(graph, joins=joins, kinked=kinked), *_source(sources), *note),
    )


def _legend(graph: OperatorGraph, *, joins: bool, kinked: bool) -> Content:
    pieces: list[Piece] = [
        Maths("a, b"),
        ": bounds on the Jacobians in input and weight; ",
        Maths(r"\ell"),
        ": Lipschitz constant in the input; ",
        Maths("A, B"),
        ": of the Jacobians in the input; ",
        Maths("A', B'"),
        ": of their derivatives. ",
        "The first operator reads data, so its"
        if graph.is_chain
        else "The data does not move, so of operators that read it the",
        " input constants are never used.",
    ]
    if joins:
        pieces += [
            " An operator with several inputs has one line for each: ",
            Maths("A"),
            f" in every input in turn (where there are more than {_PAIRS}, the largest), ",
            Maths("b"),
            " and ",
            Maths("B'"),
            " once.",
        ]
    if kinked:
        pieces += [
            " None (kink): the Jacobian jumps, so that no Lipschitz constant exists; ",
            Maths("J"),
            " and ",
            Maths("K"),
            " bound how far the Jacobians in input and weight can jump. What rests on first "
            "derivatives holds all the same: the bound on the error is valid, and where the "
            "bias would need a second derivative its bound falls back to that of the error.",
        ]
    return tuple(pieces)


def _source(sources: set[Content]) -> tuple[Content, ...]:
    """What the column would say in every row."""
    if len(sources) != 1:
        return ()
    return (joined("Source of all: ", *sources, "."),)


class _Cells:
    """Cells of one operator's lines; equal expressions are evaluated once."""

    def __init__(self, graph: OperatorGraph) -> None:
        self._graph = graph
        self._known: dict[tuple[int, bool], Content] = {}
        self.kinked = False
        self.joins = False

    def block(self, node: Node, section: OperatorSection) -> tuple[tuple[Content, ...], ...]:
        """(input, the constants, J, K, source): one line, or one for each input."""
        sources = dict(constant_sources(self._graph, node, section))
        constants, known = node.constants, _said(sources)
        changes = [self._change(getattr(constants, name)) for name in _CHANGES]
        self.kinked |= is_kinked(constants)
        if len(node.reads) == 1:
            return (("", *self._single(constants, sources), *changes, known),)
        self.joins = True
        slots = constants.slots
        rows = [
            (
                self._input(node, k),
                *self._slot(constants, slots, k, sources),
                *(changes if k == 0 else ("", "")),
                known if k == 0 else "",
            )
            for k in range(len(slots))
        ]
        return tuple(rows)

    def _input(self, node: Node, slot: int) -> Content:
        u = node.reads[slot]
        return Code(self._graph.ids[u - 1]) if u else "data"

    def _single(self, constants: Constants, sources: dict[str, str]) -> list[Content]:
        return [self._named(constants, name, sources) for name in CONSTANT_NAMES]

    def _named(self, source: Constants | Slot, name: str, sources: dict[str, str]) -> Content:
        return self._cell(
            getattr(source, name), derived=sources[name] == "derived", kink=name.startswith("hess")
        )

    def _slot(
        self, constants: Constants, slots: tuple[Slot, ...], k: int, sources: dict[str, str]
    ) -> list[Content]:
        def cell(name: str) -> Content:
            if name in ("jac_weight", "third_mixed"):
                return self._named(constants, name, sources) if k == 0 else ""
            if name == "hess_input":
                return self._pairs(constants, slots[k], sources[name] == "derived")
            return self._named(slots[k], name, sources)

        return [cell(name) for name in CONSTANT_NAMES]

    def _pairs(self, constants: Constants, slot: Slot, derived: bool) -> Content:
        """A in every input, or one number where all are alike or there are too many."""
        if not slot.hess_input:
            return Value("0", self._letter(Status.PROVED) if derived else None)
        cells = [self._cell(value, derived) for value in slot.hess_input]
        if len(set(cells)) == 1:
            return cells[0]
        if len(cells) > _PAIRS:
            return self._cell(constants.hess_input, derived)
        numbers = [cell for cell in cells if isinstance(cell, Value)]
        if len(numbers) < len(cells):
            return joined(*[piece for cell in cells for piece in (", ", cell)][1:])
        # One letter for all of them: that of the least certain.
        letters = [status for status in Status if status in {cell.status for cell in numbers}]
        text = ", ".join(cell.text for cell in numbers)
        return Value(text, letters[-1] if letters else None)

    def _cell(self, expression: Expression | None, derived: bool, kink: bool = False) -> Content:
        if expression is None:
            return KINK if kink else "none"
        key = (id(expression), derived)
        if key not in self._known:
            cell = stated(self._graph, expression, letter=derived, digits=_DIGITS)
            if derived and isinstance(cell, Value):
                cell = replace(cell, status=self._letter(cell.status))
            self._known[key] = cell
        return self._known[key]

    def _change(self, expression: Expression | None) -> Content:
        return "–" if expression is None else self._cell(expression, derived=True)

    def _letter(self, status: Status | None) -> Status | None:
        """What holds on a region that was measured is not proved."""
        return Status.SAMPLED if self._graph.sampled else status


def is_kinked(constants: Constants) -> bool:
    """Whether a Jacobian has no Lipschitz constant."""
    return constants.hess_input is None or constants.hess_mixed is None


def constant_sources(
    graph: OperatorGraph, node: Node, section: OperatorSection
) -> Iterator[tuple[str, str]]:
    """Constant → given (by the operator), uniform, derived (from its type), default or frozen."""
    for name in CONSTANT_NAMES:
        if node.reads == (0,) and name.endswith("_input"):
            yield name, "unused"
        elif not node.trainable and name in _WEIGHT:
            yield name, "frozen"
        elif getattr(section.constants, name) is not None:
            yield name, "given"
        elif name == "lip_input" and section.constants.jac_input is not None:
            yield name, "default"
        elif graph.uniform is not None:
            yield name, "uniform"
        elif node.derived is not None:
            yield name, "derived"
        else:
            yield name, "default"


def _said(sources: dict[str, str]) -> Content:
    """The commonest source as a word, then the others with their letters."""
    # What is never used, or 0 because weights are frozen, is said elsewhere.
    used = {n: source for n, source in sources.items() if source not in ("unused", "frozen")}
    words = [word for word, _ in Counter(used.values()).most_common()]
    if not words:
        return ""
    pieces: list[Piece] = [words[0]]
    for word in words[1:]:
        named = [name for name, source in used.items() if source == word]
        if word == "default":
            # The Lipschitz constant is that of the Jacobian; other gaps are read as zero.
            text = ", ".join(f"{LETTERS[n]}={'a' if n == 'lip_input' else '0'}" for n in named)
            pieces += ["; ", Maths(text)]
        else:
            pieces += [f"; {word} ", Maths(", ".join(LETTERS[n] for n in named))]
    return tuple(pieces)
