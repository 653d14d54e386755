"""The figures of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from boundcalc.rates import Rate
from boundcalc.report import plots, series
from boundcalc.report.budget_figures import BUDGET_CAPTIONS, BUDGET_PAINTERS
from boundcalc.report.cells import Content, Maths
from boundcalc.report.drawing import graph_figure
from boundcalc.report.gather import Findings
from boundcalc.report.notation import BIAS, ERROR
from boundcalc.report.numbers import log10
from boundcalc.report.refusals import refused_families

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROUNDING = 1e-24  # of ‖u‖²: smaller observations are rounding errors
_MARKED = 30  # most points of a line whose points are marked

_CAPTIONS: dict[str, Content] = {
    "graph": (
        "The network: operators with number, name and type. The number at an edge is the bound ",
        Maths("a"),
        " on the norm of its Jacobian, by which a gradient on its way back grows at most; δ marks "
        "an output, ε an edge, where a perturbation acts. The status of ",
        Maths("a"),
        " is that of the table of constants.",
    ),
    "bounds": (
        "Bounds against the simulation at fixed iterates: ",
        Maths(ERROR),
        " (left) and ",
        Maths(BIAS),
        " (right). Points are the hardest sample of each iterate with its confidence interval; "
        "lines are the families’ bounds. An arrow marks an interval that reaches down to zero; "
        "observations that are zero to rounding are not drawn.",
    ),
    "depth": (
        "Coefficients by operator: of a forward perturbation ",
        Maths(r"\delta_j"),
        " (left) and a backward one ",
        Maths(r"\varepsilon_j"),
        " (right) in the error bound. An operator with several inputs has a point for each. Zeros "
        "are not drawn.",
    ),
    "rates": "What the bounds on a run consist of, on a logarithmic axis: the bound is the sum "
    "of its terms. Terms that are zero are not drawn.",
    "trajectory": "The simulated run against its bounds. Black: mean over replicas, with the "
    "range over replicas shaded. Lines: each family’s bound for a horizon of t steps at the "
    "spec’s step size (a single point where perturbations act at some steps only).",
}

_TERMS = {
    "optimisation": ("D", "#555555"),
    "sampling": ("v", "#56B4E9"),
    "perturbation_error": ("s", "#E69F00"),
    "perturbation_bias": ("P", "#CC79A7"),
}


def draw(findings: Findings, folder: Path) -> dict[str, Content]:
    """Write every figure that the findings allow, as PDF and PNG.

    Returns
    -------
    Stem of each figure → its caption.
    """
    painters: dict[str, Callable[[Findings], Figure | None]] = {
        "graph": lambda found: graph_figure(found.graph),
        "bounds": bounds_figure,
        "depth": depth_figure,
        "rates": rates_figure,
        "trajectory": trajectory_figure,
        **BUDGET_PAINTERS,
    }
    made: dict[str, Content] = {}
    with plots.style():
        for stem, paint in painters.items():
            figure = paint(findings)
            if figure is not None:
                folder.mkdir(parents=True, exist_ok=True)
                plots.save(figure, folder / stem)
                made[stem] = (_CAPTIONS | BUDGET_CAPTIONS)[stem]
    return made


def bounds_figure(findings: Findings) -> Figure | None:
    """Observed error and bias at fixed iterates under every family's bound."""
    verdicts = findings.verdicts
    if verdicts is None or not verdicts.run.checks:
        return None
    figure, axes = plots.panels(2, 3.3)
    steps = [str(check.step) for check in verdicts.run.checks]
    for panel, kind, symbol in zip(axes, ("error", "bias"), (ERROR, BIAS), strict=True):
        # Matplotlib's mathematics knows fewer commands than LaTeX.
        symbol = symbol.replace(r"\lVert", r"\Vert ").replace(r"\rVert", r"\Vert ")
        panel.set_title(f"{kind}: ${symbol}$")
        plots.roomy(panel, _observed(panel, findings, kind) + _bound_lines(panel, findings, kind))
        plots.powers(panel.yaxis)
        panel.set_xticks(range(len(steps)), steps)
        panel.set_xlim(-0.6, len(steps) - 0.4)
        panel.grid(visible=False, axis="x")
        panel.set_xlabel("iterate (step)")
    plots.add_legend(figure, axes)
    return figure


def _observed(panel: Axes, findings: Findings, kind: str) -> list[float]:
    """The worst sample of every iterate; returns what the axis has to hold."""
    assert findings.verdicts is not None  # noqa: S101 - the caller has looked
    shown: list[float] = []
    label: str | None = "observed"
    for x, check in enumerate(findings.verdicts.run.checks):
        columns = (
            (check.error_lo, check.error, check.error_hi)
            if kind == "error"
            else (check.bias_lo, check.bias, check.bias_hi)
        )
        worst = int(columns[2].argmax())
        if columns[2][worst] <= _ROUNDING * check.scale:
            continue
        low, middle, high = (series.log_float(float(column[worst])) for column in columns)
        if high is None:
            continue
        if low is None or middle is None:
            arrow = {"arrowstyle": "->", "color": plots.OBSERVED}
            panel.annotate("", (x, high - 0.9), (x, high), arrowprops=arrow)
            panel.plot([x], [high], "_", color=plots.OBSERVED, markersize=9, zorder=4)
            shown += [high, high - 1]
            continue
        panel.errorbar(
            [x],
            [middle],
            yerr=[[middle - low], [high - middle]],
            fmt="D",
            color=plots.OBSERVED,
            markersize=4,
            capsize=3,
            linewidth=1.2,
            label=label,
            zorder=4,
        )
        label = None
        shown += [low, high]
    return shown


def _bound_lines(panel: Axes, findings: Findings, kind: str) -> list[float]:
    """A horizontal line for each family's bound; a bound of zero is written out."""
    shown: list[float] = []
    zero: list[str] = []
    for name, coefficients in findings.coefficients.items():
        bound = coefficients.error_bound() if kind == "error" else coefficients.bias_bound()
        y = None if bound is None else log10(bound)
        if y is not None:
            look = plots.LOOKS[name]
            panel.axhline(y, color=look.colour, linestyle=look.line, label=name, zorder=3)
            shown.append(y)
        elif bound is not None:
            zero.append(name)
    if zero:
        text = f"bound is 0: {', '.join(zero)}"
        # Room for the words below the lowest line.
        shown += [min(shown) - 0.5] if shown else []
        panel.text(0.02, 0.03, text, transform=panel.transAxes, fontsize=10, style="italic")
    return shown


def depth_figure(findings: Findings) -> Figure | None:
    """Coefficients of the error bound by operator."""
    titles = {"error_forward": r"$C^e_{\delta_j}$", "error_backward": r"$C^e_{\varepsilon_j}$"}
    found = {column: series.depth(findings, column) for column in titles}
    if not any(len(x) for curves in found.values() for x, _ in curves.values()):
        return None
    chain = findings.graph.is_chain
    figure, axes = plots.panels(2, 3.2)
    for panel, (column, curves) in zip(axes, found.items(), strict=True):
        panel.set_title(titles[column])
        # Neighbouring numbers of a graph need not be neighbours on a path: no line there.
        _curves(panel, {n: c for n, c in curves.items() if len(c[0])}, [], points=not chain)
        plots.whole(panel)
        panel.set_xlabel("operator j")
    plots.add_legend(figure, axes)
    return figure


def _curves(
    panel: Axes,
    curves: Mapping[str, tuple[series.Array, series.Array]],
    also: list[float],
    *,
    points: bool = False,
) -> None:
    """A line or points for each family, on an axis that holds them and the values of ``also``."""
    values = list(also)
    for name, (x, y) in curves.items():
        look = plots.LOOKS[name]
        marker = look.marker if points or len(x) <= _MARKED else ""
        line = "none" if points else look.line
        size = 5.0 if len(x) <= _MARKED else 2.0
        panel.plot(
            x, y, color=look.colour, linestyle=line, marker=marker, markersize=size, label=name
        )
        values += y.tolist()
    plots.roomy(panel, values)
    plots.powers(panel.yaxis)


def trajectory_figure(findings: Findings) -> Figure | None:
    """The run's gradient norm and loss gap under the bounds for every horizon."""
    gradient = r"$\frac{1}{t}\sum_{k<t}\Vert\nabla\ell(w^{(k)})\Vert^2$"
    candidates = [(gradient, "nonconvex", series.running_gradient(findings))]
    if findings.rates is not None and findings.rates.pl:
        candidates.append((r"$\ell(w^{(t)})-\ell^*$", "pl", series.running_gap(findings)))
    drawn = [(title, regime, band) for title, regime, band in candidates if band is not None]
    if not drawn:
        return None
    figure, axes = plots.panels(len(drawn), 3.3)
    for panel, (title, regime, band) in zip(axes, drawn, strict=True):
        panel.set_title(title, pad=10)
        panel.fill_between(band.steps, band.low, band.high, color="#BBBBBB", linewidth=0)
        panel.plot(band.steps, band.middle, color=plots.OBSERVED, label="observed", zorder=4)
        also = [*band.low.tolist(), *band.high.tolist()]
        _curves(panel, series.bound_curves(findings, regime), also)
        panel.set_xscale("log")
        panel.set_xlabel("step t")
    plots.add_legend(figure, axes)
    return figure


def rates_figure(findings: Findings) -> Figure | None:
    """The terms of every bound.  Dots, not bars: stacked on a logarithm, bars mislead."""
    rates = findings.rates
    if rates is None:
        return None
    refused = refused_families(findings)
    tables = {
        title: {name: rate for name, rate in table.items() if name not in refused}
        for title, table in (("nonconvex", rates.nonconvex), ("PL", rates.pl))
    }
    drawn = {n: t for n, t in tables.items() if any(r.bound is not None for r in t.values())}
    if not drawn:
        return None
    figure, axes = plots.panels(len(drawn), 2.6)
    for panel, (title, table) in zip(axes, drawn.items(), strict=True):
        panel.set_title(title)
        names = list(table)[::-1]
        shown = [x for y, name in enumerate(names) for x in _terms(panel, y, table[name])]
        panel.set_yticks(range(len(names)), names)
        panel.set_ylim(-0.6, len(names) - 0.4)
        if shown:
            panel.set_xlim(*plots.limits(shown))
        panel.grid(visible=False, axis="y")
        plots.powers(panel.xaxis)
    plots.add_legend(figure, axes, columns=5)
    return figure


def _terms(panel: Axes, y: int, rate: Rate) -> list[float]:
    """One family's terms and bound, the terms a little above each other; where they are."""
    total = None if rate.bound is None else log10(rate.bound)
    if total is None:
        panel.text(
            0.5,
            y,
            "no bound" if rate.bound is None else "bound is 0",
            transform=panel.get_yaxis_transform(),
            horizontalalignment="center",
            verticalalignment="center",
            style="italic",
        )
        return []
    shown = [total]
    for k, (term, (marker, colour)) in enumerate(_TERMS.items()):
        x = log10(rate.terms[term])
        if x is not None:
            label, height = term.replace("_", ": "), y + 0.24 - 0.16 * k
            panel.plot([x], [height], marker, color=colour, markersize=6, label=label, zorder=3)
            shown.append(x)
    panel.plot(
        [total],
        [y],
        "|",
        color=plots.OBSERVED,
        markersize=20,
        markeredgewidth=2,
        label="bound",
        zorder=4,
    )
    return shown
