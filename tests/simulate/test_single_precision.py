"""The rounding error of single precision, measured with the same random numbers."""

import numpy as np
import pytest
from results_cases import SPEC

import boundcalc as bc
from boundcalc.simulate.metrics import metric_columns
from boundcalc.simulate.rounding import REPLICAS, rounding_errors


def runs(precision, replicas=6, **changes):
    text = SPEC.replace("replicas: 4", f"replicas: {replicas}\n  precision: {precision}")
    for old, new in changes.items():
        text = text.replace(old, new)
    graph = bc.build(bc.loads(text))
    return graph, bc.simulate(graph, engine="numpy")


def measured(graph, run):
    return rounding_errors(graph, run.trajectory, run.ewma, run.optimum, engine="numpy", threads=1)


def test_it_is_the_difference_to_double_precision_of_the_first_replicas():
    graph, single = runs("float32")
    _, double = runs("float64")
    ours = metric_columns(single.trajectory, single.ewma, single.optimum)
    theirs = metric_columns(double.trajectory, double.ewma, single.optimum)
    found = measured(graph, single)
    assert set(found) == set(ours)
    for name, error in found.items():
        expected = np.abs(ours[name] - theirs[name])[:REPLICAS].max()
        assert error == pytest.approx(expected, rel=1e-6, abs=1e-15), name
    assert 1e-10 < found["final_loss"] < 1e-5


def test_double_precision_has_none():
    graph, double = runs("float64")
    assert max(measured(graph, double).values()) <= 1e-15


def test_fewer_replicas_than_that_are_all_compared():
    graph, single = runs("float32", replicas=2)
    assert 0 < measured(graph, single)["final_loss"] < 1e-5


def test_what_is_not_finite_has_no_rounding_error():
    graph, single = runs("float32")
    single.trajectory.loss[-1, 1] = np.inf
    found = measured(graph, single)
    assert np.isnan(found["final_loss"])
    assert np.isfinite(found["final_gradient_norm"])
