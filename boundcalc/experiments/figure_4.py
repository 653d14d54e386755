"""Figure 4: stable values under forward and backward noise, nonconvex regulariser."""

from __future__ import annotations

from typing import ClassVar, final

from boundcalc.experiments.base import Sweep
from boundcalc.experiments.noise_grid import NoiseGrid


@final
class Figure4(NoiseGrid):
    """ρ = 0.001 and 𝓡 = Σ w_j²/(1 + w_j²)."""

    name: ClassVar[str] = "figure-4"
    title: ClassVar[str] = "Nonconvex: stable gradient norm and iteration complexity"
    paper: ClassVar[str] = (
        "Under backward noise the stable gradient norm goes to 0 with the step size; under "
        "forward noise of σ_f ≥ 0.5 it does not fall below a plateau."
    )
    pairs: ClassVar[tuple[tuple[float, float], ...]] = (
        (0.0, 0.0),
        (0.0, 0.5),
        (0.0, 2.0),
        (0.5, 0.0),
        (2.0, 0.0),
    )
    sweeps: ClassVar[tuple[Sweep, ...]] = (
        Sweep(
            "figure-4",
            {"symbols.gamma": ["1/10", "1/3", 1]},
            ({"symbols.sigma_f": [0, 0, 2], "symbols.sigma_b": [0, 2, 0]},),
        ),
        Sweep("figure-4-order", {"symbols.gamma": ["1/10"], "symbols.sigma_f": [1, "7/5"]}),
        Sweep("figure-4-batch", {"symbols.gamma": ["1/10", 1]}),
    )
