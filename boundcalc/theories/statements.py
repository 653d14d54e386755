"""Statements and quantities as JSON and as blocks, the same for every theory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from boundcalc.arithmetic import Number, Status
from boundcalc.report.cells import (
    Block,
    Bullets,
    Column,
    Content,
    Equation,
    Maths,
    Paragraph,
    Strong,
    Table,
    Theorem,
)
from boundcalc.report.notation import joined, said, sentence
from boundcalc.report.numbers import DOWN, UP, value
from boundcalc.theories.values import Answer, Assumption, Quantity, Statement

_STATUS = {"not stated": "–"}


def statement_data(statement: Statement) -> dict[str, Any]:
    """One statement for JSON: bound, limit, and its constants beside them."""
    bound, limit = statement.bound, statement.step_size_limit
    return {
        "bound": bound,
        "step_size_limit": limit,
        **statement.constants,
        "terms": dict(statement.terms),
        "refused": statement.refused or None,
        "status": None if bound is None else bound.status,
        "source": statement.source,
        "conditions": [plain_text(condition) for condition in statement.conditions],
        "exact": {
            key: number.exact
            for key, number in {
                "bound": bound,
                "step_size_limit": limit,
                **statement.constants,
            }.items()
            if number is not None and number.exact is not None
        },
    }


def statement_answer(name: str, statements: Sequence[Statement]) -> Answer:
    """The answer to ``rate`` of a theory that has nothing to add: statements under its name."""
    return Answer(
        tuple(statements),
        {name: {s.key: statement_data(s) for s in statements}},
        (statement_table("The bounds, term by term.", statements),),
        tuple(statements),
    )


def quantity_answer(quantities: Sequence[Quantity], caption: Content = "Numbers.") -> Answer:
    """An answer that is a list of quantities."""
    return Answer(
        tuple(quantities), quantity_data(quantities), (quantity_table(caption, quantities),)
    )


def quantity_data(quantities: Sequence[Quantity]) -> dict[str, Any]:
    """Quantities for JSON: by key the number, or None."""
    return {quantity.key: quantity.value for quantity in quantities}


def quantity_table(caption: Content, quantities: Sequence[Quantity]) -> Table:
    """Quantities with symbol, meaning and value."""
    rows: list[tuple[Content, ...]] = [
        (quantity.symbol, quantity.meaning, value(quantity.value, rounding=_side(quantity.value)))
        for quantity in quantities
    ]
    remarks = tuple(sentence(q.note) for q in quantities if q.note)
    return Table(
        caption=caption,
        columns=(Column("symbol", 2.4), Column("meaning", 8.4), Column("value")),
        rows=tuple(rows),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def statement_table(caption: Content, statements: Sequence[Statement]) -> Table:
    """Bounds side by side, term by term, with the step-size limits."""
    terms = list(dict.fromkeys(name for s in statements for name in s.terms))
    rows: list[tuple[Content, ...]] = [
        (name.replace("_", " "), *(value(s.terms.get(name)) for s in statements)) for name in terms
    ]
    rows.append((Strong("bound"), *(value(s.bound) for s in statements)))
    limits = (value(s.step_size_limit, rounding=DOWN) for s in statements)
    rows.append(("step-size limit", *limits))
    refused = tuple(
        joined(Strong(s.title), ": ", said(s.refused), ".") for s in statements if s.refused
    )
    sources = "Sources: " + "; ".join(f"{s.title}: {s.source}" for s in statements)
    return Table(
        caption=caption,
        columns=(Column("term", 4.6), *(Column(s.title) for s in statements)),
        rows=tuple(rows),
        remarks=(*refused, sources + "."),
    )


def statement_theorems(statements: Sequence[Statement]) -> tuple[Block, ...]:
    """Every statement as a theorem: formula, number, conditions."""
    return tuple(_theorem(s) for s in statements)


def _theorem(s: Statement) -> Theorem:
    blocks: list[Block] = [Equation((rf"{s.quantity} &\le {s.formula}",))]
    if s.bound is not None:
        blocks.append(Paragraph(("Here the right side is ", value(s.bound), ".")))
    if s.step_size_limit is not None:
        limit = value(s.step_size_limit, rounding=DOWN)
        blocks.append(Paragraph(("It holds for step sizes up to ", limit, ".")))
    if s.refused:
        blocks.append(Paragraph(joined("It makes no statement here: ", said(s.refused), ".")))
    if s.conditions:
        blocks += [Paragraph("Conditions:"), Bullets(s.conditions)]
    blocks.append(Paragraph(f"Source: {s.source}."))
    sampled = s.bound is not None and s.bound.status not in (Status.PROVED, Status.COMPUTED)
    return Theorem(name=s.title, blocks=tuple(blocks), proved=s.proved and not sampled)


def ledger_table(assumptions: Sequence[Assumption]) -> Table:
    """The assumptions, with what the spec says."""
    return Table(
        caption="What every statement supposes. A simulation can refute it but never prove it.",
        columns=(
            Column("which", 1.6),
            Column("assumption", 7.6),
            Column("as written", 2.4),
            Column("value"),
            Column("status", 1.8),
        ),
        rows=tuple(
            (a.key, a.says, a.written or "–", value(a.value, rounding=_side(a.value)), a.status)
            for a in assumptions
        ),
    )


def profile_table(
    caption: Content, ids: Sequence[str], columns: Mapping[str, tuple[Content, Sequence[Any]]]
) -> Table:
    """Numbers by operator, block or agent.

    Parameters
    ----------
    columns
        Key in JSON → title and entries: numbers, or text.
    """
    rows: list[tuple[Content, ...]] = []
    for position, name in enumerate(ids):
        cells = (entries[position] for _, entries in columns.values())
        rows.append((name, *(_cell(cell) for cell in cells)))
    titles = (Column(title) for title, _ in columns.values())
    return Table(caption=caption, columns=(Column("", 2.6), *titles), rows=tuple(rows))


def plain_text(content: Content) -> str:
    """Content without marks, mathematics as LaTeX."""
    pieces = content if isinstance(content, tuple) else (content,)
    found = []
    for piece in pieces:
        if isinstance(piece, Maths):
            found.append(f"${piece.latex}$")
        elif isinstance(piece, Strong):
            found.append(plain_text(piece.content))
        elif isinstance(piece, str):
            found.append(piece)
        else:
            found.append(getattr(piece, "text", getattr(piece, "word", "")))
    return "".join(found)


def _cell(cell: Any) -> Content:
    if cell is None or isinstance(cell, Number):
        return value(cell, rounding=_side(cell))
    text: Content = str(cell) if isinstance(cell, int) else cell
    return text


def _side(number: Number | None) -> str:

    return DOWN if number is not None and number.limit else UP
