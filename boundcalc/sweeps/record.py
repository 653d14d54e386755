"""A point as its file has it: two lines of JSON, what a table needs and then the details."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.errors import OutputError
from boundcalc.operators.base import Array
from boundcalc.simulate.records import Ints, Trajectory

MAX_ROWS = 2_000  # of a trajectory
MAX_REPLICAS = 1_000  # whose metrics are kept one by one
MAX_BYTES = 16_000_000  # of a point's file


@dataclass(frozen=True)
class Details:
    """A point's run, small enough to be kept.

    Attributes
    ----------
    steps
        Recorded steps, ``(n,)`` with n at most 2000: 0, then others at about equal distances.
    mean
        At each of them, the mean over replicas of the gradient norm.
    least, largest
        Its extremes over replicas and over the recorded steps from this one to the next one
        kept, so that no spike is lost between rows.
    smoothed
        The mean over replicas of the smoothed gradient norm (`simulation.ewma`).
    loss
        The mean over replicas of the loss.
    replicas
        Metric → its value for each replica; empty above 1000 replicas.

    Notes
    -----
    What is not finite counts as infinite, so that a diverged replica shows in the mean and in
    ``largest`` from there on.
    """

    steps: Ints
    mean: Array
    least: Array
    largest: Array
    smoothed: Array
    loss: Array
    replicas: Mapping[str, Array]


# Norms of a replica on its way to infinity may add up to more than a float holds.
@np.errstate(over="ignore")
def thinned(
    trajectory: Trajectory, ewma: Array, replicas: Mapping[str, Array], rows: int = MAX_ROWS
) -> Details:
    """The details of a run: O(records × replicas).

    Parameters
    ----------
    ewma
        ``(records − 1, R)``: at the recorded steps before the last.
    replicas
        Metric → ``(R,)``.
    rows
        At most so many are kept, the first and the last among them.
    """
    records = len(trajectory.steps)
    kept = np.unique(np.linspace(0, records - 1, min(rows, records)).astype(np.int64))
    norm = _or_infinite(trajectory.gradient_norm)
    smooth = _or_infinite(ewma)[np.minimum(kept, len(ewma) - 1)]
    return Details(
        steps=trajectory.steps[kept],
        mean=norm[kept].mean(axis=1),
        least=np.minimum.reduceat(norm.min(axis=1), kept),
        largest=np.maximum.reduceat(norm.max(axis=1), kept),
        smoothed=smooth.mean(axis=1),
        loss=_or_infinite(trajectory.loss[kept]).mean(axis=1),
        replicas=replicas if trajectory.loss.shape[1] <= MAX_REPLICAS else {},
    )


def _or_infinite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.inf)


_COLUMNS = ("mean", "least", "largest", "smoothed", "loss")


def record_text(head: Mapping[str, Any], details: Details | None) -> str:
    """The text of a point's file."""
    lines = [dict(head)]
    if details is not None:
        columns = {name: _numbers(getattr(details, name)) for name in _COLUMNS}
        each = {name: _numbers(values) for name, values in details.replicas.items()}
        lines.append({"steps": details.steps.tolist(), **columns, "replicas": each})
    return "".join(
        json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n" for line in lines
    )


def number(value: float) -> float | str:
    """A float as JSON holds it with all digits: what is not finite becomes a word.

    >>> number(0.1), number(float("-inf")), float(number(float("nan")))
    (0.1, '-inf', nan)
    """
    value = float(value)
    return value if math.isfinite(value) else str(value)


def _numbers(values: Array) -> list[float | str]:
    return [number(value) for value in values.tolist()]


def read_head(path: Path) -> dict[str, Any]:
    """The first line of a point's file.

    Raises
    ------
    OutputError
        If the file is not one.
    """
    with _reading(path) as file:
        try:
            head = json.loads(file.readline(MAX_BYTES))
        except ValueError:
            raise damaged(path) from None
    if not isinstance(head, dict):
        raise damaged(path)
    return head


def details_of(path: Path | None, index: int, error: str | None) -> Details:
    """The second line of a point's file."""
    if path is None or error is not None:
        raise OutputError(f"point {index} failed and has no trajectory", value=error)
    try:
        with _reading(path) as file:
            file.readline(MAX_BYTES)
            found = json.loads(file.readline(MAX_BYTES))
        columns = {name: np.array(found[name], dtype=np.float64) for name in _COLUMNS}
        return Details(
            steps=np.array(found["steps"], dtype=np.int64),
            replicas={
                name: np.array(values, dtype=np.float64)
                for name, values in found["replicas"].items()
            },
            **columns,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise damaged(path) from None


def _reading(path: Path) -> Any:
    try:
        return path.open(encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"a point's file cannot be read: {error.strerror}",
            where=str(path),
            fix="check that nobody removed it",
        ) from None


def damaged(path: Path) -> OutputError:
    """The error of a point's file that something else has changed."""
    return OutputError(
        "the file of a point is damaged",
        where=str(path),
        expected="two lines of JSON that boundcalc wrote",
        fix="delete the file and start the same sweep again, which runs this point anew",
    )
