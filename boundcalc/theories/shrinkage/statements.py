"""The statements of the theory, evaluated at a spec's numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from boundcalc.arithmetic import Number, Scalar
from boundcalc.arithmetic.combine import added
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.theories.shrinkage import descent, pl
from boundcalc.theories.shrinkage.descent import Form
from boundcalc.theories.shrinkage.formulas import (
    TITLES,
    Fit,
    Formula,
    nonconvex_formula,
    pl_formula,
)
from boundcalc.theories.shrinkage.rounding_statements import deterministic, rounding_statements
from boundcalc.theories.shrinkage.setting import Case, Setting
from boundcalc.theories.values import Statement

Terms = Callable[[Setting, Form], Mapping[str, Scalar]]

#: Why nothing is fitted to an exact gradient.
NO_LAW = (
    "an exact gradient that is rounded without randomness has no law that q could be "
    "fitted to (docs/theory-shrinkage.md, section 11.5); Theorem 11.9 speaks of it"
)


@dataclass(frozen=True)
class Shape:
    """One statement: its key, regime and form."""

    key: str
    regime: str
    form: Form


def shapes(case: Case) -> tuple[Shape, ...]:
    """The statements that can be made of a case, by what is known of its factors."""
    found = [Shape("nonconvex", "nonconvex", "plain")]
    steady = case.own.steps.type == "constant"
    if case.kind == "past":
        if steady and not _compensated(case):  # Theorem 11.3 (a) is about the step μ only
            found.append(Shape("nonconvex_weighted", "nonconvex", "weighted"))
    elif steady:
        if case.projection is None and not _compensated(case):
            found.append(Shape("nonconvex_q_min", "nonconvex", "least"))
        found.append(Shape("nonconvex_sharp", "nonconvex", "sharp"))
    if case.graph.spec.loss.pl is not None:
        found.append(Shape("pl", "pl", "plain"))
        if steady and case.kind != "past":
            found.append(Shape("pl_sharp", "pl", "sharp"))
    return tuple(found)


def _compensated(case: Case) -> bool:
    return case.own.compensation if case.compensated is None else case.compensated


def statements(case: Case) -> tuple[Statement, ...]:
    """Every statement at the spec's step and horizon, the general ones first."""
    made = tuple(statement(case, shape) for shape in shapes(case))
    return (*made, *rounding_statements(case))


def statement(case: Case, shape: Shape) -> Statement:
    """One statement; refused, with the reason, where it does not hold."""
    steady = case.own.steps.type == "constant"
    terms: dict[str, Number] = {}
    constants: dict[str, Number | None] = {}
    limit = None
    refused = refusal(case, shape)
    if not_plain_sgd(case.graph) is None and (steady or shape.regime == "nonconvex"):
        limit = case.number(lambda s: descent.step_limit(s, shape.form), limit=True)
    if not refused:
        terms = evaluated_terms(case, shape)
        constants = _constants(case, shape)
    formula = _formula(case, shape)
    return Statement(
        key=shape.key,
        title=_title(case, shape),
        quantity=formula.quantity,
        formula=formula.bound,
        bound=added(terms.values()) if terms else None,
        source=formula.source,
        terms=terms,
        constants=constants,
        step_size_limit=limit,
        refused=refused,
        conditions=formula.conditions,
        proved=case.projection is None,
    )


def _title(case: Case, shape: Shape) -> str:
    return TITLES[shape.key] + (", fitted" if case.projection is not None else "")


def evaluated_terms(case: Case, shape: Shape) -> dict[str, Number]:
    """The parts of a bound, each with the status that they share."""

    def compute(s: Setting) -> dict[str, Scalar]:
        if shape.regime == "pl":
            return pl.terms(s, shape.form)
        return descent.sums(s, shape.form).terms(s)

    found, status = case.evaluated(compute)
    return {name: Number(value, status) for name, value in found.items()}


def refusal(case: Case, shape: Shape) -> str:
    """Why a statement is not made; empty where it is."""
    plain = not_plain_sgd(case.graph)
    if plain is not None:
        return plain
    if shape.regime == "pl" and case.own.steps.type != "constant":
        return "the PL statements are about a fixed step; `shrinkage.steps` diminishes"
    if shape.form == "sharp" and not case.holds(lambda s: s.bias == 0):
        return (
            "it supposes an unbiased gradient, and the perturbed passes have a bias bound above 0"
        )
    if deterministic(case):
        return NO_LAW
    too_large = case.holds(lambda s: descent.step_too_large(s, shape.form))
    if too_large is False:
        return ""
    limit = case.number(lambda s: descent.step_limit(s, shape.form), limit=True)
    if too_large is None:
        return f"whether the step is above the limit {limit} is undecided: take a smaller one"
    if shape.form == "sharp":
        return f"the step is not below the limit {limit} of the theorem"
    return f"the step is above the limit {limit} of the theorem"


def _constants(case: Case, shape: Shape) -> dict[str, Number | None]:
    if shape.regime == "pl":
        return {"floor": case.number(lambda s: pl.floor(s, shape.form))}
    floor = case.number(lambda s: _floor(s, shape.form))
    return {"floor": floor}


def _floor(s: Setting, form: Form) -> Scalar | None:
    """What remains as the horizon grows: of steps that diminish nothing of the noise."""
    if s.decay != "constant":
        return descent.sums(s, form).bias * s.bias
    found = descent.sums(s, form)
    return descent.noise_floor(s, form) + found.bias * s.bias


def fit_of(case: Case) -> Fit:
    """What of a spec's numbers is fitted to a gradient law."""
    if case.projection is None:
        return "nothing"
    return "noise" if case.projection.unbiased else "all"


def _formula(case: Case, shape: Shape) -> Formula:
    compensated = _compensated(case)
    perturbed = bool(case.levels.bounds)
    chosen = nonconvex_formula if shape.regime == "nonconvex" else pl_formula
    return chosen(
        case.kind,
        shape.form,
        compensated=compensated,
        perturbed=perturbed,
        diminishing=case.own.steps.type != "constant",
        fitted=fit_of(case),
    )
