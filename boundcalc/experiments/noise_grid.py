"""Figures 4 and 5: stable gradient norm and iteration complexity against γ and σ."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from boundcalc.experiments import claims, drawing
from boundcalc.experiments.base import Experiment, Results
from boundcalc.experiments.findings import Finding
from boundcalc.experiments.settings import Setting, by, pick

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHARED = "one draw for all samples"
_LINE = drawing.LOOKS[5]


class NoiseGrid(Experiment, ABC):
    """Stable values against the step size for backward and forward noise, and against σ_f.

    Three sweeps: NAME over γ and (σ_f, σ_b); NAME-order over σ_f at the smallest γ; NAME-batch
    over γ with one draw for all samples of a step.
    """

    #: The pairs (σ_f, σ_b) that are drawn.
    pairs: ClassVar[tuple[tuple[float, float], ...]]

    def draw(self, results: Results) -> Figure:
        """Left: against γ; right: against σ_f; above norms, below complexities."""
        settings = results[self.name]
        figure, ((norms, orders), (waits, shared)) = drawing.page(2, 2, 6.0)
        for look, (f, b) in zip(drawing.LOOKS, self.pairs, strict=False):
            chosen = by(pick(settings, sigma_f=f, sigma_b=b), "gamma")
            label = rf"$\sigma_f={f:g},\ \sigma_b={b:g}$"
            drawing.against(norms, chosen, "gamma", look, label)
            drawing.against(
                waits, chosen, "gamma", look, label, value=lambda s: s.wait, theory=False
            )
            both = by(pick(results[f"{self.name}-batch"], sigma_f=f, sigma_b=b), "gamma")
            if both:
                drawing.against(shared, both, "gamma", look, label)
        drawing.against(orders, self._line(results), "sigma_f", _LINE, r"over $\sigma_f$")
        norms.set_title("one draw per sample", fontsize=10)
        orders.set_title("one draw per sample, smallest step size", fontsize=10)
        shared.set_title(_SHARED, fontsize=10)
        for panel in (norms, orders, shared):
            panel.set_ylabel("stable gradient norm")
        waits.set_ylabel("stable iteration complexity")
        for panel, spec in ((norms, ""), (waits, ""), (shared, "-batch")):
            steps = [s.number("gamma") for s in results[f"{self.name}{spec}"]]
            drawing.ticks(panel, steps, r"step size $\gamma$")
        drawing.ticks(orders, [s.number("sigma_f") for s in self._line(results)], r"$\sigma_f$")
        drawing.one_scale([norms, shared])
        for panel in (norms, orders, waits, shared):
            drawing.decades(panel)
        drawing.legend(figure, [norms, orders], columns=3)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """Settled, below the floor, at the prediction; orders in σ_f and in γ."""
        settings = [s for spec in self.sweeps for s in results[spec.spec]]
        found = [claims.settled(settings), claims.at_prediction(settings)]
        found.append(claims.below_floor(settings))
        found.append(self._order_in_sigma(results))
        found += self._orders_in_step(results[self.name], "one draw per sample")
        found += self._orders_in_step(results[f"{self.name}-batch"], _SHARED)
        return found

    def _line(self, results: Results) -> list[Setting]:
        """Over σ_f > 0 at the smallest step size."""
        smallest = min(s.number("gamma") for s in results[self.name])
        everything = [*results[self.name], *results[f"{self.name}-order"]]
        chosen = pick(everything, gamma=smallest, sigma_b=0.0)
        return by([s for s in chosen if s.number("sigma_f") > 0], "sigma_f")

    def _order_in_sigma(self, results: Results) -> Finding:
        line = self._line(results)
        still = pick(results[self.name], sigma_f=0.0, sigma_b=0.0)
        noise = by(still, "gamma")[0] if still else None
        chosen = claims.dominated(line, noise)
        expected = claims.floor_order(chosen, "sigma_f", bias=True)
        claim = "the plateau goes like σ_f², the order of the sharp bias, where it exceeds noise"
        return claims.order(claim, chosen, "sigma_f", expected)[0]

    def _orders_in_step(self, settings: Sequence[Setting], words: str) -> Iterator[Finding]:
        for f, b in self.pairs:
            chosen = by(pick(settings, sigma_f=f, sigma_b=b), "gamma")
            if len(chosen) < 2 or f not in (0.0, self.pairs[-1][0]):
                continue
            if f == 0.0:
                what = f"backward noise σ_b = {b:g}" if b else "no perturbation"
                claim = f"{what}, {words}: the plateau vanishes with γ like √γ"
                yield claims.order(claim, chosen, "gamma", claims.floor_order(chosen, "gamma"))[0]
            else:
                claim = f"forward noise σ_f = {f:g}, {words}: the plateau stays as γ → 0"
                yield claims.stays(claim, chosen[::-1])
