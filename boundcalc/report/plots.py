"""The figures.  Matplotlib is imported here and nowhere else, and no global state is kept.

All axes with magnitudes are drawn from logarithms, labelled 10ᵏ, so that coefficients of
1e±1088 fit.  Families differ in colour (Okabe and Ito's palette), marker and line style.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcalc.report import series
from boundcalc.report.cells import Content, Maths
from boundcalc.report.gather import Findings
from boundcalc.report.notation import BIAS, ERROR
from boundcalc.report.numbers import log10

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Look:
    """How a family is drawn."""

    colour: str
    marker: str
    line: Any


LOOKS = {
    "published": Look("#D55E00", "s", (0, (6, 2))),
    "corrected": Look("#009E73", "^", (0, (1.5, 1.5))),
    "sharp": Look("#0072B2", "o", "-"),
}
_OBSERVED = "#000000"
_ROUNDING = 1e-24  # of ‖u‖²: smaller observations are rounding errors

_STYLE = {
    "font.family": "serif",
    "font.serif": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.labelsize": 10.5,
    "legend.fontsize": 10.5,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.0,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "boundcalc",
}

_CAPTIONS: dict[str, Content] = {
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
        " (right) in the error bound. Zeros are not drawn.",
    ),
    "rates": "What the bounds on a run consist of, on a logarithmic axis: the bound is the sum "
    "of its terms. Terms that are zero are not drawn.",
    "trajectory": "The simulated run against its bounds. Black: mean over replicas, with the "
    "range over replicas shaded. Lines: each family’s bound for a horizon of t steps at the "
    "spec’s step size (a single point where perturbations act at some steps only).",
}


def draw(findings: Findings, folder: Path) -> dict[str, Content]:
    """Write every figure that the findings allow, as PDF and PNG.

    Returns
    -------
    Stem of each figure → its caption.
    """
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Content] = {}
    painters: dict[str, Callable[[Findings], Figure | None]] = {
        "bounds": _bounds,
        "depth": _depth,
        "rates": _rates,
        "trajectory": _trajectory,
    }
    # A user's matplotlibrc must not change a report; the context gives it back.
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        for stem, paint in painters.items():
            figure = paint(findings)
            if figure is not None:
                _save(figure, folder / stem)
                made[stem] = _CAPTIONS[stem]
    return made


def _save(figure: Figure, path: Path) -> None:
    # No dates or versions: the same findings give the same bytes.
    pdf = {"CreationDate": None, "Creator": "boundcalc", "Producer": "boundcalc"}
    figure.savefig(path.with_suffix(".pdf"), metadata=pdf)
    figure.savefig(path.with_suffix(".png"), dpi=150, metadata={"Software": "boundcalc"})


def _panels(count: int, height: float = 3.0) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _powers(axis: Any) -> None:
    """Ticks at whole powers of ten, on an axis that holds logarithms."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=2))
    axis.set_major_formatter(FuncFormatter(lambda y, _: f"$10^{{{y:.0f}}}$"))


def _roomy(axes: Axes, values: list[float]) -> None:
    """Limits with a margin, never less than two powers of ten."""
    low, high = min(values), max(values)
    pad = max(0.08 * (high - low), (2.0 - (high - low)) / 2, 0.25)
    axes.set_ylim(low - pad, high + pad)


def _legend(figure: Figure, axes: list[Axes], *, columns: int = 4) -> None:
    """One legend for all panels, above them, where no data is."""
    found: dict[str, Any] = {}
    for panel in axes:
        handles, labels = panel.get_legend_handles_labels()
        found.update(zip(labels, handles, strict=True))
    figure.legend(
        list(found.values()), list(found), loc="outside upper center", ncols=columns
    )


def _bounds(findings: Findings) -> Figure | None:
    verdicts = findings.verdicts
    if verdicts is None or not verdicts.run.checks:
        return None
    figure, axes = _panels(2, 3.3)
    for panel, kind, symbol in zip(axes, ("error", "bias"), (ERROR, BIAS), strict=True):
        panel.set_title(f"{kind}: ${_plain(symbol)}$")
        values = _observed(panel, findings, kind)
        values += _bound_lines(panel, findings, kind)
        if values:
            _roomy(panel, values)
        _powers(panel.yaxis)
        steps = [check.step for check in verdicts.run.checks]
        panel.set_xticks(range(len(steps)), [str(step) for step in steps])
        panel.set_xlim(-0.6, len(steps) - 0.4)
        panel.grid(visible=False, axis="x")
        panel.set_xlabel("iterate (step)")
    _legend(figure, axes)
    return figure


def _plain(symbol: str) -> str:
    """Matplotlib's mathematics knows fewer commands than LaTeX."""
    return symbol.replace(r"\lVert", r"\Vert ").replace(r"\rVert", r"\Vert ")


def _observed(panel: Axes, findings: Findings, kind: str) -> list[float]:
    """The worst sample of every iterate; returns what the axis has to hold."""
    assert findings.verdicts is not None  # noqa: S101 - the caller has looked
    shown: list[float] = []
    for x, check in enumerate(findings.verdicts.run.checks):
        error = kind == "error"
        high_all = check.error_hi if error else check.bias_hi
        worst = int(high_all.argmax())
        if high_all[worst] <= _ROUNDING * check.scale:
            continue
        low = series.log_float(float((check.error_lo if error else check.bias_lo)[worst]))
        middle = series.log_float(float((check.error if error else check.bias)[worst]))
        high = series.log_float(float(high_all[worst]))
        if high is None:
            continue
        label = "observed" if x == 0 else None
        if low is None or middle is None:
            panel.annotate(
                "", (x, high - 0.9), (x, high), arrowprops={"arrowstyle": "->", "color": _OBSERVED}
            )
            panel.plot([x], [high], "_", color=_OBSERVED, markersize=9, zorder=4)
            shown += [high, high - 1]
        else:
            panel.errorbar(
                [x],
                [middle],
                yerr=[[middle - low], [high - middle]],
                fmt="D",
                color=_OBSERVED,
                markersize=4,
                capsize=3,
                linewidth=1.2,
                label=label,
                zorder=4,
            )
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
            look = LOOKS[name]
            panel.axhline(y, color=look.colour, linestyle=look.line, label=name, zorder=3)
            shown.append(y)
        elif bound is not None:
            zero.append(name)
    if zero:
        text = f"bound is 0: {', '.join(zero)}"
        panel.text(0.02, 0.02, text, transform=panel.transAxes, fontsize=10, style="italic")
    return shown


def _depth(findings: Findings) -> Figure | None:
    columns = {"error_forward": r"$C^e_{\delta_j}$", "error_backward": r"$C^e_{\varepsilon_j}$"}
    found = {column: series.depth(findings, column) for column in columns}
    if not any(len(x) for curves in found.values() for x, _ in curves.values()):
        return None
    figure, axes = _panels(2, 3.2)
    for panel, (column, curves) in zip(axes, found.items(), strict=True):
        panel.set_title(columns[column])
        values: list[float] = []
        for name, (x, y) in curves.items():
            look = LOOKS[name]
            few = look.marker if len(x) <= 30 else ""
            panel.plot(x, y, color=look.colour, linestyle=look.line, marker=few, label=name)
            values += y.tolist()
        if values:
            _roomy(panel, values)
        _powers(panel.yaxis)
        _whole(panel)
        panel.set_xlabel("operator j")
    _legend(figure, axes)
    return figure


def _whole(panel: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    panel.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def _trajectory(findings: Findings) -> Figure | None:
    panels = [
        (r"$\frac{1}{t}\sum_{k<t}\Vert\nabla\ell(w^{(k)})\Vert^2$", "nonconvex", series.running_gradient),
        (r"$\ell(w^{(t)})-\ell^*$", "pl", series.running_gap),
    ]
    drawn = [(t, regime, b) for t, regime, f in panels if (b := f(findings)) is not None]
    if findings.rates is None or not findings.rates.pl:
        drawn = [entry for entry in drawn if entry[1] != "pl"]
    if not drawn:
        return None
    figure, axes = _panels(len(drawn), 3.3)
    for panel, (title, regime, band) in zip(axes, drawn, strict=True):
        panel.set_title(title)
        panel.fill_between(band.steps, band.low, band.high, color="#000000", alpha=0.18, linewidth=0)
        panel.plot(band.steps, band.middle, color=_OBSERVED, label="observed", zorder=4)
        values = [*band.low.tolist(), *band.high.tolist()]
        for name, (x, y) in series.bound_curves(findings, regime).items():
            look = LOOKS[name]
            single = look.marker if len(x) == 1 else ""
            panel.plot(x, y, color=look.colour, linestyle=look.line, marker=single, label=name)
            values += y.tolist()
        _roomy(panel, values)
        _powers(panel.yaxis)
        panel.set_xscale("log")
        panel.set_xlabel("step t")
    _legend(figure, axes)
    return figure


_TERMS = {
    "optimisation": ("D", "#555555"),
    "sampling": ("v", "#56B4E9"),
    "perturbation_error": ("s", "#E69F00"),
    "perturbation_bias": ("P", "#CC79A7"),
}


def _rates(findings: Findings) -> Figure | None:
    rates = findings.rates
    regimes = [] if rates is None else [("nonconvex", rates.nonconvex), ("PL", rates.pl)]
    regimes = [(n, t) for n, t in regimes if any(rate.bound is not None for rate in t.values())]
    if not regimes:
        return None
    figure, axes = _panels(len(regimes), 2.5)
    for panel, (title, table) in zip(axes, regimes, strict=True):
        panel.set_title(title)
        names = list(reversed(table))
        for y, name in enumerate(names):
            rate = table[name]
            for k, (term, (marker, colour)) in enumerate(_TERMS.items()):
                x = log10(rate.terms[term]) if rate.terms else None
                if x is not None:
                    label = term.replace("_", ": ")
                    panel.plot([x], [y + 0.24 - 0.16 * k], marker, color=colour, markersize=6, label=label, zorder=3)
            total = None if rate.bound is None else log10(rate.bound)
            if total is None:
                panel.text(0.5, y, "no bound", transform=panel.get_yaxis_transform(), ha="center", va="center", style="italic")
                continue
            panel.plot([total], [y], "|", color=_OBSERVED, markersize=26, markeredgewidth=2, label="bound", zorder=4)
        panel.set_yticks(range(len(names)), names)
        panel.set_ylim(-0.6, len(names) - 0.4)
        panel.margins(x=0.08)
        panel.grid(visible=False, axis="y")
        _powers(panel.xaxis)
    _legend(figure, axes, columns=5 if len(axes) > 1 else 5)
    return figure
