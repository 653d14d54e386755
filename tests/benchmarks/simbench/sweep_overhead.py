"""Seconds that a point of a sweep costs beside its simulation: in processes and on Dask."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simbench.pool import ROOT

#: A simulation of almost no work, so that what is left is the sweep's own.
SPEC = """\
version: 1
name: almost nothing
graph: {operators: [{id: margin, type: margin}, {id: loss, type: softplus}]}
perturbations: [{at: margin, pass: forward, model: uniform, half_width: 1/10}]
training: {step_size: 1/2, horizon: 2}
simulation:
  data: {generator: logistic, samples: 4, dimension: 2, seed: 1}
  replicas: 2
  check: {iterates: [0], samples: 1, draws: 2}
"""


def sweep_overhead(counts: tuple[int, int], rounds: int) -> dict[str, Any]:
    """By way of running points: seconds to start, and seconds a point more, best of rounds.

    The two come from sweeps of two lengths: t = start + points · each.
    """
    found = {"simulation": {"each": alone(rounds * counts[0])}}
    with cluster() as address:
        ways: dict[str, dict[str, Any]] = {
            "this process": {"workers": 0},
            "two local processes": {"workers": 2},
            "Dask, two workers": {"scheduler": address},
        }
        for way, options in ways.items():
            best = [min(swept(count, options) for _ in range(rounds)) for count in counts]
            each = (best[1] - best[0]) / (counts[1] - counts[0])
            found[way] = {"start": best[0] - counts[0] * each, "each": each}
    return {"counts": list(counts), "ways": found}


def alone(times: int) -> float:
    """Seconds of one point without a sweep, the best."""
    import boundcalc as bc

    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        bc.simulate(bc.build(bc.loads(SPEC)), threads=1)
        best = min(best, time.perf_counter() - began)
    return best


def swept(count: int, options: dict[str, Any]) -> float:
    """Seconds of a whole sweep over seeds."""
    import boundcalc as bc
    from boundcalc.sweeps import sweep

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = sweep(bc.loads(SPEC), seeds=count, out=Path(folder) / "sweep", **options)
        seconds = time.perf_counter() - began
    assert len(result.points) == count
    return seconds


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """A Dask scheduler and two workers with one thread each, as processes of this machine."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        file = Path(folder) / "scheduler.json"

        def start(*arguments: str) -> None:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(file)],
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)

        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        for _ in range(2):
            start("worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny",
                  "--no-dashboard", "--local-directory", folder)  # fmt: skip
        from distributed import Client

        while not file.exists():
            time.sleep(0.05)
        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2)
            address = str(client.scheduler.address)
        yield address
