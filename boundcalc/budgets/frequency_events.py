"""Which events a budget asks for, and where they act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import format_number
from boundcalc.budgets.question import highest, lowest
from boundcalc.errors import SpecError, nearest
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Perturbation, Site
from boundcalc.perturbations.dependence import Dependence
from boundcalc.spec.budget import EventSection
from boundcalc.spec.expressions import Expression

Direction = Literal["forward", "backward"]

#: ``kind`` → rms, mean and (E‖·‖⁴)^(1/4), None where that is not known.
Moments = Callable[[Arithmetic], tuple[Scalar, Scalar, Scalar | None]]

_LISTED = 12  # names in a message


@dataclass(frozen=True)
class Event:
    """Something of a fixed magnitude that happens at one site now and then.

    Attributes
    ----------
    index
        Of the operator or the edge.
    reaches
        Whether it reaches the gradient at all.
    largest
        No component is larger; None where that is not stated.
    where
        Its place in the ``budget`` section; empty for a perturbation of the spec.
    """

    name: str
    direction: Direction
    index: int
    label: str
    reaches: bool
    moments: Moments
    dependence: Dependence = Dependence.ANY
    largest: Expression | None = None
    where: str = ""

    def number(self, part: int) -> Number:
        """Its rms (0) or its mean (1)."""
        value, proved = in_best_kind(lambda kind: self.moments(kind)[part], 1)
        return Number(value, Status.PROVED if proved else Status.COMPUTED)


def events(graph: OperatorGraph) -> Iterator[Event]:
    """Those of the ``budget`` section, else every perturbation of the spec as one.

    Raises
    ------
    SpecError
        For an unknown site, an edge in the forward pass, or a mean above the rms.
    """
    section = graph.spec.budget
    asked = [] if section is None else section.events
    for position, event in enumerate(asked):
        where = f"budget.events[{position}]"
        moments = _stated(graph, event, where)
        for direction, index, label in _places(graph, event, where):
            reaches = _reaches(graph, direction, index)
            yield Event(
                event.name,
                direction,
                index,
                label,
                reaches,
                moments,
                largest=event.largest,
                where=where,
            )
    if not asked:
        for perturbation in graph.perturbations:
            yield _of(graph, perturbation)


def _of(graph: OperatorGraph, p: Perturbation) -> Event:
    forward = p.direction == "forward"
    index = p.site if forward else p.edge

    def moments(kind: Arithmetic) -> tuple[Scalar, Scalar, Scalar | None]:
        rms, mean, power = p.level(kind, graph.values(kind))
        return rms, mean, None if power is None else kind.sqrt(kind.sqrt(power))

    return Event(
        name=p.where,
        direction=p.direction,
        index=index,
        label=_label(graph, p.direction, index),
        reaches=_reaches(graph, p.direction, index),
        moments=moments,
        dependence=p.dependence,
    )


def _stated(graph: OperatorGraph, event: EventSection, where: str) -> Moments:
    def moments(kind: Arithmetic) -> tuple[Scalar, Scalar, Scalar | None]:
        values = graph.values(kind)
        rms = event.rms.evaluate(kind, values)
        mean = rms if event.mean is None else event.mean.evaluate(kind, values)
        return rms, mean, rms

    (rms, mean), _ = in_best_kind(lambda kind: moments(kind)[:2], 1)
    if lowest(mean) > highest(rms):
        raise SpecError(
            "the mean of an event is larger than its rms",
            where=f"{where}.mean",
            value=f"{format_number(mean)} > {format_number(rms)}",
            expected="mean ≤ rms: ‖E[δ]‖² ≤ E‖δ‖²",
            fix="lower `mean`, or raise `rms`",
        )
    return moments


def _places(
    graph: OperatorGraph, event: EventSection, where: str
) -> Iterator[tuple[Direction, int, str]]:
    """The sites that ``at`` names, each once, as :mod:`boundcalc.graph.perturb` reads it."""
    forward = event.pass_ == "forward"  # noqa: S105 - a pass of the chain
    seen: set[int] = set()
    for position, name in enumerate(event.sites):
        place = f"{where}.at" if isinstance(event.at, str) else f"{where}.at[{position}]"
        numbers = _named(graph, name)
        if not numbers:
            found = [_edge(graph, name, place, forward=forward)]
        elif forward:
            found = numbers
        else:
            found = [edge for v in numbers for edge in dict.fromkeys(graph.nodes[v - 1].edges)]
        for index in found:
            if index not in seen:
                seen.add(index)
                yield event.pass_, index, _label(graph, event.pass_, index)


def _named(graph: OperatorGraph, name: str) -> list[int]:
    exact = [v for v, known in enumerate(graph.ids, 1) if known == name]
    if exact or "*" not in name or "->" in name:
        return exact
    return [v for v, known in enumerate(graph.ids, 1) if fnmatchcase(known, name)]


def _edge(graph: OperatorGraph, name: str, where: str, *, forward: bool) -> int:
    source, arrow, target = (part.strip() for part in name.partition("->"))
    numbers = {known: v for v, known in enumerate(graph.ids, 1)}
    ends = (numbers.get(source), numbers.get(target))
    if arrow and None not in ends and ends in graph.ends:
        if not forward:
            return graph.ends.index(ends)
        raise SpecError(
            "a forward event on an edge",
            where=where,
            value=name,
            expected=f"an operator, such as {source!r}",
            fix="a forward event is added to an operator's output",
        )
    if arrow and None not in ends:
        raise SpecError(
            "an event on an edge that is not there",
            where=where,
            value=name,
            expected=f"an edge: {target!r} reads "
            + (", ".join(graph.predecessors(target)) or "only the data"),
            fix="name an edge of the graph, or the operator",
        )
    wrong = source if arrow and ends[0] is None else target if arrow else name
    close = nearest(wrong, graph.ids[:10_000])
    raise SpecError(
        "an event at an unknown operator",
        where=where,
        value=name,
        expected="the id of an operator, a pattern such as block.*, or an edge such as f1->f3",
        fix=f"did you mean {close!r}?"
        if close
        else "the ids are " + ", ".join(graph.ids[:_LISTED]),
    )


def _reaches(graph: OperatorGraph, direction: Direction, index: int) -> bool:
    return index < graph.size if direction == "forward" else bool(graph.ends[index][0])


def _label(graph: OperatorGraph, direction: Direction, index: int) -> str:
    if direction == "backward":
        return graph.edge_label(index)
    return Site("forward", index, graph.ids[index - 1]).label
