"""What the theory answers, as JSON and as blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from boundcalc.arithmetic import Number, Status
from boundcalc.report.cells import Block, Column, Content, Maths, Paragraph, Table
from boundcalc.report.notation import joined, said
from boundcalc.report.numbers import DOWN, value
from boundcalc.theories.shrinkage import descent
from boundcalc.theories.shrinkage.budget import ShrinkageBudget
from boundcalc.theories.shrinkage.rate import ShrinkageRate
from boundcalc.theories.shrinkage.setting import Case
from boundcalc.theories.shrinkage.words import cautions
from boundcalc.theories.statements import (
    quantity_data,
    quantity_table,
    statement_data,
    statement_table,
)
from boundcalc.theories.values import Answer, Quantity


def compile_answer(case: Case) -> Answer:
    """The numbers that the statements are made of."""
    found = quantities(case)
    projection = case.projection
    data: dict[str, Any] = {
        "shrinkage": {
            **quantity_data(found),
            "factors": case.kind,
            "fitted": projection is not None,
            "uniform_q_min": None if projection is not None else found[1].value,
        }
    }
    return Answer(
        found,
        data,
        (quantity_table("What the statements are made of.", found),),
        cautions=cautions(case),
    )


def quantities(case: Case) -> list[Quantity]:
    """Factors, variances, limits."""
    s = case.number
    rows = [
        Quantity("q_mean", Maths(r"\bar q"), "average factor", s(_mean)),
        Quantity("q_min", Maths(r"q_{\min}"), "smallest factor", s(lambda x: x.q_min, limit=True)),
        Quantity("q_max", Maths(r"q_{\max}"), "largest factor", s(lambda x: x.q_max)),
        Quantity(
            "variance",
            Maths("V"),
            "variance of the gradient before it is shortened",
            s(lambda x: x.variance),
        ),
        Quantity("bias", Maths("B^2"), "squared bias of perturbed passes", s(lambda x: x.bias)),
        Quantity("noise", Maths(r"\sigma_e^2"), "quantisation noise", s(lambda x: x.noise)),
        Quantity(
            "step_size_limit",
            Maths(r"1/(L\max q_k)"),
            "largest step for known factors",
            s(descent.step_limit, limit=True),
        ),
        Quantity(
            "step_size_limit_any_factor",
            Maths("1/L"),
            "largest step for any factors",
            s(lambda x: 1 / x.L, limit=True),
        ),
    ]
    p = case.projection
    if p is not None:
        note = "fitted, not proved"
        rows = [
            *(
                replace(q, note=note) if q.key in ("q_mean", "noise") else q
                for q in rows
                if q.key not in ("q_min", "q_max")
            ),
            Quantity(
                "vanishing",
                Maths("P(Q=0)"),
                "share of components that become 0",
                Number(p.vanishing, Status.COMPUTED),
            ),
            Quantity(
                "saturated",
                Maths(r"P(|g|>\max)"),
                "share beyond the largest number",
                Number(p.saturated, Status.COMPUTED),
            ),
        ]
    return rows


def _mean(s: Any) -> Any:
    if s.past:
        return None
    total = s.kind.number(0)
    for q, count in zip(s.q, s.counts, strict=True):
        total += q * count
    return total / s.horizon


def rate_answer(found: ShrinkageRate) -> Answer:
    """Statements, the exact floor, compensation and the tuned step."""
    statements = tuple(found.statements.values())
    return Answer(
        found,
        {"shrinkage": _rate_data(found)},
        _rate_blocks(found),
        statements=statements,
        cautions=cautions(found.case),
    )


def _rate_data(found: ShrinkageRate) -> dict[str, Any]:
    case = found.case
    data: dict[str, Any] = {key: statement_data(s) for key, s in found.statements.items()}
    data.setdefault("pl", None)
    tuned = found.tuned
    return {
        **data,
        "raises_floor": found.raises_floor,
        "exact": {
            "floor": found.exact.floor,
            "raises_floor": found.exact.raises,
            "refused": found.exact.why or None,
        },
        "compensated": {key: statement_data(s) for key, s in found.compensated.items()} or None,
        "tuned": None if tuned is None else {"step_size": tuned[0], "bound": tuned[1]},
        "tuned_refused": found.untuned or None,
        "step_size_limit_any_factor": found.any_factor_limit,
        "factors": case.kind,
        "fitted": case.projection is not None,
    }


def _rate_blocks(found: ShrinkageRate) -> tuple[Block, ...]:
    statements = tuple(found.statements.values())
    nonconvex = tuple(s for s in statements if "pl" not in s.key)
    pl = tuple(s for s in statements if "pl" in s.key)
    blocks: list[Block] = [
        statement_table("Bounds on the average squared gradient, term by term.", nonconvex)
    ]
    if pl:
        blocks.append(statement_table("Bounds on the gap after the last step, term by term.", pl))
    blocks.append(_facts(found))
    return tuple(blocks)


def _facts(found: ShrinkageRate) -> Block:
    """Floors, compensation and the tuned step."""
    rows: list[tuple[Content, ...]] = [
        ("shrinkage raises the nonconvex noise floor", _yes(found.raises_floor)),
    ]
    rows += [
        (f"floor of the bound: {s.title}", value(s.constants.get("floor")))
        for s in found.statements.values()
        if s.bound is not None and "floor" in s.constants
    ]
    if found.exact.floor is not None:
        rows += [
            ("exact floor of a quadratic", value(found.exact.floor)),
            ("shrinkage raises the exact floor", _yes(found.exact.raises)),
        ]
    rows += [
        (f"with the step divided by q: {s.title}", value(s.bound))
        for s in found.compensated.values()
        if s.bound is not None
    ]
    if found.tuned is not None:
        step, bound = found.tuned
        rows += [
            ("tuned step", value(step, rounding=DOWN)),
            ("nonconvex bound at the tuned step", value(bound)),
        ]
    missing = {"exact floor": found.exact.why, "tuned step": found.untuned}
    remarks = tuple(joined(f"No {name}: ", said(why), ".") for name, why in missing.items() if why)
    return Table(
        caption="Floors, compensation and the tuned step.",
        columns=(Column("", 8.4), Column("value")),
        rows=tuple(rows),
        remarks=remarks,
    )


def _yes(holds: bool | None) -> str:
    return "undecided" if holds is None else ("yes" if holds else "no")


_ABOVE = "its step is above the limit"


def _why(found: ShrinkageBudget, value: Number | None, none: str) -> str:
    """Why there is no such number; empty where there is one."""
    return "" if value else found.refused or none


def budget_answer(case: Case, found: ShrinkageBudget) -> Answer:
    """Smallest q, largest noise, largest step."""
    rows = [
        Quantity("target", Maths("T"), "target of the bound", found.target),
        Quantity("baseline", Maths("T_1"), "bound in full precision", found.baseline),
        Quantity(
            "bound",
            Maths("T_q"),
            "bound of the spec",
            found.bound,
            "" if found.bound else f"no bound of the spec: {found.unbounded or _ABOVE}",
        ),
        Quantity(
            "q",
            Maths("q"),
            "smallest constant factor",
            found.q,
            _why(found, found.q, "no factor meets the target at the step as it is"),
        ),
        Quantity(
            "q_compensated",
            Maths("q"),
            "the same at the step divided by q",
            found.q_compensated,
            _why(found, found.q_compensated, "no factor meets the target at the step over q"),
        ),
        Quantity(
            "quantization_noise",
            Maths(r"\sigma_e"),
            "largest noise at the spec's factors",
            found.noise,
            _why(found, found.noise, "no noise meets the target at the step as it is"),
        ),
        Quantity(
            "quantization_noise_compensated",
            Maths(r"\sigma_e"),
            "the same at the step divided by q",
            found.noise_compensated,
            _why(found, found.noise_compensated, "no noise meets the target at the step over q"),
        ),
        Quantity(
            "step_size",
            Maths(r"\mu"),
            "largest step at the spec's factors and noise",
            found.step,
            "" if found.step else f"no step: {found.stepless or 'none meets the target'}",
        ),
    ]
    table = quantity_table(f"What keeps the {found.regime} bound at its target.", rows)
    note = Paragraph(
        "Every number that is marked proved is admissible for certain; that none is better is "
        "computed."
    )
    return Answer(
        found,
        {
            "shrinkage": {
                "regime": found.regime,
                "refused": found.refused or None,
                **quantity_data(rows),
            }
        },
        (table, note),
        cautions=cautions(case),
    )
