"""A theory's simulated run as JSON, as blocks and as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.arithmetic import Status
from boundcalc.files import write_text
from boundcalc.operators.base import Array
from boundcalc.report.cells import Block, Column, Content, Table
from boundcalc.report.numbers import interval, sampled, text_of
from boundcalc.showing import Gridded, Plotted, Shown, Tabular
from boundcalc.simulate.statistics import Metric
from boundcalc.theories.plain import jsonable
from boundcalc.theories.values import Answer


@dataclass(frozen=True)
class TheoryRun(Shown, Tabular, Gridded, Plotted):
    """A run and what was measured.

    Attributes
    ----------
    metrics
        Key → sampled number.
    meanings
        Key → what it is, in words; keys without one are shown by name.
    seed, replicas, steps, seconds, confidence
        Of the run; ``confidence`` is that of each interval.
    engine
        What ran it.
    at
        The recorded steps, ``(n,)``.
    series
        Name → ``(n, R)``, what was recorded at these steps for every replica.
    more
        Whatever else the theory measured, for its verdicts and figures.
    """

    metrics: Mapping[str, Metric]
    seed: int
    replicas: int
    steps: int
    seconds: float
    confidence: float
    meanings: Mapping[str, Content] = field(default_factory=dict)
    engine: str = "numpy"
    at: Array = field(default_factory=lambda: np.zeros(0))
    series: Mapping[str, Array] = field(default_factory=dict)
    more: Any = None


def run_answer(
    run: TheoryRun, *, data: Mapping[str, Any] | None = None, blocks: tuple[Block, ...] = ()
) -> Answer:
    """The answer to ``simulate``.

    Parameters
    ----------
    data, blocks
        What the theory adds to the common keys and to the table of metrics.
    """
    return Answer(
        value=run,
        data={
            "metrics": dict(run.metrics),
            "seed": run.seed,
            "replicas": run.replicas,
            "steps": run.steps,
            "seconds": run.seconds,
            "confidence": run.confidence,
            "engine": run.engine,
            "status": Status.SAMPLED,
            **(data or {}),
        },
        blocks=(metric_table(run), *blocks),
    )


def metric_table(run: TheoryRun) -> Table:
    """Every metric with its interval."""
    rows: list[tuple[Content, ...]] = [
        (run.meanings.get(key, key.replace("_", " ")), sampled(m.mean), interval(m.lo, m.hi))
        for key, m in run.metrics.items()
    ]
    return Table(
        caption=f"Measured in {run.steps} steps of {run.replicas} replicas, seed {run.seed}.",
        columns=(
            Column("quantity", 7.0),
            Column("mean"),
            Column(f"{text_of(100 * run.confidence)}% interval", 4.2),
        ),
        rows=tuple(rows),
    )


def write_theory_run(answer: Answer, folder: Path) -> None:
    """``run.json`` and ``series.csv`` into a folder: by step mean, least and largest replica."""
    run: TheoryRun = answer.value
    text = json.dumps(jsonable(answer.data), indent=2, ensure_ascii=False, allow_nan=False)
    if run.series:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        ends = ("mean", "min", "max")
        writer.writerow(["step", *(f"{name}_{end}" for name in run.series for end in ends)])
        columns = [
            reduced(values)
            for values in run.series.values()
            for reduced in (_mean, _least, _largest)
        ]
        for position, step in enumerate(run.at):
            numbers = (repr(float(column[position])) for column in columns)
            writer.writerow([f"{step:.17g}", *numbers])
        write_text(folder / "series.csv", out.getvalue())
    write_text(folder / "run.json", text + "\n")


def _mean(values: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(values.mean(axis=1))


def _least(values: Array) -> Array:
    return np.asarray(values.min(axis=1))


def _largest(values: Array) -> Array:
    return np.asarray(values.max(axis=1))
