"""The evidence as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from boundcalc.errata.evidence import Evidence, Finding


def errata_results(rows: Sequence[Evidence]) -> dict[str, Any]:
    """One object: the rows with every number and check, and whether all was reproduced."""
    return {
        "errata": [_row(row) for row in rows],
        "ok": all(row.holds for row in rows),
        "seconds": round(sum(row.seconds for row in rows), 3),
    }


def _row(row: Evidence) -> dict[str, Any]:
    erratum = row.erratum
    return {
        "id": erratum.id,
        "where": erratum.where,
        "what": erratum.what,
        "status": erratum.status,
        "method": erratum.method,
        "evidence": row.line,
        "holds": row.holds,
        "numbers": [_number(finding) for finding in row.findings],
        "checks": [{"statement": c.statement, "holds": c.holds} for c in row.checks],
        "seconds": round(row.seconds, 3),
    }


def _number(finding: Finding) -> dict[str, Any]:
    number = finding.number
    return {
        "name": finding.name,
        "value": number.json(),
        "exact": number.exact,
        "relation": finding.relation,
        "status": str(number.status),
    }
