"""The plots of docs/benchmarks.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simbench.tools import TOOLS

# Okabe and Ito's colours, which colour-blind readers can tell apart; shapes say the same.
STYLES = {
    "boundcalc-compiled": {"color": "#0072B2", "marker": "o", "lw": 2.2},
    "boundcalc-numpy": {"color": "#56B4E9", "marker": "s", "lw": 2.2},
    "numba": {"color": "#D55E00", "marker": "^", "lw": 1.2},
    "jax": {"color": "#009E73", "marker": "D", "lw": 1.2},
    "torch": {"color": "#CC79A7", "marker": "v", "lw": 1.2},
    "numpy-plain": {"color": "black", "marker": "x", "lw": 1.2},
}
OTHER = "#999999"


def draw(found: dict[str, Any], folder: Path) -> None:
    """Every picture whose numbers are there."""
    folder.mkdir(parents=True, exist_ok=True)
    reference_bars(found["reference"], folder / "bench-step.png")
    axes_lines(found, folder / "bench-scaling.png")
    memory_bars(found["memory"], folder / "bench-memory.png")


def canvas(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def reference_bars(reference: dict[str, Any], path: Path) -> None:
    """Time per sample, replica and step, with one thread and with two."""
    figure = canvas(11, 4.2)
    titles = {
        "logistic": "Logistic step: d = 10, M = 2000, R = 64",
        "network": "Network step: 6 × 64 tanh, M = 512, R = 8",
    }
    for axes, (kind, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        part = reference[kind]
        two, one = part.get("2", {}), part["1"]
        order = sorted(two or one, key=lambda name: (two or one)[name]["best"], reverse=True)
        for place, name in enumerate(order):
            color = STYLES.get(name, {"color": OTHER})["color"]
            if name in one:
                value = 1e9 * one[name]["best"] / part["elements"]
                axes.barh(place, value, height=0.8, color=color, alpha=0.3)
            if name in two:
                value = 1e9 * two[name]["best"] / part["elements"]
                axes.barh(place, value, height=0.5, color=color)
                spread = 1e9 * two[name]["median"] / part["elements"]
                axes.plot([spread], [place], "|", color="black", ms=8)
        axes.set_yticks(range(len(order)), [TOOLS[name].label for name in order], fontsize=8)
        axes.set_xscale("log")
        round_ticks(axes)
        axes.set_xlabel("ns per sample, replica and step")
        axes.set_title(title, loc="left", fontsize=10)
    caption = "dark: two threads, best of all rounds, with | at their median; light: one thread"
    figure.supxlabel(caption, fontsize=8)
    figure.savefig(path, dpi=150)


def round_ticks(axes: Axes) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, as plain numbers that do not run into each other."""
    low, high = axes.get_xlim()
    ticks = [m * 10.0**k for k in range(-1, 7) for m in (1, 2, 5)]
    shown = [tick for tick in ticks if low <= tick <= high]
    axes.set_xticks(shown, [f"{tick:,.0f}".replace(",", " ") for tick in shown])
    axes.minorticks_off()
    axes.set_xlim(low, high)


def axes_lines(found: dict[str, Any], path: Path) -> None:
    """Time per sample, replica and step against four sizes."""
    figure = canvas(11, 7)
    panels = (
        ("steps", "steps of a run (logistic, R = 8)", "Fixed cost of a run"),
        ("replicas", "replicas (logistic)", "Replicas"),
        ("depth", "hidden layers of width 64", "Depth"),
        ("width", "units of each of six layers", "Width"),
    )
    for axes, (name, label, title) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        lines(axes, found[name])
        axes.set_xlabel(label)
        axes.set_ylabel("ns per sample, replica and step")
        axes.set_title(title, loc="left", fontsize=10)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=6, frameon=False, fontsize=8, loc="outside lower center")
    figure.savefig(path, dpi=150)


def lines(axes: Axes, points: dict[str, Any]) -> None:
    for name, style in STYLES.items():
        at = [
            (int(value), 1e9 * point["times"][name]["best"] / point["elements"])
            for value, point in points.items()
            if name in point["times"]
        ]
        if at:
            axes.plot(*zip(*at, strict=True), ms=5, label=TOOLS[name].label, **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    values = [int(value) for value in points]
    axes.set_xticks(values, [str(value) for value in values])
    axes.minorticks_off()
    axes.grid(axis="y", lw=0.4, color="0.85")


def memory_bars(memory: dict[str, Any], path: Path) -> None:
    """Largest resident memory of a process."""
    figure = canvas(11, 2.8)
    for axes, (kind, part) in zip(figure.subplots(1, 2), memory.items(), strict=True):
        order = sorted(part, key=lambda name: -part[name]["peak"])
        for place, name in enumerate(order):
            value = part[name]["peak"] / 2**20
            axes.barh(place, value, color=STYLES.get(name, {"color": OTHER})["color"])
            axes.text(value, place, f" {value:.0f}", va="center", fontsize=8)
        axes.set_yticks(range(len(order)), [TOOLS[name].label for name in order], fontsize=8)
        axes.set_xlabel("MiB")
        axes.margins(x=0.12)
        title = "logistic" if kind == "logistic" else "network"
        axes.set_title(f"Largest resident memory, {title} step", loc="left", fontsize=10)
    figure.savefig(path, dpi=150)
