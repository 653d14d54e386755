"""What the figures share: trajectories, and stable values against what was varied."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boundcalc.experiments.settings import Setting
from boundcalc.report import plots
from boundcalc.simulate.statistics import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR: dict[str, Any] = {"linestyle": (0, (5, 2)), "linewidth": 1.1}
PREDICTED: dict[str, Any] = {"linestyle": (0, (1, 1.5)), "linewidth": 1.4}

_INK = "#444444"  # of what stands for all colours in a legend


@dataclass(frozen=True)
class Look:
    """Colour and marker of one curve: Okabe and Ito's palette, and shapes that say the same."""

    colour: str
    marker: str


LOOKS = (
    Look("#000000", "o"),
    Look("#0072B2", "s"),
    Look("#D55E00", "^"),
    Look("#009E73", "D"),
    Look("#CC79A7", "v"),
    Look("#56B4E9", "P"),
    Look("#E69F00", "X"),
)


def page(rows: int, columns: int, height: float) -> tuple[Figure, list[list[Axes]]]:
    """A figure as wide as a page, with rows of panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(plots.WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [list(row) for row in figure.subplots(rows, columns, squeeze=False)]


def trajectory(
    panel: Axes, setting: Setting, look: Look, label: str, *, floor: bool = True
) -> None:
    """The smoothed gradient norm, mean over replicas, with the floor dashed."""
    keep = (setting.steps > 0) & np.isfinite(setting.ewma) & (setting.ewma > 0)
    steps, ewma = setting.steps[keep], setting.ewma[keep]
    # Shapes tell the curves apart where colours do not; at equal distances on the logarithm.
    marks = (np.unique(np.geomspace(1, max(1, len(steps)), 7).astype(int)) - 1).tolist()
    style: dict[str, Any] = {
        "linewidth": 1.2,
        "marker": look.marker,
        "markersize": 3.5,
        "markevery": marks,
    }
    panel.plot(steps, ewma, color=look.colour, label=label, **style)
    if floor and setting.floor.value:
        panel.axhline(setting.floor.value, color=look.colour, **FLOOR)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("step")


def against(
    panel: Axes,
    settings: Sequence[Setting],
    name: str,
    look: Look,
    label: str,
    *,
    value: Callable[[Setting], Metric] = lambda setting: setting.norm,
    theory: bool = True,
) -> None:
    """Stable values against what was varied, with intervals; floor dashed, prediction dotted.

    Values that a prediction goes through are joined by a pale line, which leaves the dots to be
    seen.  A run that has not settled is drawn hollow.
    """
    # On a logarithm there is no place for 0 (a complexity, of a run that never moves).
    settings = [s for s in settings if np.isfinite(value(s).mean) and value(s).mean > 0]
    if not settings:
        return
    x = np.array([setting.number(name) for setting in settings])
    found = [value(setting) for setting in settings]
    mean = np.array([metric.mean for metric in found])
    reach = np.array([[m.mean - m.lo for m in found], [m.hi - m.mean for m in found]])
    # On a logarithm an interval cannot reach 0; what cannot be drawn is cut.
    reach[0] = np.minimum(np.where(np.isfinite(reach[0]), reach[0], 0.0), 0.95 * mean)
    reach[1] = np.where(np.isfinite(reach[1]), reach[1], 0.0)
    known = [None if s.plateau is None or not theory else s.plateau.norm for s in settings]
    panel.errorbar(
        x, mean, yerr=np.maximum(reach, 0.0), color=look.colour, linestyle="none", label=label,
        marker=look.marker, capsize=2, markersize=4.5, zorder=3,
    )  # fmt: skip
    line: dict[str, Any] = {"alpha": 0.35} if any(known) else {}
    panel.plot(x, mean, color=look.colour, linewidth=1.2, zorder=1, **line)
    moving = [not setting.settled for setting in settings]
    if any(moving):
        hollow: dict[str, Any] = {"marker": look.marker, "linestyle": "none", "zorder": 4}
        panel.plot(x[moving], mean[moving], color=look.colour, markerfacecolor="w", **hollow)
    if theory:
        _line(panel, x, [s.floor.value for s in settings], look.colour, FLOOR)
        _line(panel, x, known, look.colour, PREDICTED)
    panel.set_xscale("log")
    panel.set_yscale("log")


def _line(
    panel: Axes, x: Any, values: Sequence[float | None], colour: str, look: dict[str, Any]
) -> None:
    """A line of what theory says, broken where it says nothing."""
    y = np.array([value if value else np.nan for value in values], dtype=np.float64)
    if np.isfinite(y).any():
        panel.plot(x, y, color=colour, zorder=2, **look)


def legend(
    figure: Figure, panels: Sequence[Axes], *, columns: int = 4, predicted: bool = True
) -> None:
    """One legend above all panels, with what the dashed and dotted lines are."""
    panel = panels[-1]  # so that these come last
    panel.plot([], [], color=_INK, label="sharp floor (upper bound)", **FLOOR)
    if predicted:
        panel.plot([], [], color=_INK, label="mean-field prediction", **PREDICTED)
    plain_legend(figure, panels, columns=columns)


def ticks(panel: Axes, values: Sequence[float], label: str) -> None:
    """A horizontal axis with ticks at the values that were varied, and nowhere else."""
    shown = sorted(set(values))
    panel.set_xticks(shown, [f"{value:.3g}" for value in shown])
    panel.set_xticks([], minor=True)
    panel.set_xlabel(label)


def decades(panel: Axes) -> None:
    """Room for a power of ten at least on the vertical axis, and two labels or more."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    low, high = panel.get_ylim()
    if low <= 0:  # nothing was drawn
        return
    missing = 1.3 - math.log10(high / low)
    if missing > 0:
        panel.set_ylim(low / 10 ** (missing / 2), high * 10 ** (missing / 2))
    low, high = (math.log10(end) for end in panel.get_ylim())
    if math.floor(high) - math.ceil(low) >= 1:
        panel.yaxis.set_major_locator(LogLocator(numticks=8))
    else:  # one power of ten is no scale
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
        panel.yaxis.set_major_formatter(LogFormatterSciNotation(minor_thresholds=(9, 9)))
    panel.yaxis.set_minor_formatter(NullFormatter())


def plain_legend(figure: Figure, panels: Sequence[Axes], *, columns: int) -> None:
    """One legend above all panels."""
    plots.add_legend(figure, list(panels), columns=columns)


def one_scale(panels: Sequence[Axes]) -> None:
    """The same vertical limits for all panels, so that they can be compared."""
    limits = [panel.get_ylim() for panel in panels]
    for panel in panels:
        panel.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
