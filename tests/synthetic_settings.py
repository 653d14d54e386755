"""Settings with made-up numbers."""

import numpy as np

from boundcalc.arithmetic import Status
from boundcalc.experiments.floors import Floor
from boundcalc.experiments.settings import CONFIDENCE, Setting
from boundcalc.experiments.stationary import Plateau
from boundcalc.simulate.statistics import mean_interval


def setting(stable, *, floor=None, bias=None, predicted=None, ewma=None, diverged=0, **values):
    """A setting whose stable norms are given; level trajectory unless another one is."""
    stable = np.asarray(stable, dtype=np.float64)
    level = np.full(40, stable.mean()) if ewma is None else np.asarray(ewma, dtype=np.float64)
    made = Setting(
        values=values,
        steps=np.arange(len(level)) * 10,
        ewma=level,
        norm=mean_interval(stable, CONFIDENCE),
        wait=mean_interval(np.full(len(stable), 50.0), CONFIDENCE),
        stable=stable,
        complexity=np.full(len(stable), 50.0),
        diverged=diverged,
        make=lambda: None,
    )
    # What would be computed from the graph.
    refused = "" if floor is not None else "too large a step"
    made.__dict__["floor"] = Floor(floor, bias, Status.COMPUTED, refused)
    made.__dict__["plateau"] = (
        None if predicted is None else Plateau(predicted, predicted, np.zeros(1))
    )
    return made


def around(mean, scatter=0.01, replicas=8, seed=0):
    """Replicas around a mean, with a relative scatter."""
    rng = np.random.default_rng([seed, int(1e6 * mean)])
    return mean * (1 + scatter * rng.standard_normal(replicas))
