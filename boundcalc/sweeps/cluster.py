"""Points on the workers of a Dask cluster; their results come back to this process."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from queue import Empty, Queue
from typing import Any

from boundcalc.errors import SimulationError
from boundcalc.sweeps.bundle import receive
from boundcalc.sweeps.task import Results, Task, failed_text, run_point, versions

PATIENCE = 10.0  # seconds to wait for the scheduler
_FIRST_WORKER = 30.0  # seconds to wait for the first worker
_ABANDONED = 60.0  # seconds without any worker after which a sweep gives up
_AHEAD = 2  # tasks that wait for each thread of a worker
_RETRIES = 3  # times that a point runs again after its worker was lost


def run_on_cluster(
    tasks: Iterable[Task], address: str, files: Mapping[str, bytes], bundle: str | None
) -> Results:
    """The number of every point and the text of its file, as they finish.

    Parameters
    ----------
    address
        Of the scheduler, ``tcp://host:8786``.
    files, bundle
        The files that the spec names, sent to every worker that there is or will be; and
        their digest, None if there are none.

    Raises
    ------
    SimulationError
        If Dask is not installed, the scheduler does not answer, no worker is there, or a
        worker has other versions.

    Notes
    -----
    A task is a few kilobytes of text, kept by the scheduler, so that a point whose worker is
    lost runs on another one; it is given up after three losses, and recorded as failed.
    """
    distributed = _distributed()
    with _client(distributed, address) as client:
        _check_workers(client)
        if bundle is not None:
            client.register_plugin(_plugin(distributed, bundle, files))
        yield from _collected(distributed, client, iter(tasks))


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise SimulationError(
            "a scheduler is used through Dask, which is not installed",
            where="--scheduler",
            fix="pip install 'boundcalc[cluster]'",
        ) from None
    return distributed


@contextlib.contextmanager
def _client(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SimulationError(
            f"the scheduler does not answer: {str(error) or type(error).__name__}",
            where="--scheduler",
            value=address,
            expected="the address of a running `dask scheduler`, such as tcp://127.0.0.1:8786",
            fix="start it, or leave --scheduler out to run on this machine",
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=PATIENCE)


def _check_workers(client: Any) -> None:
    """At least one worker, and each with the packages that make this process's numbers."""
    try:
        client.wait_for_workers(1, timeout=_FIRST_WORKER)
        found = client.run(versions)
    except TimeoutError:
        raise SimulationError(
            "the scheduler has no workers",
            where="--scheduler",
            fix="start `dask worker ADDRESS --nthreads 1` on each machine",
        ) from None
    except Exception as error:  # whatever importing boundcalc raised over there
        raise SimulationError(
            f"the workers cannot run boundcalc: {type(error).__name__}: {error}",
            where="--scheduler",
            fix="install the same version of boundcalc on every machine",
        ) from None
    for worker, theirs in found.items():
        check_versions(theirs, worker)


def check_versions(theirs: Mapping[str, str], worker: str) -> None:
    """Raise SimulationError if a worker's packages differ from those of this process."""
    if theirs != versions():
        raise SimulationError(
            "a worker has other versions of packages",
            where=worker,
            value=_listed(theirs),
            expected=_listed(versions()),
            fix="install the same versions on every machine",
        )


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())


def _plugin(distributed: Any, bundle: str, files: Mapping[str, bytes]) -> Any:
    class Files(distributed.WorkerPlugin):  # type: ignore[misc]
        """Gives a worker the files when it starts."""

        name = f"boundcalc-{bundle}"

        def setup(self, worker: Any) -> None:
            del worker
            receive(bundle, files)

    return Files()


def _collected(distributed: Any, client: Any, waiting: Iterator[Task]) -> Results:
    running: dict[Any, Task] = {}
    ended: Queue[Any] = Queue()
    try:
        while True:
            for task in waiting:
                future = client.submit(run_point, task, pure=False, retries=_RETRIES)
                running[future] = task
                future.add_done_callback(ended.put)
                if len(running) >= _window(client):
                    break
            if not running:
                return
            future = _next(client, ended)
            task = running.pop(future)
            try:
                text = future.result(timeout=PATIENCE)
            except distributed.scheduler.KilledWorker:
                text = failed_text(task, "every worker that ran this point was lost")
            else:
                check_versions(json.loads(text.partition("\n")[0])["versions"], "a worker")
            future.release()
            yield task.index, text
    except (distributed.client.FutureCancelledError, distributed.comm.CommClosedError) as error:
        raise _lost(str(error)) from None
    finally:
        with contextlib.suppress(Exception):
            client.cancel(list(running))


def _window(client: Any) -> int:
    threads: dict[str, int] = client.nthreads()
    return max(4, _AHEAD * sum(threads.values()))


def _next(client: Any, ended: Queue[Any]) -> Any:
    """The next task that has ended."""
    alive = time.monotonic()
    while True:
        with contextlib.suppress(Empty):
            return ended.get(timeout=2.0)
        if client.status not in ("running", "connecting"):
            raise _lost("the connection has ended")
        if client.nthreads():
            alive = time.monotonic()
        elif time.monotonic() - alive > _ABANDONED:
            raise _lost("there are no workers any more")


def _lost(reason: str) -> SimulationError:
    return SimulationError(
        f"the cluster was lost: {reason}",
        where="--scheduler",
        fix="every finished point is kept: start the same sweep again to go on",
    )
