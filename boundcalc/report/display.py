"""The forms of every public result in a notebook: which function makes which.

One line for each class.  The functions are named by text and looked up when they are called:
a notebook that shows a table does not wait for Matplotlib, and classes of later stages can
stand here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundcalc.errors import UnsupportedError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundcalc.report.cells import Block

_BLOCKS = "boundcalc.report.display_blocks"
_CHECKS = "boundcalc.report.display_checks"
_FRAMES = "boundcalc.report.display_frames"
_ARRAYS = "boundcalc.report.display_arrays"
_FIGURES = "boundcalc.report.display_figures"
_DRAWN = "boundcalc.report.figures"


@dataclass(frozen=True)
class Forms:
    """Where the forms of one class are made, as ``module:function``.

    Attributes
    ----------
    blocks
        Its content, for HTML and LaTeX.
    frame, dataset
        Rows of its data frame; its dataset.
    figures
        Kind → what draws it, the default first.
    """

    blocks: str
    frame: str = ""
    dataset: str = ""
    figures: Mapping[str, str] = field(default_factory=dict)


#: Class, by module and name → its forms.
FORMS: Mapping[str, Forms] = {
    "boundcalc.arithmetic.number.Number": Forms(f"{_BLOCKS}:number"),
    "boundcalc.spec.model.Spec": Forms(f"{_BLOCKS}:spec"),
    "boundcalc.graph.model.OperatorGraph": Forms(
        f"{_BLOCKS}:graph", f"{_FRAMES}:graph", "", {"graph": f"{_FIGURES}:graph"}
    ),
    "boundcalc.theories.perturbed.coefficients.Coefficients": Forms(
        f"{_BLOCKS}:coefficients",
        f"{_FRAMES}:coefficients",
        f"{_ARRAYS}:coefficients",
        {"depth": f"{_FIGURES}:depth"},
    ),
    "boundcalc.rates.rate.Rates": Forms(
        f"{_BLOCKS}:rates", f"{_FRAMES}:rates", "", {"terms": f"{_FIGURES}:rates"}
    ),
    "boundcalc.rates.rate.Rate": Forms(f"{_BLOCKS}:rate", f"{_FRAMES}:rate"),
    "boundcalc.budgets.results.Budget": Forms(
        f"{_BLOCKS}:budget",
        f"{_FRAMES}:budget",
        "",
        {
            kind: f"{_FIGURES}:budget_{kind}"
            for kind in ("magnitudes", "events", "prices", "tradeoff")
        },
    ),
    "boundcalc.simulate.run.Run": Forms(
        f"{_BLOCKS}:run",
        f"{_FRAMES}:run",
        f"{_ARRAYS}:run",
        {"trajectory": f"{_FIGURES}:trajectory_of_run"},
    ),
    "boundcalc.theories.runs.TheoryRun": Forms(
        "boundcalc.theories.display:run_blocks",
        f"{_FRAMES}:theory_run",
        f"{_ARRAYS}:theory_run",
        {"series": f"{_FIGURES}:series_of_run"},
    ),
    "boundcalc.verify.verdicts.Verdicts": Forms(
        f"{_BLOCKS}:verdicts",
        f"{_FRAMES}:verdicts",
        "",
        {
            "verdicts": f"{_FIGURES}:verdicts",
            "bounds": f"{_FIGURES}:bounds",
            "trajectory": f"{_FIGURES}:trajectory",
        },
    ),
    "boundcalc.theories.verdicts.TheoryVerdicts": Forms(
        "boundcalc.theories.display:verdict_blocks",
        f"{_FRAMES}:verdicts",
        "",
        {"verdicts": f"{_FIGURES}:verdicts"},
    ),
    "boundcalc.verify.judging.Verdict": Forms(f"{_BLOCKS}:verdict", f"{_FRAMES}:verdict"),
    "boundcalc.verify.adversary.attack.Attack": Forms(f"{_CHECKS}:attack", f"{_FRAMES}:attack"),
    "boundcalc.verify.claims.outcome.Outcome": Forms(f"{_CHECKS}:outcome", f"{_FRAMES}:outcome"),
    "boundcalc.errata.evidence.Evidence": Forms(
        "boundcalc.errata.display:one", "boundcalc.errata.display:one_row"
    ),
    "boundcalc.errata.display.EvidenceTable": Forms(
        "boundcalc.errata.display:blocks", "boundcalc.errata.display:rows"
    ),
    "boundcalc.sweeps.results.SweepResult": Forms(
        f"{_CHECKS}:sweep", f"{_FRAMES}:sweep", f"{_ARRAYS}:sweep"
    ),
    "boundcalc.explain.explaining.Explanation": Forms("boundcalc.explain.display:blocks"),
    "boundcalc.theories.values.Answer": Forms("boundcalc.theories.display:answer_blocks"),
    "boundcalc.theories.values.Statement": Forms(
        "boundcalc.theories.display:statement_blocks", "boundcalc.theories.display:statement_rows"
    ),
    "boundcalc.theories.values.Quantity": Forms(
        "boundcalc.theories.display:quantity_blocks", "boundcalc.theories.display:quantity_rows"
    ),
    "boundcalc.theories.staleness.rate.Rates": Forms(
        "boundcalc.theories.staleness.display:rates",
        "boundcalc.theories.staleness.display:rate_rows",
    ),
    "boundcalc.theories.staleness.compiled.Compiled": Forms(
        "boundcalc.theories.staleness.display:compiled",
        "boundcalc.theories.staleness.display:compiled_rows",
    ),
    "boundcalc.theories.shrinkage.rate.ShrinkageRate": Forms(
        "boundcalc.theories.shrinkage.display:rates",
        "boundcalc.theories.shrinkage.display:rate_rows",
    ),
    "boundcalc.theories.distributed.rate.DistributedRate": Forms(
        "boundcalc.theories.distributed.display:rates",
        "boundcalc.theories.distributed.display:rate_rows",
    ),
}


def forms_of(shown: object, known: Mapping[str, Forms] = FORMS) -> Forms:
    """The forms of an object's class, or of the nearest class that it inherits from.

    Raises
    ------
    UnsupportedError
        If it has none.
    """
    for kind in type(shown).__mro__:
        found = known.get(f"{kind.__module__}.{kind.__qualname__}")
        if found is not None:
            return found
    raise UnsupportedError("a result without a form for notebooks", value=type(shown).__name__)


def blocks(shown: object) -> tuple[Block, ...]:
    """The content of a result, as reports have it."""
    found: tuple[Block, ...] = _named(forms_of(shown).blocks)(shown)
    return found


def html(shown: object) -> str:
    """A fragment of HTML with a style of its own that keeps to it."""
    from boundcalc.report.display_html import fragment

    return fragment(blocks(shown))


def latex(shown: object) -> str:
    """LaTeX that a document with amsmath and amssymb can hold, and MathJax can show."""
    from boundcalc.report.display_latex import fragment

    return fragment(blocks(shown))


def frame(shown: object) -> Any:
    """The numbers as a :class:`pandas.DataFrame`."""
    pandas = _extra("pandas")
    return pandas.DataFrame(_named(forms_of(shown).frame)(shown))


def dataset(shown: object) -> Any:
    """The arrays as a :class:`xarray.Dataset`."""
    xarray = _extra("xarray")
    return _named(forms_of(shown).dataset)(shown, xarray)


def figure(shown: object, kind: str | None = None) -> Figure:
    """One of a result's figures."""
    kinds = forms_of(shown).figures
    chosen = kind or next(iter(kinds))
    if chosen not in kinds:
        close = nearest(chosen, kinds)
        raise UnsupportedError(
            "no such figure",
            value=chosen,
            expected="one of " + ", ".join(kinds),
            fix=f"did you mean {close!r}?" if close else None,
        )
    from boundcalc.report import plots
    from boundcalc.report.display_canvas import shown_by_notebooks

    with plots.style():
        made: Figure | None = _named(kinds[chosen])(shown)
    if made is None:
        raise UnsupportedError(
            f"there is nothing to draw as {chosen!r}",
            value=type(shown).__name__,
            expected="numbers that a figure can hold: some, finite, and not too many",
        )
    return shown_by_notebooks(made)


def _named(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _extra(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnsupportedError(
            f"{name} is not installed",
            expected=f"the optional dependency {name}",
            fix=f"pip install 'boundcalc[{name}]'",
        ) from None
