"""Results files: what is written is what is read, here and by others."""

from dataclasses import replace

import numpy as np
import pytest
import xarray
from results_cases import run, same, with_files
from scipy.io import netcdf_file

import boundcalc as bc
from boundcalc.errors import DataError, OutputError
from boundcalc.simulate import results, results_reader
from boundcalc.simulate.netcdf3 import parse
from boundcalc.simulate.results import kept_records, results_of
from boundcalc.simulate.results_files import array_digest
from boundcalc.simulate.results_reader import read_results
from boundcalc.simulate.results_writer import netcdf_bytes, write_results


@pytest.fixture(scope="module")
def made():
    return run()


@pytest.fixture(scope="module")
def record(made):
    return results_of(made)


def test_what_is_written_is_what_is_read(record, tmp_path):
    write_results(record, tmp_path / "results.nc")
    assert same(read_results(tmp_path / "results.nc"), record)
    assert [path.name for path in tmp_path.iterdir()] == ["results.nc"]


def test_the_record_holds_the_run(made, record):
    assert bc.loads(record.spec).model_dump() == made.graph.spec.model_dump()
    assert record.steps.tolist() == [*range(0, 40, 3), 40]
    assert np.array_equal(record.loss, made.trajectory.loss)
    assert np.array_equal(record.gradient_norm, made.trajectory.gradient_norm)
    assert np.array_equal(record.final, made.trajectory.final)
    assert record.digests["loss"] == array_digest(made.trajectory.loss)
    assert record.data == array_digest(made.graph.data.features, made.graph.data.labels)
    assert (record.seed, record.bootstrap_seed) == (2**53 + 1, 2**53 + 1)
    assert (record.engine, record.precision, record.every) == ("numpy", "float64", 3)
    assert record.metrics == made.metrics
    assert set(record.versions) == {"boundcalc", "numpy", "scipy", "python", "platform"}
    for kept, check in zip(record.checks, made.checks, strict=True):
        assert np.array_equal(kept.bias, [check.bias, check.bias_lo, check.bias_hi])
        assert np.array_equal(kept.error, [check.error, check.error_lo, check.error_hi])
        assert kept.samples == check.samples


def test_xarray_reads_it(made, record, tmp_path):
    write_results(record, tmp_path / "results.nc")
    with xarray.open_dataset(tmp_path / "results.nc", engine="scipy") as data:
        assert data.attrs["title"] == "σ: two sine operators"
        assert data.attrs["seed"] == "9007199254740993"
        assert bc.loads(data.attrs["spec"]).name == data.attrs["title"]
        assert np.array_equal(data["loss"], made.trajectory.loss)
        assert data["loss"].dims == ("step", "replica")
        assert float(data["loss"].sel(step=39)[1]) == made.trajectory.loss[13, 1]
        found = data["metric_mean"].sel(metric="final_loss")
        assert float(found) == made.metrics["final_loss"].mean
        assert data["method"].sel(metric="final_loss").item() == "student"
        assert data["final_weights"].shape == made.trajectory.final.shape


def test_our_reader_and_scipys_see_the_same(record, tmp_path):
    write_results(record, tmp_path / "results.nc")
    ours = parse((tmp_path / "results.nc").read_bytes())
    with netcdf_file(tmp_path / "results.nc", mmap=False) as theirs:
        assert dict(theirs.dimensions) == ours.dimensions
        assert set(theirs.variables) == set(ours.variables)
        for name, variable in theirs.variables.items():
            assert variable.dimensions == ours.variables[name].dimensions
            assert variable[:].tobytes() == ours.variables[name].values.tobytes()
        for name, value in ours.attributes.items():
            found = getattr(theirs, name)
            found = found.decode() if isinstance(found, bytes) else np.atleast_1d(found)
            assert np.array_equal(found, value), name


def test_the_same_results_are_the_same_bytes(record):
    assert netcdf_bytes(record) == netcdf_bytes(record)


def test_a_run_that_diverged_is_kept(made, tmp_path):
    loss = made.trajectory.loss.copy()
    loss[5:, 2], loss[7:, 0] = np.nan, np.inf
    trajectory = replace(made.trajectory, loss=loss, diverged=np.array([21, -1, 15, -1]))
    record = results_of(replace(made, trajectory=trajectory))
    write_results(record, tmp_path / "results.nc")
    found = read_results(tmp_path / "results.nc")
    assert same(found, record)
    assert found.diverged.tolist() == [21, -1, 15, -1]


def test_files_are_named_with_their_digests(tmp_path):
    import hashlib

    made = bc.simulate(bc.load(with_files(tmp_path)), engine="numpy")
    found = {file.name: file.sha256 for file in results_of(made).files}
    for name in ("table.csv", "sub/w.npz"):
        assert found.pop(name) == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert not found
    (tmp_path / "table.csv").unlink()
    with pytest.raises(DataError, match="there is no such file"):
        results_of(made)


def test_large_records_are_thinned_and_say_so(made, monkeypatch, tmp_path):
    monkeypatch.setattr(results, "MOST_NUMBERS", 24)
    record = results_of(made)
    # 15 records of 4 replicas; six of them fit.
    assert record.thinned == 3
    assert record.steps.tolist() == [0, 9, 18, 27, 36, 40]
    assert np.array_equal(record.loss, made.trajectory.loss[[0, 3, 6, 9, 12, 14]])
    assert record.digests["loss"] == array_digest(made.trajectory.loss)
    monkeypatch.setattr(results, "MOST_NUMBERS", 6)
    few = results_of(made)
    assert few.final.shape == (3, 2)
    write_results(few, tmp_path / "few.nc")
    with xarray.open_dataset(tmp_path / "few.nc", engine="scipy") as data:
        said = data.attrs["comment"]
    assert "the run recorded one step in 3" in said
    assert "this file keeps one record in 14" in said
    assert "those of the first 3 replicas" in said
    assert same(read_results(tmp_path / "few.nc"), few)


@pytest.mark.parametrize("records", [2, 3, 10, 999, 1000, 1001])
@pytest.mark.parametrize("replicas", [1, 7, 40_000, 5_000_000])
def test_kept_records_fit_and_end_with_the_last(records, replicas):
    kept = kept_records(records, replicas)
    assert kept[0] == 0
    assert kept[-1] == records - 1
    assert len(kept) * replicas <= max(results.MOST_NUMBERS, 2 * replicas)
    gaps = set(np.diff(kept[:-1]).tolist())
    assert len(gaps) <= 1


def test_a_place_that_cannot_be_written_keeps_what_was_there(record, tmp_path):
    with pytest.raises(OutputError, match="cannot write here"):
        write_results(record, tmp_path / "none" / "results.nc")
    (tmp_path / "results.nc").mkdir()
    with pytest.raises(OutputError):
        write_results(record, tmp_path / "results.nc")
    assert [path.name for path in tmp_path.iterdir()] == ["results.nc"]


def test_a_full_disk_leaves_the_old_file(record, tmp_path, monkeypatch):
    (tmp_path / "results.nc").write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fdopen", full)
    with pytest.raises(OutputError, match="No space left"):
        write_results(record, tmp_path / "results.nc")
    assert (tmp_path / "results.nc").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.nc"]


def test_text_from_files_is_bounded(record, tmp_path, monkeypatch):
    write_results(record, tmp_path / "results.nc")
    monkeypatch.setattr(results_reader, "MAX_BYTES", 100)
    with pytest.raises(DataError, match="too large"):
        read_results(tmp_path / "results.nc")
