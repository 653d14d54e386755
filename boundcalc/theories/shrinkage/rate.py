"""The rate: every statement, the exact floor, compensation and the tuned step side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.rates.steps import exact_step
from boundcalc.showing import Shown, Tabular
from boundcalc.theories.shrinkage import descent, quadratic_floor
from boundcalc.theories.shrinkage.rounding_statements import deterministic
from boundcalc.theories.shrinkage.setting import Case
from boundcalc.theories.shrinkage.statements import (
    NO_LAW,
    Shape,
    statement,
    statements,
)
from boundcalc.theories.values import Statement


@dataclass(frozen=True)
class ExactFloor:
    """The floor of a quadratic with one curvature λ = L = m.

    Attributes
    ----------
    floor
        None where ``why`` says so; never of a fitted q.
    raises
        Whether it is above the floor of full precision; None where that is undecided.
    """

    floor: Number | None
    raises: bool | None
    why: str = ""


@dataclass(frozen=True)
class ShrinkageRate(Shown, Tabular):
    """Everything that ``rate`` says.

    Attributes
    ----------
    statements
        By key.
    raises_floor
        Whether the nonconvex noise floor is above that of full precision at the same step; None
        where that is undecided, or where nothing fitted is stated.
    exact
        The exact floor.
    compensated
        The same two bounds with the step μ/q, where the spec has it without.
    tuned
        The step that minimises the nonconvex bound for the horizon, and the bound there; None
        where ``untuned`` says why.
    any_factor_limit
        1/L: the limit that holds whatever the factors are.
    """

    case: Case
    statements: Mapping[str, Statement]
    raises_floor: bool | None
    exact: ExactFloor
    compensated: Mapping[str, Statement]
    tuned: tuple[Number, Number] | None
    any_factor_limit: Number | None
    untuned: str = ""


def shrinkage_rate(case: Case) -> ShrinkageRate:
    """Evaluate all of it; O(length of the sequence) for every statement.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.theories.shrinkage.section import ShrinkageSection
    >>> from boundcalc.theories.shrinkage.setting import case_of
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: half of every gradient
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... loss: {smoothness: 1, pl: 1, initial_gap: 1, gradient_noise: 1}
    ... training: {step_size: 1/10, horizon: 1000}
    ... '''))
    >>> found = shrinkage_rate(case_of(graph, ShrinkageSection(q="1/2", quantization_noise="1/4")))
    >>> found.statements["nonconvex"].bound.value, found.exact.floor.value, found.raises_floor
    (Fraction(41, 400), Fraction(5, 312), False)
    """
    found = {s.key: s for s in statements(case)}
    tuned, untuned = _tuned(case)
    return ShrinkageRate(
        case=case,
        statements=found,
        raises_floor=None if deterministic(case) else case.holds(descent.raises_floor),
        exact=exact_floor(case),
        compensated=_compensated(case),
        tuned=tuned,
        any_factor_limit=case.number(lambda s: 1 / s.L, limit=True),
        untuned=untuned,
    )


def exact_floor(case: Case) -> ExactFloor:
    """The exact floor, where curvature, factors and step allow one."""
    plain = not_plain_sgd(case.graph)
    if plain is not None:
        return ExactFloor(None, None, plain)
    if deterministic(case):
        return ExactFloor(None, None, NO_LAW)
    if case.projection is not None:
        return ExactFloor(None, None, "q and the noise are fitted, and a fit has no exact floor")
    if case.graph.spec.loss.pl is None or case.holds(lambda s: s.m == s.L) is not True:
        return ExactFloor(
            None, None, "it is known for a quadratic with one curvature: `pl` equal to `smoothness`"
        )
    if case.kind != "constant" or case.own.steps.type != "constant":
        return ExactFloor(None, None, "it is stated for a constant factor and a fixed step")
    if case.levels.bounds:
        return ExactFloor(None, None, "it is stated without perturbed passes")
    if case.holds(quadratic_floor.stable) is not True:
        return ExactFloor(None, None, "the step is at or above 2/(qλ): there is no floor")
    return ExactFloor(
        case.number(quadratic_floor.exact_floor), case.holds(quadratic_floor.raises_exact_floor)
    )


def _compensated(case: Case) -> dict[str, Statement]:
    if case.own.compensation or case.projection is not None:
        return {}
    other = case.replaced(compensated=True)
    found = {"nonconvex": statement(other, Shape("nonconvex", "nonconvex", "plain"))}
    if case.graph.spec.loss.pl is not None:
        found["pl"] = statement(other, Shape("pl", "pl", "plain"))
    return found


def _tuned(case: Case) -> tuple[tuple[Number, Number] | None, str]:
    """A fixed step next to the best one and not above the limit, with the bound there."""
    plain = not_plain_sgd(case.graph)
    if plain is not None:
        return None, plain
    if deterministic(case):
        return None, NO_LAW
    step, _ = case.evaluated(descent.best_step)
    limit, _ = in_best_kind(lambda kind: descent.step_limit(case.at(kind)), 1)
    chosen = exact_step(step, limit)
    if chosen is None or chosen <= 0:
        return None, "no positive step minimises the bound"
    there = case.replaced(step=chosen)
    number = there.number(descent.bound)
    if number is None or there.holds(descent.step_too_large) is not False:
        return None, "whether the best step is below the limit is undecided"
    return (Number(chosen, Status.COMPUTED, limit=True), number), ""
