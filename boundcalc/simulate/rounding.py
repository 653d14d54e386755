"""What single precision costs: measured against double precision, with the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.engines import EngineName
from boundcalc.simulate.metrics import metric_columns
from boundcalc.simulate.optimum import Optimum
from boundcalc.simulate.records import Trajectory
from boundcalc.simulate.run import simulate
from boundcalc.spec.model import CheckSection

REPLICAS = 4  # that are run again in double precision


def rounding_errors(
    graph: OperatorGraph,
    trajectory: Trajectory,
    ewma: Array,
    optimum: Optimum | None,
    *,
    engine: EngineName,
    threads: int,
) -> dict[str, float]:
    """By metric: the largest change that single precision made to it in any of 4 replicas.

    A replica's random numbers depend neither on the other replicas nor on the precision, so
    the first replicas are run again in double precision, all T steps, and each metric is
    compared replica by replica.  A difference is that of one replica, while the metric is a
    mean over all: it is a measured size of the rounding error, not a bound on it.

    Parameters
    ----------
    trajectory, ewma, optimum
        Of the run in single precision.
    engine, threads
        As for that run.

    Returns
    -------
    dict
        NaN where a replica's value is not finite in either precision.

    Notes
    -----
    O(T · min(R, 4) · M): of a run with R = 64 replicas about an eighth more.
    """
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - there is a run
    count = min(REPLICAS, section.replicas)
    change = {
        "precision": "float64",
        "replicas": count,
        "check": CheckSection(iterates=[0.0], samples=1, draws=2),
    }
    spec = graph.spec.model_copy(update={"simulation": section.model_copy(update=change)})
    twin = simulate(replace(graph, spec=spec), engine=engine, threads=threads)
    # The same ℓ* for both, which cancels in their difference.
    single = metric_columns(trajectory, ewma, optimum)
    double = metric_columns(twin.trajectory, twin.ewma, optimum)
    with np.errstate(invalid="ignore"):
        return {
            name: _largest(single[name][:count] - values)
            for name, values in double.items()
            if name in single
        }


def _largest(differences: Array) -> float:
    largest = float(np.max(np.abs(differences)))  # NaN stays NaN
    return largest if np.isfinite(largest) else float("nan")
