"""Figure 3: trajectories under forward and under backward noise, nonconvex regulariser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, final

from boundcalc.experiments import claims, drawing
from boundcalc.experiments.base import Experiment, Results, Sweep
from boundcalc.experiments.findings import Finding
from boundcalc.experiments.settings import Setting, by, pick

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWS = {"per_sample": "one draw per sample", "per_batch": "one draw for all samples"}
_SIDES = {"sigma_b": "backward noise", "sigma_f": "forward noise"}

_LOOKS = dict(zip((0.0, 0.5, 1.0, 2.0), drawing.LOOKS, strict=False))

#: From this σ_f on the paper sees a plateau.
_VISIBLE = 0.5


@final
class Figure3(Experiment):
    """ε ~ U(±σ_b/√d) with δ = 0, and δ ~ U(±σ_f/√d) with ε = 0, at one step size.

    The paper does not say whether the samples of a step share a draw: both are run.
    """

    name: ClassVar[str] = "figure-3"
    title: ClassVar[str] = "Nonconvex: trajectories under backward and under forward noise"
    paper: ClassVar[str] = (
        "Zero-mean backward noise only adds to the noise of the run, while forward noise with "
        "σ_f of 0.5 or more makes it level off at a plateau that grows with σ_f."
    )
    sweeps: ClassVar[tuple[Sweep, ...]] = (
        Sweep(
            "figure-3",
            {"symbols.gamma": ["1/5"]},
            (
                {"symbols.sigma_f": [0, 0, "1/2", 2], "symbols.sigma_b": [0, 2, 0, 0]},
                {f"perturbations[{k}].draw": list(_DRAWS) for k in range(2)},
            ),
        ),
    )

    def draw(self, results: Results) -> Figure:
        """Backward and forward noise, drawn per sample and per batch, on one vertical scale."""
        figure, rows = drawing.page(2, 2, 5.4)
        for row, (draw, words) in zip(rows, _DRAWS.items(), strict=True):
            chosen = pick(results["figure-3"], draw=draw)
            for panel, (name, side) in zip(row, _SIDES.items(), strict=True):
                for setting in line(chosen, name):
                    sigma = setting.number(name)
                    drawing.trajectory(panel, setting, _LOOKS[sigma], rf"$\sigma={sigma:g}$")
                panel.set_title(f"{side}, {words}", fontsize=10)
            row[0].set_ylabel(r"EWMA of $\Vert\nabla\ell\Vert$")
        flat = [panel for row in rows for panel in row]
        drawing.one_scale(flat)
        drawing.legend(figure, flat, columns=5, predicted=False)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """Plateaus, where they are predicted, and the floor above them."""
        settings = results["figure-3"]
        found = [claims.settled(settings), claims.at_prediction(settings)]
        found.append(claims.below_floor(settings))
        for draw, words in _DRAWS.items():
            found += _forward(line(pick(settings, draw=draw), "sigma_f"), words)
        return found


def line(settings: Sequence[Setting], name: str) -> list[Setting]:
    """The settings in which nothing but one σ is not zero, in its order."""
    other = {"sigma_f": "sigma_b", "sigma_b": "sigma_f"}[name]
    return by(pick(settings, **{other: 0.0}), name)


def _forward(settings: Sequence[Setting], words: str) -> Iterator[Finding]:
    claim = f"forward noise, {words}: the plateau grows with σ_f"
    yield claims.monotone(claim, settings, rising=True)
    for setting in settings:
        sigma = setting.number("sigma_f")
        if sigma >= _VISIBLE:
            claim = f"forward noise, {words}: σ_f = {sigma:g} levels off above σ_f = 0"
            yield claims.ratio(claim, setting, settings[0], 1.02, float("inf"))
