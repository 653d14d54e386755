"""Perturbation sections become perturbations at sites of the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from boundcalc.errors import SpecError
from boundcalc.graph.changes import Change, norm_of
from boundcalc.graph.model import OperatorGraph
from boundcalc.graph.parts import Node, Perturbation
from boundcalc.graph.place import Placed
from boundcalc.graph.reaches import backward_changes
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.transform import Largest
from boundcalc.perturbations.vector import thinned_moments, vector_moments
from boundcalc.spec.expressions import Expression, root


def make_perturbations(
    placed: Sequence[Placed],
    graph: OperatorGraph,
    forward: Mapping[tuple[int, int], Change],
) -> tuple[tuple[Perturbation, ...], list[str]]:
    """All perturbations, one per site, and remarks on how they were read.

    Transforms whose result never reaches the gradient are left out: what they are given
    need not be bounded.

    Parameters
    ----------
    forward
        By position of the section and number of the operator: the transforms of outputs.

    Raises
    ------
    SpecError
        If a transform needs to know more of the values along an edge.
    """
    made: list[Perturbation] = []
    notes: list[str] = []
    backward = backward_changes(graph, placed)
    for position, item in enumerate(placed):
        _check_draw(item)
        notes += _remarks(item)
        for number in item.forward:
            node = graph.nodes[number - 1]
            if number < graph.size or item.transform is None:
                change = forward.get((position, number))
                made.append(_at_site(item, number, 0, node.outputs, node, change, notes))
            if number == graph.size:
                notes.append(_idle(item, "forward", node))
        for edge in item.backward:
            u, v = graph.ends[edge]
            node = graph.nodes[v - 1]
            if u or item.transform is None:
                size = graph.nodes[u - 1].outputs if u else node.inputs
                change = backward.get((position, edge))
                made.append(_at_site(item, v, edge, size, node, change, notes))
            if not u:
                notes.append(_idle(item, "backward", node))
    return tuple(made), list(dict.fromkeys(notes))


def _check_draw(item: Placed) -> None:
    """Refuse one draw for a batch where what happens depends on each sample's own values."""
    if item.section.draw == "per_batch" and item.transform is not None:
        raise SpecError(
            "one draw for a batch of a model that transforms the value",
            where=f"{item.where}.draw",
            value="per_batch",
            expected="draw: per_sample, for each sample has a value, and a memory, of its own",
            fix="remove `draw`, or use a model that is added without looking at the value",
        )


def _idle(item: Placed, direction: str, node: Node) -> str:
    return f"{item.where}: a {direction} perturbation at {node.id} never reaches the gradient"


def _remarks(item: Placed) -> list[str]:
    if item.transform is None:
        return []
    found = []
    if item.section.reach is not None:
        found.append(f"{item.where}: `reach` is taken as stated; a simulation is held against it")
    if item.section.memory is not None:
        found.append(
            f"{item.where}: with memory its moments hold on average over the steps before, "
            "not given them"
        )
    return found


def _at_site(
    item: Placed,
    site: int,
    edge: int,
    size: int,
    node: Node,
    change: Change | None,
    notes: list[str],
) -> Perturbation:
    section, distribution, where = item.section, item.distribution, item.where
    rms, mean, fourth = section.rms, section.mean, section.fourth
    moments = None
    largest = Largest(item.largest, math.inf) if change is None else change.largest
    if section.model is not None:
        try:
            if distribution is not None:
                moments = vector_moments(distribution.moments(), size, section.probability)
            elif change is not None:
                moments = thinned_moments(change.moments, section.probability)
        except SpecError as error:
            raise error.located(f"{where}.probability") from None
        if node.operator is None:
            notes.append(f"{where}: read as a perturbation of {size} component(s) at {node.id}")
    else:
        if mean is None:
            mean = rms
            notes.append(f"{where}: no mean given, so it is taken as large as the rms allows")
        if section.probability is not None:
            rms, mean, fourth = _thinned(rms, mean, fourth, section.probability)
    return Perturbation(
        site=site,
        direction=section.pass_,
        size=size,
        rms=rms,
        mean=mean,
        fourth=fourth,
        moments=moments,
        distribution=distribution,
        probability=section.probability,
        schedule=item.schedule,
        where=where,
        edge=edge,
        dependence=_dependence(item),
        transform=item.transform,
        memory=section.memory,
        shared=section.draw == "per_batch",
        reach=None if change is None else change.reach,
        largest=norm_of(largest, size),
    )


def _dependence(item: Placed) -> Dependence:
    """That of the model, or as stated; of backward perturbations nothing is asked."""
    if item.section.pass_ == "backward":  # noqa: S105 - a pass of the chain
        return Dependence.ANY
    if item.section.memory is not None:
        return Dependence.ANY  # the memory links it to all that was drawn in earlier steps
    if item.transform is not None:
        return item.transform.dependence
    if item.distribution is not None:
        return item.distribution.dependence
    return Dependence.of(item.section.dependence or "any")


def _thinned(
    rms: Expression | None, mean: Expression | None, fourth: Expression | None, p: Expression
) -> tuple[Expression | None, Expression | None, Expression | None]:
    """Moments of a perturbation that is added with probability p, independently of its value.

    E‖bδ‖² = p E‖δ‖², E[bδ] = p E[δ], E‖bδ‖⁴ = p E‖δ‖⁴.
    """
    return (
        None if rms is None else rms * root(p),
        None if mean is None else mean * p,
        None if fourth is None else fourth * root(root(p)),
    )
