"""Worker processes of this machine."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from sweep_cases import OVER, small, start

from boundcalc.errors import SimulationError
from boundcalc.sweeps import local, sweep
from boundcalc.sweeps.task import Task


def end_at_5(task):
    """Runs where a point would: point 5 takes its process down."""
    if task.index == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{task.index} {os.environ['OMP_NUM_THREADS']} {os.getpid()}"


def end_at_once(ends):
    os._exit(1)


def sleep(task):
    if task.index > 1:
        time.sleep(600)
    return str(os.getpid())


def tasks(count):
    return [Task(i, "sweep", "{}", {}, ".", None, "auto") for i in range(count)]


def test_processes_give_the_files_that_one_process_gives(tmp_path):
    one = sweep(small(), OVER, out=tmp_path / "one", workers=0)
    two = sweep(small(), OVER, out=tmp_path / "two", workers=2)
    for name in ("table.csv", "results.nc"):
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()


def test_a_process_that_dies_costs_its_point_alone(monkeypatch):
    monkeypatch.setattr(local, "run_point", end_at_5)
    monkeypatch.setattr(local, "failed_text", lambda task, message: message)
    before = dict(os.environ)
    found = dict(local.run_locally(tasks(12), 2))
    assert sorted(found) == list(range(12))
    assert "process of this point died" in found.pop(5)
    words = [text.split() for text in found.values()]
    assert [int(index) for index, _, _ in words] == list(found)
    assert {threads for _, threads, _ in words} == {"1"}
    assert str(os.getpid()) not in {process for _, _, process in words}
    assert dict(os.environ) == before


def test_processes_that_cannot_start_are_explained(monkeypatch):
    monkeypatch.setattr(local, "_start", end_at_once)
    with pytest.raises(SimulationError, match="do not start"):
        list(local.run_locally(tasks(1), 1))


def gone(process):
    """Whether a process has ended; one that waits to be collected has."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        return status.rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


SLEEPS = """
import sys, time
sys.path[:0] = {path!r}
from test_local import sleep, tasks
from boundcalc.sweeps import local
if __name__ == "__main__":
    local.run_point = sleep
    for index, text in local.run_locally(tasks(8), 2):
        print(text, flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks at /proc")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_parent(tmp_path, end):
    script = tmp_path / "script.py"
    script.write_text(SLEEPS.format(path=sys.path))
    process = start(
        str(script), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    )
    with process:
        workers = {int(process.stdout.readline()), int(process.stdout.readline())}
        process.send_signal(end)
        process.wait(60)
        deadline = time.monotonic() + 60
        while not all(gone(worker) for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert all(gone(worker) for worker in workers)
