"""Long tables cut in the middle."""

from __future__ import annotations

from boundcalc.report.cells import Content

MOST = 60
_KEPT = 25

Rows = tuple[tuple[Content, ...], ...]


def shortened_rows(rows: Rows, noun: str) -> tuple[Rows, tuple[Content, ...]]:
    """At most 60 rows: beyond that the first and last 25, and a remark.

    >>> rows = tuple((str(k),) for k in range(100))
    >>> shown, remarks = shortened_rows(rows, "operators")
    >>> len(shown), shown[25], remarks
    (51, ('…',), ('50 of 100 operators are left out; results.json has them all.',))
    """
    if len(rows) <= MOST:
        return rows, ()
    gap: tuple[Content, ...] = ("…",) * len(rows[0])
    note = f"{len(rows) - 2 * _KEPT} of {len(rows)} {noun} are left out; results.json has them all."
    return (*rows[:_KEPT], gap, *rows[-_KEPT:]), (note,)
