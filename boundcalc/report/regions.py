"""Where the constants hold: balls and boxes of inputs and weights, and how they are known."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import groupby

import numpy as np

from boundcalc.arithmetic import Number, Status
from boundcalc.graph import OperatorGraph, domains
from boundcalc.graph.parts import Node
from boundcalc.operators.base import ANYWHERE, Domain
from boundcalc.operators.regions import reach
from boundcalc.report.cells import Code, Column, Content, Maths, Piece, Table, Value
from boundcalc.report.gather import Findings
from boundcalc.report.notation import joined, names, number_of, stated
from boundcalc.report.numbers import DOWN, NONE, UP, sampled, text_of, value
from boundcalc.report.rows import name_width, shortened_rows
from boundcalc.simulate.reach import Reach, sections_of
from boundcalc.spec.expressions import Expression
from boundcalc.spec.sections import OperatorSection

_DIGITS = 4
_MARGIN = 2e-12  # relative, by which the build enlarges what it measures: it is not printed

#: How a region is known, with what that means.
SOURCES = {
    "stated": "the spec says so, and a run can refute it",
    "data": "of the samples themselves",
    "propagated": "from the data through the operators before, so that it holds where theirs do",
    "measured": "from one pass of the data, enlarged by the margin: no proof",
}


def region_sources(graph: OperatorGraph, node: Node, section: OperatorSection) -> tuple[str, ...]:
    """Keys of :data:`SOURCES`: how the region of an operator's input is known.

    Parameters
    ----------
    section
        The operator's section of the spec.
    """
    stated = domains.stated_domain(section.region, graph.symbols)
    given = (stated.radius is not None, math.isfinite(stated.low), math.isfinite(stated.high))
    found = input_domain(node)
    if node.operator is None or found == ANYWHERE:
        return ("stated",) if any(given) else ()
    base = "measured" if graph.sampled else "propagated"
    if node.reads == (0,):
        data = graph.spec.graph.input
        about = (data.radius, data.low, data.high)
        base = "data" if all(size is None for size in about) else "stated"
    if not any(given):
        return (base,)
    whole = domains.settled(stated.within(node.inputs), graph.symbols)
    return ("stated",) if whole == found or base == "stated" else ("stated", base)


def input_domain(node: Node) -> Domain:
    """Where all inputs of an operator lie as one vector."""
    region = node.region
    return Domain(region.input, region.low, region.high)


def region_table(findings: Findings) -> Table | None:
    """One line for each operator, and for each input of those with several; None without any."""
    graph = findings.graph
    made = _Rows(findings)
    rows: list[tuple[Content, ...]] = []
    blocks = groupby(enumerate(graph.nodes, 1), key=lambda entry: made.of(*entry))
    for found, group in blocks:
        members = [node.id for _, node in group]
        for (slot, *cells), name in zip(found, [names(members), *[""] * len(found)], strict=False):
            rows.append((name, slot, *cells))
    if not made.bounded:
        return None
    columns = [
        Column("operator", name_width(graph.ids, 2.6)),
        Column("input", 2.2),
        Column("ball"),
        Column("box", 3.0),
        Column("weights", 2.7),
        Column("known", 2.0),
        Column("met"),
    ]
    dropped = {1} if all(row[1] == "" for row in rows) else set[int]()
    if findings.verdicts is None:
        dropped.add(6)
    kept = [k for k in range(len(columns)) if k not in dropped]
    shown, note = shortened_rows(tuple(tuple(row[k] for k in kept) for row in rows), "lines")
    return Table(
        caption="A3: where the constants hold. All inputs of an operator, perturbed or not, and "
        "its weights along the whole run are taken to lie there.",
        columns=tuple(columns[k] for k in kept),
        rows=shown,
        remarks=(_legend(graph, made, findings.verdicts is not None), *note),
    )


def _legend(graph: OperatorGraph, made: _Rows, ran: bool) -> Content:
    pieces: list[Piece] = [
        "Ball: the largest ",
        Maths(r"\lVert y\rVert"),
        "; box: the interval of every component; weights: ",
        Maths("w^0"),
        " are those that training starts from.",
    ]
    said = [f"{word}: {SOURCES[word]}" for word in SOURCES if word in made.words]
    if said:
        pieces.append(f" Known, {'; '.join(said)}.")
    if graph.sampled:
        margin = stated(graph, graph.spec.graph.margin)
        pieces += [" The margin is ", *(margin if isinstance(margin, tuple) else (margin,)), "."]
    if ran:
        pieces.append(
            " Met: the largest norm of an input in the simulation, for regions that are claims."
        )
    return tuple(pieces)


class _Rows:
    """Lines of one operator; what was seen on the way."""

    def __init__(self, findings: Findings) -> None:
        self._graph = findings.graph
        self._sections = sections_of(findings.graph)
        self._met = met_norms(findings)
        self.words: set[str] = set()
        self.bounded = False

    def of(self, number: int, node: Node) -> tuple[tuple[Content, ...], ...]:
        """(input, ball, box, weights, known, met), for all inputs together and then each."""
        section = self._sections[number - 1]
        words = region_sources(self._graph, node, section)
        self.words.update(words)
        whole = input_domain(node)
        weights = self._weights(node)
        self.bounded |= whole != ANYWHERE or node.region.weight is not None
        self.bounded |= node.region.change is not None
        status = self._status(words)
        met = self._met.get((number, None))
        rows: list[tuple[Content, ...]] = [
            (
                "all" if node.region.parts else "",
                *self._domain(whole, status, stated_ball=self._is_stated(whole, section)),
                weights,
                " and ".join(words) or "unbounded",
                NONE if met is None else sampled(met, _DIGITS, rounding=UP),
            )
        ]
        for slot, part in enumerate(node.region.parts):
            u = node.reads[slot]
            name: Content = Code(self._graph.ids[u - 1]) if u else "data"
            met = self._met.get((number, slot))
            cell = NONE if met is None else sampled(met, _DIGITS, rounding=UP)
            rows.append((name, *self._domain(part, status), "", "", cell))
        return tuple(rows)

    def _status(self, words: tuple[str, ...]) -> str:
        """``stated``, ``sampled`` or ``derived``: what letter its numbers get."""
        if "measured" in words:
            return "sampled"
        return "stated" if words == ("stated",) else "derived"

    def _is_stated(self, domain: Domain, section: OperatorSection) -> bool:
        """Whether the ball is the spec's own."""
        size = section.region.input
        return size is not None and domain.radius == domains.settled_size(size, self._graph.symbols)

    def _domain(
        self, domain: Domain, status: str, *, stated_ball: bool = False
    ) -> tuple[Content, Content]:
        letters = {"stated": None, "sampled": Status.SAMPLED, "derived": Status.COMPUTED}
        if domain.radius is None:
            ball: Content = NONE
        else:
            ball = self._size(domain.radius, "stated" if stated_ball else status)
            r = reach(domain.radius)
            if domain.low <= -r and domain.high >= r:
                return ball, "–"  # the box says no more than the ball
        if math.isinf(domain.low) and math.isinf(domain.high):
            return ball, "–"
        return ball, interval(domain.low, domain.high, letters[status])

    def _size(self, radius: Expression, status: str) -> Content:
        number = number_of(self._graph, radius)
        if number is None or number.status is Status.PROVED:
            cell = stated(self._graph, radius, letter=status != "stated", digits=_DIGITS)
        else:
            number = Number(number.value * (1 - _MARGIN), number.status)
            cell = value(number, _DIGITS)
            cell = cell if status != "stated" else replace(cell, status=None)
        if status == "sampled" and isinstance(cell, Value):
            cell = replace(cell, status=Status.SAMPLED)
        return cell

    def _weights(self, node: Node) -> Content:
        region = node.region
        if not node.weights and node.operator is not None:
            return "none"
        if not node.trainable:
            return Maths("w=w^0")
        parts: list[Content] = []
        for letters, radius in ((r"w-w^0", region.change), ("w", region.weight)):
            if radius is not None:
                size = stated(self._graph, radius, digits=_DIGITS)
                parts += [", "] if parts else []
                parts += [Maths(rf"\lVert {letters}\rVert\le"), " ", size]
        return joined(*parts) if parts else "anywhere"


def met_norms(findings: Findings) -> dict[tuple[int, int | None], float]:
    """(operator number, slot or None) → the largest norm of that input in the simulation.

    Only regions that are claims are watched; of the data the norms are always known.
    """
    found: dict[tuple[int, int | None], float] = {}
    data, verdicts = findings.graph.data, findings.verdicts
    if verdicts is None:
        return found
    if data is not None:
        norm = float(np.sqrt(np.max(np.sum(data.features**2, axis=-1))))
        for number, node in enumerate(findings.graph.nodes, 1):
            if node.reads == (0,):
                found[number, None] = norm
    seen = Reach(verdicts.run.trajectory.input_reach.places)
    for met in (verdicts.run.trajectory.input_reach, *(c.reach for c in verdicts.run.checks)):
        seen.include(met)
    for place, met_norm in zip(seen.places, seen.norm, strict=True):
        if met_norm >= 0 or math.isnan(met_norm):
            found[place] = float(met_norm)
    return found


def interval(low: float, high: float, status: Status | None) -> Content:
    """The interval of every component, rounded outwards."""
    low, high = low + abs(low) * _MARGIN, high - abs(high) * _MARGIN
    ends = text_of(low, _DIGITS, rounding=DOWN), text_of(high, _DIGITS, rounding=UP)
    return Value(f"[{ends[0]},"), " ", Value(f"{ends[1]}]", status)
