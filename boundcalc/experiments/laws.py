"""The law of a spec's run, where it is a logistic run of [KZY]: margin, softplus, uniform noise."""

from __future__ import annotations

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.experiments.stationary import Law, Plateau, settle
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.perturbations.schedules import Always, Every


def plateau(graph: OperatorGraph) -> Plateau | None:
    """Where the graph's run settles; None for a run of another kind, or one that has no root.

    The root is followed from the unperturbed one, so that it is the same branch.
    """
    law = law_of(graph)
    if law is None:
        return None
    still = settle(law.still, np.zeros(law.slopes.shape[1]))
    return None if still is None else settle(law, still.weights)


def law_of(graph: OperatorGraph) -> Law | None:
    """The law, or None where the chain, the noise, the optimizer or a schedule is another one."""
    section, training, data = graph.spec.simulation, graph.spec.training, graph.data
    types = [node.operator.type if node.operator else "" for node in graph.nodes]
    if types != ["margin", "softplus"] or data is None or section is None or training is None:
        return None
    plain = training.optimizer.type == "sgd" and training.clip is None
    if not plain or section.noise.kind == "minibatch":
        return None
    values = graph.values(FLOATS)
    acting = [p for p in graph.perturbations if _moments(graph, p) != (0.0, 0.0)]
    shared = {p.shared for p in acting}
    intervals = {_interval(p) for p in acting}
    sides = [p.direction for p in acting]
    same = len(shared) <= 1 and len(intervals) <= 1 and None not in intervals
    if not same or len(set(sides)) < len(sides) or any(not _uniform(p) for p in acting):
        return None
    moments = {p.direction: _moments(graph, p) for p in acting}
    centre, forward = moments.get("forward", (0.0, 0.0))
    back_mean, back_variance = moments.get("backward", (0.0, 0.0))
    if centre != 0.0:
        return None
    every = intervals.pop() if intervals else 1
    return Law(
        slopes=-data.labels[:, None] * data.features,
        kind=section.regulariser.kind,
        strength=float(section.regulariser.strength.evaluate(FLOATS, values)),
        step=float(training.step_size.evaluate(FLOATS, values)),
        noise=float(section.noise.std.evaluate(FLOATS, values)),
        half_width=float(np.sqrt(3.0 * forward)),  # E δ² = a²/3
        back_mean=back_mean,
        back_variance=back_variance,
        shared=shared.pop() if shared else False,
        every=every or 1,
    )


def _uniform(p: Perturbation) -> bool:
    return p.distribution is not None and p.distribution.model == "uniform" and not p.probability


def _interval(p: Perturbation) -> int | None:
    if isinstance(p.schedule, Every):
        return p.schedule.every
    return 1 if isinstance(p.schedule, Always) else None


def _moments(graph: OperatorGraph, p: Perturbation) -> tuple[float, float]:
    """Mean and variance of a component; NaN where the model does not say."""
    if p.distribution is None:
        return np.nan, np.nan
    moments, values = p.distribution.moments(), graph.values(FLOATS)
    mean = float(moments.mean.evaluate(FLOATS, values))
    return mean, float(moments.second.evaluate(FLOATS, values)) - mean**2
