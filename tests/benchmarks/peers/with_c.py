"""C by hand through ctypes: a floor for the arithmetic of the logistic step, not a tool."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from peers.problem import Array, Problem, Run

SOURCE = Path(__file__).with_name("logistic.c")
# Not -ffast-math: it would cancel the number that exp adds and subtracts in order to round.
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast")


def library(source: Path) -> ctypes.CDLL:
    """Compiled into the folder of temporary files, once for every text of the source."""
    name = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    found = Path(tempfile.gettempdir()) / f"bench-{source.stem}-{name}.so"
    if not found.exists():
        made = found.with_suffix(f".{os.getpid()}")
        command = ["gcc", *FLAGS, "-shared", "-fPIC", "-Wno-psabi", source, "-o", made, "-lm"]
        subprocess.run(command, check=True)  # noqa: S603
        made.replace(found)
    return ctypes.CDLL(str(found))


def prepare(problem: Problem, threads: int) -> Run:
    assert problem.logistic
    n, (R, d) = problem.numbers, problem.start.shape
    steps_of = library(SOURCE).logistic_steps
    margins = np.ascontiguousarray(problem.margins().T)
    shares = [(R * k // threads, R * (k + 1) // threads) for k in range(threads)]
    real = [
        ctypes.c_double(value)
        for value in (n.step_size, n.forward, n.backward, n.noise_std, n.strength)
    ]

    def run(steps: int, seed: int) -> Array:
        w = problem.start.copy()
        at, to = (ctypes.c_void_p(array.ctypes.data) for array in (margins, w))

        def share(ends: tuple[int, int]) -> None:
            steps_of(at, to, len(problem.labels), d, *ends, steps, ctypes.c_uint64(seed), *real)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(share, shares))
        return w

    return run
