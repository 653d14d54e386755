"""A run made again from its results file: identical, equal up to rounding, or not."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from results_cases import SPEC, run, with_files

import boundcalc as bc
from boundcalc.errors import DataError, SimulationError, SpecError
from boundcalc.simulate import rerun as module
from boundcalc.simulate.differences import differences, largest
from boundcalc.simulate.rerun import rerun
from boundcalc.simulate.results import results_of
from boundcalc.simulate.results_files import array_digest
from boundcalc.simulate.results_spec import spec_text
from boundcalc.simulate.results_writer import write_results


@pytest.fixture(scope="module")
def made():
    return run()


@pytest.fixture(scope="module")
def record(made):
    return results_of(made)


def written(record, tmp_path):
    write_results(record, tmp_path / "results.nc")
    return tmp_path / "results.nc"


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_run_is_made_again_to_the_last_bit_from_the_file_alone(record, tmp_path, threads):
    found = rerun(written(record, tmp_path), threads=threads)
    assert found.identical
    assert found.differences == ()
    assert (found.largest, found.exit_code) == (0.0, 0)
    assert found.changed == {}
    assert found.run.engine == "numpy"


def test_bits_that_differ_are_found_and_named(made, record, tmp_path):
    loss = record.loss.copy()
    loss[4, 2] = np.nextafter(loss[4, 2], 2)
    found = rerun(written(replace(record, loss=loss), tmp_path))
    assert not found.identical
    (difference,) = found.differences
    assert (difference.quantity, difference.where) == ("loss", "step 12, replica 2")
    assert difference.found == made.trajectory.loss[4, 2]
    assert 0 < difference.relative < 1e-15
    assert (found.reproduced, found.exit_code) == (True, 0)
    exact = rerun(written(replace(record, loss=loss), tmp_path), exact=True)
    assert (exact.reproduced, exact.exit_code) == (False, 1)


@pytest.mark.parametrize(("size", "reproduced"), [(0.5e-9, True), (2e-9, False)])
def test_rounding_is_told_from_other_differences(record, tmp_path, size, reproduced):
    final = record.final.copy()
    final[1, 0] += size * np.abs(final[1]).max()  # relative to the replica's own weights
    found = rerun(written(replace(record, final=final), tmp_path))
    assert found.reproduced is reproduced
    assert found.differences[0].where == "replica 1, 0"
    assert found.largest == pytest.approx(size, rel=1e-3)


def test_another_seed_is_another_run(record, tmp_path):
    spec = record.spec.replace("9007199254740993", "1")
    found = rerun(written(replace(record, spec=spec, seed=1), tmp_path))
    assert found.exit_code == 1
    assert {d.quantity for d in found.differences} >= {"loss", "final_weights", "metrics"}
    assert found.largest > 1e-3
    ratios = [d.relative for d in found.differences]
    assert ratios == sorted(ratios, reverse=True)


def test_every_kind_of_number_is_compared(made, record):
    def names(changed):
        return {(d.quantity, d.where) for d in differences(changed, made)}

    assert names(record) == set()
    metric = replace(record.metrics["final_loss"], hi=9.0)
    changed = replace(record, metrics={**record.metrics, "final_loss": metric})
    assert names(changed) == {("metrics", "final_loss, upper end")}
    fewer = {k: m for k, m in record.metrics.items() if k != "final_loss"}
    assert names(replace(record, metrics=fewer)) == {("metrics", "final_loss")}
    check = record.checks[1]
    bias = check.bias.copy()
    bias[2, 1] += 1
    moved = replace(record, checks=(record.checks[0], replace(check, bias=bias)))
    assert names(moved) == {("bias", f"step 40, hi, sample {check.samples[1]}")}
    assert names(replace(record, checks=record.checks[:1])) == {("error", "other iterates")}
    later = (record.checks[0], replace(check, step=check.step + 1))
    assert names(replace(record, checks=later)) == {("error", "other iterates")}
    larger = (record.checks[0], replace(check, scale=2 * check.scale))
    assert names(replace(record, checks=larger)) == {("error", "step 40, ‖u‖²")}
    others = (record.checks[0], replace(check, samples=(0, 9)))
    assert names(replace(record, checks=others)) == {("error", "step 40, samples")}
    diverged = np.array([-1, 3, -1, -1])
    assert names(replace(record, diverged=diverged)) == {("diverged", "replica 1")}
    unseen = {**record.digests, "loss": array_digest(np.zeros(1))}
    (found,) = differences(replace(record, digests=unseen), made)
    assert (found.where, found.relative) == ("what the file does not keep", np.inf)


def test_a_value_that_nearly_cancels_is_held_against_what_it_was_made_from(made, record):
    gap, loss = record.metrics["final_gap"], record.metrics["final_loss"].mean
    moved = replace(gap, mean=gap.mean + 1e-12)
    (found,) = differences(replace(record, metrics={**record.metrics, "final_gap": moved}), made)
    assert found.relative == pytest.approx(1e-12 / max(abs(loss), gap.hi, -gap.lo), rel=1e-3)


def test_numbers_of_a_metric_have_scales_of_their_own(made, record):
    """Degrees of freedom are far larger than the loss: a tenth more of them is a tenth."""
    loss = record.metrics["final_loss"]
    assert loss.degrees is not None
    moved = replace(loss, degrees=1.1 * loss.degrees)
    (found,) = differences(replace(record, metrics={**record.metrics, "final_loss": moved}), made)
    assert found.where == "final_loss, degrees"
    assert found.relative == pytest.approx(0.1 / 1.1)


def test_an_error_that_is_rounding_is_held_against_the_gradient(made, record):
    """Nothing is perturbed there: an error of 1e-22 ‖u‖² beside one of 0 is no other run."""
    check, zero = made.checks[0], np.zeros(len(made.checks[0].samples))
    nothing = replace(check, error=zero, error_lo=zero, error_hi=zero)
    run = replace(made, checks=(nothing, *made.checks[1:]))
    kept = np.zeros((3, len(check.samples)))
    as_kept = replace(record.checks[0], error=kept)
    again = replace(record, checks=(as_kept, *record.checks[1:]))
    assert {d.quantity for d in differences(again, run)} <= {"bias"}
    rounded = replace(as_kept, error=kept + 1e-22 * check.scale)
    found = differences(replace(again, checks=(rounded, *record.checks[1:])), run)
    (error,) = (d for d in found if d.quantity == "error")
    assert error.relative == pytest.approx(0.01)


def test_the_largest_difference_of_two_arrays():
    one = np.array([[1.0, np.nan, np.inf], [2.0, -4.0, 0.0]])
    assert largest("x", one, one.copy(), 4.0, (None, None)) is None
    other = one.copy()
    other[1, 1], other[1, 0] = -3.0, 2.5
    found = largest("x", one, other, 4.0, (None, None))
    assert (found.where, found.recorded, found.found, found.relative) == ("1, 1", -4.0, -3.0, 0.25)
    own = largest("x", one, other, 0.0, (None, None))
    assert own.relative == 0.25
    for value in (0.0, -np.inf):
        other = one.copy()
        other[0, 2] = value
        assert largest("x", one, other, 4.0, (None, None)).relative == np.inf


def test_data_files_are_looked_for_beside_the_results_or_where_one_says(tmp_path):
    made = bc.simulate(bc.load(with_files(tmp_path)), engine="numpy")
    out = tmp_path / "out"
    out.mkdir()
    path = written(results_of(made), out)
    with pytest.raises(DataError, match="there is no such file") as caught:
        rerun(path)
    assert "folder" in str(caught.value)
    assert rerun(path, folder=tmp_path).identical
    assert rerun(path.rename(tmp_path / "results.nc")).identical


@pytest.mark.parametrize("name", ["table.csv", "sub/w.npz"])
def test_a_data_file_that_changed_is_named(tmp_path, name):
    path = written(results_of(bc.simulate(bc.load(with_files(tmp_path)), engine="numpy")), tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content + b"\n")
    with pytest.raises(DataError, match=f"'{name}' has changed since the run") as caught:
        rerun(path)
    assert "SHA-256" in str(caught.value)


def changed(record, **settings):
    return replace(record, **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"seed": 3}, "'seed' is not that of the spec"),
        ({"confidence": 0.9}, "'confidence'"),
        ({"every": 2}, "'record_every'"),
        ({"precision": "float32"}, "'precision'"),
        ({"data": "0" * 64}, "the data made from the spec are not those of the run"),
        ({"engine": "quantum"}, "an unknown engine"),
        ({"files": (SimpleNamespace(name="a.csv", sha256="0" * 64),)}, "the files listed"),
        ({"steps": np.array([0, *range(4, 43, 3), 40])}, "rising steps"),
        ({"steps": np.array([0, 2, *range(6, 42, 3), 40])}, "the records do not fit"),
        ({"final": np.zeros((4, 3))}, "the records do not fit"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(record, tmp_path, settings, said):
    with pytest.raises(DataError, match=said) as caught:
        rerun(written(changed(record, **settings), tmp_path))
    assert "fix:" in str(caught.value)


def test_a_spec_that_is_refused_says_in_which_file(record, tmp_path):
    text = record.spec.replace('"training"', '"trainin"')
    with pytest.raises(SpecError, match=r"results\.nc: spec:1: trainin: unknown key"):
        rerun(written(replace(record, spec=text), tmp_path))
    plain = spec_text(bc.loads(SPEC.split("simulation:")[0]))
    with pytest.raises(DataError, match="has no simulation"):
        rerun(written(replace(record, spec=plain), tmp_path))


def test_other_versions_are_told_and_do_not_stop_the_run(record, tmp_path):
    old = replace(record, versions={**record.versions, "numpy": "1.0", "gone": "2"})
    found = rerun(written(old, tmp_path))
    assert found.changed == {"numpy": ("1.0", record.versions["numpy"])}
    assert found.identical


def test_the_engine_is_the_recorded_one_unless_another_is_named(record, tmp_path, monkeypatch):
    asked = []

    def simulate(graph, *, engine, threads, progress):
        asked.append((engine, threads))
        raise SimulationError("stop")

    monkeypatch.setattr(module, "simulate", simulate)
    for engine, options in (("compiled", {}), ("compiled", {"engine": "numpy", "threads": 2})):
        with pytest.raises(SimulationError):
            rerun(written(replace(record, engine=engine), tmp_path), **options)
    assert asked == [("compiled", None), ("numpy", 2)]


def test_single_precision_allows_more_rounding_and_says_how_much_was_measured(tmp_path):
    record = results_of(run(SPEC.replace("replicas: 4", "replicas: 4\n  precision: float32")))
    assert record.precision == "float32"
    found = rerun(written(record, tmp_path))
    assert found.identical
    assert found.tolerance == 1e-3
    known = {
        name: replace(metric, rounding=1e-7) if name == "final_loss" else metric
        for name, metric in record.metrics.items()
    }
    assert rerun(written(replace(record, metrics=known), tmp_path)).rounding["final_loss"] == 1e-7
