"""Draw the picture of the README from two shipped specs: ``python docs/images/make_figures.py``.

Left: coefficients of E‖ũ−u‖² by operator, for a chain of fifty operators.  Right: bounds
and a simulation of the same quantities, for logistic regression.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import boundcalc as bc
from boundcalc.resources import example
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.verify import Verdicts

# Okabe and Ito's colours, which colour-blind readers can tell apart; shapes say the same.
STYLES = {
    "published": {"color": "#D55E00", "marker": "s"},
    "corrected": {"color": "black", "marker": "^"},
    "sharp": {"color": "#0072B2", "marker": "o"},
}
OBSERVED = {"color": "black", "marker": "|"}
CLAIMS = {"error": "E‖ũ−u‖²", "bias": "‖E[ũ−u]‖²", "nonconvex": "average E‖∇ℓ‖²"}


def depth_profile(axes: Axes) -> None:
    """Coefficient of E‖δ_i‖² against i."""
    graph = bc.build(bc.load(example("deep-uniform")))
    for name in FAMILIES:
        column = bc.coefficients(graph, family=name).by_id("error_forward")
        values = [float(number) for number in column.values()]
        line = "--" if name == "corrected" else "-"
        color = "black" if name == "corrected" else STYLES[name]["color"]
        width = 4 if name == "published" else 1.5
        positions = np.arange(1, len(values) + 1)
        axes.plot(positions, values, line, color=color, lw=width, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("perturbed operator i  (N = 50, all constants 1)")
    axes.set_ylabel("coefficient of E‖δᵢ‖² in E‖ũ−u‖²")
    axes.set_title("Depth: the coefficient of each operator", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)


def bounds_and_simulation(axes: Axes) -> None:
    """Every family's bounds beside what a simulation shows."""
    verdicts: Verdicts = bc.verify(bc.load(example("logistic-nonconvex")))
    last = verdicts.run.steps
    rows = [f"error at step {last}", f"bias at step {last}", "nonconvex"]
    for verdict in verdicts.verdicts:
        if verdict.claim not in rows:
            continue
        y = -rows.index(verdict.claim)
        style = STYLES[verdict.family]
        hollow = verdict.family == "corrected"
        face = "none" if hollow else style["color"]
        axes.scatter(
            float(verdict.bound),
            y,
            s=60 if hollow else 22,
            marker=style["marker"],
            facecolors=face,
            edgecolors=style["color"],
            label=f"{verdict.family} bound" if y == 0 else None,
        )
        if verdict.family == "sharp":
            axes.plot(verdict.ci, (y, y), color="black", lw=2.5, solid_capstyle="butt")
            axes.scatter(
                verdict.observed, y, **OBSERVED, s=110, label="simulated" if y == 0 else None
            )
    axes.set_xscale("log")
    axes.set_yticks([0, -1, -2], list(CLAIMS.values()))
    axes.set_ylim(-2.6, 0.95)
    axes.set_xlabel("value")
    axes.set_title(f"Logistic regression after {last} steps", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper left")
    axes.grid(axis="x", lw=0.3)


def main() -> None:
    """Write the picture beside this file."""
    figure = Figure(figsize=(9.5, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    depth_profile(left)
    bounds_and_simulation(right)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).with_name("bounds.png"), dpi=150)


if __name__ == "__main__":
    main()
