"""Figures that a notebook shows without pyplot, which would keep them in global state."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from boundcalc.report import plots

_DOTS = 144  # per inch: sharp on a screen with two dots for each pixel


class ShownFigure(Figure):
    """A Matplotlib figure that any notebook shows, as PNG."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        # Fonts are looked up when a figure is drawn, not when it is made.
        with plots.style():
            self.savefig(out, format="png", dpi=_DOTS, facecolor="white")
        return out.getvalue()


def shown_by_notebooks(figure: Figure) -> Figure:
    """The same figure, as one that shows itself."""
    if type(figure) is Figure:
        figure.__class__ = ShownFigure
    return figure
