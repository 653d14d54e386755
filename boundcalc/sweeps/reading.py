"""From the folder of a sweep to its results; the folder is untrusted input."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from boundcalc.errors import OutputError, SpecError
from boundcalc.simulate.statistics import Metric
from boundcalc.spec.loading import loads
from boundcalc.sweeps.grid import Grid
from boundcalc.sweeps.manifest import Manifest, read_manifest
from boundcalc.sweeps.record import damaged, read_head
from boundcalc.sweeps.results import Point, SweepResult
from boundcalc.sweeps.task import FORMAT

POINTS = "points"


def read_sweep(folder: Path | str) -> SweepResult:
    """The results of a sweep, finished or not.

    Raises
    ------
    OutputError
        If the folder has no sweep, one of another format, or a damaged file.

    Notes
    -----
    O(points); trajectories stay on the disk until a point is asked for them.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    grid = manifest.grid
    points = [
        read_point(folder, manifest, grid, index)
        for index in range(grid.size)
        if point_file(folder, index).exists()
    ]
    return assemble(folder, manifest, points)


def assemble(folder: Path, manifest: Manifest, points: list[Point]) -> SweepResult:
    """A manifest and its points, in the order of their numbers."""
    try:
        spec = loads(manifest.spec, format="json")
    except SpecError as error:
        raise OutputError(
            f"the spec in the description of the sweep does not hold: {error.problem}",
            where=str(folder),
        ) from None
    spec._folder = Path(manifest.folder)
    ordered = tuple(sorted(points, key=lambda point: point.index))
    return SweepResult(folder, spec, manifest.grid, ordered, manifest.versions)


def point_file(folder: Path, index: int) -> Path:
    """The file of a point."""
    return folder / POINTS / f"{index:06d}.json"


def read_point(folder: Path, manifest: Manifest, grid: Grid, index: int) -> Point:
    """A point from the first line of its file.

    Raises
    ------
    OutputError
        If the file is damaged or belongs to another sweep.
    """
    path = point_file(folder, index)
    head = read_head(path)
    if head.get("format") != FORMAT or head.get("sweep") != manifest.digest:
        raise OutputError(
            "the file of a point belongs to another sweep",
            where=str(path),
            fix="delete the file and start the same sweep again, which runs this point anew",
        )
    try:
        if head["index"] != index:
            raise ValueError
        return _point(head, grid, path)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged(path) from None


def _point(head: dict[str, Any], grid: Grid, path: Path) -> Point:
    index, error = head["index"], head["error"]
    settings, seed = grid.settings(index), grid.seed(index)
    if error is not None:
        return Point(index, settings, seed, error=str(error), file=path)
    step = head["diverged_step"]
    return Point(
        index,
        settings,
        seed,
        metrics={str(name): _metric(found) for name, found in head["metrics"].items()},
        confidence=float(head["confidence"]),
        steps=int(head["steps"]),
        replicas=int(head["replicas"]),
        diverged=int(head["diverged"]),
        diverged_step=None if step is None else int(step),
        engine=str(head["engine"]),
        precision=str(head["precision"]),
        file=path,
    )


def _metric(found: dict[str, Any]) -> Metric:
    known = {field.name for field in fields(Metric)}
    values = {key: _value(key, value) for key, value in found.items() if key in known}
    return Metric(**values)


def _value(key: str, value: Any) -> Any:
    """A field of a metric: its method is a word, all else are numbers or left out."""
    if key == "method" or value is None:
        return value if value is None else str(value)
    return value if isinstance(value, int) else float(value)
