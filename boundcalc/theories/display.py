"""What notebooks show of any theory's answers."""

from __future__ import annotations

from typing import Any

from boundcalc.report.cells import Block, Paragraph, Strong
from boundcalc.report.display_frames import cells
from boundcalc.theories.runs import TheoryRun, metric_table
from boundcalc.theories.statements import quantity_table, statement_table, statement_theorems
from boundcalc.theories.values import Answer, Quantity, Statement
from boundcalc.theories.verdicts import TheoryVerdicts, verdict_table


def answer_blocks(found: Answer) -> tuple[Block, ...]:
    """The cautions, then what the theory says."""
    return (*caution_blocks(found.cautions), *found.blocks)


def caution_blocks(cautions: tuple[str, ...]) -> tuple[Block, ...]:
    """What a reader must know first."""
    return tuple(Paragraph((Strong("Caution"), f": {caution}")) for caution in cautions)


def run_blocks(found: TheoryRun) -> tuple[Block, ...]:
    """Every metric with its interval."""
    return (metric_table(found),)


def verdict_blocks(found: TheoryVerdicts) -> tuple[Block, ...]:
    """Every claim with its verdict."""
    return verdict_table(found)


def statement_blocks(found: Statement) -> tuple[Block, ...]:
    """A theorem and its terms."""
    return (*statement_theorems((found,)), statement_table("Term by term.", (found,)))


def statement_rows(found: Statement) -> list[dict[str, Any]]:
    """Terms, bound, limit and constants of one statement."""
    numbers = {
        **found.terms,
        "bound": found.bound,
        "step_size_limit": found.step_size_limit,
        **found.constants,
    }
    more = {"refused": found.refused or None, "source": found.source}
    return [
        {"statement": found.key, "quantity": name, **cells(number), **more}
        for name, number in numbers.items()
    ]


def quantity_blocks(found: Quantity) -> tuple[Block, ...]:
    """Symbol, meaning and value."""
    return (quantity_table("A number.", (found,)),)


def quantity_rows(found: Quantity) -> list[dict[str, Any]]:
    """One row."""
    return [{"quantity": found.key, **cells(found.value), "note": found.note or None}]
