"""From a shipped sweep spec to the settings of a figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcalc.errors import SimulationError
from boundcalc.experiments.base import QUICK_HORIZON, QUICK_REPLICAS, Sweep
from boundcalc.experiments.settings import CONFIDENCE, Setting, parsed, short_name
from boundcalc.graph import OperatorGraph, build
from boundcalc.resources import folder as shipped
from boundcalc.simulate.statistics import mean_interval
from boundcalc.spec.loading import load

if TYPE_CHECKING:
    from boundcalc.simulate.engines import EngineName
    from boundcalc.sweeps import Point, SweepResult

_SIZE = ("training.horizon", "simulation.replicas")

#: Called with (settings done, settings in all) of one sweep.
Progress = Callable[[int, int], None]


def spec_file(name: str) -> Path:
    """The file of a shipped sweep spec.

    >>> spec_file("figure-3").name
    'figure-3.yaml'
    """
    return shipped("specs") / "section7" / f"{name}.yaml"


def quick_axes(plan: Sweep) -> dict[str, Any]:
    """The axes of a quick run: a smaller horizon, fewer replicas and fewer values."""
    if not plan.shortened:
        return dict(plan.over)
    return {
        **dict(zip(_SIZE, ([QUICK_HORIZON], [QUICK_REPLICAS]), strict=True)),
        **plan.over,
    }


def run_sweep(
    plan: Sweep,
    out: Path,
    *,
    quick: bool = False,
    workers: int | None = None,
    engine: EngineName = "auto",
    progress: Progress | None = None,
) -> list[Setting]:
    """Run what is missing of a sweep, and read all of it.

    Parameters
    ----------
    out
        Folder of the sweep; an interrupted one goes on.

    Raises
    ------
    SimulationError
        If a setting failed.
    OutputError
        If the folder holds something else, or cannot be written to.
    """
    from boundcalc.sweeps import sweep

    found = sweep(
        load(spec_file(plan.spec)),
        quick_axes(plan) if quick else None,
        zipped=plan.zipped if quick else None,
        out=out,
        workers=workers,
        engine=engine,
        progress=progress,
    )
    if found.failed:
        point = found.failed[0]
        raise SimulationError(
            f"{len(found.failed)} settings of {plan.spec} failed",
            where=f"point {point.index}",
            value=point.error,
            fix=f"look into {out / 'table.csv'}; delete the folder to start again",
        )
    return [_setting(found, point) for point in found.points]


def _setting(found: SweepResult, point: Point) -> Setting:
    details = point.details()
    complexity = details.replicas["stable_iteration_complexity"]
    return Setting(
        values={
            short_name(path): parsed(text)
            for path, text in point.settings.items()
            if path not in _SIZE
        },
        steps=details.steps[:-1],
        ewma=details.smoothed[:-1],
        norm=point.metrics["stable_gradient_norm"],
        wait=mean_interval(complexity, CONFIDENCE),
        stable=details.replicas["stable_gradient_norm"],
        complexity=complexity,
        diverged=point.diverged,
        make=partial(_graph, found, point),
    )


def _graph(found: SweepResult, point: Point) -> OperatorGraph:
    return build(found.spec_of(point))
