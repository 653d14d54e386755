"""Runs of the spec's algorithm, and of others under the same noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.report import plots
from boundcalc.report.cells import Maths
from boundcalc.theories.base import Verb
from boundcalc.theories.distributed.algorithms import Algorithm
from boundcalc.theories.distributed.paths import Plan, Walk
from boundcalc.theories.distributed.run import Descent
from boundcalc.theories.distributed.schedules import ScheduleKind
from boundcalc.theories.distributed.simulator import walk
from boundcalc.theories.distributed.tails import quantile_band
from boundcalc.theories.objective import Objective, objective_of
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.values import Answer, Drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BESIDE = 256  # most replicas of the algorithms that are run beside
_EFFORT = 60_000_000  # numbers that agents may send in one of these runs
_SMALLEST = 1e-16  # of f on a logarithmic axis

#: Okabe and Ito's colours; line styles say the same.
_LOOKS: Mapping[str, tuple[str, Any]] = {
    "this spec": ("#0072B2", "-"),
    "SGD": ("#D55E00", (0, (6, 2))),
    "sign": ("#009E73", (0, (1.5, 1.5))),
    "normalised": ("#CC79A7", (0, (4, 1.5, 1, 1.5))),
    "clipped": ("#E69F00", (0, (8, 2, 1, 2))),
}


@dataclass(frozen=True)
class Curve:
    """One algorithm's runs.

    Attributes
    ----------
    name
        A key of the legend; ``this spec`` is the spec's own.
    met
        Its runs.
    """

    name: str
    met: Walk


def draw(graph: OperatorGraph, answers: Mapping[Verb, Answer], folder: Path) -> tuple[Drawn, ...]:
    """Write the figure ``distributed-runs``; nothing without a simulated run."""
    answer = answers.get("simulate")
    if answer is None:
        return ()
    run: TheoryRun = answer.value
    met: Descent = run.more
    curves = [Curve("this spec", met.walk), *_others(objective_of(graph), met.plan)]
    plots.save(runs_figure(curves), folder / "distributed-runs")
    names = ", ".join(curve.name for curve in curves[1:])
    beside = (
        f" Beside it, under noise of the same law and steps of the same schedule: {names}."
        if names
        else ""
    )
    return (
        Drawn(
            stem="distributed-runs",
            section="Simulation",
            caption=(
                "Left: median of ",
                Maths("f"),
                " over runs, and for this spec the band from the 5% to the 95% quantile; a run "
                "that escaped counts as infinite. Right: share of runs within the escape radius "
                f"{met.plan.escape:.3g} so far.{beside}",
            ),
            alt="Median of the objective and share of bounded runs over time, by algorithm",
        ),
    )


def _others(objective: Objective, plan: Plan) -> list[Curve]:
    """SGD, sign, normalised and clipped SGD beside the spec's algorithm, where that is cheap.

    Normalised steps would be normalised twice, so that these runs take the fixed part of the
    schedule; clipping is at L0/L1, where 1/(L0 + L1‖∇f‖) changes from one regime to the other.
    """
    rows = min(plan.replicas, _BESIDE)
    if rows * plan.horizon * plan.noise.agents * objective.weights > _EFFORT:
        return []
    algorithms = {"SGD": Algorithm("dsgd"), "sign": Algorithm("dsignsgd")}
    algorithms["normalised"] = Algorithm("normalised")
    if plan.L1 > 0 and plan.steps.L0 > 0:
        algorithms["clipped"] = Algorithm("clipped", server_clip=plan.steps.L0 / plan.L1)
    kind: ScheduleKind = "inverse_sqrt" if plan.steps.relative(3) < 1 else "constant"
    same = replace(plan.steps, kind=kind)
    own = "SGD" if _plain(plan.algorithm) and plan.steps.kind == kind else ""
    own = "sign" if plan.algorithm.name == "dsignsgd" and plan.steps.kind == kind else own
    found = []
    for name, algorithm in algorithms.items():
        if name == own:
            continue
        beside = replace(plan, algorithm=algorithm, steps=same, replicas=rows, measures={})
        found.append(Curve(name, walk(objective.both, objective.start[0], beside)))
    return found


def _plain(algorithm: Algorithm) -> bool:
    return algorithm.name in ("dsgd", "dcsgd") and not algorithm.draws and not algorithm.agent_clip


def runs_figure(curves: list[Curve]) -> Figure:
    """Median of f with a band, and the share of bounded runs, over time."""
    figure, axes = plots.panels(2, 3.1)
    shown: list[float] = []
    for curve in curves:
        shown += _losses(axes[0], curve)
        _share(axes[1], curve)
    axes[0].set_title("objective $f$, median over runs")
    plots.roomy(axes[0], shown)
    plots.powers(axes[0].yaxis)
    axes[1].set_title("share of runs still bounded")
    axes[1].set_ylim(-0.04, 1.04)
    for panel in axes:
        panel.set_xlabel("step")
        panel.set_xscale("symlog", linthresh=1.0)
        panel.set_xlim(0.0, float(curves[0].met.at[-1]))
    plots.add_legend(figure, axes, columns=5)
    return figure


def _losses(panel: Axes, curve: Curve) -> list[float]:
    """The median line, and this spec's band; returns what the axis has to hold."""
    colour, line = _LOOKS[curve.name]
    at = curve.met.at
    median, low, high = (_log(part) for part in quantile_band(curve.met.loss))
    style = {"color": colour, "linestyle": line, "label": curve.name, "zorder": 3}
    panel.plot(at, median, **style)
    if curve.name == "this spec":
        panel.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
        median = np.concatenate([median, low, high])
    found: list[float] = median[np.isfinite(median)].tolist()
    return found


def _log(values: Array) -> Array:
    """log10, NaN where a run escaped, so that the line ends there."""
    kept = np.where(np.isfinite(values), np.maximum(values, _SMALLEST), np.nan)
    return np.asarray(np.log10(kept))


def _share(panel: Axes, curve: Curve) -> None:
    colour, line = _LOOKS[curve.name]
    escaped = curve.met.escaped
    gone = np.sort(escaped[escaped >= 0])
    at = np.unique(np.concatenate([curve.met.at, gone]))
    left = 1 - np.searchsorted(gone, at, side="right") / len(escaped)
    style = {"color": colour, "linestyle": line, "label": curve.name}
    panel.plot(at, left, drawstyle="steps-post", **style)
