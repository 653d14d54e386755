"""What the statements suppose, held against what a run met."""

from __future__ import annotations

import math

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.graph import OperatorGraph
from boundcalc.theories.distributed.noise_model import setting_in
from boundcalc.theories.distributed.run import Descent
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.verify.premise import Premise, at_least, number


def premises(
    graph: OperatorGraph, section: DistributedSection, met: Descent
) -> tuple[Premise, ...]:
    """(L0, L1)-smoothness along the run, the initial gap, and the noise's bound.

    Notes
    -----
    Smoothness is looked at between consecutive iterates and at close points; the initial gap
    at the smallest f that any run found.  A run can refute these and never prove them.
    """
    found = [
        at_least(
            "L0",
            f"smoothness L0 beside L1 = {met.plan.L1:.4g}",
            number(graph, section.L0),
            met.walk.L0_met,
        )
    ]
    gap = graph.spec.loss.initial_gap
    if gap is not None:
        drop = float(met.walk.loss[0].max()) - met.walk.least
        found.append(at_least("S_0", "initial gap", number(graph, gap), drop))
    if section.sigma_max is not None:
        found += _scales(graph, section, met)
    return tuple(found)


def _scales(graph: OperatorGraph, section: DistributedSection, met: Descent) -> list[Premise]:
    """The largest scale of every agent's noise at a recorded step, against ``sigma_max``."""
    bounds = setting_in(graph, section, FLOATS).sigma_max
    assert bounds is not None  # noqa: S101 - the caller has looked
    norms = met.walk.gradient_norm[np.isfinite(met.walk.gradient_norm)]
    if not len(norms):
        return []  # every run was lost at once, and nothing is claimed of it
    scales = met.plan.noise.scale(np.array([float(norms.max())]))[0]
    stated = [float(bound) for bound in bounds]
    if len(stated) == 1:
        return [at_least("noise", "largest scale", stated[0], float(scales.max()))]
    worst = int(np.argmax(scales / np.maximum(stated, math.ulp(0.0))))
    claim = f"largest scale of agent {worst}"
    return [at_least("noise", claim, stated[worst], float(scales[worst]))]
