"""The results of a sweep on its grid, as one NetCDF-3 file that xarray opens."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from boundcalc.arithmetic import FLOATS, Status
from boundcalc.operators.base import Array
from boundcalc.sweeps.grid import SEED, Grid
from boundcalc.sweeps.record import MAX_ROWS
from boundcalc.sweeps.table import metric_names
from boundcalc.sweeps.values import read_value

if TYPE_CHECKING:
    from boundcalc.sweeps.results import Point, SweepResult

MAX_NUMBERS = 8_000_000  # of all trajectories in the file: 64 MB
_CURVES = {
    "mean": "mean over replicas of the gradient norm at the step",
    "least": "least gradient norm over replicas, from the step to the next one kept",
    "largest": "largest gradient norm over replicas, from the step to the next one kept",
    "smoothed": "mean over replicas of the smoothed gradient norm at the step",
}


def netcdf_bytes(result: SweepResult) -> bytes:
    """The file's bytes; they depend on the results alone.

    One dimension for each axis, with the values as coordinate, and ``seed``.  Each metric has
    its mean and the ends of its interval, ``<metric>_lo`` and ``<metric>_hi``.  What a point
    does not have is NaN, and −1 where a whole number is missing.

    Notes
    -----
    Trajectories take at most 64 MB: with many points they have fewer rows here than in the
    points' files, and ``details()`` has them all.
    """
    from scipy.io import netcdf_file

    out = io.BytesIO()
    file = netcdf_file(out, "w", version=2)
    file.title = result.spec.name.encode()
    file.boundcalc = result.versions.get("boundcalc", "").encode()
    file.format = b"boundcalc sweep 1"
    dimensions = _coordinates(file, result.grid)
    _metrics(file, result, dimensions)
    _outcomes(file, result, dimensions)
    _trajectories(file, result, dimensions)
    file.flush()
    content = out.getvalue()
    file.close()
    return content


def _coordinates(file: Any, grid: Grid) -> tuple[str, ...]:
    """Dimensions and their coordinates; a zipped axis has one for each of its paths."""
    taken = {"seed", "row"}
    names = []
    for axis in grid.axes:
        labels = [_label(path, taken) for path in axis.paths]
        name = labels[0] if len(labels) == 1 else _label("zipped_" + "_".join(labels), taken)
        file.createDimension(name, len(axis))
        names.append(name)
        columns = zip(*axis.values, strict=True)
        for path, label, column in zip(axis.paths, labels, columns, strict=True):
            _coordinate(file, name, label, column, path)
    file.createDimension("seed", grid.shape[-1])
    if grid.seeds:
        _coordinate(file, "seed", "seed", tuple(map(str, grid.seeds)), SEED)
    return (*names, "seed")


def _label(path: str, taken: set[str]) -> str:
    """A path as a name that every reader of NetCDF takes; no two are the same."""
    label = base = re.sub(r"\W+", "_", path, flags=re.ASCII).strip("_")[:100] or "axis"
    count = 2
    while label in taken:
        label, count = f"{base}_{count}", count + 1
    taken.add(label)
    return label


def _coordinate(file: Any, dimension: str, label: str, texts: tuple[str, ...], path: str) -> None:
    """The values of a path: as numbers where they are numbers, and always as text."""
    numbers = [_number(text) for text in texts]
    name = label
    if None not in numbers:
        variable = file.createVariable(label, "d", (dimension,))
        variable[:] = np.array(numbers, dtype=np.float64)
        variable.long_name = path.encode()
        name = f"{label}_text"
    characters = [text.encode() for text in texts]
    width = max(1, *map(len, characters))
    file.createDimension(f"{name}_length", width)
    variable = file.createVariable(name, "c", (dimension, f"{name}_length"))
    variable[:] = np.array([list(c.ljust(width, b"\0")) for c in characters], np.uint8).view("S1")
    variable.long_name = path.encode()
    variable._Encoding = b"utf-8"


def _number(text: str) -> float | None:
    from boundcalc.errors import BoundcalcError
    from boundcalc.spec.grammar import parse

    value = read_value(text)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        expression = parse(value)
        return None if expression.symbols else float(expression.evaluate(FLOATS))
    except BoundcalcError:
        return None


def _metrics(file: Any, result: SweepResult, dimensions: tuple[str, ...]) -> None:
    points, shape = result.points, result.grid.shape
    confidences = {point.confidence for point in points if point.error is None}
    for name in metric_names(points):
        having = [point for point in points if name in point.metrics]
        methods = sorted({point.metrics[name].method for point in having})
        for part, suffix in (("mean", ""), ("lo", "_lo"), ("hi", "_hi")):
            values = _filled(shape, np.nan)
            for point in having:
                values.flat[point.index] = getattr(point.metrics[name], part)
            variable = file.createVariable(name + suffix, "d", dimensions)
            variable[...] = values
            variable.status = str(Status.SAMPLED.value).encode()
            if suffix:
                variable.interval = ", ".join(methods).encode()
                if len(confidences) == 1:
                    variable.confidence = min(confidences)


def _outcomes(file: Any, result: SweepResult, dimensions: tuple[str, ...]) -> None:
    shape = result.grid.shape
    columns = {
        "failed": [(p.index, int(p.error is not None)) for p in result.points],
        "diverged_replicas": [(p.index, p.diverged) for p in result.points if not p.error],
        "diverged_step": [
            (p.index, p.diverged_step) for p in result.points if p.diverged_step is not None
        ],
    }
    meanings = {
        "failed": "1 where the point raised an error, −1 where it has not run",
        "diverged_replicas": "how many replicas left the finite numbers",
        "diverged_step": "first recorded step at which one did, −1 where none did",
    }
    for name, found in columns.items():
        values = np.full(shape, -1, dtype=np.int32)
        for index, value in found:
            values.flat[index] = value
        variable = file.createVariable(name, "i", dimensions)
        variable[...] = values
        variable.long_name = meanings[name].encode()


def _trajectories(file: Any, result: SweepResult, dimensions: tuple[str, ...]) -> None:
    done = [point for point in result.points if point.error is None]
    if not done:
        return
    rows = max(2, min(MAX_ROWS, MAX_NUMBERS // (result.grid.size * (len(_CURVES) + 1))))
    arrays = {name: _filled((*result.grid.shape, rows), np.nan) for name in ("step", *_CURVES)}
    longest = 0
    for point, columns in _thinned(done, rows):
        longest = max(longest, len(columns["step"]))
        for name, column in columns.items():
            arrays[name].reshape(-1, rows)[point.index, : len(column)] = column
    file.createDimension("row", longest)
    for name, values in arrays.items():
        label = "step" if name == "step" else f"gradient_norm_{name}"
        variable = file.createVariable(label, "d", (*dimensions, "row"))
        variable[...] = values[..., :longest]
        variable.long_name = _CURVES.get(name, "recorded step of the row").encode()
        if name != "step":
            variable.status = str(Status.SAMPLED.value).encode()


def _thinned(points: Sequence[Point], rows: int) -> Iterator[tuple[Point, dict[str, Array]]]:
    """Every point's curves with at most so many rows, extremes kept."""
    for point in points:
        details = point.details()
        count = len(details.steps)
        kept = np.unique(np.linspace(0, count - 1, min(rows, count)).astype(np.int64))
        yield (
            point,
            {
                "step": details.steps[kept].astype(np.float64),
                "mean": details.mean[kept],
                "least": np.minimum.reduceat(details.least, kept),
                "largest": np.maximum.reduceat(details.largest, kept),
                "smoothed": details.smoothed[kept],
            },
        )


def _filled(shape: tuple[int, ...], value: float) -> Array:
    return np.full(shape, value, dtype=np.float64)
