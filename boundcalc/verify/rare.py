"""Perturbations that act so rarely that a simulation hardly meets them.

What never happened leaves no trace in the spread of what was observed: an interval from such
a sample covers nothing, and one from a few events is too short on the side of the bound.
"""

from __future__ import annotations

from boundcalc.arithmetic import FLOATS
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.simulate import IterateCheck, Run

RARE = 0.1  # share of draws below which a perturbation is an event
ENOUGH = 300  # expected events from which on intervals of averages of squares cover


def acting_share(perturbation: Perturbation, graph: OperatorGraph) -> float:
    """Which share of the draws makes up the perturbation's second moment.

    Of a law (E‖δ‖²)²/E‖δ‖⁴, which is p for an event of probability p that adds a constant,
    and also finds a rare large value inside a law; of a transform the probability that it
    changes anything.

    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: seldom
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1, dim: 1}, {id: f2}]
    ... perturbations: [{at: f1, pass: forward, model: two_point, low: 0, high: 5, p_high: 1/100}]
    ... '''))
    >>> round(acting_share(graph.perturbations[0], graph), 12)
    0.01
    """
    values = graph.values(FLOATS)
    if perturbation.distribution is not None and perturbation.moments is not None:
        second = float(perturbation.moments.second.evaluate(FLOATS, values))
        fourth = float(perturbation.moments.fourth.evaluate(FLOATS, values))
        return 1.0 if not second > 0 or not fourth > 0 else min(1.0, second * (second / fourth))
    p = perturbation.probability
    share = 1.0 if p is None else float(p.evaluate(FLOATS, values))
    if perturbation.transform is not None and share > 0:
        share *= perturbation.transform.chance(perturbation.size)
    return share if share > 0 else 1.0


def rare_at(graph: OperatorGraph, check: IterateCheck) -> str:
    """Why the draws at an iterate are too few; empty where they are enough."""
    for perturbation, share in _seldom(graph):
        if share * check.draws < ENOUGH:
            return (
                f"{perturbation.where} acts in a share of {share:.3g} of the draws, about "
                f"{share * check.draws:.2g} of {check.draws}; at least {ENOUGH} are needed: "
                f"raise `simulation.check.draws` to {-(-ENOUGH // share):.3g}"
            )
    return ""


def rare_along(run: Run) -> str:
    """Why a run has too few events; empty where they are enough."""
    graph = run.graph
    section, data = graph.spec.simulation, graph.data
    assert section is not None  # noqa: S101 - there is a run
    assert data is not None  # noqa: S101 - the same
    batch = graph.spec.loss.batch if section.noise.kind == "minibatch" else len(data.labels)
    for perturbation, share in _seldom(graph):
        steps = perturbation.schedule.count(run.steps)
        events = share * run.replicas * steps * (1 if perturbation.shared else batch)
        if steps and events < ENOUGH:
            return (
                f"{perturbation.where} acts in a share of {share:.3g} of the draws, about "
                f"{events:.2g} times in the whole run; at least {ENOUGH} are needed: raise "
                "`simulation.replicas`"
            )
    return ""


def _seldom(graph: OperatorGraph) -> list[tuple[Perturbation, float]]:
    """The perturbations that act in few draws, with the share."""
    shares = [(p, acting_share(p, graph)) for p in graph.perturbations]
    return [(p, share) for p, share in shares if share < RARE]
