"""``boundcalc rerun``: from the results file alone, and what is said of differences."""

import json
from dataclasses import replace

import numpy as np
import pytest
from cli_specs import DIVERGES, HOLDS, write

from boundcalc.simulate.results_reader import read_results
from boundcalc.simulate.results_writer import write_results

RANDOM = HOLDS.replace("model: constant, value: 1/10}", "model: uniform, half_width: 1/10}")


@pytest.fixture
def results(cli, tmp_path):
    done = cli("simulate", write(tmp_path, RANDOM), "-o", tmp_path / "out", "--engine", "numpy")
    assert done.code == 0, done.err
    (tmp_path / "spec.yaml").unlink()
    return tmp_path / "out" / "results.nc"


def rewrite(path, **changes):
    write_results(replace(read_results(path), **changes), path)


def test_a_folder_holds_the_run(results):
    names = sorted(path.name for path in results.parent.iterdir())
    assert names == ["results.nc", "simulate.json", "trajectory.csv"]
    written = json.loads((results.parent / "simulate.json").read_text())
    record = read_results(results)
    assert written["metrics"]["final_loss"]["mean"] == record.metrics["final_loss"].mean
    rows = (results.parent / "trajectory.csv").read_text().splitlines()
    assert rows[0].startswith("step,loss_mean,loss_min,loss_max")
    assert [int(row.split(",")[0]) for row in rows[1:]] == record.steps.tolist()
    step, mean, least, most = rows[8].split(",")[:4]
    loss = record.loss[7]
    assert int(step) == record.steps[7]
    assert float(mean) == pytest.approx(loss.mean(), rel=1e-8)
    assert (float(least), float(most)) == pytest.approx((loss.min(), loss.max()), rel=1e-8)


def test_a_run_is_reproduced(cli, results):
    done = cli("rerun", results)
    assert done.code == 0, done.err
    assert "two sine operators: ✓ reproduced to the last bit" in done.out
    found = cli("rerun", results, "--json").json
    assert found["reproduced"] is found["identical"] is True
    assert found["differences"] == []
    assert found["largest_difference"] == 0
    assert found["engine"] == {"recorded": "numpy", "now": "numpy"}
    assert found["changed_versions"] == {}
    assert found["status"] == "sampled"


def test_a_difference_is_shown_and_ends_in_exit_code_1(cli, results):
    loss = read_results(results).loss.copy()
    loss[3, 1] += 1
    rewrite(results, loss=loss, versions={**read_results(results).versions, "numpy": "0.1"})
    done = cli("rerun", results)
    assert done.code == 1
    assert "✗ not reproduced: largest relative difference" in done.out
    assert "step 3, replica 1" in done.out
    assert "numpy: 0.1 in the file" in done.out
    found = cli("rerun", results, "--json").json
    assert (found["reproduced"], found["identical"]) == (False, False)
    assert found["differences"][0]["where"] == "step 3, replica 1"
    assert found["differences"][0]["recorded"] == pytest.approx(loss[3, 1])
    assert found["largest_difference"] == found["differences"][0]["relative"]


def test_rounding_is_reproduced_unless_bits_are_asked_for(cli, results):
    final = read_results(results).final.copy()
    final[0, 0] *= 1 + 1e-14
    rewrite(results, final=final)
    done = cli("rerun", results)
    assert done.code == 0
    assert "✓ reproduced up to rounding" in done.out
    assert "at most 1e-09 allowed" in done.out
    assert cli("rerun", results, "--exact").code == 1


def test_another_engine_can_be_named(cli, results):
    assert cli("rerun", results, "--engine", "numpy", "--threads", "1").code == 0
    done = cli("rerun", results, "--engine", "compild")
    assert done.code == 2
    assert "did you mean 'compiled'?" in done.err


def test_a_diverged_run_is_reproduced_and_prints_valid_json(cli, tmp_path):
    path = write(tmp_path, DIVERGES.replace("horizon: 40", "horizon: 1000"))
    assert cli("simulate", path, "-o", tmp_path).code == 0
    found = cli("rerun", tmp_path / "results.nc", "--json").json
    assert found["identical"] is True
    rewrite(tmp_path / "results.nc", loss=np.zeros_like(read_results(tmp_path / "results.nc").loss))
    found = cli("rerun", tmp_path / "results.nc", "--json").json
    assert found["largest_difference"] == "inf"
    assert found["differences"][0]["found"] in ("nan", "inf")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.nc", "cannot be read"),
        ("out", "this is a folder"),
        ("out/simulate.json", "no results"),
    ],
)
def test_bad_input_is_refused_with_a_fix(cli, results, tmp_path, name, said):
    done = cli("rerun", tmp_path / name)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert "fix:" in done.err
    assert "Traceback" not in done.err


def test_a_changed_data_file_is_named(cli, tmp_path):
    from boundcalc.resources import example

    spec = example("logistic-breast-cancer")
    text = spec.read_text()
    assert "data/breast-cancer-wisconsin.csv" in text
    (tmp_path / "data").mkdir()
    table = tmp_path / "data" / "breast-cancer-wisconsin.csv"
    table.write_bytes((spec.parent / "data" / table.name).read_bytes())
    import re

    short = re.sub(r"horizon: \S+?([,}])", r"horizon: 5\1", text)
    assert short != text
    path = write(tmp_path, short)
    assert cli("simulate", path, "-o", tmp_path / "out").code == 0
    results = tmp_path / "out" / "results.nc"
    away = cli("rerun", results)
    assert away.code == 2
    assert "there is no such file" in away.err
    assert cli("rerun", results, "--folder", tmp_path).code == 0
    table.write_text(table.read_text() + "\n")
    changed = cli("rerun", results, "--folder", tmp_path)
    assert changed.code == 2
    assert "'data/breast-cancer-wisconsin.csv' has changed since the run" in changed.err


def test_single_precision_says_its_rounding_error(cli, tmp_path):
    text = RANDOM.replace("  replicas: 2", "  precision: float32\n  replicas: 2")
    assert text != RANDOM
    assert cli("simulate", write(tmp_path, text), "-o", tmp_path / "out").code == 0
    results = tmp_path / "out" / "results.nc"
    done = cli("rerun", results)
    assert done.code == 0, done.out + done.err
    assert "float32: measured rounding error of" in done.out
    measured = read_results(results).metrics["final_loss"].rounding
    assert 0 < measured < 1e-5
    assert cli("rerun", results, "--json").json["rounding"]["final_loss"] == measured


@pytest.mark.parametrize("part", ["method", "degrees", "rounding"])
def test_what_a_metric_says_of_itself_is_compared(cli, results, part):
    record = read_results(results)
    change = {"method": "bootstrap"} if part == "method" else {part: 7.0}
    known = {name: replace(metric, **change) for name, metric in record.metrics.items()}
    rewrite(results, metrics=known)
    done = cli("rerun", results)
    assert done.code == 1
    assert f", {part}" in done.out
