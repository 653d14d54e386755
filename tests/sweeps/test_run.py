"""Sweeps in this process: numbers, what is kept, and going on."""

import csv
import json
import math
import shutil

import pytest
from sweep_cases import OVER, small

import boundcalc as bc
from boundcalc.errors import OutputError, SpecError
from boundcalc.spec.loading import loads
from boundcalc.spec.plain import json_text
from boundcalc.sweeps import override, read_sweep, sweep
from boundcalc.sweeps import task as task_module
from boundcalc.sweeps.overrides import without_sweep
from boundcalc.sweeps.storage import only_one

FILES = ("table.csv", "results.nc")

#: w ← (1 − 2γρ)w and more, so that γρ > 1 leaves every bound behind, and soon all floats.
REGULARISED = {"kind": "squared", "strength": 1}


@pytest.fixture
def run_here(tmp_path):
    def run(folder="out", over=OVER, spec=None, **options):
        options.setdefault("seeds", 2)
        return sweep(spec or small(), over, out=tmp_path / folder, workers=0, **options)

    return run


@pytest.fixture
def counted(monkeypatch):
    """The points that are run, in order."""
    ran = []
    measured = task_module._measured

    def measure(task):
        ran.append(task.index)
        return measured(task)

    monkeypatch.setattr(task_module, "_measured", measure)
    return ran


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "out"
    return sweep(small(), OVER, out=folder, workers=0, seeds=2).folder


@pytest.fixture
def folder(finished, tmp_path):
    """A folder of its own with the finished sweep over OVER with two seeds."""
    return shutil.copytree(finished, tmp_path / "out")


def contents(folder):
    return [(folder / name).read_bytes() for name in FILES]


def test_every_point_has_the_numbers_of_its_own_simulation(finished):
    found = read_sweep(finished)
    assert found.complete
    assert len(found.points) == found.grid.size == 12
    for point in found.points[::5]:
        spec = override(small(), {**point.settings, "simulation.seed": point.seed})
        alone = bc.simulate(spec)
        assert point.metrics == alone.metrics
        details = point.details()
        assert details.steps.tolist() == alone.trajectory.steps.tolist()
        assert details.mean.tolist() == alone.trajectory.gradient_norm.mean(axis=1).tolist()
        assert details.loss.tolist() == alone.trajectory.loss.mean(axis=1).tolist()
        assert details.replicas["final_loss"].tolist() == alone.trajectory.loss[-1].tolist()
        assert found.spec_of(point).training == spec.training
        assert found.spec_of(point).simulation.seed == point.seed


def test_seeds_change_the_run_and_not_the_data(run_here):
    found = run_here(over={}, seeds=3)
    assert [point.seed for point in found.points] == [3, 4, 5]
    starts = {point.details().loss[0] for point in found.points}
    assert len(starts) == 1
    assert len({point.metrics["final_loss"].mean for point in found.points}) == 3
    other = run_here("data", {"simulation.data.seed": [1, 2]}, seeds=None)
    norms = [point.details().mean[0] for point in other.points]
    assert norms[0] == found.points[0].details().mean[0] != norms[1]


def test_the_table_has_every_number_with_all_its_digits(finished):
    found = read_sweep(finished)
    with (found.folder / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["point"] for row in rows] == [str(i) for i in range(12)]
    for row, point in zip(rows, found.points, strict=True):
        assert {path: row[path] for path in point.settings} == dict(point.settings)
        assert int(row["seed"]) == point.seed
        for name, metric in point.metrics.items():
            assert float(row[name]) == metric.mean
            assert float(row[f"{name}_lo"]) == metric.lo
            assert float(row[f"{name}_hi"]) == metric.hi
    assert [list(row) for row in found.table()] == [list(rows[0])] * 12


def test_a_sweep_starts_where_it_stopped_and_runs_nothing_twice(run_here, counted, finished):
    whole = contents(finished)
    for stop in (1, 4, 5, 9):

        def interrupt(done, total, stop=stop):
            if done == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_here(progress=interrupt)
    seen = []
    found = run_here(progress=lambda done, total: seen.append((done, total)))
    assert counted == list(range(12))
    assert seen == [(done, 12) for done in range(9, 13)]
    assert contents(found.folder) == whole
    assert contents(run_here().folder) == whole
    assert counted == list(range(12))


def test_an_unfinished_sweep_can_be_read(run_here, tmp_path, finished):
    def interrupt(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_here(progress=interrupt)
    found = read_sweep(tmp_path / "out")
    assert not found.complete
    assert len(found.points) == 5
    assert found.points == read_sweep(finished).points[:5]
    assert math.isnan(found.metric("final_loss").flat[5])


def test_read_sweep_gives_what_the_sweep_gave(run_here, folder, counted):
    found = run_here()
    assert counted == []
    again = read_sweep(folder)
    assert again.points == found.points
    assert again.grid == found.grid
    assert json_text(without_sweep(again.spec)) == json_text(without_sweep(small()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": 3}, "seeds"),
        ({"over": {"training.step_size": "1/2"}}, "axes"),
        ({"over": {**OVER, "training.step_size": "1/2,1/4,1/9"}}, r"axes\[0\].*\n.*1/8.*\n.*1/9"),
        ({"engine": "numpy"}, "engine"),
        ({"spec": override(small(), {"training.horizon": 21})}, "spec.training.horizon"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_another_sweep_into_the_folder_is_refused(run_here, changes, words):
    with pytest.raises(OutputError, match=words):
        run_here(**changes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "another version of the format"),
        ({"versions": {"boundcalc": "0.0.1"}}, "results of another version"),
        ({"kind": "else"}, "not the description of a sweep"),
        ({"axes": [{"a": ["1"], "b": []}]}, "not the description of a sweep"),
        ({"axes": [{"a": ["1"] * 1000}, {"b": ["1"] * 1000}]}, "not the description"),
        ({"unknown": 1}, "not the description of a sweep"),
    ],
)
def test_a_folder_of_another_version_is_refused(run_here, folder, change, words):
    path = folder / "sweep.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(OutputError, match=words):
        run_here()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_a_description_that_is_none_is_refused(folder, content):
    (folder / "sweep.json").write_bytes(content)
    with pytest.raises(OutputError, match="not the description of a sweep"):
        read_sweep(folder)


def test_a_folder_with_other_files_of_these_names_is_left_alone(run_here, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "table.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"has `table\.csv`"):
        run_here()
    assert (tmp_path / "out" / "table.csv").read_text() == "mine"
    with pytest.raises(OutputError, match="no folder of a sweep"):
        read_sweep(tmp_path / "out")


def test_a_second_sweep_into_the_folder_refuses(run_here, tmp_path):
    (tmp_path / "out").mkdir()
    with only_one(tmp_path / "out"), pytest.raises(OutputError, match="another sweep is running"):
        run_here()
    assert run_here(over={}).complete


def test_a_damaged_point_is_named_and_can_be_run_anew(run_here, counted, folder):
    whole = contents(folder)
    path = folder / "points" / "000007.json"
    path.write_text(path.read_text()[:50], encoding="utf-8")
    with pytest.raises(OutputError, match=r"(?s)000007\.json.*damaged.*delete"):
        run_here()
    path.unlink()
    assert contents(run_here().folder) == whole
    assert counted == [7]


def test_a_point_of_another_sweep_is_not_taken(run_here, folder):
    one, other = folder, run_here("other", {}, seeds=1).folder
    shutil.copy(one / "points" / "000000.json", other / "points" / "000000.json")
    with pytest.raises(OutputError, match="belongs to another sweep"):
        run_here("other", {}, seeds=1)


def test_what_a_killed_process_left_half_written_is_removed(run_here, folder):
    for path in (folder, folder / "points"):
        (path / ".000001.json.part").write_text("half")
    run_here()
    assert not list(folder.rglob(".*.part"))


def test_a_divergent_point_is_recorded_and_the_others_go_on(run_here):
    spec = override(small(), {"simulation.regulariser": REGULARISED, "training.horizon": 150})
    found = run_here(over={"training.step_size": "1/10, 20, 1/5"}, spec=spec, seeds=None)
    assert [point.status for point in found.points] == ["finite", "diverged", "finite"]
    point = found.points[1]
    # |1 − 2γρ| = 39, and the loss has ρ‖w‖²: past 1e308 at about step log(1e154)/log 39 = 97.
    assert 90 < point.diverged_step < 105
    assert (point.diverged, point.diverged_share) == (4, 1.0)
    assert not math.isfinite(point.metrics["final_loss"].mean)
    assert math.isinf(point.details().mean[-1])
    assert "diverged" in (found.folder / "table.csv").read_text()


def test_a_point_that_raises_is_recorded_and_the_others_go_on(run_here, counted):
    over = {"symbols.D": "1,0,2"}
    found = run_here(over=over, seeds=None)
    assert [point.status for point in found.points] == ["finite", "failed", "finite"]
    assert found.failed == (found.points[1],)
    assert "division by zero" in found.points[1].error
    assert math.isnan(found.points[1].diverged_share)
    assert counted == [0, 1, 2]
    run_here(over=over, seeds=None)
    assert counted == [0, 1, 2]
    run_here(over=over, seeds=None, retry=True)
    assert counted == [0, 1, 2, 1]
    row = found.table()[1]
    assert row["final_loss"] is None
    assert row["status"] == "failed"


def test_an_error_that_nobody_foresaw_is_kept_with_its_kind(run_here, monkeypatch):
    def broken(task):
        raise MemoryError if task.index else ZeroDivisionError("by 0")

    monkeypatch.setattr(task_module, "_measured", broken)
    found = run_here(over={}, seeds=2)
    assert [point.error for point in found.points] == [
        "ZeroDivisionError: by 0",
        "there is not enough memory for this point",
    ]


def test_a_spec_can_carry_its_sweep(run_here, tmp_path):
    section = {
        "over": {"training.step_size": ["1/2", 0.25], "symbols.C": "0:1:3"},
        "zip": [{"training.horizon": [5, 6], "simulation.ewma": [0.5, 0.6]}],
        "seeds": 2,
    }
    spec = loads(json_text({**without_sweep(small()), "sweep": section}))
    found = run_here(over=None, spec=spec, seeds=None)
    assert found.grid.shape == (2, 3, 2, 2)
    assert found.points[-1].steps == 6
    changed = run_here("changed", {"symbols.C": [1]}, spec=spec, seeds=1, zipped=[])
    assert changed.grid.shape == (2, 1, 1)


def test_files_that_the_spec_names_are_part_of_the_sweep(run_here, tmp_path):
    for name in ("a", "b"):
        lines = [f"{i * 0.1},{(i * 7) % 5},{1 if i % 3 else -1}" for i in range(9)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["p,q,y", *lines]), encoding="utf-8")
    tree = without_sweep(small())
    tree["simulation"]["data"] = {"csv": "a.csv", "label": "y"}
    spec = loads(json_text(tree))
    spec._folder = tmp_path
    over = {"simulation.data.csv": ["a.csv", "b.csv"]}
    found = run_here(over=over, spec=spec, seeds=None)
    assert found.points[0].metrics == found.points[1].metrics
    assert read_sweep(found.folder).spec_of(found.points[1]).simulation.data.csv == "b.csv"
    (tmp_path / "b.csv").write_text("p,q,y\n1,2,1\n3,1,-1\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"data\.b\.csv"):
        run_here(over=over, spec=spec, seeds=None)
    (tmp_path / "b.csv").unlink()
    with pytest.raises(bc.BoundcalcError, match="cannot be read"):
        run_here(over=over, spec=spec, seeds=None)


@pytest.mark.parametrize("workers", [-1, 10_000])
def test_the_number_of_workers_is_bounded(tmp_path, workers):
    with pytest.raises(SpecError, match="number of workers"):
        sweep(small(), out=tmp_path, workers=workers)
