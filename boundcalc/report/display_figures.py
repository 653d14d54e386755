"""The figure of each result, as a notebook asks for it: those of the report, one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from boundcalc.report import budget_figures, figures, plots
from boundcalc.report.drawing import graph_figure
from boundcalc.report.findings_of import alone, every_family
from boundcalc.report.numbers import log10
from boundcalc.report.series import steps_shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundcalc.budgets.results import Budget
    from boundcalc.graph import OperatorGraph
    from boundcalc.rates import Rates
    from boundcalc.simulate import Run
    from boundcalc.theories.perturbed.coefficients import Coefficients
    from boundcalc.verify import Verdict, Verdicts

_CLAIMS = 60  # most claims in one figure
_PANELS = 3  # most recorded series that are drawn side by side


def graph(found: OperatorGraph) -> Figure | None:
    """The operators and their edges."""
    return graph_figure(found)


def depth(found: Coefficients) -> Figure | None:
    """Error coefficients by operator."""
    families = {found.family.name: found}
    return figures.depth_figure(alone(found.graph, coefficients=families))


def rates(found: Rates) -> Figure | None:
    """The terms of every bound."""
    return figures.rates_figure(alone(None, rates=found))


def budget_magnitudes(found: Budget) -> Figure | None:
    """Largest rms by operator and pass."""
    return budget_figures.magnitudes_figure(alone(found.question.graph, budget=found))


def budget_events(found: Budget) -> Figure | None:
    """Counts of events."""
    return budget_figures.events_figure(alone(found.question.graph, budget=found))


def budget_prices(found: Budget) -> Figure | None:
    """Bits and their prices."""
    return budget_figures.prices_figure(alone(found.question.graph, budget=found))


def budget_tradeoff(found: Budget) -> Figure | None:
    """What bits buy."""
    return budget_figures.tradeoff_figure(alone(found.question.graph, budget=found))


def trajectory_of_run(found: Run) -> Figure | None:
    """The running mean of the squared gradient norm."""
    from boundcalc.verify import Verdicts

    unjudged = Verdicts((), (), (), found, None)
    return figures.trajectory_figure(alone(found.graph, verdicts=unjudged))


def bounds(found: Verdicts) -> Figure | None:
    """Every family's bounds at fixed iterates, and what was observed there."""
    graph = found.run.graph
    findings = alone(graph, coefficients=every_family(graph), verdicts=found)
    return figures.bounds_figure(findings)


def trajectory(found: Verdicts) -> Figure | None:
    """The run under the bounds for every horizon."""
    return figures.trajectory_figure(alone(found.run.graph, rates=found.rates, verdicts=found))


def verdicts(found: Any) -> Figure | None:
    """Claim by claim: the observed interval and the bound, on a logarithmic axis."""
    rows: list[Verdict] = list(found.verdicts)
    if not 0 < len(rows) <= _CLAIMS:
        return None
    figure, (panel,) = plots.panels(1, 1.2 + 0.28 * len(rows))
    shown: list[float] = []
    for y, verdict in enumerate(reversed(rows)):
        shown += _claim(panel, y, verdict)
    if not shown:
        return None
    names = [plots.printable(f"{v.claim}, {v.family}: {v.status}") for v in reversed(rows)]
    panel.set_yticks(range(len(rows)), names)
    panel.set_ylim(-0.6, len(rows) - 0.4)
    panel.set_xlim(*plots.limits(shown))
    panel.grid(visible=False, axis="y")
    plots.powers(panel.xaxis)
    plots.add_legend(figure, [panel])
    return figure


def _claim(panel: Any, y: int, verdict: Verdict) -> list[float]:
    """One row; where its parts are.  What is zero or negative has no place on the axis."""
    places = [_log(verdict.ci[0]), _log(verdict.observed), _log(verdict.ci[1])]
    low, middle, high = places
    known = [x for x in places if x is not None]
    if middle is not None:
        label = None if panel.get_legend_handles_labels()[1].count("observed") else "observed"
        panel.plot([middle], [y], "D", color=plots.OBSERVED, markersize=4, label=label, zorder=4)
    if len(known) > 1:
        left, right = min(known) if low is None else low, max(known) if high is None else high
        panel.plot([left, right], [y, y], "-", color=plots.OBSERVED, linewidth=1.2)
    bound = log10(verdict.bound)
    if bound is not None:
        look = plots.LOOKS.get(verdict.family, plots.LOOKS["sharp"])
        name = verdict.family if verdict.family in plots.LOOKS else "bound"
        label = None if name in panel.get_legend_handles_labels()[1] else name
        panel.plot([bound], [y], look.marker, color=look.colour, label=label, zorder=3)
        known.append(bound)
    elif verdict.bound.value == 0:
        across = panel.get_yaxis_transform()
        panel.text(0.02, y, "bound is 0", transform=across, va="center", style="italic")
        known += [min(known) - 0.5] if known else []
    return known


def _log(x: float) -> float | None:
    return math.log10(x) if math.isfinite(x) and x > 0 else None


def series_of_run(found: Any) -> Figure | None:
    """What a run recorded: the mean over replicas, with their range shaded."""
    drawn = {name: np.asarray(v, dtype=np.float64) for name, v in found.series.items()}
    drawn = {name: v for name, v in list(drawn.items())[:_PANELS] if v.size}
    if not drawn:
        return None
    figure, axes = plots.panels(len(drawn), 3.0)
    for panel, (name, values) in zip(axes, drawn.items(), strict=True):
        keep = steps_shown(len(values)) - 1
        steps, some = np.asarray(found.at, dtype=np.float64)[keep], values[keep]
        finite = np.isfinite(some).all(axis=1)
        panel.fill_between(
            steps[finite],
            some[finite].min(axis=1),
            some[finite].max(axis=1),
            color="#BBBBBB",
            linewidth=0,
            label="all replicas",
        )
        panel.plot(steps[finite], some[finite].mean(axis=1), color=plots.OBSERVED, label="mean")
        panel.set_title(plots.printable(name.replace("_", " ")))
        panel.set_xlabel("step")
    plots.add_legend(figure, axes)
    return figure
