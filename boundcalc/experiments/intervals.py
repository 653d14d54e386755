"""Figures 7 and 8: forward noise that acts every Δt_f steps."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import TYPE_CHECKING

from boundcalc.experiments import claims, drawing
from boundcalc.experiments.base import Experiment, Results
from boundcalc.experiments.findings import Finding
from boundcalc.experiments.settings import Setting, by, pick

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGMAS = (1.0, 2.0)


class Intervals(Experiment, ABC):
    """δ ~ U(±σ_f/√d) at t = 0, Δt_f, 2Δt_f, …, for σ_f = 1 and 2.

    The bound's bias term is the average of bias² over the steps: its root goes like Δt^(−1/2).
    That is what is proved for any objective.  Where the run moves little between two perturbed
    steps, the biases themselves average, and the plateau goes like Δt^(−1), which is less.
    """

    def draw(self, results: Results) -> Figure:
        """Trajectories for σ_f = 2; stable gradient norm and complexity against Δt_f."""
        settings = results[self.name]
        figure, ((left, middle, right),) = drawing.page(1, 3, 3.4)
        for look, setting in zip(
            drawing.LOOKS, by(pick(settings, sigma_f=2.0), "every"), strict=False
        ):
            label = rf"$\Delta t_f={setting.number('every'):g}$"
            drawing.trajectory(left, setting, look, label, floor=False)
        left.set_title(r"$\sigma_f=2$", fontsize=10)
        left.set_ylabel(r"EWMA of $\Vert\nabla\ell\Vert$")
        for look, sigma in zip(drawing.LOOKS[1:], _SIGMAS, strict=False):
            chosen = by(pick(settings, sigma_f=sigma), "every")
            label = rf"$\sigma_f={sigma:g}$"
            drawing.against(middle, chosen, "every", look, label)
            drawing.against(
                right, chosen, "every", look, label, value=lambda s: s.wait, theory=False
            )
        for panel, words in (
            (middle, "stable gradient norm"),
            (right, "stable iteration complexity"),
        ):
            panel.set_title(words, fontsize=10)
            every = [s.number("every") for s in settings]
            drawing.ticks(panel, every, r"interval $\Delta t_f$")
        for panel in (left, middle, right):
            drawing.decades(panel)
        drawing.legend(figure, [left, middle], columns=4)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """The plateau falls as the interval grows, at least as fast as the bound's."""
        settings = results[self.name]
        found = [claims.settled(settings), claims.at_prediction(settings)]
        found.append(claims.below_floor(settings))
        noise = _quietest(settings)
        for sigma in _SIGMAS:
            chosen = by(pick(settings, sigma_f=sigma), "every")
            standing = claims.dominated(chosen, noise)
            claim = f"σ_f = {sigma:g}: the plateau falls as Δt_f grows, while it exceeds the noise"
            found.append(claims.monotone(claim, standing, rising=False))
            expected = claims.floor_order(standing, "every", bias=True)
            claim = f"σ_f = {sigma:g}: it falls at least as fast as the sharp bias, Δt_f^(−1/2)"
            found.append(claims.order(claim, standing, "every", expected, at_most_order=True)[0])
        return found


def _quietest(settings: Sequence[Setting]) -> Setting | None:
    """The setting with the least noise: the smallest σ_f at the largest interval."""
    return min(settings, key=lambda s: s.number("sigma_f") / s.number("every"), default=None)
