"""The table of a sweep: a row for each point."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.sweeps.grid import SEED, Grid

if TYPE_CHECKING:
    from boundcalc.sweeps.results import Point


def metric_names(points: Sequence[Point]) -> tuple[str, ...]:
    """Every metric that some point has, in the order of the first point that has it."""
    return tuple(dict.fromkeys(name for point in points for name in point.metrics))


def rows(grid: Grid, points: Sequence[Point]) -> list[dict[str, object]]:
    """A row for each point; what a point does not have is None."""
    names = metric_names(points)
    paths = [path for path in grid.paths if path != SEED]
    found = []
    for point in points:
        failed = point.error is not None
        row: dict[str, object] = {"point": point.index}
        row |= {path: point.settings[path] for path in paths}
        row |= {"seed": point.seed, "status": point.status}
        row |= {"diverged_replicas": None if failed else point.diverged}
        row |= {"diverged_step": point.diverged_step}
        for name in names:
            metric = point.metrics.get(name)
            row[name] = None if metric is None else metric.mean
            row[f"{name}_lo"] = None if metric is None else metric.lo
            row[f"{name}_hi"] = None if metric is None else metric.hi
        row |= {"confidence": None if failed else point.confidence}
        row |= {"engine": point.engine, "precision": point.precision, "error": point.error}
        found.append(row)
    return found


def csv_text(grid: Grid, points: Sequence[Point]) -> str:
    """The table as CSV (RFC 4180, but with plain newlines), numbers with all their digits.

    Nothing in it depends on when or how often the sweep was started.
    """
    table = rows(grid, points)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table[0] if table else [])
    for row in table:
        writer.writerow("" if value is None else _cell(value) for value in row.values())
    return out.getvalue()


def _cell(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def on_grid(grid: Grid, points: Sequence[Point], name: str) -> Array:
    """A metric's means by position on the axes and among the seeds; NaN where there is none."""
    found = np.full(grid.size, np.nan)
    for point in points:
        if name in point.metrics:
            found[point.index] = point.metrics[name].mean
    return found.reshape(grid.shape)
