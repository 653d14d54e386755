"""Run every point of a sweep that is not done yet, and write what was found."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.files import make_folder
from boundcalc.simulate.engines import EngineName
from boundcalc.spec.loading import load
from boundcalc.spec.model import Spec
from boundcalc.spec.plain import json_text
from boundcalc.sweeps import manifest as manifests
from boundcalc.sweeps.bundle import contents, digests, files_named
from boundcalc.sweeps.check import check_points
from boundcalc.sweeps.grid import Grid, make_grid
from boundcalc.sweeps.here import run_here
from boundcalc.sweeps.manifest import Manifest
from boundcalc.sweeps.netcdf import netcdf_bytes
from boundcalc.sweeps.overrides import without_sweep
from boundcalc.sweeps.reading import POINTS, assemble, point_file, read_point
from boundcalc.sweeps.results import Point, SweepResult
from boundcalc.sweeps.storage import only_one, remove_parts, write_durably
from boundcalc.sweeps.table import csv_text
from boundcalc.sweeps.task import Results, Task, versions
from boundcalc.sweeps.values import read_value

#: Called with (points done, points in all).
Progress = Callable[[int, int], None]

#: Values of one path: a list, or text with commas and ranges as on the command line.
Values = Sequence[Any] | str


def sweep(
    spec: Spec | Path | str,
    over: Mapping[str, Values] | None = None,
    *,
    zipped: Mapping[str, Values] | Sequence[Mapping[str, Values]] | None = None,
    seeds: int | None = None,
    out: Path | str,
    workers: int | None = None,
    scheduler: str | None = None,
    engine: EngineName = "auto",
    progress: Progress | None = None,
    retry: bool = False,
) -> SweepResult:
    """Simulate a spec at every point of a grid; go on where an earlier start was interrupted.

    Parameters
    ----------
    spec
        A spec, or the name of its file.  Its ``sweep`` section, if it has one, is the grid to
        begin with; the arguments below add axes or replace those of the same path.
    over
        Path in the spec (``training.step_size``, ``perturbations[0].half_width``,
        ``symbols.C``) → values.  Every path is an axis of its own; the grid is their product.
        A list holds values as a spec would have them: numbers, text such as ``"1/2"`` or
        ``"2*sqrt(C)"``, lists, sections.  Text is read as on the command line:
        ``"1/2, 1/4"``, ``"0.1:1:10"`` (10 values at equal distances), ``"1e-3:1:4:log"`` (at
        equal ratios).
    zipped
        Paths whose values change together, all with the same number of them: one axis, or
        several if it is a list.
    seeds
        How many seeds at each setting: ``simulation.seed``, ``simulation.seed`` + 1, …; data
        stay the same.  By default one.
    out
        Folder of the results: table.csv, results.nc, sweep.json, and points/ with one file
        for each finished point.
    workers
        Processes on this machine, by default one for each processor; 0 runs in this process.
    scheduler
        Address of a Dask scheduler whose workers run the points instead.
    engine
        See :func:`boundcalc.simulate.run.simulate`; one thread for each point.
    progress
        Told how many points are done.
    retry
        Run points again that failed in an earlier start.

    Returns
    -------
    SweepResult
        All numbers are `sampled`.  A point that raised an error is among the results with its
        message; one that diverged says when.

    Raises
    ------
    SpecError
        If a path is not in the spec, a value does not fit, or there are too many points.
    OutputError
        If the folder holds another sweep, or another version's, if a sweep is running in it,
        or if it cannot be written to; finished points are kept.
    SimulationError
        If the workers cannot be reached or do not start.

    Notes
    -----
    A finished point is on the disk before the next one is handed out, under its final name
    only when it is whole; a start with the same arguments runs what is missing, and its tables
    are the same, byte for byte, as those of a sweep that was never interrupted.
    """
    made = spec if isinstance(spec, Spec) else load(spec)
    grid = _asked(made, over or {}, zipped, seeds)
    if workers is not None and not 0 <= workers <= _MOST_WORKERS:
        raise SpecError(
            "the number of workers is out of range",
            where="workers",
            value=workers,
            expected=f"0 to {_MOST_WORKERS}",
        )
    check_points(made, grid)
    names = _files(made, grid)
    described = _described(made, grid, engine, names)
    folder = make_folder(Path(out))
    with only_one(folder):
        points = _begin(folder, described, grid, retry)
        missing = [i for i in range(grid.size) if i not in points]
        if missing:
            tasks = _tasks(described, missing, engine, scheduler is not None)
            with _runner(tasks, described, names, workers, scheduler) as results:
                _collect(folder, described, results, points, progress)
        found = assemble(folder, described, list(points.values()))
        write_durably(folder / TABLE, csv_text(grid, found.points).encode())
        write_durably(folder / RESULTS, netcdf_bytes(found))
    return found


TABLE, RESULTS = "table.csv", "results.nc"

_MOST_WORKERS = 1_000


def _asked(
    spec: Spec,
    over: Mapping[str, Values],
    zipped: Mapping[str, Values] | Sequence[Mapping[str, Values]] | None,
    seeds: int | None,
) -> Grid:
    """The grid of the arguments and of the spec's own section."""
    own = spec.sweep
    groups = [zipped] if isinstance(zipped, Mapping) else zipped
    return make_grid(
        {**(own.over if own else {}), **over},
        groups if groups is not None else own.zip_ if own else [],
        spec.simulation.seed if spec.simulation else 0,
        seeds if seeds is not None else own.seeds if own else None,
    )


def _files(spec: Spec, grid: Grid) -> list[str]:
    """The files that the spec or a value of an axis names."""
    names = list(files_named(without_sweep(spec)))
    for axis in grid.axes:
        for path, column in zip(axis.paths, zip(*axis.values, strict=True), strict=True):
            key = path.rsplit(".")[-1]
            names += [name for text in column for name in files_named({key: read_value(text)})]
    return names


def _described(spec: Spec, grid: Grid, engine: EngineName, names: list[str]) -> Manifest:
    return Manifest(
        spec=json_text(without_sweep(spec)),
        axes=manifests.axes_of(grid),
        seeds=list(grid.seeds),
        engine=engine,
        versions=versions(),
        data=digests(spec.folder, names),
        folder=str(spec.folder.resolve()),
    )


def _begin(folder: Path, described: Manifest, grid: Grid, retry: bool) -> dict[int, Point]:
    """Write the manifest, or check it against the one that is there; the points done."""
    path = folder / manifests.NAME
    remove_parts(folder)
    if path.exists():
        manifests.check_same(manifests.read_manifest(folder), described, folder)
    else:
        manifests.check_unused(folder, (POINTS, TABLE, RESULTS))
    write_durably(path, described.text().encode())
    remove_parts(make_folder(folder / POINTS))
    done = (i for i in range(grid.size) if point_file(folder, i).exists())
    points = {index: read_point(folder, described, grid, index) for index in done}
    return {i: point for i, point in points.items() if not (retry and point.error)}


def _tasks(
    described: Manifest, missing: Iterable[int], engine: EngineName, sent: bool
) -> Iterator[Task]:
    grid = described.grid
    bundle = _bundle(described) if sent and described.data else None
    folder = "" if bundle else described.folder
    for index in missing:
        values = {path: str(value) for path, value in grid.values_at(index).items()}
        yield Task(index, described.digest, described.spec, values, folder, bundle, engine)


def _bundle(described: Manifest) -> str:
    return hashlib.sha256(repr(sorted(described.data.items())).encode()).hexdigest()[:32]


@contextlib.contextmanager
def _runner(
    tasks: Iterator[Task],
    described: Manifest,
    names: list[str],
    workers: int | None,
    scheduler: str | None,
) -> Iterator[Results]:
    """Whoever runs the points, stopped at the end of the block."""
    running: Results
    if scheduler is not None:
        from boundcalc.sweeps.cluster import run_on_cluster

        files = contents(Path(described.folder), names)
        bundle = _bundle(described) if files else None
        running = run_on_cluster(tasks, scheduler, files, bundle)
    elif workers == 0:
        running = run_here(tasks)
    else:
        from boundcalc.sweeps.local import processors, run_locally

        running = run_locally(tasks, workers or processors())
    with contextlib.closing(running):
        yield running


def _collect(
    folder: Path,
    described: Manifest,
    results: Results,
    points: dict[int, Point],
    progress: Progress | None,
) -> None:
    """Write every result as it comes, before it counts as done."""
    grid, report = described.grid, progress or (lambda done, total: None)
    report(len(points), grid.size)
    for index, text in results:
        write_durably(point_file(folder, index), text.encode())
        points[index] = read_point(folder, described, grid, index)
        report(len(points), grid.size)
