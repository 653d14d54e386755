"""The metrics of a run: every name, the interval that suits it, and rounding errors."""

from types import SimpleNamespace

import numpy as np
import pytest

from boundcalc.simulate.batch_means import stationary_interval
from boundcalc.simulate.bootstrap import bootstrap_interval
from boundcalc.simulate.metrics import metric_columns, metrics_of, with_rounding
from boundcalc.simulate.statistics import mean_interval, share_interval, smoothed

RNG = np.random.default_rng(0)
STEPS = np.append(np.arange(0, 100, 5), 98)
LOSS, NORM = RNG.random((21, 6)), RNG.random((21, 6))
EWMA = smoothed(NORM[:-1], 0.99**5)
RECORDED = SimpleNamespace(
    steps=STEPS, loss=LOSS, gradient_norm=NORM, diverged=np.array([-1, 5, -1, -1, 10, -1])
)
OPTIMUM = SimpleNamespace(value=0.25)


def test_every_metric_is_the_mean_of_its_column():
    columns = metric_columns(RECORDED, EWMA, OPTIMUM)
    metrics = metrics_of(RECORDED, EWMA, OPTIMUM, 0.95, 3)
    assert list(metrics) == [
        "mean_squared_gradient",
        "final_loss",
        "final_gradient_norm",
        "stable_gradient_norm",
        "stable_iteration_complexity",
        "final_gap",
        "diverged_share",
    ]
    for name, values in columns.items():
        assert metrics[name].mean == pytest.approx(values.mean(), rel=1e-12)
        assert metrics[name].lo <= metrics[name].mean <= metrics[name].hi


def test_columns_are_what_their_names_say():
    columns = metric_columns(RECORDED, EWMA, OPTIMUM)
    assert columns["mean_squared_gradient"] == pytest.approx((NORM[:20] ** 2).sum(axis=0) / 20)
    assert columns["final_loss"].tolist() == LOSS[20].tolist()
    assert columns["final_gradient_norm"].tolist() == NORM[20].tolist()
    assert columns["final_gap"] == pytest.approx(LOSS[20] - 0.25)
    assert columns["stable_gradient_norm"] == pytest.approx(EWMA[10:].sum(axis=0) / 10)
    assert set(columns["stable_iteration_complexity"]) <= set(STEPS.astype(float))
    assert "final_gap" not in metric_columns(RECORDED, EWMA, None)


def test_each_metric_has_the_interval_that_suits_it():
    columns = metric_columns(RECORDED, EWMA, OPTIMUM)
    metrics = metrics_of(RECORDED, EWMA, OPTIMUM, 0.95, 3)
    assert metrics["final_gap"] == mean_interval(columns["final_gap"], 0.95)
    assert metrics["stable_gradient_norm"] == stationary_interval(EWMA[10:], 0.95)
    assert metrics["stable_gradient_norm"].effective > 0
    complexity = columns["stable_iteration_complexity"]
    # 98 is T, which no complexity exceeds.
    assert metrics["stable_iteration_complexity"] == bootstrap_interval(
        complexity, 0.95, 3, (0.0, 98.0)
    )
    assert metrics["diverged_share"] == share_interval(2, 6, 0.95)


def test_a_replica_that_diverged_leaves_means_without_an_interval():
    norm, loss = NORM.copy(), LOSS.copy()
    norm[7:, 1] = np.nan
    loss[7:, 1] = np.nan
    run = SimpleNamespace(steps=STEPS, loss=loss, gradient_norm=norm, diverged=RECORDED.diverged)
    metrics = metrics_of(run, smoothed(norm[:-1], 0.9), OPTIMUM, 0.95, 3)
    for name, metric in metrics.items():
        if name != "diverged_share":
            assert np.isnan(metric.mean), name
            assert (metric.lo, metric.hi) == (-np.inf, np.inf), name
    overflow = SimpleNamespace(
        steps=STEPS, loss=LOSS, gradient_norm=np.full((21, 6), 1e200), diverged=RECORDED.diverged
    )
    found = metrics_of(overflow, EWMA, None, 0.95, 3)["mean_squared_gradient"]
    assert (found.mean, found.lo, found.hi) == (np.inf, -np.inf, np.inf)


def test_rounding_errors_enter_the_metrics_that_have_one():
    metrics = metrics_of(RECORDED, EWMA, OPTIMUM, 0.95, 3)
    found = with_rounding(metrics, {"final_gap": 0.5, "final_loss": float("nan")})
    assert found["final_gap"].hi == metrics["final_gap"].hi + 0.5
    assert found["final_loss"].hi == np.inf
    assert found["diverged_share"] is metrics["diverged_share"]
