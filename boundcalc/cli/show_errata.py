"""Evidence on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from boundcalc.cli.tables import new_console, print_line

if TYPE_CHECKING:
    from boundcalc.errata import Evidence


def show_errata(rows: Sequence[Evidence], folder: Path | None, missing: str) -> None:
    """A table of the errata, under each what its evidence found."""
    console = new_console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("id")
    table.add_column("where", max_width=16)
    table.add_column("what, and what its evidence found", overflow="fold")
    table.add_column("status", max_width=20)
    for row in rows:
        erratum = row.erratum
        table.add_row(erratum.id, Text(erratum.where), Text(erratum.what), Text(erratum.status))
        table.add_row("", "", _evidence(row), "")
    console.print(table)
    reproduced = sum(row.holds for row in rows)
    checks = sum(len(row.checks) for row in rows)
    print_line(
        console,
        f"\n{reproduced} of {len(rows)} reproduced, {checks} checks, "
        f"{sum(row.seconds for row in rows):.1f} s; every number is proved, exactly or by "
        "intervals, and bounds are rounded to the safe side",
    )
    if folder is not None:
        print_line(console, f"written to {folder}" + (f"; {missing}" if missing else ""))


def _evidence(row: Evidence) -> Text:
    """One line with a mark; below it, what did not hold."""
    found = Text("✓ " if row.holds else "✗ ", style="green" if row.holds else "bold red")
    found.append(row.line, style="default")
    for statement in row.failed:
        found.append(f"\n  not reproduced: {statement}", style="bold red")
    return found
