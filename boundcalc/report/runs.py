"""A simulated run as files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np

from boundcalc.files import make_folder, write_text
from boundcalc.report.results import simulate_results
from boundcalc.simulate import Run

_ROWS = 2_000  # of the trajectory table


def write_run(run: Run, folder: Path) -> None:
    """Write simulate.json and trajectory.csv, the latter thinned to 2 000 steps.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    make_folder(folder)
    write_text(folder / "trajectory.csv", trajectory_table(run))
    text = json.dumps(simulate_results(run), indent=2, ensure_ascii=False)
    write_text(folder / "simulate.json", text + "\n")


def trajectory_table(run: Run) -> str:
    """Loss and gradient norm by step: mean, smallest and largest over replicas."""
    steps = np.unique(np.linspace(0, run.steps, _ROWS).round().astype(int))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ("loss", "gradient_norm")
    writer.writerow(
        ["step", *(f"{name}_{kind}" for name in names for kind in ("mean", "min", "max"))]
    )
    columns = (run.trajectory.loss, run.trajectory.gradient_norm)
    for step in steps:
        row = [v for column in columns for v in _spread(column[step])]
        writer.writerow([int(step), *(f"{value:.9g}" for value in row)])
    return out.getvalue()


def _spread(values: np.ndarray) -> tuple[float, float, float]:
    return float(values.mean()), float(values.min()), float(values.max())
