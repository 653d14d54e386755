"""Labelled arrays of results: every axis has a name, and attributes say where numbers are from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import boundcalc
from boundcalc.arithmetic import Number, Status
from boundcalc.operators.base import Array

if TYPE_CHECKING:
    from boundcalc.simulate import Run
    from boundcalc.sweeps.results import SweepResult
    from boundcalc.theories.perturbed.coefficients import Coefficients


def coefficients(found: Coefficients, xarray: Any) -> Any:
    """Columns by site, the Gram matrix, and the bounds at the spec's levels."""
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for column, numbers in found.columns.items():
        direction = "backward" if "backward" in column else "forward"
        coordinates[f"{direction}_site"] = [site.label for site in found.sites(column)]
        variables[column] = _variable((f"{direction}_site",), numbers)
    matrix = found.gram() if found.family.name == "sharp" and not found.missing else None
    if matrix is not None:
        labels = list(found.gram_labels)
        coordinates |= {"site": labels, "site_to": labels}
        shape = (len(labels), len(labels))
        flat = [entry for row in matrix for entry in row]
        variables["gram"] = _variable(("site", "site_to"), flat, shape)
    for name, bound in (("error_bound", found.error_bound()), ("bias_bound", found.bias_bound())):
        if bound is not None:
            variables[name] = _variable((), [bound], ())
    about = {"name": found.graph.name, "family": found.family.name, **_version()}
    return xarray.Dataset(variables, coordinates, about)


def _variable(
    dims: tuple[str, ...], numbers: Sequence[Number | None], shape: tuple[int, ...] | None = None
) -> tuple[tuple[str, ...], Array, dict[str, Any]]:
    """Numbers as float64 with their status; what float64 cannot hold is NaN, and counted."""
    written = [None if number is None else number.json() for number in numbers]
    values = np.array(
        [float(x) if isinstance(x, float | int) else np.nan for x in written], dtype=np.float64
    )
    statuses = sorted({str(number.status) for number in numbers if number is not None})
    beyond = sum(isinstance(x, str) for x in written)
    about = {"status": ", ".join(statuses), "beyond_float64": beyond}
    return dims, values.reshape(values.shape if shape is None else shape), about


def run(found: Run, xarray: Any) -> Any:
    """Loss and gradient norm by step and replica, and the metrics."""
    trajectory = found.trajectory
    series = {"loss": trajectory.loss, "gradient_norm": trajectory.gradient_norm}
    about: dict[str, Any] = {
        "name": found.graph.name,
        "engine": found.engine,
        "precision": found.precision,
    }
    return _of_run(found, xarray, trajectory.steps, series, about)


def theory_run(found: Any, xarray: Any) -> Any:
    """What was recorded by step and replica, and the metrics."""
    return _of_run(found, xarray, found.at, found.series, {"engine": found.engine})


def _of_run(
    found: Any, xarray: Any, steps: Any, series: Mapping[str, Array], about: dict[str, Any]
) -> Any:
    status = {"status": str(Status.SAMPLED)}
    variables: dict[str, Any] = {
        name: (("step", "replica"), np.asarray(values), status) for name, values in series.items()
    }
    metrics = found.metrics
    for part in ("mean", "lo", "hi"):
        values = np.array([getattr(metric, part) for metric in metrics.values()])
        variables[f"metric_{part}"] = (("metric",), values, status)
    coordinates: dict[str, Any] = {"metric": list(metrics)}
    if series:
        coordinates |= {"step": np.asarray(steps), "replica": np.arange(found.replicas)}
    about |= {"seed": found.seed, "replicas": found.replicas, "steps": found.steps}
    about |= {"confidence": found.confidence, **status, **_version()}
    return xarray.Dataset(variables, coordinates, about)


def sweep(found: SweepResult, xarray: Any) -> Any:
    """Metrics on the grid: one dimension for each axis, then the seeds."""
    from boundcalc.sweeps.table import metric_names, on_grid

    names = [" / ".join(axis.paths) for axis in found.grid.axes] + ["seed"]
    coordinates: dict[str, Any] = {
        name: [" / ".join(values) for values in axis.values]
        for name, axis in zip(names, found.grid.axes, strict=False)
    }
    coordinates["seed"] = list(found.grid.seeds) or [0]
    status = {"status": str(Status.SAMPLED)}
    variables: dict[str, Any] = {}
    for name in metric_names(found.points):
        variables[name] = (names, on_grid(found.grid, found.points, name), status)
        for part in ("lo", "hi"):
            variables[f"{name}_{part}"] = (names, _part(found, name, part), status)
    confidence = sorted({p.confidence for p in found.points if p.error is None})
    about = {"name": found.spec.name, "complete": int(found.complete), **status, **_version()}
    if confidence:
        about["confidence"] = confidence[0]
    return xarray.Dataset(variables, coordinates, about)


def _part(found: SweepResult, name: str, part: str) -> Array:
    values = np.full(found.grid.size, np.nan)
    for point in found.points:
        if name in point.metrics:
            values[point.index] = getattr(point.metrics[name], part)
    return values.reshape(found.grid.shape)


def _version() -> dict[str, str]:
    return {"boundcalc": boundcalc.__version__}
