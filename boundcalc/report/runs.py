"""A simulated run as files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np

from boundcalc.files import make_folder, write_text
from boundcalc.operators.base import Array
from boundcalc.report.simulation_results import simulate_results
from boundcalc.simulate import Run
from boundcalc.simulate.results import results_of
from boundcalc.simulate.results_writer import write_results

#: The file from which the run can be made again.
RESULTS = "results.nc"

_ROWS = 2_000  # of the trajectory table


def write_run(run: Run, folder: Path) -> None:
    """Write simulate.json, trajectory.csv (thinned to 2 000 records) and results.nc.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    DataError
        If a file that the spec names has gone since the run.
    """
    record = results_of(run)  # first, as it reads the files of the spec
    make_folder(folder)
    write_text(folder / "trajectory.csv", trajectory_table(run))
    text = json.dumps(simulate_results(run), indent=2, ensure_ascii=False)
    write_text(folder / "simulate.json", text + "\n")
    write_results(record, folder / RESULTS)


def trajectory_table(run: Run) -> str:
    """Loss and gradient norm by recorded step: mean, smallest and largest over replicas."""
    steps = run.trajectory.steps
    rows = np.unique(np.linspace(0, len(steps) - 1, _ROWS).round().astype(int))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ("loss", "gradient_norm")
    writer.writerow(
        ["step", *(f"{name}_{kind}" for name in names for kind in ("mean", "min", "max"))]
    )
    columns = (run.trajectory.loss, run.trajectory.gradient_norm)
    for row in rows:
        values = [v for column in columns for v in _spread(column[row])]
        writer.writerow([int(steps[row]), *(f"{value:.9g}" for value in values)])
    return out.getvalue()


def _spread(values: Array) -> tuple[float, float, float]:
    # A sum of large losses may leave what floats hold: then the mean is inf, as it is written.
    with np.errstate(over="ignore", invalid="ignore"):
        return float(values.mean()), float(values.min()), float(values.max())
