"""What the commands answer, as data and as blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boundcalc.report.cells import Block, Bullets, Column, Maths, Paragraph, Table
from boundcalc.report.notation import sentence
from boundcalc.report.numbers import DOWN, value
from boundcalc.theories.staleness.budget import Delay
from boundcalc.theories.staleness.compiled import Compiled
from boundcalc.theories.staleness.queues import Queues
from boundcalc.theories.staleness.rate import Rates
from boundcalc.theories.statements import (
    profile_table,
    quantity_data,
    quantity_table,
    statement_data,
    statement_table,
    statement_theorems,
)
from boundcalc.theories.values import Answer


def queue_data(queues: Queues) -> dict[str, Any]:
    """The queues in JSON."""
    return {
        "p": list(queues.p),
        "m": list(queues.m),
        "q": list(queues.q),
        "delays": list(queues.delays),
        "times": list(queues.times),
    }


def rate_answer(found: Rates) -> Answer:
    """All statements."""
    statements = tuple(found.statements.values())

    def data() -> Mapping[str, Any]:
        made = {key: statement_data(s) for key, s in found.statements.items()}
        staleness: dict[str, Any] = {
            "sgd": {
                **made["sgd"],
                "corollary": dict(found.corollary),
                "corrected": made["sgd.corrected"],
                "sharp": made["sgd.sharp"],
            },
            "momentum": {**made["momentum"], "sharp": made["momentum.sharp"]},
            "queues": queue_data(found.problem.pipeline.queues),
            "lipschitz": found.lipschitz,
            "error_gradient": found.error_gradient,
            "notes": list(found.notes),
        }
        if "composed" in made:
            staleness["composed"] = made["composed"]
        return {"staleness": staleness}

    def blocks() -> tuple[Block, ...]:
        return (
            statement_table("Bounds on the average squared gradient norm.", statements),
            Bullets(tuple(sentence(note) for note in found.notes)),
            *statement_theorems(statements),
        )

    return Answer(found, data, blocks, statements=statements)


def compile_answer(found: Compiled) -> Answer:
    """Constants, block by block, and step-size limits."""

    def data() -> Mapping[str, Any]:
        return {
            "staleness": {
                **quantity_data(found.quantities),
                "queues": queue_data(found.problem.pipeline.queues),
                "blocks": [
                    {
                        "id": row.name,
                        "operators": row.operators,
                        "delay": row.delay,
                        "kappa": row.kappa,
                    }
                    for row in found.rows
                ],
                "step_size_limits": dict(found.limits),
                "notes": list(found.notes),
            }
        }

    def blocks() -> tuple[Block, ...]:
        queues = found.problem.pipeline.queues
        columns: dict[str, tuple[Any, list[Any]]] = {
            "operators": ("operators", [row.operators for row in found.rows]),
            "p": (Maths("p_k"), list(queues.p)),
            "delay": (Maths(r"m_k=\Delta t_k"), list(queues.m)),
            "q": (Maths("q_k"), list(queues.q)),
            "kappa": (Maths(r"\kappa_k"), [row.kappa for row in found.rows]),
        }
        rows = tuple(
            (found.titles[key], value(limit, rounding=DOWN)) for key, limit in found.limits.items()
        )
        return (
            profile_table(
                (
                    f"The pipeline {queues}, block by block; ",
                    Maths(
                        r"\lVert\mathcal{G}-\nabla f"
                        r"\rVert^2\le\sum_k\kappa_kd_k^2"
                    ),
                    ".",
                ),
                [row.name for row in found.rows],
                columns,
            ),
            quantity_table("Constants of the statements.", found.quantities),
            Table(
                "The largest admissible step sizes.",
                (Column("statement", 6.0), Column("step-size limit")),
                rows,
            ),
            *((Bullets(tuple(sentence(note) for note in found.notes)),) if found.notes else ()),
        )

    return Answer(found, data, blocks)


def budget_answer(found: tuple[Delay, ...], queues: Queues) -> Answer:
    """The largest delays."""

    def data() -> Mapping[str, Any]:
        return {"staleness": {"queues": queue_data(queues)} | {d.key: _delay(d) for d in found}}

    def blocks() -> tuple[Block, ...]:
        rows = tuple(
            (
                d.title,
                value(d.target),
                _count(d.largest_delay, d),
                value(d.bound),
                _count(d.best_delay, d),
                value(d.best_step, rounding=DOWN),
                value(d.largest_step, rounding=DOWN),
            )
            for d in found
        )
        refused = tuple(sentence(f"{d.title}: {d.refused}") for d in found if d.refused)
        table = Table(
            (
                "The largest delay ",
                Maths(r"\Delta t"),
                " for which the bound stays at its target, all delays scaled together.",
            ),
            (
                Column("statement", 3.6),
                Column("target"),
                Column((Maths(r"\Delta t"), " at this step")),
                Column("bound there"),
                Column((Maths(r"\Delta t"), " at the best step")),
                Column("best step there"),
                Column("largest step"),
            ),
            rows,
            refused,
        )
        capped = any(d.capped for d in found)
        more = (Paragraph("Delays are looked for up to 1 000 000."),) if capped else ()
        return (table, *more)

    return Answer(found, data, blocks)


def _delay(d: Delay) -> dict[str, Any]:
    return {
        "target": d.target,
        "largest_delay": d.largest_delay,
        "bound": d.bound,
        "best_delay": d.best_delay,
        "best_step": d.best_step,
        "best_bound": d.best_bound,
        "step_size_limit": d.step_size_limit,
        "largest_step": d.largest_step,
        "capped": d.capped,
        "refused": d.refused or None,
    }


def _count(number: int | None, d: Delay) -> str:
    if number is None:
        return "–" if d.refused else "none"
    return str(number)
