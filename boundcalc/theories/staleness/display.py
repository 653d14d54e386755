"""What notebooks show of this theory's results."""

from __future__ import annotations

from typing import Any

from boundcalc.report.cells import Block
from boundcalc.report.display_frames import cells
from boundcalc.theories.display import quantity_rows, statement_rows
from boundcalc.theories.staleness.answers import compile_answer, rate_answer
from boundcalc.theories.staleness.compiled import Compiled
from boundcalc.theories.staleness.rate import Rates


def rates(found: Rates) -> tuple[Block, ...]:
    """All statements."""
    return rate_answer(found).blocks


def rate_rows(found: Rates) -> list[dict[str, Any]]:
    """Statement by statement, term by term."""
    return [row for statement in found.statements.values() for row in statement_rows(statement)]


def compiled(found: Compiled) -> tuple[Block, ...]:
    """Constants and step-size limits."""
    return compile_answer(found).blocks


def compiled_rows(found: Compiled) -> list[dict[str, Any]]:
    """Constants, then the step-size limits."""
    rows = [row for quantity in found.quantities for row in quantity_rows(quantity)]
    return rows + [
        {"quantity": f"step_size_limit {key}", **cells(limit), "note": None}
        for key, limit in found.limits.items()
    ]
