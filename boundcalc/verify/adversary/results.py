"""An attack as files: the instance, the numbers, and two plots."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from boundcalc.files import make_folder, write_text
from boundcalc.verify.adversary.attack import Attack


def attack_results(attack: Attack) -> dict[str, Any]:
    """What ``boundcalc adversary --json`` prints.

    A bound beyond the range of floats, and a fraction of a bound of 0 that was exceeded, are
    infinite, and written as null.
    """
    return {
        "objective": attack.objective,
        "attained": attack.attained,
        "uncertainty": attack.uncertainty,
        "status": "computed" if attack.uncertainty == 0 else "sampled",
        "families": {
            name: {
                "bound": _finite(bound),
                "fraction": _finite(attack.fractions[name]),
                "status": "violated" if name in attack.violated else "not beaten",
            }
            for name, bound in attack.bounds.items()
        },
        "violated": list(attack.violated),
        "seed": attack.seed,
        "starts": attack.starts,
        "evaluations": attack.evaluations,
        "history": [_finite(value) for value in attack.history],
        "notes": list(attack.notes),
        "instance": attack.instance,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_attack(attack: Attack, folder: Path) -> list[Path]:
    """Write instance.yaml, results.json and attack.png into a folder, which is made.

    Returns
    -------
    The files.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    from boundcalc.verify.adversary.picture import draw

    folder = make_folder(folder)
    instance, numbers = folder / "instance.yaml", folder / "results.json"
    write_text(instance, attack.instance)
    write_text(
        numbers,
        json.dumps(attack_results(attack), indent=2, allow_nan=False, ensure_ascii=False) + "\n",
    )
    return [instance, numbers, draw(attack, folder / "attack.png")]
