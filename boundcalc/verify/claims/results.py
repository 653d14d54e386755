"""What is known of a claim, as plain data and as files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from boundcalc.files import write_text
from boundcalc.verify.claims.outcome import Assault, Outcome, Part


def write_instances(outcome: Outcome, folder: Path) -> dict[int, Path]:
    """Write the strongest instance of every length as a spec.

    Returns
    -------
    N → the file.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    written = {}
    for part in outcome.parts:
        if part.assaults:
            path = folder / f"instance-{part.size}.yaml"
            write_text(path, part.assaults[0].attack.instance)
            written[part.size] = path
    return written


def refute_results(outcome: Outcome, written: Mapping[int, Path]) -> dict[str, Any]:
    """The JSON object of ``boundcalc refute --json``."""
    return {
        "claim": outcome.name,
        "statement": outcome.statement,
        "verdict": outcome.verdict,
        "status": str(outcome.status),
        "operators": {str(part.size): _part(part, written) for part in outcome.parts},
        "assumption": outcome.assumption or None,
        "notes": list(outcome.notes),
    }


def _part(part: Part, written: Mapping[int, Path]) -> dict[str, Any]:
    return {
        "verdict": part.verdict,
        "status": str(part.status),
        "boxes": part.boxes,
        "proved_share": float(part.share),
        "not_dominated_at": None if part.point is None else _exact(part.point),
        "sharp_over_claim": _finite(part.ratio),
        "attacks": [_assault(assault) for assault in part.assaults],
        "instance": str(written[part.size]) if part.size in written else None,
        "stopped": part.stopped,
        "interrupted": part.interrupted,
        "notes": list(part.notes),
    }


def _assault(assault: Assault) -> dict[str, Any]:
    attack = assault.attack
    return {
        "constants": _exact(assault.point),
        "moments": {key: [str(x) for x in row] for key, row in assault.moments.items()},
        "claimed": assault.claimed,
        "sharp": _finite(assault.sharp),
        "attained": attack.attained,
        "uncertainty": attack.uncertainty,
        "fraction": _finite(assault.fraction),
        "refutes": assault.refutes,
        "status": str(assault.status),
    }


def _exact(point: Mapping[str, Fraction]) -> dict[str, str]:
    return {name: str(value) for name, value in point.items()}


def _finite(value: float | None) -> float | str | None:
    """A JSON number; ``"inf"`` where the claim allows nothing at all."""
    return value if value is None or math.isfinite(value) else "inf"
