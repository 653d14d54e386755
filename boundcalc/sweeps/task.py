"""One point, wherever it runs: from small plain values to the text of its file."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from boundcalc.errors import BoundcalcError
from boundcalc.simulate.engines import EngineName
from boundcalc.spec.model import Spec

#: What the shape of points' files and of the manifest is called; raised when it changes.
FORMAT = 1

#: The number of every point and the text of its file, as they finish.
Results: TypeAlias = Generator[tuple[int, str], None, None]

# One process may run several tasks in threads (a Dask worker does), while number kinds keep
# their precision in the process: graphs are built one at a time.
_BUILDING = threading.Lock()


@dataclass(frozen=True)
class Task:
    """What is sent to whoever runs a point.

    Attributes
    ----------
    index
        The point's number.
    sweep
        Which sweep it belongs to: a digest.
    spec
        The spec before any change, as JSON.
    values
        Path → text of what this point changes in it.
    folder
        Where the files lie that the spec names.
    bundle
        The digest of those files where they were sent ahead, instead of the folder; or None.
    engine
        Of the simulation.
    """

    index: int
    sweep: str
    spec: str
    values: Mapping[str, str]
    folder: str
    bundle: str | None
    engine: EngineName


def run_point(task: Task) -> str:
    """Simulate a point; the text of its file, with the message if that raised an error."""
    from boundcalc.sweeps.record import record_text

    head: dict[str, Any] = {"format": FORMAT, "index": task.index, "sweep": task.sweep}
    head["versions"] = versions()
    try:
        found, details = _measured(task)
    except Exception as error:
        # Whatever one point runs into must not cost the others: it is kept with its message.
        return record_text({**head, "error": _message(error)}, None)
    return record_text({**head, "error": None, **found}, details)


def failed_text(task: Task, message: str) -> str:
    """The text of the file of a point that could not even end with an error."""
    from boundcalc.sweeps.record import record_text

    head = {"format": FORMAT, "index": task.index, "sweep": task.sweep, "versions": versions()}
    return record_text({**head, "error": message}, None)


def versions() -> dict[str, str]:
    """The packages on whose versions numbers depend."""
    import numpy as np
    import scipy

    from boundcalc import __version__

    return {"boundcalc": __version__, "numpy": np.__version__, "scipy": scipy.__version__}


@lru_cache(maxsize=2)
def _base(text: str) -> Spec:
    from boundcalc.spec.loading import loads

    return loads(text, format="json")


def _measured(task: Task) -> tuple[dict[str, Any], Any]:
    from boundcalc.graph import build
    from boundcalc.simulate import simulate
    from boundcalc.simulate.metrics import metric_columns
    from boundcalc.sweeps.bundle import folder_of
    from boundcalc.sweeps.overrides import override
    from boundcalc.sweeps.record import number, thinned

    with _BUILDING:
        folder = folder_of(task.bundle) if task.bundle else Path(task.folder)
        graph = build(override(_base(task.spec), task.values), folder=folder)
    run = simulate(graph, engine=task.engine, threads=1)
    diverged = run.trajectory.diverged
    columns = metric_columns(run.trajectory, run.ewma, run.optimum)
    found = {
        "steps": run.steps,
        "replicas": run.replicas,
        "confidence": run.confidence,
        "diverged": int((diverged >= 0).sum()),
        "diverged_step": run.trajectory.diverged_at,
        "engine": run.engine,
        "precision": run.precision,
        "metrics": {
            name: {
                key: number(value) if isinstance(value, float) else value
                for key, value in asdict(metric).items()
            }
            for name, metric in run.metrics.items()
        },
    }
    return found, thinned(run.trajectory, run.ewma, columns)


def _message(error: Exception) -> str:
    if isinstance(error, BoundcalcError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this point"
    return f"{type(error).__name__}: {error}"
