"""When which block works on which batch: the timetable of DSP(p; m)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundcalc.theories.staleness.queues import Queues

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What is drawn at most; more blocks or later ticks would be too small to read.
MOST_BLOCKS, MOST_TICKS = 8, 30

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_AFTER = 7  # ticks after the first batch is done


@dataclass(frozen=True)
class Slot:
    """One pass of a batch through a block.

    Attributes
    ----------
    block, tick, batch
        From 0.
    direction
        Which pass.
    version
        How many updates the block has made before: the weights are x_block^version.
    """

    block: int
    tick: int
    batch: int
    direction: Literal["forward", "backward"]
    version: int


def timetable(queues: Queues, ticks: int) -> tuple[Slot, ...]:
    """All passes before a tick, in order of time; forward before backward.

    Batch n runs forward through block k at tick n + t_k and backward at n + t_{2K−1−k}, t the
    times of the queues.

    Examples
    --------
    >>> slots = timetable(Queues((1, 0), (2, 0)), 3)
    >>> [(s.tick, s.block, s.direction, s.batch, s.version) for s in slots if s.batch == 0]
    [(0, 0, 'forward', 0, 0), (1, 1, 'forward', 0, 0), (1, 1, 'backward', 0, 0), \
(2, 0, 'backward', 0, 0)]
    """
    times, found = queues.times, list[Slot]()
    for tick in range(ticks):
        for block in range(queues.size):
            batch = tick - times[block]
            if batch >= 0:
                version = max(0, batch - queues.m[block])
                found.append(Slot(block, tick, batch, "forward", version))
        for block in reversed(range(queues.size)):
            batch = tick - times[-1 - block]
            if batch >= 0:
                found.append(Slot(block, tick, batch, "backward", batch))
    return tuple(found)


def timetable_figure(queues: Queues) -> Figure | None:
    """Blocks against time: forward passes above, backward passes below, batches by colour.

    One batch is followed through all queues, each with its length.

    Returns
    -------
    Figure or None
        None where there is no pipeline, or it is too large to be drawn.
    """
    from boundcalc.report import plots

    last = queues.times[-1]
    if queues.plain or queues.size > MOST_BLOCKS or last + 2 > MOST_TICKS:
        return None
    ticks = last + max(_AFTER, queues.size)
    figure, (panel,) = plots.panels(1, 1.0 + 0.85 * queues.size)
    panel.set_xlim(-0.05, ticks + 0.05)
    panel.set_ylim(queues.size - 0.2, -0.1)
    size = min(9.0, 150.0 / ticks)
    for slot in timetable(queues, ticks):
        _cell(panel, slot, size)
    _followed(panel, queues, min(2, ticks - last - 1))
    panel.set_yticks([k + 0.25 for k in range(queues.size)])
    panel.set_yticklabels([f"block {k}" for k in range(queues.size)])
    panel.set_xticks([tick + 0.5 for tick in range(ticks)])
    panel.set_xticklabels([str(tick) for tick in range(ticks)])
    panel.set_xlabel("tick of the clock")
    panel.tick_params(length=0)
    panel.grid(visible=False)
    for side in ("left", "bottom"):
        panel.spines[side].set_visible(False)
    return figure


def _cell(panel: Axes, slot: Slot, size: float) -> None:
    """The upper half of a block's cell is the forward pass, the lower half the backward one."""
    from matplotlib.patches import Rectangle

    forward = slot.direction == "forward"
    top = slot.block + (0.0 if forward else 0.26)
    colour = _COLOURS[slot.batch % len(_COLOURS)]
    face = (*_rgb(colour), 0.28 if forward else 0.75)
    panel.add_patch(
        Rectangle((slot.tick + 0.06, top), 0.88, 0.24, facecolor=face, edgecolor=colour, lw=0.6)
    )
    name = f"F{slot.batch}" if forward else f"B{slot.batch}"
    panel.text(
        slot.tick + 0.5,
        top + 0.125,
        name,
        ha="center",
        va="center",
        fontsize=size,
        color="black",
    )


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def _followed(panel: Axes, queues: Queues, batch: int) -> None:
    """Arrows of one batch from pass to pass, with the length of the queue that it waits in."""
    times = [batch + t for t in queues.times]
    for k in range(queues.size - 1):
        _arrow(panel, (times[k], k + 0.12), (times[k + 1], k + 1.12), f"$p_{k}={queues.p[k]}$")
        start, end = times[-2 - k], times[-1 - k]
        _arrow(panel, (start, k + 1.38), (end, k + 0.38), f"$q_{k + 1}={queues.q[k + 1]}$")
    for k in range(queues.size):
        first, second = times[k] + 0.06, times[-1 - k] + 0.94
        y = k + 0.56
        panel.plot([first, second], [y, y], color="black", lw=0.9, solid_capstyle="butt")
        for x in (first, second):
            panel.plot([x, x], [y - 0.03, y + 0.03], color="black", lw=0.9)
        label = f"$m_{k}={queues.m[k]}$"
        _label(panel, (first + second) / 2, y + 0.11, label, "center")


def _arrow(panel: Axes, start: tuple[float, float], end: tuple[float, float], label: str) -> None:
    x0, x1 = start[0] + 0.9, end[0] + 0.1
    style = {"arrowstyle": "-|>", "color": "black", "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", (x1, end[1]), (x0, start[1]), arrowprops=style, zorder=5)
    down = end[1] > start[1]
    share = 0.78 if down else 0.52  # where no bracket is
    x, y = x0 + share * (x1 - x0), start[1] + share * (end[1] - start[1])
    _label(panel, x + (-0.1 if down else 0.1), y, label, "right" if down else "left")


def _label(
    panel: Axes, x: float, y: float, text: str, side: Literal["left", "right", "center"]
) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    panel.text(x, y, text, ha=side, va="center", fontsize=9.0, bbox=box, zorder=6)
