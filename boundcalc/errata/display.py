"""The evidence of several errata as one table."""

from __future__ import annotations

from typing import Any

from boundcalc.errata.evidence import Evidence
from boundcalc.report.cells import Block, Bullets, Column, Content, Mark, Table
from boundcalc.report.display_frames import cells
from boundcalc.showing import Shown, Tabular


class EvidenceTable(tuple[Evidence, ...], Shown, Tabular):
    """What :func:`boundcalc.errata` returns: a tuple that notebooks show as a table."""

    __slots__ = ()


def blocks(found: EvidenceTable) -> tuple[Block, ...]:
    """A row for each erratum."""
    held = sum(row.holds for row in found)
    return (
        Table(
            f"{held} of {len(found)} reproduced.",
            (
                Column("id", 1.2),
                Column("where", 2.6),
                Column("what", 6.0),
                Column("status", 3.0),
                Column("what the evidence found", 6.0),
                Column("", 2.4),
            ),
            tuple(_row(row) for row in found),
        ),
    )


def _row(row: Evidence) -> tuple[Content, ...]:
    erratum = row.erratum
    mark = Mark("holds", "reproduced") if row.holds else Mark("violated", "not reproduced")
    return (erratum.id, erratum.where, erratum.what, erratum.status, row.line, mark)


def rows(found: EvidenceTable) -> list[dict[str, Any]]:
    """A row for each number that the evidence found."""
    return [line for row in found for line in one_row(row)]


def one(found: Evidence) -> tuple[Block, ...]:
    """One erratum, and every statement that was decided."""
    checks = tuple(f"{'✓' if c.holds else '✗'} {c.statement}" for c in found.checks)
    return (*blocks(EvidenceTable((found,))), Bullets(checks))


def one_row(found: Evidence) -> list[dict[str, Any]]:
    """The numbers of one erratum."""
    about = {"id": found.erratum.id, "reproduced": found.holds}
    return [
        {**about, "finding": f.name, "relation": f.relation, **cells(f.number)}
        for f in found.findings
    ]
