"""Long tables cut in the middle."""

from __future__ import annotations

from collections.abc import Iterable

from boundcalc.report.cells import Content

MOST = 60
_KEPT = 25

_CHARACTER = 0.17  # centimetres of typewriter type in a table


def name_width(names: Iterable[str], most: float) -> float:
    """Centimetres for a column of names, at most ``most``.

    >>> name_width(["loss", "margin"], 3.0), name_width(["x" * 200], 3.0)
    (1.5, 3.0)
    """
    longest = max((len(name) for name in names), default=0)
    return min(most, round(max(1.5, 0.3 + _CHARACTER * longest), 2))


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
