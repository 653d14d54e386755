"""The metrics of a run: which numbers, and which interval suits each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.batch_means import stationary_interval
from boundcalc.simulate.bootstrap import bootstrap_interval
from boundcalc.simulate.optimum import Optimum
from boundcalc.simulate.records import Trajectory
from boundcalc.simulate.statistics import (
    Metric,
    mean_interval,
    share_interval,
    stable_complexity,
    stable_norm,
)


# A run on its way to infinity overflows; its metrics are not finite, and nobody is warned.
@np.errstate(over="ignore", invalid="ignore")
def metric_columns(
    trajectory: Trajectory, ewma: Array, optimum: Optimum | None
) -> dict[str, Array]:
    """Every metric replica by replica, ``(R,)``.

    Parameters
    ----------
    ewma
        ``(records − 1, R)``: the smoothed gradient norm at the recorded steps before T.
    optimum
        The best point found, or None.

    Notes
    -----
    ``mean_squared_gradient`` is the average over the recorded steps before T: over all of
    them if every step was recorded.
    """
    norm, loss = trajectory.gradient_norm, trajectory.loss
    columns = {
        "mean_squared_gradient": np.mean(norm[:-1] ** 2, axis=0),
        "final_loss": loss[-1],
        "final_gradient_norm": norm[-1],
        "stable_gradient_norm": stable_norm(ewma),
        "stable_iteration_complexity": stable_complexity(ewma, trajectory.steps),
    }
    if optimum is not None:
        columns["final_gap"] = loss[-1] - optimum.value
    return columns


@np.errstate(over="ignore", invalid="ignore")
def metrics_of(
    trajectory: Trajectory, ewma: Array, optimum: Optimum | None, confidence: float, seed: int
) -> dict[str, Metric]:
    """Every metric's mean over replicas, with the interval that suits it.

    Parameters
    ----------
    confidence
        Of each interval on its own.
    seed
        The bootstrap seed.

    Notes
    -----
    ``student`` over replicas for averages and final values; for the stable gradient norm
    replicas or batches along the run (:func:`~boundcalc.simulate.batch_means.
    stationary_interval`); ``bootstrap`` over replicas for the stable iteration complexity,
    whose law is skewed, within [0, T]; ``clopper-pearson`` for ``diverged_share``, the share
    of replicas whose loss was not finite at a recorded step.
    """
    columns = metric_columns(trajectory, ewma, optimum)
    found = {name: mean_interval(values, confidence) for name, values in columns.items()}
    half = max(1, len(ewma) // 2)
    found["stable_gradient_norm"] = stationary_interval(ewma[-half:], confidence)
    found["stable_iteration_complexity"] = bootstrap_interval(
        columns["stable_iteration_complexity"],
        confidence,
        seed,
        (0.0, float(trajectory.steps[-1])),
    )
    diverged = int(np.sum(trajectory.diverged >= 0))
    found["diverged_share"] = share_interval(diverged, len(trajectory.diverged), confidence)
    return found


def with_rounding(metrics: Mapping[str, Metric], errors: Mapping[str, float]) -> dict[str, Metric]:
    """Metrics of single precision, each longer by its measured rounding error."""
    return {
        name: metric.rounded(errors[name]) if name in errors else metric
        for name, metric in metrics.items()
    }
