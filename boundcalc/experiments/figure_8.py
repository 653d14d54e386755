"""Figure 8: the interval of forward noise, convex regulariser."""

from __future__ import annotations

from typing import ClassVar, final

from boundcalc.experiments.base import Sweep
from boundcalc.experiments.intervals import Intervals


@final
class Figure8(Intervals):
    """ρ = 0.5 and 𝓡 = ‖w‖²."""

    name: ClassVar[str] = "figure-8"
    title: ClassVar[str] = "Convex: forward noise every Δt_f steps"
    paper: ClassVar[str] = "The same with a convex regulariser: the plateau falls as Δt_f grows."
    sweeps: ClassVar[tuple[Sweep, ...]] = (
        Sweep("figure-8", {"symbols.gamma": ["1/100"], "perturbations[0].every": [1, 2, 32]}),
    )
