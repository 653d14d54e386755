"""Points in processes of this machine, each with one thread."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection

from boundcalc.errors import SimulationError
from boundcalc.sweeps.task import Results, Task, failed_text, run_point

_AHEAD = 2  # tasks that wait for each process: so many are in memory, however long the sweep

#: What libraries of linear algebra read when they are loaded, and OpenMP.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_locally(tasks: Iterable[Task], workers: int) -> Results:
    """The number of every point and the text of its file, as they finish.

    Raises
    ------
    SimulationError
        If the processes do not start.

    Notes
    -----
    A process that dies (of too little memory, say) takes all others down with it.  The points
    that were running then run one at a time, so that the one that kills its process is known:
    it is recorded as failed, and the others go on.
    """
    if sys.platform == "win32":
        workers = min(workers, 61)  # more than that it cannot wait for
    waiting, suspects = iter(tasks), deque[Task]()
    while True:
        running: dict[Future[str], Task] = {}
        try:
            with _pool(workers) as pool:
                yield from _alone(pool, suspects, running)
                yield from _together(pool, waiting, suspects, running, workers * _AHEAD)
                return
        except BrokenProcessPool:
            if len(running) == 1:
                (task,) = running.values()
                yield task.index, failed_text(task, _DIED)
            else:
                suspects.extend(running.values())


_DIED = "the process of this point died; it may have needed more memory than there is"


def _alone(
    pool: ProcessPoolExecutor, suspects: deque[Task], running: dict[Future[str], Task]
) -> Results:
    while suspects:
        task = suspects[0]
        future = pool.submit(run_point, task)
        running[future] = suspects.popleft()
        text = future.result()
        del running[future]
        yield task.index, text


def _together(
    pool: ProcessPoolExecutor,
    waiting: Iterator[Task],
    suspects: deque[Task],
    running: dict[Future[str], Task],
    most: int,
) -> Results:
    while True:
        for task in waiting:
            try:
                running[pool.submit(run_point, task)] = task
            except BrokenProcessPool:
                suspects.append(task)
                raise
            if len(running) >= most:
                break
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        # A broken pool ends all of its futures at once: those with a result come first.
        for future in sorted(done, key=lambda future: future.exception() is not None):
            text = future.result()
            yield running.pop(future).index, text


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block or with this process, at once and whatever they do."""
    # Started afresh, not forked: a fork would copy threads' locks, and inherit the folder's.
    context = multiprocessing.get_context("spawn")
    ends, stop = context.Pipe(duplex=False)
    with _one_thread():
        pool = ProcessPoolExecutor(workers, context, _start, (ends,))
        try:
            _first_sign(pool)
            yield pool
        except BaseException:
            # The processes see the other end of the pipe close, as they do if this process
            # is killed: none is left behind computing what nobody will read.
            stop.close()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            stop.close()
            ends.close()


def _first_sign(pool: ProcessPoolExecutor) -> None:
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        raise SimulationError(
            "the worker processes do not start",
            expected="that Python can start itself anew and import the main script",
            fix="in a script call sweep under `if __name__ == '__main__':`, or use workers=0",
        ) from None


def _start(ends: Connection) -> None:
    """First thing in every process: an interrupt is the parent's to handle, and so is the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(ends,), daemon=True).start()


def _end_with(ends: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        ends.recv_bytes()
    os._exit(1)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Every process that is started in the block uses one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
