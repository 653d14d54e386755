"""What an import made, for people."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from boundcalc.importers.summary import rows
from boundcalc.importers.write import Written

_ROWS = 60  # of a table before its middle is left out


def show_import(written: Written) -> None:
    """The operators with their shapes and weights, what was folded, and what was written."""
    console = Console(highlight=False, emoji=False)
    table = Table(
        title=escape(written.network.name),
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for name in ("operator", "type", "reads", "output", "weights"):
        table.add_column(name, justify="right" if name in ("output", "weights") else "left")
    found = rows(written)
    half = _ROWS // 2
    for row in [*found[:half], None, *found[-half:]] if len(found) > _ROWS else found:
        if row is None:
            table.add_row("…", "…", "…", "…", "…")
            continue
        weights = f"{row['weights']}" + ("" if row["trained"] or not row["weights"] else " fixed")
        table.add_row(
            escape(row["id"]),
            row["type"],
            escape(", ".join(row["inputs"])),
            "×".join(str(size) for size in row["shape"]),
            weights if row["weights"] else "",
        )
    console.print(table)
    for note in written.network.notes:
        console.print(f"  note: {note}", markup=False, soft_wrap=True)
    console.print(
        f"  {len(found)} operators, {written.network.weights} trained weights", markup=False
    )
    files = [written.spec] if written.weights is None else [written.spec, written.weights]
    console.print(f"  written: {', '.join(map(str, files))}", markup=False, soft_wrap=True)
    console.print(
        "  next: read the comment at its top, then boundcalc report " + str(written.spec),
        markup=False,
        soft_wrap=True,
    )
