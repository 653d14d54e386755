"""The figures of the chapter on budgets: magnitudes, events, prices, bits against the bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.question import highest, lowest
from boundcalc.budgets.results import Allocation, Frequency, SiteBits
from boundcalc.report import plots
from boundcalc.report.budget_heat import heat_figure
from boundcalc.report.budget_words import cost_unit, spaced
from boundcalc.report.cells import Content
from boundcalc.report.gather import Findings
from boundcalc.report.numbers import log10

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMED = 24  # most names at an axis
_ROWS = 24  # most events in a figure

#: Direction → (colour, marker), Okabe and Ito's palette.
PASSES = {"forward": ("#0072B2", "o"), "backward": ("#D55E00", "s")}

BUDGET_CAPTIONS: dict[str, Content] = {
    "magnitudes": "The largest rms of a perturbation that acts alone, at every step, by operator "
    "and pass, rounded down; the darker, the less is admissible. Forward: at the operator’s "
    "output; backward: in what it passes back, of several edges the smallest. Hatched: any is "
    "admissible, or the table says why there is none; a cross: none but zero; white: no place. The "
    "table gives the status of each.",
    "events": "How many events may fall among the steps of the run, wherever they fall (filled) "
    "and evenly spread (open), each event alone. Counts follow from the bound in exact arithmetic "
    "where the table’s rates are proved. The line is the number of steps; 0 means not one.",
    "prices": "Bits of the integer assignment by place (above) and the price of one more bit "
    "there, as a part of the allowed excess (below; computed at the real-valued optimum). Places "
    "are in the order of the table. Where no limit on the bits is active, prices are in "
    "proportion to the places’ weights.",
    "tradeoff": "What the bits buy: the excess of the bound over the unperturbed one, as a part of "
    "what is allowed, at the least cost for it with real-valued bits (line, computed). The star "
    "is the integer assignment, with the status of its bound in the text; the dashed line is what "
    "equal bits everywhere cost. Below 1 the target is met.",
}


def described_budget(findings: Findings) -> dict[str, str]:
    """Stem → what a figure shows, for those who do not see it."""
    if findings.budget is None:
        return {}
    size = findings.graph.size
    return {
        "magnitudes": f"Heat map of the largest admissible rms of {size} operators in two passes.",
        "events": "Dot plot of how many events of each kind may fall among the steps.",
        "prices": "Two dot plots by place, bits above, price of one more bit below.",
        "tradeoff": "Line of the excess of the bound against the cost in bits.",
    }


def magnitudes_figure(findings: Findings) -> Figure | None:
    """Operator × pass, coloured by the largest admissible rms alone."""
    return None if findings.budget is None else heat_figure(findings.budget)


def events_figure(findings: Findings) -> Figure | None:
    """Counts of every event at its places, with its mean as given."""
    found = findings.budget
    rows = [] if found is None else [f for f in found.frequencies if f.mean_case == "given"]
    if not 0 < len(rows) <= _ROWS:
        return None
    training = findings.graph.spec.training
    assert training is not None  # noqa: S101 - a budget has a run
    figure, (panel,) = plots.panels(1, 1.3 + 0.27 * len(rows))
    for y, row in enumerate(rows):
        colour, marker = PASSES[row.direction]
        for count, face in ((row.count_worst, colour), (row.count_even, "white")):
            _dot(panel, count, y, colour, marker, face)
    panel.axvline(training.horizon, color=plots.OBSERVED, linewidth=1.0, linestyle="--")
    panel.set_xscale("symlog", linthresh=1.0, linscale=0.4)
    panel.set_xlim(-0.3, 3.0 * training.horizon)
    panel.set_yticks(range(len(rows)), [_event(row) for row in rows], parse_math=False)
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set_xlabel(f"events among {spaced(training.horizon)} steps")
    panel.grid(visible=False, axis="y")
    _key(figure, panel)
    return figure


def _dot(panel: Axes, x: float, y: float, colour: str, marker: str, face: str) -> None:
    # The open mark is drawn larger and behind, so that equal counts show both.
    size, order = (8.5, 3) if face == "white" else (5.0, 4)
    panel.plot(
        [x],
        [y],
        marker,
        color=colour,
        markerfacecolor=face,
        markersize=size,
        zorder=order,
        clip_on=False,
    )


def _key(figure: Figure, panel: Axes) -> None:
    """What marks mean, above the panel."""
    for direction, (colour, marker) in PASSES.items():
        for face, words in ((colour, "wherever they fall"), ("white", "evenly spread")):
            label = f"{direction}, {words}"
            panel.plot([], [], marker, color=colour, markerfacecolor=face, label=label)
    plots.add_legend(figure, [panel], columns=2)


def _event(row: Frequency) -> str:
    return f"{plots.short(row.name)} at {plots.short(row.label)}"


def prices_figure(findings: Findings) -> Figure | None:
    """Bits and prices by place."""
    found = findings.budget
    if found is None or found.allocation is None or not found.allocation.sites:
        return None
    sites = found.allocation.sites
    figure, (above, below) = plots.stacked(2, 4.2, shared=True)
    size = 6.0 if len(sites) <= _NAMED else 3.0
    prices: list[float] = []
    for direction, (colour, marker) in PASSES.items():
        own = [(x, s) for x, s in enumerate(sites, 1) if s.direction == direction]
        look: dict[str, Any] = {"color": colour, "markersize": size, "label": direction}
        if own:
            above.plot([x for x, _ in own], [s.bits for _, s in own], marker, **look)
        priced = [(x, y) for x, s in own if (y := log10(s.price)) is not None]
        if priced:
            below.plot([x for x, _ in priced], [y for _, y in priced], marker, **look)
            prices += [y for _, y in priced]
    above.set_ylabel("bits")
    above.set_ylim(0, 1.15 * max(site.bits for site in sites) + 1)
    plots.whole_numbers(above.yaxis)
    below.set_ylabel("price of a bit")
    plots.roomy(below, prices)
    plots.powers(below.yaxis)
    _places(below, sites)
    plots.add_legend(figure, [above])
    return figure


def _places(panel: Axes, sites: Sequence[SiteBits]) -> None:
    """Names of places below a panel, or their numbers where there are too many."""
    if len(sites) > _NAMED:
        plots.whole(panel)
        panel.set_xlabel("place, by its row in the table")
        return
    plots.name_ticks(panel, range(1, len(sites) + 1), [site.label for site in sites])
    panel.set_xlim(0.4, len(sites) + 0.6)


def tradeoff_figure(findings: Findings) -> Figure | None:
    """The part of the allowed excess that is used, against the cost."""
    found = findings.budget
    if found is None or found.allocation is None:
        return None
    spread, asked = found.allocation, found.question
    low = lowest(asked.baseline.value)
    allowed = lowest(asked.target.value) - low

    def used(value: Any) -> float | None:
        return log10(Number((highest(value) - low) / allowed, Status.COMPUTED))

    points = [(float(cost), used(bound.value)) for cost, bound in spread.curve]
    line = [(x, y) for x, y in points if y is not None and math.isfinite(x)]
    own = used(spread.bound.value)
    if not line and own is None:
        return None
    figure, (panel,) = plots.panels(1, 3.3)
    if line:
        x, y = zip(*line, strict=True)
        panel.plot(x, y, color="#0072B2", label="least cost, real-valued bits")
    if own is not None:
        look: dict[str, Any] = {"color": plots.OBSERVED, "markersize": 11, "zorder": 4}
        panel.plot([float(spread.cost)], [own], "*", label="integer bits", **look)
    _uniform(panel, spread)
    panel.axhline(0.0, color="#555555", linewidth=1.0, label="target")
    plots.roomy(panel, [0.0, *(y for _, y in line), *([] if own is None else [own])])
    plots.powers(panel.yaxis)
    panel.set_xlabel(f"cost ({cost_unit(found)})")
    panel.set_ylabel("part of the allowed excess")
    plots.add_legend(figure, [panel])
    return figure


def _uniform(panel: Axes, spread: Allocation) -> None:
    if spread.uniform_cost is not None:
        panel.axvline(
            float(spread.uniform_cost),
            color="#D55E00",
            linestyle="--",
            linewidth=1.2,
            label=f"{spread.uniform_bits} bits everywhere",
        )


BUDGET_PAINTERS: dict[str, Callable[[Findings], Figure | None]] = {
    "magnitudes": magnitudes_figure,
    "events": events_figure,
    "prices": prices_figure,
    "tradeoff": tradeoff_figure,
}
