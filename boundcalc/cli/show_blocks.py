"""Blocks of a report on the terminal: paragraphs, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from boundcalc.cli.plain_maths import plain_maths
from boundcalc.cli.tables import print_line, print_table, shortened
from boundcalc.report.cells import (
    Block,
    Bullets,
    Code,
    Content,
    Equation,
    Mark,
    Maths,
    Paragraph,
    Piece,
    Strong,
    Table,
    Theorem,
    Value,
)

_SIGNS = {"holds": ("✓", "green"), "violated": ("✗", "bold red"), "undetermined": ("?", "yellow")}
_WIDE = 4.5  # centimetres from which a column of text is broken into lines
_LETTERS_PER_CM = 5.5
_STATUS = {"proved": "", "computed": " c", "sampled": " s", "undetermined": " u"}


def show_blocks(console: Console, blocks: Sequence[Block]) -> None:
    """Print blocks one after the other; figures have no place here."""
    for block in blocks:
        if isinstance(block, Paragraph):
            print_line(console, said(block.content))
        elif isinstance(block, Bullets):
            for item in block.items:
                print_line(console, f"  - {said(item)}")
        elif isinstance(block, Equation):
            for line in block.lines:
                print_line(console, f"    {plain_maths(line)}")
        elif isinstance(block, Table):
            _table(console, block)
        elif isinstance(block, Theorem):
            print_line(console, said(block.name), style="bold")
            show_blocks(console, block.blocks)


def said(content: Content) -> str:
    """Content as plain text; a number that is not proved carries the first letter of its status.

    >>> from boundcalc.arithmetic import Status
    >>> said((Maths(r"c_0"), " = ", Value("48", Status.PROVED), ", ", Value("2", Status.SAMPLED)))
    'c₀ = 48, 2 s'
    """
    return "".join(_piece(p) for p in (content if isinstance(content, tuple) else (content,)))


def _piece(piece: Piece) -> str:
    if isinstance(piece, Maths):
        return plain_maths(piece.latex)
    if isinstance(piece, Value):
        return piece.text + (_STATUS[piece.status] if piece.status else "")
    if isinstance(piece, Mark):
        return f"{_SIGNS[piece.outcome][0]} {piece.word}"
    if isinstance(piece, Code):
        return piece.text
    if isinstance(piece, Strong):
        return said(piece.content)
    return piece


def _table(console: Console, block: Table) -> None:
    # The caption becomes the title, without its full stop.
    print_line(console, re.sub(r"\.$", "", said(block.caption)), style="bold")
    table = RichTable(box=None, pad_edge=False)
    for column in block.columns:
        wide = column.width is not None and column.width >= _WIDE
        table.add_column(
            escape(said(column.title)),
            justify="right" if column.width is None else "left",
            no_wrap=not wide,
            max_width=round(_LETTERS_PER_CM * column.width) if wide and column.width else None,
        )
    for row in shortened(block.rows):
        if row is None:
            table.add_row(*("…" for _ in block.columns))
        else:
            table.add_row(*(_cell(content) for content in row))
    print_table(console, table)
    for remark in block.remarks:
        print_line(console, f"  {said(remark)}")
    console.print()


def _cell(content: Content) -> str:
    text = escape(said(content))
    if isinstance(content, Mark):
        return f"[{_SIGNS[content.outcome][1]}]{text}[/]"
    return f"[bold]{text}[/]" if isinstance(content, Strong) else text
