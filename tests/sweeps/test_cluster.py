"""A Dask cluster on this machine: a scheduler and two workers, each a process of its own."""

import json
import sys
import time

import pytest
from sweep_cases import OVER, small, start

from boundcalc.errors import SimulationError
from boundcalc.spec.loading import loads
from boundcalc.spec.plain import json_text
from boundcalc.sweeps import bundle, sweep
from boundcalc.sweeps.overrides import without_sweep

pytest.importorskip("distributed")

FILES = ("table.csv", "results.nc")
COMMAND = "from dask.__main__ import main; main()"


class Cluster:
    """A scheduler, and workers that tests may kill."""

    def __init__(self, folder):
        self.folder, self.workers = folder, []
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(folder / "scheduler.json"),
        )  # fmt: skip
        self.address = self._address()

    def _start(self, *arguments):
        log = (self.folder / f"{arguments[0]}-{len(self.workers)}.log").open("w")
        with log:
            return start("-c", COMMAND, *arguments, stdout=log, stderr=log)

    def _address(self):
        path = self.folder / "scheduler.json"
        while True:
            try:
                return json.loads(path.read_text(encoding="utf-8"))["address"]
            except (FileNotFoundError, ValueError):  # not there yet, or not whole
                time.sleep(0.05)

    def add(self):
        self.workers.append(
            self._start(
                "worker",
                self.address,
                "--nthreads",
                "1",
                "--no-dashboard",
                "--local-directory",
                str(self.folder),
            )
        )

    def end(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.end()


@pytest.mark.long
def test_a_lost_worker_costs_nothing(cluster, tmp_path):
    cluster.add()
    cluster.add()
    here = sweep(small(), OVER, seeds=4, out=tmp_path / "here", workers=0)

    def lose_one(done, total):
        if done == 4:
            cluster.workers[0].kill()

    there = sweep(
        small(), OVER, seeds=4, out=tmp_path / "there", scheduler=cluster.address, progress=lose_one
    )
    assert there.complete
    assert there.points == here.points
    for name in FILES:
        assert (here.folder / name).read_bytes() == (there.folder / name).read_bytes()


@pytest.mark.long
def test_workers_get_the_files_that_the_spec_names(cluster, tmp_path):
    (tmp_path / "data").mkdir()
    lines = [f"{i * 0.1},{(i * 7) % 5},{1 if i % 3 else -1}" for i in range(9)]
    table = tmp_path / "data" / "a.csv"
    table.write_text("\n".join(["p,q,y", *lines]), encoding="utf-8")
    tree = without_sweep(small())
    tree["simulation"]["data"] = {"csv": "data/a.csv", "label": "y"}
    spec = loads(json_text(tree))
    spec._folder = tmp_path
    cluster.add()
    here = sweep(spec, seeds=2, out=tmp_path / "here", workers=0)

    def remove(done, total):
        # From here on only what was sent can be read.
        table.unlink(missing_ok=True)

    there = sweep(spec, seeds=2, out=tmp_path / "there", scheduler=cluster.address, progress=remove)
    assert there.points == here.points


@pytest.mark.long
def test_a_scheduler_without_workers_is_refused(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("boundcalc.sweeps.cluster._FIRST_WORKER", 1.0)
    with pytest.raises(SimulationError, match="no workers"):
        sweep(small(), out=tmp_path / "out", scheduler=cluster.address)


@pytest.mark.long
def test_an_address_that_does_not_answer_is_refused_in_time(tmp_path):
    began = time.monotonic()
    with pytest.raises(SimulationError, match="does not answer"):
        sweep(small(), out=tmp_path / "out", scheduler="tcp://127.0.0.1:9")
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("address", ["nonsense://x", "127.0.0.1:notaport"])
def test_what_is_no_address_is_refused(tmp_path, address):
    with pytest.raises(SimulationError, match=r"(?s)does not answer.*found: +'" + address):
        sweep(small(), out=tmp_path / "out", scheduler=address)


def test_without_dask_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SimulationError, match=r"boundcalc\[cluster\]"):
        sweep(small(), out=tmp_path / "out", scheduler="tcp://127.0.0.1:9")


def test_workers_with_other_versions_are_refused():
    from boundcalc.sweeps.cluster import check_versions
    from boundcalc.sweeps.task import versions

    check_versions(versions(), "here")
    with pytest.raises(SimulationError, match="other versions"):
        check_versions({**versions(), "numpy": "1.0"}, "there")


def test_files_too_large_to_be_sent_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_SENT", 10)
    (tmp_path / "a.csv").write_text("x" * 11, encoding="utf-8")
    with pytest.raises(SimulationError, match="too large to be sent"):
        bundle.contents(tmp_path, ["a.csv"])


def test_a_worker_without_the_files_says_so():
    with pytest.raises(SimulationError, match="have not reached"):
        bundle.folder_of("unknown")
