"""What notebooks ask of a result: HTML, LaTeX, data frames, labelled arrays, figures.

A result class takes from here the forms that it has; how each is made stands in
:mod:`boundcalc.report.display`, which is looked up when it is asked for, so that nothing of
the report is loaded before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Where the forms are made.
_DISPLAY = "boundcalc.report.display"


def _display() -> Any:
    return importlib.import_module(_DISPLAY)


class Shown:
    """Shown by notebooks: as HTML on a page, as LaTeX in a PDF."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        made: str = _display().html(self)
        return made

    def _repr_latex_(self) -> str:
        made: str = _display().latex(self)
        return made


class Tabular:
    """Can be turned into a pandas data frame."""

    __slots__ = ()

    def to_pandas(self) -> Any:
        """The numbers as a tidy :class:`pandas.DataFrame`, a row for each.

        Numbers are float64, as ``--json`` rounds them; one outside its range is NaN, with its
        digits in the column ``beyond_float64``.  ``status`` says how far each can be trusted.

        Raises
        ------
        UnsupportedError
            Without pandas, with the command that installs it.
        """
        return _display().frame(self)


class Gridded:
    """Can be turned into an xarray dataset."""

    __slots__ = ()

    def to_xarray(self) -> Any:
        """The arrays as a :class:`xarray.Dataset`; its attributes say how they came about.

        Raises
        ------
        UnsupportedError
            Without xarray, with the command that installs it.
        """
        return _display().dataset(self)


class Plotted:
    """Can be drawn."""

    __slots__ = ()

    def figure(self, kind: str | None = None) -> Figure:
        """A new figure of Matplotlib, bound to no window and no global state.

        Parameters
        ----------
        kind
            Which of the figures that this result has; by default the first.

        Raises
        ------
        UnsupportedError
            If there is no such figure, or nothing to draw.
        """
        made: Figure = _display().figure(self, kind)
        return made
