"""What notebooks show of this theory's results."""

from __future__ import annotations

from typing import Any

from boundcalc.report.cells import Block
from boundcalc.theories.display import caution_blocks, statement_rows
from boundcalc.theories.shrinkage.answers import rate_answer
from boundcalc.theories.shrinkage.rate import ShrinkageRate


def rates(found: ShrinkageRate) -> tuple[Block, ...]:
    """Cautions, statements, floors and the tuned step."""
    answer = rate_answer(found)
    return (*caution_blocks(answer.cautions), *answer.blocks)


def rate_rows(found: ShrinkageRate) -> list[dict[str, Any]]:
    """Statement by statement, term by term."""
    return [row for statement in found.statements.values() for row in statement_rows(statement)]
