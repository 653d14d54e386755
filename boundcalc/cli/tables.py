"""Tables and lines on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rich.console import Console
from rich.table import Table

T = TypeVar("T")

_NAME = 60  # columns for an operator's name before it is folded
_ROWS = 40  # of a table before its middle is left out


def new_console(width: int | None = None) -> Console:
    """A console that prints text as it is."""
    return Console(highlight=False, emoji=False, width=width)


def make_table(title: str, *columns: str, left: int = 1) -> Table:
    """A table whose first column is folded; the first ``left`` columns hold text."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for position, name in enumerate(columns):
        first = position == 0
        table.add_column(
            name,
            justify="left" if position < left else "right",
            no_wrap=not first,
            overflow="fold",
            max_width=_NAME if first else None,
        )
    return table


def print_table(console: Console, table: Table) -> None:
    """A table of numbers at its natural width: a wrapped number is a wrong number."""
    width = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    new_console(max(width, console.width)).print(table)


def print_line(console: Console, text: str, style: str | None = None) -> None:
    """A line of prose; where it wraps is left to the terminal."""
    console.print(text, markup=False, soft_wrap=True, style=style)


def shortened(rows: Sequence[T]) -> list[T | None]:
    """The first and last rows of a long table, and None for those between.

    >>> len(shortened(range(100)))
    41
    """
    if len(rows) <= _ROWS:
        return list(rows)
    return [*rows[: _ROWS // 2], None, *rows[-_ROWS // 2 :]]
