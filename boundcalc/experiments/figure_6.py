"""Figure 6: backward noise whose mean is not zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from boundcalc.experiments import claims, drawing
from boundcalc.experiments.base import Experiment, Results, Sweep
from boundcalc.experiments.findings import Finding
from boundcalc.experiments.settings import Setting, by

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_REGIMES = {
    "figure-6-nonconvex": "nonconvex, ρ = 0.001",
    "figure-6-strongly-convex": "strongly convex, ρ = 0.1",
}

_ALL = drawing.Look("#444444", "o")


@final
class Figure6(Experiment):
    """ε ~ U(0, σ_b/√d) and δ = 0.

    The mean m = σ_b/(2√d) adds m·(1/M) Σ z_l′ to the mean field, whatever w is.  At a root w̄
    of it ∇ℓ(w̄) = −m·(1/M) Σ z_l′, so that the plateau as γ → 0 is exactly

        ‖∇ℓ(w̄)‖ = σ_b/(2√d) · ‖(1/M) Σ_l y_l h_l‖,

    linear in σ_b and the same for every regulariser, as long as there is a root.  A regulariser
    that grows faster than linearly (‖w‖²) has one for every σ_b.  The bounded one,
    Σ w_j²/(1 + w_j²), has not: the gradient of the logistic loss far out in a direction v is at
    most the mean of |h_lᵀv| over the misclassified samples, and a larger push drives w to
    infinity, where the gradient norm saturates.
    """

    name: ClassVar[str] = "figure-6"
    title: ClassVar[str] = "Backward noise with a mean"
    paper: ClassVar[str] = "The plateau grows with σ_b, under both regularisers."
    sweeps: ClassVar[tuple[Sweep, ...]] = tuple(
        Sweep(spec, {"symbols.sigma_b": ["1/10", "1/5", 1]}) for spec in _REGIMES
    )

    def draw(self, results: Results) -> Figure:
        """Left: trajectories, right: stable gradient norm against σ_b; a row by regulariser."""
        figure, rows = drawing.page(2, 2, 5.4)
        for row, (spec, words) in zip(rows, _REGIMES.items(), strict=True):
            settings = by(results[spec], "sigma_b")
            for look, setting in zip(drawing.LOOKS, settings, strict=False):
                label = rf"$\sigma_b={setting.number('sigma_b'):g}$"
                drawing.trajectory(row[0], setting, look, label, floor=False)
            drawing.against(row[1], settings, "sigma_b", _ALL, "_no_legend_")
            row[0].set_ylabel(r"EWMA of $\Vert\nabla\ell\Vert$")
            row[1].set_ylabel("stable gradient norm")
            drawing.ticks(row[1], [s.number("sigma_b") for s in settings], r"$\sigma_b$")
            for panel in row:
                panel.set_title(words, fontsize=10)
        drawing.legend(figure, [panel for row in rows for panel in row], columns=4)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """By regulariser: growth, order, and the exact plateau."""
        everything = [s for spec in _REGIMES for s in results[spec]]
        found = [claims.settled(everything), claims.at_prediction(everything)]
        found.append(claims.below_floor(everything))
        for spec, words in _REGIMES.items():
            settings = by(results[spec], "sigma_b")
            found += _regime(settings, words)
        return found


def _regime(settings: Sequence[Setting], words: str) -> Iterator[Finding]:
    claim = f"{words}: the plateau grows with σ_b"
    yield claims.monotone(claim, settings, rising=True)
    rooted = [s for s in settings if s.plateau is not None]
    lost = [f"{s.number('sigma_b'):g}" for s in settings if s.plateau is None]
    claim = f"{words}: the plateau is linear in σ_b where the mean field has a root"
    expected = claims.floor_order(rooted, "sigma_b", bias=True)
    yield claims.order(claim, rooted, "sigma_b", expected)[0]
    where = f"it has none for σ_b = {', '.join(lost)}" if lost else "it has one for every σ_b"
    exact = max(
        (abs((s.plateau.limit if s.plateau else np.nan) / closed_form(s) - 1) for s in rooted),
        default=math.nan,
    )
    yield Finding(
        f"{words}: the mean field has a root for every σ_b",
        "does not hold" if lost else ("holds" if settings else "undetermined"),
        f"{where}; roots agree with σ_b/(2√d)·‖mean of y h‖ to {exact:.0e}",
    )


def closed_form(setting: Setting) -> float:
    """σ_b/(2√d)·‖(1/M) Σ y_l h_l‖, the plateau as γ → 0."""
    data = setting.graph.data
    assert data is not None  # noqa: S101 - it was simulated
    mean = float(np.linalg.norm((data.labels[:, None] * data.features).mean(axis=0)))
    return setting.number("sigma_b") / (2 * math.sqrt(data.features.shape[1])) * mean
