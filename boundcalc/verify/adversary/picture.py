"""The attained fraction of each family's bound, and how the search came to it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from boundcalc.files import refused
from boundcalc.verify.adversary.attack import Attack

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"published": "#D55E00", "corrected": "#009E73", "sharp": "#0072B2"}  # Okabe and Ito
_OTHER = "#666666"
_TITLES = {
    "error": "√(E‖ũ − u‖² / bound)",
    "bias": "√(‖E[ũ − u]‖² / bound)",
    "floor": "√(E[ℓ(w$^T$) − ℓ*] / bound)",
}


def draw(attack: Attack, path: Path) -> Path:
    """Write the picture as PNG; returns its path.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        figure = Figure(figsize=(8.0, 3.0), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        _fractions(left, attack)
        _history(right, attack)
        beside = path.with_name(f".{path.name}.part.png")
        try:
            figure.savefig(beside, dpi=150)
            beside.replace(path)
        except OSError as error:
            raise refused(path, error) from None
        finally:
            beside.unlink(missing_ok=True)
    return path


def _fractions(axes: Axes, attack: Attack) -> None:
    names = list(attack.fractions)
    values = [attack.fractions[name] for name in names]
    finite = [value for value in values if math.isfinite(value) and value > 0]
    least = min([*finite, 1.0])
    top = max([*finite, 1.0])
    logarithmic = least < 0.02
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(least / 3, top * 30)
    else:
        axes.set_xlim(0, top * 1.35)
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        shown = value if math.isfinite(value) else top * (20 if logarithmic else 1.2)
        colour = _COLOURS.get(name, _OTHER)
        hatch = "//" if name in attack.violated else None
        axes.barh(row, shown, color=colour, height=0.6, hatch=hatch, edgecolor="white")
        words = "bound 0" if math.isinf(value) else f"{value:.3g}"
        words += ", violated" if name in attack.violated else ""
        inside = math.isinf(value)
        axes.annotate(
            words,
            (max(shown, least / 3), row),
            xytext=(-6 if inside else 5, 0),
            textcoords="offset points",
            va="center",
            ha="right" if inside else "left",
            bbox={"boxstyle": "round,pad=0.2", "color": "white"},
        )
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle="--", zorder=0)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(_TITLES[attack.objective])
    axes.set_title("attained fraction", fontsize=10, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _history(axes: Axes, attack: Attack) -> None:
    values = [value if math.isfinite(value) else math.nan for value in attack.history]
    axes.plot(
        range(1, len(values) + 1), values, color=_COLOURS["sharp"], marker="o", markersize=3.5
    )
    axes.set_xlabel("start")
    axes.set_ylim(0, 1.05 * max([1.0, *(v for v in values if math.isfinite(v))]))
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle="--")
    axes.locator_params(axis="x", integer=True)
    axes.set_title("best fraction of the sharp bound so far", fontsize=10, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
