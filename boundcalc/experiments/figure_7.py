"""Figure 7: the interval of forward noise, nonconvex regulariser."""

from __future__ import annotations

from typing import ClassVar, final

from boundcalc.experiments.base import Sweep
from boundcalc.experiments.intervals import Intervals


@final
class Figure7(Intervals):
    """ρ = 0.001 and 𝓡 = Σ w_j²/(1 + w_j²)."""

    name: ClassVar[str] = "figure-7"
    title: ClassVar[str] = "Nonconvex: forward noise every Δt_f steps"
    paper: ClassVar[str] = "The plateau falls as the interval Δt_f between perturbations grows."
    sweeps: ClassVar[tuple[Sweep, ...]] = (
        Sweep("figure-7", {"symbols.gamma": ["1/10"], "perturbations[0].every": [1, 2, 32]}),
    )
