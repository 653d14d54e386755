"""Workers of all tools, of which one at a time runs."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from simbench.tools import TOOLS

FOLDER = Path(__file__).resolve().parents[1]
ROOT = FOLDER.parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "boundcalc-benchmarks"


class ToolError(Exception):
    """A tool failed; its message."""


class Worker:
    """A process that runs one tool, stopped (SIGSTOP) whenever it is not asked for anything.

    Threads that wait for work in a loop, as those of BLAS and OpenMP libraries do for a
    while, would otherwise run beside the next tool.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.name, self.threads = name, threads
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "simbench.worker", name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=FOLDER,
            env=environment(name, threads),
            preexec_fn=lambda: _begin(processors()[:threads]),
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """The answer to one request.

        Raises
        ------
        ToolError
            If the tool raised an exception or its process died.
        """
        self.process.send_signal(signal.SIGCONT)
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ToolError(f"{self.name}: the process ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ToolError(f"{self.name}: {answer['error']}")
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _begin(allowed: list[int]) -> None:
    """In the new process: its processors, and that it ends with this one even when stopped."""
    os.sched_setaffinity(0, allowed)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_LIBC, _PR_SET_PDEATHSIG = ctypes.CDLL(None), 1


def processors() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def environment(name: str, threads: int) -> dict[str, str]:
    """Every library is told its number of threads."""
    CACHE.mkdir(parents=True, exist_ok=True)
    blas = str(threads if TOOLS[name].blas else 1)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(FOLDER), str(ROOT)]),
        "OPENBLAS_NUM_THREADS": blas,
        "MKL_NUM_THREADS": blas,
        "OMP_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
        "NUMBA_CACHE_DIR": str(CACHE / "numba"),
        "TORCHINDUCTOR_CACHE_DIR": str(CACHE / "inductor"),
        "JAX_PLATFORMS": "cpu",
    }
