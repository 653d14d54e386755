"""One tool in a process of its own: ``python -m simbench.worker TOOL THREADS``.

Requests and answers are lines of JSON on standard input and output.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from peers.problem import Run, load

from simbench.tools import TOOLS


def main() -> None:
    # Whatever a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    tool, threads = TOOLS[sys.argv[1]], int(sys.argv[2])
    runs: dict[str, Run] = {}
    for line in sys.stdin:
        try:
            answer = handle(json.loads(line), tool, threads, runs)
        except Exception:
            answer = {"error": traceback.format_exc(limit=-3)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def handle(request: dict[str, Any], tool: Any, threads: int, runs: dict[str, Run]) -> dict:
    """Prepare a problem, forget all, run some steps, or say how much memory was used."""
    path = request.get("problem", "")
    match request["do"]:
        case "prepare":
            problem = load(Path(path))
            before, began = peak(), time.perf_counter()
            runs[path] = tool.prepare(problem, threads)
            runs[path](2, 0)
            return {"seconds": time.perf_counter() - began, "before": before, "peak": peak()}
        case "forget":
            runs.clear()
            return {}
        case "run":
            began = time.perf_counter()
            final = runs[path](request["steps"], request["seed"])
            seconds = time.perf_counter() - began
            if "out" in request:
                np.save(request["out"], final)
            finite = bool(np.isfinite(final).all())
            return {"seconds": seconds, "finite": finite, "peak": peak()}
        case other:
            raise ValueError(other)


def peak() -> int:
    """Largest resident memory of this process so far, in bytes.

    Where Linux tells it, from its own record: getrusage starts from what the parent held when
    this process was started.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
