"""A sweep on the terminal, and as JSON."""

from __future__ import annotations

import math
from typing import Any

from rich.markup import escape

from boundcalc.cli.tables import make_table, new_console, print_line, print_table, shortened
from boundcalc.report.json_numbers import sampled
from boundcalc.simulate.statistics import Metric
from boundcalc.sweeps import Point, SweepResult
from boundcalc.sweeps.run import RESULTS, TABLE

#: What the terminal shows; the files have every metric.
_SHOWN = ("stable_gradient_norm", "final_gradient_norm", "final_gap", "final_loss")
_COLUMNS = 3


def show_sweep(found: SweepResult) -> None:
    """A row for each point, what diverged or failed, and where the files are."""
    console = new_console()
    paths = [path for path in found.grid.paths if path != "simulation.seed"]
    having = {name for point in found.points for name in point.metrics}
    metrics = [name for name in _SHOWN if name in having][:_COLUMNS]
    title = f"{escape(found.spec.name)}: {len(found.points)} points (sampled)"
    remarks = [""] if any(map(_remark, found.points)) else []
    table = make_table(title, *map(escape, paths), "seed", *metrics, *remarks, left=len(paths))
    for point in shortened(found.points):
        if point is None:
            table.add_row(*["…"] * len(table.columns))
            continue
        cells = [_cell(point.metrics.get(name)) for name in metrics]
        settings = [escape(_short(point.settings[path])) for path in paths]
        table.add_row(*settings, str(point.seed), *cells, *[_remark(point)] * len(remarks))
    print_table(console, table)
    confidences = sorted({f"{p.confidence:.4g}" for p in found.points if p.error is None})
    if confidences:
        print_line(console, f"  mean ± half of its interval at confidence {', '.join(confidences)}")
    for point in found.failed[:_FAILURES]:
        print_line(console, f"  {found.grid.name(point.index)}: {point.error}", "bold red")
    if len(found.failed) > _FAILURES:
        print_line(console, f"  and {len(found.failed) - _FAILURES} more failed: see the table")
    print_line(console, f"  written to {found.folder / TABLE} and {found.folder / RESULTS}")


_FAILURES = 5


def _cell(metric: Metric | None) -> str:
    if metric is None:
        return "–"
    if not math.isfinite(metric.mean):
        return "not finite"
    half = (metric.hi - metric.lo) / 2
    return f"{metric.mean:.4g} ± {half:.1g}" if math.isfinite(half) else f"{metric.mean:.4g} ± ∞"


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"


def _remark(point: Point) -> str:
    if point.error is not None:
        return "[bold red]failed[/]"
    if point.diverged:
        return f"{point.diverged}/{point.replicas} diverged, first at step {point.diverged_step}"
    return ""


def sweep_results(found: SweepResult) -> dict[str, Any]:
    """The object of ``boundcalc sweep --json``."""
    return {
        "folder": str(found.folder),
        "table": str(found.folder / TABLE),
        "results": str(found.folder / RESULTS),
        "points": [_point(point) for point in found.points],
        "failed": len(found.failed),
        "status": "sampled",
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "point": point.index,
        "settings": dict(point.settings),
        "seed": point.seed,
        "status": point.status,
        "diverged_replicas": point.diverged,
        "diverged_step": point.diverged_step,
        "metrics": {
            name: {"mean": sampled(metric.mean), "ci": [sampled(metric.lo), sampled(metric.hi)]}
            for name, metric in point.metrics.items()
        },
        "confidence": None if point.error is not None else point.confidence,
        "error": point.error,
    }
