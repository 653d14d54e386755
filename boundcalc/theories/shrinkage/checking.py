"""Numbers of the section that must be factors: 0 < q_min ≤ q_k ≤ 1."""

from __future__ import annotations

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.expressions import Expression
from boundcalc.theories.shrinkage.deciding import decided
from boundcalc.theories.shrinkage.section import ShrinkageSection
from boundcalc.theories.shrinkage.sequences import Factors, place


def check_factors(graph: OperatorGraph, own: ShrinkageSection, factors: Factors) -> None:
    """Refuse a factor that is not certainly in (0, 1], or not certainly at least ``q_min``.

    Raises
    ------
    SpecError
        With the place of the number.
    """
    for i, factor in enumerate(factors.values):
        inside = _is_factor(graph, factor)
        if inside is None:
            raise SpecError(
                "whether it is a shrinkage factor is undecided: it is too close to 1, or to 0",
                where=place(factors, i),
                value=factor.source,
                expected="a number in (0, 1] for certain",
                fix="write the number itself, such as 1, or one a little below",
            )
        if not inside:
            raise SpecError(
                "not a shrinkage factor",
                where=place(factors, i),
                value=factor.source,
                expected="a number in (0, 1]",
                fix="a gradient that grows is no shrinkage: scale the step instead",
            )
    if own.q_min is None or factors.kind == "past":
        return
    for factor in factors.values:
        below = _at_most(graph, own.q_min, factor)
        if not (_is_factor(graph, own.q_min) and below):
            raise SpecError(
                "whether q_min is at most every factor is undecided"
                if below is None
                else "q_min is not a positive number below every factor",
                where="shrinkage.q_min",
                value=f"{own.q_min.source}, with a factor {factor.source}",
                expected="0 < q_min ≤ q",
                fix="lower q_min, or leave it out: it is then the smallest factor",
            )


def _is_factor(graph: OperatorGraph, value: Expression) -> bool | None:
    return decided(lambda kind: 0 < value.evaluate(kind, graph.values(kind)) <= 1)


def _at_most(graph: OperatorGraph, low: Expression, high: Expression) -> bool | None:
    """Whether low ≤ high; the same expression is, however it is enclosed."""
    if low.source == high.source:
        return True
    return decided(
        lambda kind: (
            low.evaluate(kind, graph.values(kind)) <= high.evaluate(kind, graph.values(kind))
        )
    )
