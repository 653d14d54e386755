"""The object of ``boundcalc rerun --json``."""

from __future__ import annotations

from typing import Any

from boundcalc.arithmetic import Status
from boundcalc.report.json_numbers import sampled
from boundcalc.simulate.rerun import Rerun


def rerun_results(found: Rerun) -> dict[str, Any]:
    """Whether a run was reproduced, and where it differs.

    ``differences`` names for every quantity that is not the same to the last bit the entry that
    differs most, the largest relative difference first.
    """
    recorded, run = found.recorded, found.run
    return {
        "name": recorded.name,
        "reproduced": found.reproduced,
        "identical": found.identical,
        "largest_difference": sampled(found.largest),
        "tolerance": found.tolerance,
        "differences": [
            {
                "quantity": difference.quantity,
                "where": difference.where,
                "recorded": sampled(difference.recorded),
                "found": sampled(difference.found),
                "relative": sampled(difference.relative),
            }
            for difference in found.differences
        ],
        "engine": {"recorded": recorded.engine, "now": run.engine},
        "changed_versions": {
            name: {"recorded": before, "now": now} for name, (before, now) in found.changed.items()
        },
        "precision": recorded.precision,
        "rounding": {name: sampled(error) for name, error in found.rounding.items()},
        "seed": recorded.seed,
        "steps": recorded.horizon,
        "replicas": recorded.replicas,
        "seconds": {"recorded": recorded.seconds, "now": run.seconds},
        "status": Status.SAMPLED,
    }
