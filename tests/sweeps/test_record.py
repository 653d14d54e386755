"""What is kept of a run, and how a file holds it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.errors import OutputError
from boundcalc.simulate.reach import Reach, WeightReach
from boundcalc.simulate.records import Trajectory
from boundcalc.sweeps.record import (
    MAX_REPLICAS,
    MAX_ROWS,
    details_of,
    read_head,
    record_text,
    thinned,
)

values = st.floats(allow_nan=True, allow_infinity=True)


def trajectory(norm, loss=None, every=3):
    norm = np.asarray(norm, dtype=float)
    return Trajectory(
        steps=every * np.arange(len(norm)),
        loss=norm if loss is None else np.asarray(loss, dtype=float),
        gradient_norm=norm,
        snapshots={},
        final=norm[-1:].T,
        secant=0.0,
        weight_reach=WeightReach({}),
        input_reach=Reach({}),
        diverged=np.full(norm.shape[1], -1),
    )


def literal(norm, kept):
    """Rows one at a time: what is at the step, and the extremes until the next row."""
    rows = []
    for number, at in enumerate(kept):
        end = kept[number + 1] if number + 1 < len(kept) else len(norm)
        here = [x if np.isfinite(x) else np.inf for x in norm[at]]
        span = [x if np.isfinite(x) else np.inf for row in norm[at:end] for x in row]
        rows.append((sum(here) / len(here), min(span), max(span)))
    return np.array(rows)


@given(st.integers(2, 40), st.integers(1, 4), st.integers(2, 12), st.integers(0, 2**32))
def test_thinning_agrees_with_a_loop(records, replicas, rows, seed):
    rng = np.random.default_rng(seed)
    norm = rng.standard_normal((records, replicas)) ** 2
    norm[rng.random(norm.shape) < 0.1] = rng.choice([np.inf, np.nan])
    run = trajectory(norm)
    found = thinned(run, norm[:-1], {}, rows)
    kept = found.steps // 3
    assert (kept[0], kept[-1]) == (0, records - 1)
    assert len(kept) == min(rows, records)
    assert np.ptp(np.diff(kept)) <= 1
    expected = literal(norm, kept.tolist())
    assert np.allclose(np.stack([found.mean, found.least, found.largest], 1), expected, 1e-14)


def test_a_spike_between_rows_is_kept():
    norm = np.ones((20 * MAX_ROWS + 7, 2))
    norm[12_345, 1] = 1e6
    found = thinned(trajectory(norm), norm[:-1], {})
    assert len(found.steps) == MAX_ROWS
    assert found.largest.max() == 1e6
    assert found.mean.max() == 1.0


def test_what_diverges_shows_as_infinite_from_there_on():
    norm = np.ones((6, 3))
    norm[4:, 0] = np.nan
    found = thinned(trajectory(norm), norm[:-1], {})
    assert found.mean.tolist() == [1, 1, 1, 1, np.inf, np.inf]
    assert found.least.tolist() == [1] * 6
    assert found.smoothed.tolist() == [1, 1, 1, 1, np.inf, np.inf]


def test_norms_that_add_up_to_more_than_a_float_are_infinite_without_a_warning():
    norm = np.full((3, 4), 1e308)
    assert thinned(trajectory(norm), norm[:-1], {}).mean.tolist() == [np.inf] * 3


@given(st.lists(values, min_size=2, max_size=8))
def test_a_file_gives_back_every_bit(tmp_path_factory, numbers):
    column = np.array(numbers)
    run = trajectory(column[:, None])
    each = {"final_loss": column}
    details = thinned(run, column[:-1, None], each)
    path = tmp_path_factory.mktemp("record") / "000000.json"
    path.write_text(record_text({"index": 0}, details), encoding="utf-8")
    found = details_of(path, 0, None)
    assert read_head(path) == {"index": 0}
    for name in ("steps", "mean", "least", "largest", "smoothed", "loss"):
        assert np.array_equal(getattr(found, name), getattr(details, name), equal_nan=True)
    assert np.array_equal(found.replicas["final_loss"], column, equal_nan=True)


def test_many_replicas_are_not_kept_one_by_one():
    norm = np.ones((3, MAX_REPLICAS + 1))
    assert thinned(trajectory(norm), norm[:-1], {"final_loss": norm[0]}).replicas == {}


@pytest.mark.parametrize(
    "content", ["", "{", "[]\n", '{"a": 1}\n{"steps": [1]}\n', "\x00", "1\n2\n"]
)
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "000000.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(OutputError, match="damaged"):
        read_head(path), details_of(path, 0, None)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OutputError, match="cannot be read"):
        details_of(tmp_path / "000000.json", 0, None)


def test_a_point_that_failed_has_no_trajectory():
    with pytest.raises(OutputError, match="point 3 failed"):
        details_of(None, 3, "because")


def test_a_file_is_strict_json():
    details = thinned(trajectory([[np.nan], [np.inf]]), np.array([[np.nan]]), {})
    for line in record_text({"x": 0.1}, details).splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(name))
