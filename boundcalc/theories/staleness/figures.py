"""Figures of a pipeline: its timetable, what staleness does to gradients, and the bounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.report import plots
from boundcalc.report.cells import Maths
from boundcalc.theories.base import Verb
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.staleness.rate import Rates
from boundcalc.theories.staleness.run import PipelineRun
from boundcalc.theories.staleness.timetable import timetable_figure
from boundcalc.theories.values import Answer, Drawn, Statement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundcalc.theories.staleness.queues import Queues

_SHOWN = 6  # blocks with a line of their own
_ROUNDING = 1e-12  # of the largest value of a line
_POINTS = 400  # of a line
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_LINES = ("-", (0, (6, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1)), (0, (8, 3)))
_LOOKS = {
    "sgd": ("published", plots.LOOKS["published"]),
    "sgd.corrected": ("corrected", plots.LOOKS["corrected"]),
    "sgd.sharp": ("sharp", plots.LOOKS["sharp"]),
    "momentum": ("published", plots.LOOKS["published"]),
    "momentum.sharp": ("sharp", plots.LOOKS["sharp"]),
    "composed": ("stale and perturbed", plots.LOOKS["sharp"]),
}


def draw(graph: OperatorGraph, answers: Mapping[Verb, Answer], folder: Path) -> tuple[Drawn, ...]:
    """Every figure that the answers allow, written as PDF and PNG."""
    del graph
    rate, simulate = answers.get("rate"), answers.get("simulate")
    rates: Rates | None = None if rate is None else rate.value
    run: TheoryRun | None = None if simulate is None else simulate.value
    made: list[Drawn] = []
    queues = _queues(rates, run)
    if queues is not None:
        _kept(timetable_figure(queues), _timetable(queues), folder, made)
    if run is not None:
        _kept(difference_figure(run), _DIFFERENCE, folder, made)
        if rates is not None:
            _kept(bound_figure(run, rates), _BOUNDS, folder, made)
    return tuple(made)


def _queues(rates: Rates | None, run: TheoryRun | None) -> Queues | None:
    if rates is not None:
        return rates.problem.pipeline.queues
    if run is not None:
        measured: PipelineRun = run.more
        return measured.setup.pipeline.queues
    return None


def _kept(figure: Figure | None, drawn: Drawn, folder: Path, made: list[Drawn]) -> None:
    if figure is not None:
        plots.save(figure, folder / drawn.stem)
        made.append(drawn)


def _timetable(queues: Queues) -> Drawn:
    return Drawn(
        "staleness-timetable",
        "The setting",
        (
            f"Timetable of {queues}: forward passes F and backward passes B of the batches 0, 1, "
            "2, … by block. The arrows follow one batch: ",
            Maths("p_k"),
            " and ",
            Maths("q_k"),
            " are the ticks that its values and its gradients wait between two blocks, ",
            Maths("m_k"),
            " those between the two passes through a block.",
        ),
        "Blocks in rows, ticks of the clock in columns; each cell names the batch that passes "
        "forward and the one that passes back.",
    )


_DIFFERENCE = Drawn(
    "staleness-difference",
    "Simulation",
    (
        "What staleness does to the gradient of each block ",
        Maths("k"),
        ", mean over replicas: ",
        Maths(r"\lVert\mathcal{G}_k-\nabla_kf(x^n)\rVert"),
        " (left), and how far the block moves between its two passes, ",
        Maths(r"d_k=\lVert x_k^n-x_k^{n-m_k}\rVert"),
        " (right). Zeros are not drawn.",
    ),
    "Curves of the gradient difference of every block against the step, and of the distance "
    "between its forward and backward weights.",
)

_BOUNDS = Drawn(
    "staleness-bounds",
    "Simulation",
    (
        "The simulated pipeline against its bounds: the average of ",
        Maths(r"\lVert\nabla f(x^n)\rVert^2"),
        " over the first ",
        Maths("n"),
        " steps, mean over replicas with their range, and each bound for a horizon of as many "
        "steps.",
    ),
    "The running average of the squared gradient norm below one curve for each bound.",
)


def difference_figure(run: TheoryRun) -> Figure | None:
    """Gradient difference and distance by block against time, on logarithmic axes."""
    measured: PipelineRun = run.more
    records, blocks = measured.records, measured.setup.pipeline.blocks
    sides = (records.by_block(records.difference), records.by_block(records.distance))
    if not any((side > 0).any() for side in sides):
        return None
    figure, axes = plots.panels(2, 3.1)
    titles = (r"$\Vert \mathcal{G}_k-\nabla_k f(x^n)\Vert$", "$d_k$")
    for panel, values, title in zip(axes, sides, titles, strict=True):
        shown: list[float] = []
        for place, k in enumerate(_chosen(len(blocks))):
            steps, logs = _logs(run.at, values[:, k])
            colour, line = _COLOURS[place], _LINES[place]
            label = f"block {k}, delay {measured.setup.pipeline.queues.delays[k]}"
            if len(logs):
                panel.plot(steps, logs, color=colour, ls=line, lw=1.2, label=label)
                shown += [float(logs.min()), float(logs.max())]
        panel.set_title(title)
        panel.set_xlabel("step $n$")
        plots.roomy(panel, shown)
        plots.powers(panel.yaxis)
    plots.add_legend(figure, axes, columns=3)
    return figure


def _chosen(blocks: int) -> list[int]:
    """At most six blocks, evenly spread, the first and the last among them."""
    count = min(blocks, _SHOWN)
    return sorted({round(i) for i in np.linspace(0, blocks - 1, count)})


def _logs(at: Array, values: Array) -> tuple[Array, Array]:
    """Steps and log₁₀ of the mean over replicas, where that is finite and no rounding error."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = values.mean(axis=1)
    chosen = np.unique(np.linspace(0, len(mean) - 1, _POINTS).round().astype(int))
    finite = mean[np.isfinite(mean)]
    least = _ROUNDING * finite.max(initial=0.0)
    chosen = chosen[np.isfinite(mean[chosen]) & (mean[chosen] > least)]
    return at[chosen], np.log10(mean[chosen])


def bound_figure(run: TheoryRun, rates: Rates) -> Figure | None:
    """The running average of ‖∇f‖² below every bound; None without one of the two."""
    found = [s for s in rates.statements.values() if s.bound is not None and s.key in _LOOKS]
    norms = run.series["gradient_norm"][:-1]
    if not found or not len(norms):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        counts = np.arange(1, len(norms) + 1)
        averages = np.cumsum(norms**2, axis=0) / counts[:, None]
    # Of every k-th step the first stands for the k that follow.
    lengths = np.append(run.at[1:-1], run.steps)
    kept = np.isfinite(averages).all(axis=1) & (averages > 0).all(axis=1)
    if not kept.any():
        return None
    figure, (panel,) = plots.panels(1, 3.3)
    shown = _observed(panel, lengths[kept], np.log10(averages[kept]))
    for statement in _of_one_kind(found):
        shown += _curve(panel, statement, run.steps, lengths)
    panel.set_xlabel("number of steps")
    panel.set_ylabel(r"average of $\Vert \nabla f(x^n)\Vert ^2$")
    plots.roomy(panel, shown)
    plots.powers(panel.yaxis)
    plots.add_legend(figure, [panel])
    return figure


def _of_one_kind(found: list[Statement]) -> list[Statement]:
    """Those about SGD where there are any, else those about momentum."""
    plain = [s for s in found if not s.key.startswith("momentum")]
    return plain or found


def _observed(panel: Axes, steps: Array, logs: Array) -> list[float]:
    means = np.log10((10.0**logs).mean(axis=1))
    low, high = logs.min(axis=1), logs.max(axis=1)
    panel.fill_between(steps, low, high, color="#BBBBBB", lw=0)
    panel.plot(steps, means, color=plots.OBSERVED, label="simulation")
    return [float(low.min()), float(high.max())]


def _curve(panel: Axes, statement: Statement, horizon: int, lengths: Array) -> list[float]:
    """A bound against the horizon: 1/N is in its first term only."""
    name, look = _LOOKS[statement.key]
    first = float(statement.terms["optimisation"])
    rest = sum(float(term) for key, term in statement.terms.items() if key != "optimisation")
    values = first * horizon / lengths + rest
    kept = np.isfinite(values) & (values > 0)
    logs = np.log10(values[kept])
    panel.plot(lengths[kept], logs, color=look.colour, ls=look.line, label=name)
    return [float(logs.min()), float(logs.max())] if len(logs) else []
