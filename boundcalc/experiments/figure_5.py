"""Figure 5: the same as figure 4 with a strongly convex regulariser."""

from __future__ import annotations

from typing import ClassVar, final

from boundcalc.experiments.base import Sweep
from boundcalc.experiments.noise_grid import NoiseGrid


@final
class Figure5(NoiseGrid):
    """ρ = 0.1 and 𝓡 = ‖w‖²."""

    name: ClassVar[str] = "figure-5"
    title: ClassVar[str] = "Strongly convex: stable gradient norm and iteration complexity"
    paper: ClassVar[str] = (
        "The picture is that of the nonconvex regulariser: backward noise vanishes with the step "
        "size, forward noise leaves a plateau."
    )
    pairs: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0), (0.0, 2.0), (2.0, 0.0))
    sweeps: ClassVar[tuple[Sweep, ...]] = (
        Sweep("figure-5", {"symbols.gamma": ["1/50", "1/2"]}),
        Sweep("figure-5-order", {"symbols.gamma": ["1/50"], "symbols.sigma_f": [1, "7/5"]}),
        Sweep("figure-5-batch", {"symbols.gamma": ["1/50", "1/2"]}),
    )
