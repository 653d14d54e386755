"""Perturbations given by their root mean square, mean and fourth moment."""

from __future__ import annotations

from dataclasses import replace

from boundcalc.arithmetic import WIDE
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Perturbation
from boundcalc.spec.expressions import Expression, exact, root
from boundcalc.spec.nodes import Node


def by_moments(p: Perturbation) -> Perturbation:
    """The same with its root mean square, mean and fourth moment as expressions."""
    if p.moments is None:
        return p
    return replace(
        p,
        moments=None,
        rms=root(p.moments.second),
        mean=root(p.moments.mean_squared),
        fourth=root(root(p.moments.fourth)),
    )


def centred(graph: OperatorGraph) -> tuple[Perturbation, ...]:
    """A graph's perturbations with the number 0 for what is 0 at the spec's values.

    Bounds take another form there, and no control moves it away from 0.
    """
    values, zero = graph.values(WIDE), exact(0)
    known: dict[Node, bool] = {}

    def vanishes(size: Expression | None) -> bool:
        assert size is not None  # noqa: S101 - by_moments() has given it
        if size.node not in known:
            known[size.node] = bool(size.evaluate(WIDE, values) == 0)
        return known[size.node]

    found = []
    for p in map(by_moments, graph.perturbations):
        if vanishes(p.rms):
            found.append(replace(p, rms=zero, mean=zero, fourth=zero))
        else:
            found.append(replace(p, mean=zero) if vanishes(p.mean) else p)
    return tuple(found)
