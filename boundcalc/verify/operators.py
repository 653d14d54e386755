"""Assumption 3: constants that the spec states for its operators, and where they hold.

Constants that a type proves, and regions propagated from the data, need no check: they
hold where what is stated does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES, Node
from boundcalc.operators.base import Array, Constants, Domain
from boundcalc.simulate import Run
from boundcalc.simulate.reach import Reach, sections_of
from boundcalc.spec.expressions import Expression
from boundcalc.spec.sections import OperatorSection, RegionSection
from boundcalc.verify.premise import Premise, at_least, at_most, number

_SHOWN = 3  # regions of each kind in a report: those that leave the least room

#: A premise and the number of its operator.
_Found = tuple[int, Premise]


def constants(graph: OperatorGraph) -> list[Premise]:
    """Constants given in the spec must not be below what the operator type proves.

    One line for each constant's name: the operator where it is tightest.
    """
    tightest: dict[str, tuple[float, float, str]] = {}
    for node, section in zip(graph.nodes, sections_of(graph), strict=True):
        if node.derived is None:
            continue
        for name in _stated_names(graph, node, section):
            for stated, met in _pairs(graph, node.constants, node.derived, name):
                known = tightest.get(name)
                if known is None or met - stated > known[1] - known[0]:
                    tightest[name] = (stated, met, node.id)
    return [
        at_least("A3", f"{name} of {operator}", stated, met, runs=False)
        for name in CONSTANT_NAMES
        if name in tightest
        for stated, met, operator in [tightest[name]]
    ]


def _stated_names(graph: OperatorGraph, node: Node, section: OperatorSection) -> Iterator[str]:
    """Constants that do not come from the type and that some bound reads."""
    for name in CONSTANT_NAMES:
        given = section.constants
        stated = getattr(given, name) is not None or graph.uniform is not None
        if name == "lip_input":
            stated |= given.jac_input is not None  # which stands in for it
        # The data do not move, and weights that are kept have no gradient.
        unused = (node.reads == (0,) and name.endswith("input")) or (
            not node.trainable and name in ("jac_weight", "hess_mixed", "third_mixed")
        )
        if stated and not unused:
            yield name


def _pairs(
    graph: OperatorGraph, stated: Constants, derived: Constants, name: str
) -> Iterator[tuple[float, float]]:
    """What is stated and what the type proves, slot by slot where both have slots."""
    in_slots = name not in ("jac_weight", "third_mixed")
    if in_slots and stated.slots and len(stated.slots) == len(derived.slots):
        for one, other in zip(stated.slots, derived.slots, strict=True):
            first, second = getattr(one, name), getattr(other, name)
            if name == "hess_input":
                yield from zip(_numbers(graph, first), _numbers(graph, second), strict=bool(second))
            else:
                yield number(graph, first), number(graph, second)
        return
    first, second = getattr(stated, name), getattr(derived, name)
    if first is not None:
        # Where the type has no such constant at all, none is large enough.
        yield number(graph, first), math.inf if second is None else number(graph, second)


def _numbers(graph: OperatorGraph, row: tuple[Expression, ...]) -> list[float]:
    return [number(graph, value) for value in row]


def regions(graph: OperatorGraph, run: Run) -> list[Premise]:
    """The run must stay where the constants hold.

    Of the data, of inputs and of weights each the few that leave the least room.
    """
    kinds = [_data(graph), _inputs(graph, run), _weights(graph, run)]
    kept = [pair for kind in kinds for pair in sorted(kind, key=_room)[:_SHOWN]]
    return [premise for _, premise in sorted(kept, key=lambda pair: pair[0])]


def _room(found: _Found) -> tuple[bool, float]:
    """For sorting: what is refuted first, then by the distance to the bound."""
    premise = found[1]
    distance = abs(premise.stated - premise.met) / (abs(premise.stated) or 1.0)
    return premise.consistent, distance if premise.consistent else -distance


def _data(graph: OperatorGraph) -> list[_Found]:
    """What the spec says of the samples, from which regions are propagated."""
    section, data = graph.spec.graph.input, graph.data
    if data is None:
        return []
    norm = float(np.sqrt(np.max(np.sum(data.features**2, axis=-1))))
    met = (norm, float(data.features.min()), float(data.features.max()))
    stated = Domain(
        section.radius,
        -math.inf if section.low is None else number(graph, section.low),
        math.inf if section.high is None else number(graph, section.high),
    )
    found = [(0, premise) for premise in _held(graph, "region of the data", stated, met)]
    for v, (node, operator) in enumerate(zip(graph.nodes, sections_of(graph), strict=True), 1):
        if node.reads == (0,):
            whole = Domain(node.region.input, node.region.low, node.region.high)
            claimed = _claimed(whole, operator.region, everywhere=False)
            claim = f"input region of {node.id}"
            found += [(v, premise) for premise in _held(graph, claim, claimed, met)]
    return found


def _inputs(graph: OperatorGraph, run: Run) -> list[_Found]:
    """Regions of inputs that are stated, or were measured on the data."""
    sections, reach = sections_of(graph), Reach(run.trajectory.input_reach.places)
    for met in (run.trajectory.input_reach, *(check.reach for check in run.checks)):
        reach.include(met)
    found: list[_Found] = []
    for index, (v, slot) in enumerate(reach.places):
        node = graph.nodes[v - 1]
        region, claim = node.region, f"input region of {node.id}"
        domain = Domain(region.input, region.low, region.high)
        if slot is not None:
            domain, claim = region.parts[slot], f"{claim} from {graph.ids[node.reads[slot] - 1]}"
        claimed = _claimed(domain, sections[v - 1].region, everywhere=graph.sampled)
        values = (reach.norm[index], reach.low[index], reach.high[index])
        found += [(v, premise) for premise in _held(graph, claim, claimed, values)]
    return found


def _claimed(domain: Domain, stated: RegionSection, *, everywhere: bool) -> Domain:
    """The ball and the box of a region where they are claims, not consequences."""
    box = everywhere or stated.low is not None or stated.high is not None
    return Domain(
        domain.radius if everywhere or stated.input is not None else None,
        domain.low if box else -math.inf,
        domain.high if box else math.inf,
    )


def _held(
    graph: OperatorGraph, claim: str, domain: Domain, met: tuple[float, float, float]
) -> list[Premise]:
    """The ball and the two ends of the box against the norm and the components that were met."""
    norm, low, high = (float(value) for value in met)
    found = []
    if domain.radius is not None:
        found.append(at_least("A3", claim, number(graph, domain.radius), norm, runs=False))
    if math.isfinite(domain.low):
        found.append(at_most("A3", f"{claim}, lower end", domain.low, low, runs=False))
    if math.isfinite(domain.high):
        found.append(at_least("A3", f"{claim}, upper end", domain.high, high, runs=False))
    return found


def _weights(graph: OperatorGraph, run: Run) -> list[_Found]:
    """Regions of weights, all of which are stated; kept weights lie where they lie."""
    reach, found = run.trajectory.weight_reach, []
    for v, node in enumerate(graph.nodes, 1):
        region, claim = node.region, f"weight region of {node.id}"
        if not node.trainable:
            norm, change = _norm(node.values), None
        else:
            norm, change = reach.norm.get(v), reach.change.get(v)
        for radius, met, what in (
            (region.weight, norm, claim),
            (region.change, change, f"{claim}, change"),
        ):
            if radius is not None and met is not None:
                found.append((v, at_least("A3", what, number(graph, radius), met, runs=False)))
    return found


def _norm(values: Array | None) -> float | None:
    return None if values is None else float(np.linalg.norm(values))
