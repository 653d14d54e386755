"""An explanation in a notebook."""

from __future__ import annotations

from boundcalc.arithmetic import Number
from boundcalc.explain.explaining import MEANINGS, NO_SPEC, Explanation, Given
from boundcalc.report.cells import (
    Block,
    Bullets,
    Code,
    Column,
    Content,
    Equation,
    Maths,
    Paragraph,
    Table,
)
from boundcalc.report.notation import sentence
from boundcalc.report.numbers import DOWN, UP, value

_MEMBERS = 60  # of a group that are listed


def blocks(found: Explanation) -> tuple[Block, ...]:
    """What it is, value and status, formula, inputs, source."""
    entry = found.entry
    made: list[Block] = [Paragraph((Code(found.path), f": {entry.says}."))]
    if found.known and not found.members:
        words = f" ({found.status}: {MEANINGS[found.status]})" if found.status else ""
        made.append(Paragraph(("Value: ", Code(_plain(found.value)), words, ".")))
    if entry.formula:
        left = f"{entry.quantity}&{entry.relation}" if entry.quantity else "&"
        made.append(Equation((f"{left} {entry.formula}",)))
    if found.inputs:
        made.append(_inputs(found))
    if found.without_inputs:
        made.append(Paragraph(f"{NO_SPEC[0].upper()}{NO_SPEC[1:]}."))
    if entry.conditions:
        made += [Paragraph("It supposes:"), Bullets(tuple(map(_mixed, entry.conditions)))]
    if entry.source:
        where = f" ({found.doc})" if found.doc else ""
        made.append(Paragraph(f"Source: {entry.source}{where}."))
    if found.members:
        made.append(Bullets(tuple(Code(path) for path in found.members[:_MEMBERS])))
    return tuple(made)


def _plain(found: object) -> str:
    return "null" if found is None else str(found)


def _mixed(text: str) -> Content:
    """A sentence whose mathematics stands between dollars."""
    parts = text.split("$")
    if len(parts) % 2 == 0 or len(parts) == 1:
        return sentence(text)
    return tuple(Maths(p) if k % 2 else p for k, p in enumerate(parts) if p)


def _inputs(found: Explanation) -> Table:
    return Table(
        "The letters of the formula.",
        (
            Column("letter", 1.5),
            Column("value"),
            Column("what it is", 6.0),
            Column("where it stands", 5.0),
        ),
        tuple(_row(given) for given in found.inputs),
    )


def _row(given: Given) -> tuple[Content, ...]:
    number = given.value
    cell: Content = "–" if number is None else str(number)
    if isinstance(number, Number):
        cell = value(number, rounding=DOWN if number.limit else UP)
    place = given.input.path or given.where or given.input.spec
    return (Maths(given.input.symbol), cell, given.input.meaning, Code(place) if place else "")
