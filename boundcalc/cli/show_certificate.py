"""What ``boundcalc certify`` says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

_LONGEST = 24  # characters of a number that are written out


def written_results(document: dict[str, Any], place: Path, checker: Path | None) -> dict[str, Any]:
    """What was written where, for ``--json``."""
    return {
        "certificate": str(place),
        "checker": None if checker is None else str(checker),
        "steps": len(document["steps"]),
        "claims": {claim["quantity"]: claim["bound"] for claim in document["claims"]},
        "measured": document["inputs"]["measured"],
        "not_covered": document["not_covered"],
        "digest": document["digest"],
    }


def show_written(document: dict[str, Any], place: Path, checker: Path | None) -> None:
    """What was written, what it claims and what it leaves out."""
    typer.echo(f"{place}: {len(document['steps'])} steps")
    for claim in document["claims"]:
        statement = claim["statement"].removesuffix(claim["bound"])
        typer.echo(f"  claims {statement}{_short(claim['bound'])}")
    if document["inputs"]["measured"]:
        typer.echo("  given constants that were measured on data: they are assumed, not proved")
    for number, expression in document["inputs"]["replaced"]:
        typer.echo(f"  {expression} is replaced by a rational above it, at most {_short(number)}")
    for text in document["not_covered"]:
        typer.echo(f"  not covered: {text}")
    command = f"python {checker}" if checker is not None else "boundcalc check"
    typer.echo(f"verify with: {command} {place}")


def _short(number: str) -> str:
    """A number of the file, or six digits rounded up where it is long."""
    from boundcalc.verify.certificate.checker import read, shown

    return number if len(number) <= _LONGEST else shown(read(number))
