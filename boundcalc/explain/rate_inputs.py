"""The levels of error and bias that a rate's terms are made of, as numbers of their own."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import worst
from boundcalc.explain.entry import Captures, Compute
from boundcalc.rates.bound import Statement, statement
from boundcalc.rates.inputs import problem, problem_as
from boundcalc.rates.statements import Level, Problem, added_variance, contraction_drop
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import FAMILIES, Family

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph


def average(part: str) -> Compute:
    """``error``, ``variance`` or ``bias``, averaged over the steps."""

    def compute(graph: OperatorGraph, captures: Captures) -> Number | None:
        return _summed(graph, captures, part, "nonconvex")

    return compute


def discounted(part: str) -> Compute:
    """The same, each step discounted by the contraction of the steps after it, and summed."""

    def compute(graph: OperatorGraph, captures: Captures) -> Number | None:
        return _summed(graph, captures, part, "pl")

    return compute


def _summed(graph: OperatorGraph, captures: Captures, part: str, regime: str) -> Number | None:
    family, p = FAMILIES[captures["family"]], problem(graph)
    timeline = Timeline(graph, p.horizon)
    bounds = [family.best_bounds(graph, pattern.active) for pattern in timeline.patterns]
    if any(b.bias is None for b in bounds) or (regime == "pl" and p.mu is None):
        return None
    made = statement(graph, p, timeline, family, bounds, regime)

    def total(kind: Arithmetic) -> Scalar:
        weights = _weights(p, timeline, family, regime, kind)
        levels = (_part(level, part, problem_as(p, kind)) for level in made.levels(kind))
        return sum((w * x for w, x in zip(weights, levels, strict=True)), kind.number(0))

    value, proved = in_best_kind(total, graph.size)
    return Number(
        value, worst(Status.PROVED if proved else Status.COMPUTED, *_statuses(made, part))
    )


def _part(level: Level, part: str, p: Problem) -> Scalar:
    if part == "variance":
        return added_variance(level, p.sigma, p.kind)
    return level.error if part == "error" else level.bias


def _weights(
    p: Problem, timeline: Timeline, family: Family, regime: str, kind: Arithmetic
) -> list[Scalar]:
    if regime == "nonconvex":
        return [kind.number(Fraction(q.count, p.horizon)) for q in timeline.patterns]
    drop = contraction_drop(problem_as(p, kind), family.descent)
    return timeline.discounted(drop, family.descent.lag, kind)


def _statuses(made: Statement, part: str) -> list[Status]:
    mixed = made.batch > 1 or made.family.descent.splits_variance
    found = []
    for b in made.bounds:
        if b.error is not None and part != "bias":
            found.append(b.error.status)
        if b.bias is not None and (part == "bias" or mixed):
            found.append(b.bias.status)
    return found
