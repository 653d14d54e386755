"""Tables with more columns than a page is wide, cut into several."""

from __future__ import annotations

from dataclasses import replace

from boundcalc.report.cells import Block, Column, Content, Maths, Table, Value
from boundcalc.report.notation import joined
from boundcalc.report.numbers import latex_number
from boundcalc.report.width import width

PAGE = 481.0  # points of the text block, 17 cm, less a little
_EM = 8.6  # points of an em in a table
_GAP = 6.4  # points between columns
_CENTIMETRE = 28.45


def fitted(block: Block) -> tuple[Block, ...]:
    """The block, or a table that is too wide as several, each with the first columns of text.

    >>> wide = Table("t", (Column("id", 2.0), *(Column(str(k)) for k in range(40))), ())
    >>> [len(part.columns) for part in fitted(wide)]
    [30, 12]
    """
    if not isinstance(block, Table):
        return (block,)
    widths = [_column(block, k) for k in range(len(block.columns))]
    if sum(widths) <= PAGE:
        return (block,)
    groups = _groups(block, widths)
    last = len(groups) - 1
    return tuple(
        replace(
            block,
            caption=block.caption if k == 0 else joined(block.caption, " Further columns."),
            columns=tuple(block.columns[c] for c in group),
            rows=tuple(tuple(row[c] for c in group) for row in block.rows),
            remarks=block.remarks if k == last else (),
        )
        for k, group in enumerate(groups)
    )


def _groups(table: Table, widths: list[float]) -> list[list[int]]:
    """Column numbers of each part; the columns before the first number are repeated."""
    kept = 0
    while kept < len(widths) - 1 and table.columns[kept].width is not None:
        kept += 1
    head = list(range(max(kept, 1)))
    base = sum(widths[c] for c in head)
    groups, used = [list(head)], base
    for c in range(len(head), len(widths)):
        if used + widths[c] > PAGE and len(groups[-1]) > len(head):
            groups.append(list(head))
            used = base
        groups[-1].append(c)
        used += widths[c]
    return groups


def _column(table: Table, number: int) -> float:
    column: Column = table.columns[number]
    if column.width is not None:
        return column.width * _CENTIMETRE + _GAP
    cells = [column.title, *(row[number] for row in table.rows)]
    return max(_cell(cell) for cell in cells) * _EM + _GAP


def _cell(content: Content) -> float:
    """Estimated width in em."""
    if isinstance(content, tuple):
        return sum(_cell(piece) for piece in content)
    if isinstance(content, Maths):
        return width(content.latex)
    if isinstance(content, Value):
        fraction = 0.0 if content.fraction is None else width(content.fraction) + 1.2
        return width(latex_number(content.text)) + fraction + 0.6 * (content.status is not None)
    text = content if isinstance(content, str) else ""
    return 0.55 * len(text)
