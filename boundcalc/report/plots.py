"""Matplotlib, as this package uses it: imported here and nowhere else, no global state.

All axes with magnitudes hold logarithms and are labelled 10ᵏ, so that coefficients of
1e±1088 fit.  Families differ in colour (Okabe and Ito's palette), marker and line style.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
OBSERVED = "#000000"
_LETTERS = 18  # of a name at an axis
_LINE = 64  # letters side by side
WIDTH = 7.0  # inches of a page's text

_STYLE: dict[str, Any] = {
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
}


@contextmanager
def style() -> Iterator[None]:
    """Settings of our own: a user's matplotlibrc must not change a report, nor we theirs."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        for key, setting in _STYLE.items():
            mpl.rcParams[key] = setting  # type: ignore[index]
        yield


def panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure as wide as a page's text with panels side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def stacked(count: int, height: float, *, shared: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure as wide as a page's text with panels above each other, on one axis if shared."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(count, 1, squeeze=False, sharex=shared)[:, 0])


def canvas(height: float) -> tuple[Figure, Axes]:
    """A figure as wide as a page's text with one panel, in inches, that fills it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    panel = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    panel.set_xlim(0.0, WIDTH)
    panel.set_ylim(0.0, height)
    panel.set_axis_off()
    return figure, panel


def printable(text: str) -> str:
    """The text with a question mark for each character that the font lacks.

    >>> printable("fc1 数"), printable("Σ w")
    ('fc1 ?', 'Σ w')
    """
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(_STYLE["font.serif"][0]))
    return "".join(c if font.get_char_index(ord(c)) else "?" for c in text)


def short(text: str) -> str:
    """A name for an axis: as the font can write it, cut to a few letters.

    >>> short("x" * 30)
    'xxxxxxxxxxxxxxxxx…'
    """
    text = printable(text)
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"


def name_ticks(panel: Axes, places: Sequence[float], names: Sequence[str]) -> None:
    """Names below a panel, slanted where they do not fit side by side."""
    shown = [short(name) for name in names]
    slanted: dict[str, Any] = {}
    if max(map(len, shown)) * len(shown) > _LINE:
        slanted = {"rotation": 45, "rotation_mode": "anchor", "horizontalalignment": "right"}
        slanted["fontsize"] = 8.5
    panel.set_xticks(list(places))
    # parse_math: a name with dollar signs is not a formula.
    panel.set_xticklabels(shown, parse_math=False, **slanted)


def text_width(text: str, size: float) -> float:
    """Inches that a text of a size in points takes, read literally.

    >>> text_width("iii", 10) < text_width("WWW", 10)
    True
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    properties = FontProperties(family=_STYLE["font.serif"][0], size=size)
    points: float = text_to_path.get_text_width_height_descent(text, properties, ismath=False)[0]
    return points / 72.0


def powers(axis: Any) -> None:
    """Ticks at whole powers of ten, on an axis that holds logarithms."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=2))
    axis.set_major_formatter(FuncFormatter(lambda y, _: f"$10^{{{y:.0f}}}$"))


def whole(panel: Axes) -> None:
    """Ticks at whole numbers, below a panel."""
    whole_numbers(panel.xaxis)


def whole_numbers(axis: Any) -> None:
    """The same for one axis."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def limits(values: list[float]) -> tuple[float, float]:
    """Limits of an axis of logarithms: a margin, and never less than two powers of ten.

    >>> limits([0.0, 10.0])
    (-0.8, 10.8)
    >>> limits([3.0])
    (2.0, 4.0)
    """
    low, high = min(values), max(values)
    pad = max(0.08 * (high - low), (2.0 - (high - low)) / 2, 0.25)
    return low - pad, high + pad


def roomy(panel: Axes, values: list[float]) -> None:
    """Set the vertical limits so that all values are inside."""
    if values:
        panel.set_ylim(*limits(values))


def add_legend(figure: Figure, axes: list[Axes], *, columns: int = 4) -> None:
    """One legend for all panels, above them, where no data is."""
    found: dict[str, Any] = {}
    for panel in axes:
        handles, labels = panel.get_legend_handles_labels()
        found.update(zip(labels, handles, strict=True))
    figure.legend(
        list(found.values()),
        list(found),
        loc="outside upper center",
        ncols=columns,
        # Closer together than usual: five entries are as wide as a page.
        columnspacing=1.4,
        handletextpad=0.5,
    )


def save(figure: Figure, path: Path) -> None:
    """Write PDF and PNG without dates or versions: the same findings give the same bytes."""
    pdf = {"CreationDate": None, "Creator": "boundcalc", "Producer": "boundcalc"}
    figure.savefig(path.with_suffix(".pdf"), metadata=pdf)
    figure.savefig(path.with_suffix(".png"), dpi=150, metadata={"Software": "boundcalc"})
