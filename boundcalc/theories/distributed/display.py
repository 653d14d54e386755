"""What notebooks show of this theory's results."""

from __future__ import annotations

from typing import Any

from boundcalc.report.cells import Block
from boundcalc.theories.display import statement_rows
from boundcalc.theories.distributed.rate import DistributedRate
from boundcalc.theories.distributed.step_limits import limit_quantities
from boundcalc.theories.statements import quantity_table, statement_table, statement_theorems


def rates(found: DistributedRate) -> tuple[Block, ...]:
    """The statements, term by term, and the step conditions."""
    return (
        *statement_theorems(found.statements),
        statement_table("The bounds, term by term.", found.statements),
        quantity_table("Step conditions.", limit_quantities(found.limits)),
    )


def rate_rows(found: DistributedRate) -> list[dict[str, Any]]:
    """Statement by statement, term by term."""
    return [row for statement in found.statements for row in statement_rows(statement)]
