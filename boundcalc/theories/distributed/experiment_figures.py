"""Pictures of the experiments: which algorithms stay bounded, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from boundcalc.report import plots
from boundcalc.theories.distributed.experiments import Share
from boundcalc.theories.distributed.weak_error import Quadratic, WeakErrors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours with shapes that say the same.
_LOOKS = (
    ("#D55E00", "o"),
    ("#E69F00", "v"),
    ("#CC79A7", "^"),
    ("#000000", "s"),
    ("#009E73", "D"),
    ("#0072B2", "P"),
    ("#56B4E9", "X"),
)


def shares_figure(found: Sequence[Share]) -> Figure:
    """Share of bounded runs by noise, a panel for each start and a mark for each algorithm."""
    starts = list(dict.fromkeys(share.start for share in found))
    noises = list(dict.fromkeys(share.noise for share in found))
    algorithms = list(dict.fromkeys(share.algorithm for share in found))
    figure, axes = plots.panels(len(starts), 3.6)
    for panel, start in zip(axes, starts, strict=True):
        for number, name in enumerate(algorithms):
            row = [s for s in found if s.start == start and s.algorithm == name]
            shift = 0.66 * ((number + 0.5) / len(algorithms) - 0.5)
            places = [noises.index(s.noise) + shift for s in row]
            _points(panel, places, row, name, number)
        panel.set_title(f"from $x_0 = {start:g}$")
        names = [name.replace("Student, ", "") for name in noises]
        plots.name_ticks(panel, range(len(noises)), names)
        panel.set_ylim(-0.04, 1.04)
        panel.grid(visible=False, axis="x")
        for edge in range(1, len(noises)):
            panel.axvline(edge - 0.5, color="#DDDDDD", linewidth=0.5, zorder=0)
    axes[0].set_ylabel("share of runs that stay bounded")
    plots.add_legend(figure, axes, columns=4)
    return figure


def sensitivity_figure(by_horizon: Sequence[Share], by_compression: Sequence[Share]) -> Figure:
    """Left: SGD under Cauchy noise by horizon and radius.  Right: rand-k by ω and step."""
    figure, (left, right) = plots.panels(2, 3.2)
    radii = list(dict.fromkeys(share.escape for share in by_horizon))
    for number, radius in enumerate(radii):
        row = [s for s in by_horizon if s.escape == radius]
        places = [s.horizon * (1 + 0.04 * (number - 1)) for s in row]
        _points(left, places, row, f"radius {radius:g}", number, joined=True)
    left.set_xscale("log")
    left.set_xlabel("horizon")
    left.set_title(f"SGD, Cauchy noise, from $x_0 = {by_horizon[0].start:g}$")
    kinds = {"normalised step": True, "step $0.1/\\sqrt{k+1}$": False}
    for number, (label, normalised) in enumerate(kinds.items(), start=4):
        row = [s for s in by_compression if s.algorithm.endswith("step") == normalised]
        # The axis has equal distances: ω doubles, roughly, from one k to the next.
        _points(right, list(range(len(row))), row, label, number, joined=True)
        right.set_xticks(range(len(row)), [s.algorithm.split("= ")[1].split(",")[0] for s in row])
    right.set_xlabel(r"$\omega = d/k - 1$ of rand-$k$")
    right.set_title(
        f"rand-$k$, {by_compression[0].noise} noise, $d = {by_compression[0].size}$, "
        f"from {by_compression[0].start:g}"
    )
    for panel in (left, right):
        panel.set_ylim(-0.04, 1.04)
        panel.legend(loc="lower left")
    left.set_ylabel("share of runs that stay bounded")
    return figure


def _points(
    panel: Axes,
    places: Sequence[float],
    row: Sequence[Share],
    label: str,
    number: int,
    *,
    joined: bool = False,
) -> None:
    colour, marker = _LOOKS[number % len(_LOOKS)]
    middle = [s.bounded.mean for s in row]
    below = [s.bounded.mean - s.bounded.lo for s in row]
    above = [s.bounded.hi - s.bounded.mean for s in row]
    panel.errorbar(
        places,
        middle,
        yerr=[below, above],
        color=colour,
        marker=marker,
        markersize=4.0,
        capsize=2.0,
        linewidth=1.2,
        linestyle="-" if joined else "none",
        label=label,
    )


def weak_error_figure(problem: Quadratic, steps: Sequence[float], signs: WeakErrors) -> Figure:
    """Error of the modified equations' mean against the algorithm's, by step, with slopes.

    Left: D(C)SGD, both sides exact, with and without the correction κ of the drift.  Right:
    DSignSGD, its equation sampled, with intervals.
    """
    figure, (left, right) = plots.panels(2, 3.0)
    for number, (kappa, label) in enumerate(((0, r"classic, $\kappa = 0$"), (1, r"$\kappa = 1$"))):
        errors = [abs(problem.equation(eta, kappa) - problem.discrete(eta)) for eta in steps]
        colour, marker = _LOOKS[5 * number]
        left.plot(steps, errors, color=colour, marker=marker, markersize=4.0, label=label)
        _slope(left, steps, errors, 1 + kappa)
    left.set_title("compressed SGD, exact")
    means = [error.mean for error in signs.errors]
    colour, marker = _LOOKS[4]
    spread = [
        [error.mean - error.lo for error in signs.errors],
        [error.hi - error.mean for error in signs.errors],
    ]
    style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4.0}
    right.errorbar(signs.steps, means, yerr=spread, label="classic", capsize=2.5, **style)
    _slope(right, signs.steps, means, 1)
    right.set_title("sign SGD, Cauchy noise, sampled")
    for panel in (left, right):
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel(r"step $\eta$")
        panel.legend(loc="lower right")
        ticks = steps if panel is left else signs.steps
        panel.set_xticks(list(ticks), [f"1/{round(1 / eta)}" for eta in ticks])
        panel.minorticks_off()
    right.set_ylim(1e-3, 3e-2)
    left.set_ylabel(r"error of $\mathbb{E}f$")
    return figure


def _slope(panel: Axes, steps: Sequence[float], errors: Sequence[float], order: int) -> None:
    """A dotted line of a whole slope through the error of the smallest step."""
    place = list(steps).index(min(steps))
    line = [errors[place] * (eta / steps[place]) ** order for eta in steps]
    dashes = (0, (1, 2)) if order == 1 else (0, (5, 2, 1, 2))
    style: dict[str, Any] = {"color": "#888888", "linestyle": dashes, "linewidth": 1.2, "zorder": 1}
    panel.plot(steps, line, label=f"slope {order}", **style)
