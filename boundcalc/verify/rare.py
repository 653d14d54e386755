"""Perturbations that act so rarely that a simulation hardly meets them.

What never happened leaves no trace in the spread of what was observed: an interval from such
a sample covers nothing.
"""

from __future__ import annotations

from boundcalc.arithmetic import FLOATS
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.simulate import IterateCheck, Run

ENOUGH = 30  # expected events from which on their number is nearly normal


def rare_at(graph: OperatorGraph, check: IterateCheck) -> str:
    """Why the draws at an iterate are too few; empty where they are enough."""
    for perturbation, p in _by_chance(graph):
        if p * check.draws < ENOUGH:
            return (
                f"{perturbation.where} acts with probability {p:.3g}, in about "
                f"{p * check.draws:.2g} of {check.draws} draws; at least {ENOUGH} are needed: "
                f"raise `simulation.check.draws` to {-(-ENOUGH // p):.3g}"
            )
    return ""


def rare_along(run: Run) -> str:
    """Why a run has too few events; empty where they are enough."""
    graph = run.graph
    section, data = graph.spec.simulation, graph.data
    assert section is not None  # noqa: S101 - there is a run
    assert data is not None  # noqa: S101 - the same
    batch = graph.spec.loss.batch if section.noise.kind == "minibatch" else len(data.labels)
    for perturbation, p in _by_chance(graph):
        steps = perturbation.schedule.count(run.steps)
        events = p * run.replicas * steps * (1 if perturbation.shared else batch)
        if steps and events < ENOUGH:
            return (
                f"{perturbation.where} acts with probability {p:.3g}, about {events:.2g} times "
                f"in the whole run; at least {ENOUGH} are needed: raise `simulation.replicas`"
            )
    return ""


def _by_chance(graph: OperatorGraph) -> list[tuple[Perturbation, float]]:
    """The perturbations that may act or not, with their probabilities; not those of 0 and 1."""
    values, found = graph.values(FLOATS), []
    for perturbation in graph.perturbations:
        if perturbation.probability is not None:
            p = float(perturbation.probability.evaluate(FLOATS, values))
            if 0 < p < 1:
                found.append((perturbation, p))
    return found
