"""Operator × pass, coloured by the largest admissible magnitude."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from boundcalc.budgets.results import Allowance, Budget
from boundcalc.report import plots
from boundcalc.report.budget_words import layers
from boundcalc.report.numbers import DOWN, log10, text_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMED = 24  # operators whose names stand at the axis
_WRITTEN = 10  # operators whose values stand in their cells
_WIDE = 60  # operators in one strip: more are drawn in several, one below the other
_STRIPS = 6
_LETTERS = 18
_ANY, _NONE = "#E4E4E4", "#000000"

Array = npt.NDArray[np.float64]


def heat_figure(found: Budget) -> Figure | None:
    """The heat map; None where no place has a finite positive allowance."""
    cells = _cells(found)
    table = np.array([[_log(cell) for cell in row] for row in cells])
    finite = table[np.isfinite(table)]
    if not finite.size:
        return None
    count = table.shape[1]
    strips = min(_STRIPS, math.ceil(count / _WIDE))
    wide = math.ceil(count / strips)
    names = [layer.name for layer in layers(found.question.graph)]
    figure, axes = plots.stacked(strips, _height(strips, names))
    limits = _limits(finite)
    for number, panel in enumerate(axes):
        start = number * wide
        image = _strip(panel, table[:, start : start + wide], start, wide, limits)
        _axis(panel, names[start : start + wide], start, named=count <= _NAMED)
    if count <= _WRITTEN:
        _values(axes[0], cells, sum(limits) / 2)
    bar = figure.colorbar(image, ax=axes, pad=0.01, fraction=0.05)
    bar.set_label("largest rms")
    plots.powers(bar.ax.yaxis)
    return figure


def _cells(found: Budget) -> list[list[Allowance | None]]:
    """By pass and operator: its place, of several edges the one that allows least."""
    alone = {(a.direction, a.label): a for a in found.magnitudes.allowances if a.quantity == "rms"}
    rows = layers(found.question.graph)
    forward = [alone.get(("forward", layer.forward or "")) for layer in rows]
    backward = []
    for layer in rows:
        edges = [alone["backward", x] for x in layer.backward if ("backward", x) in alone]
        backward.append(min(edges, key=_log, default=None))
    return [forward, backward]


def _log(entry: Allowance | None) -> float:
    """log₁₀ of the largest value; +∞ any, −∞ only zero, NaN no such place."""
    if entry is None:
        return math.nan
    if entry.alone is None:
        return math.inf
    found = log10(entry.alone)
    return -math.inf if found is None else found


def _height(strips: int, names: list[str]) -> float:
    longest = max(len(name) for name in names)
    label = 0.3 if len(names) > _NAMED else 0.3 + 0.06 * min(longest, _LETTERS)
    return 0.3 + strips * (0.75 + label)


def _limits(finite: Array) -> tuple[float, float]:
    low, high = float(finite.min()), float(finite.max())
    pad = max(0.0, 2.0 - (high - low)) / 2  # values that are nearly equal look so
    return low - pad, high + pad


def _strip(panel: Axes, table: Array, start: int, wide: int, limits: tuple[float, float]) -> Any:
    """One row of operators, from number ``start`` + 1 on."""
    from matplotlib.patches import Rectangle

    count = table.shape[1]
    image = panel.imshow(
        np.ma.masked_invalid(table),
        cmap="viridis",
        vmin=limits[0],
        vmax=limits[1],
        aspect="auto",
        interpolation="nearest",
        extent=(start + 0.5, start + count + 0.5, 1.5, -0.5),
    )
    for row, column in np.argwhere(np.isposinf(table)):
        look: dict[str, Any] = {"facecolor": _ANY, "edgecolor": "#888888", "linewidth": 0.0}
        corner = (start + column + 0.5, row - 0.5)
        panel.add_patch(Rectangle(corner, 1, 1, hatch="////", **look))
    for row, column in np.argwhere(np.isneginf(table)):
        panel.plot([start + column + 1], [row], "x", color=_NONE, markersize=5)
    panel.set_xlim(start + 0.5, start + wide + 0.5)
    panel.set_ylim(1.5, -0.5)
    return image


def _axis(panel: Axes, names: list[str], start: int, *, named: bool) -> None:
    panel.set_yticks([0, 1], ["forward", "backward"])
    panel.grid(visible=False)
    panel.tick_params(length=0)
    for side in panel.spines.values():
        side.set_visible(False)
    if named:
        plots.name_ticks(panel, range(start + 1, start + len(names) + 1), names)
    else:
        plots.whole(panel)
        panel.set_xlabel("operator, by its number", labelpad=1)


def _values(panel: Axes, cells: list[list[Allowance | None]], middle: float) -> None:
    """Numbers in the cells of a small network, dark on light and light on dark."""
    for row, entries in enumerate(cells):
        for column, entry in enumerate(entries):
            if entry is None or entry.alone is None:
                continue
            panel.text(
                column + 1,
                row,
                text_of(entry.alone.value, 2, rounding=DOWN),
                color="black" if _log(entry) > middle else "white",
                fontsize=9,
                horizontalalignment="center",
                verticalalignment="center",
            )
