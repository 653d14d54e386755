"""What entries have in common: a spec's graph, a number's value, a panel to draw on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundcalc.graph import OperatorGraph
    from boundcalc.theories.perturbed.families import Bounds
    from gallery.base import Check

SIZE = (4.8, 2.9)  # inches of a panel


def text_of(spec: str) -> str:
    """The YAML of a spec: the text itself, or that of a shipped spec by its name."""
    from boundcalc.resources import example

    if "\n" in spec:
        return spec.strip("\n") + "\n"
    return example(spec).read_text(encoding="utf-8")


def built(spec: str) -> OperatorGraph:
    """The graph of a spec, given as text or by the name of a shipped one."""
    import boundcalc as bc
    from boundcalc.resources import example

    # The data of a shipped spec lie beside it.
    return bc.build(bc.loads(text_of(spec)) if "\n" in spec else bc.load(example(spec)))


def value(number: Any) -> Fraction | float:
    """A number of a result: a fraction where it is rational, else the nearest float.

    >>> from boundcalc.arithmetic import Number, Status
    >>> value(Number(Fraction(1, 3), Status.PROVED)), value(Number(0.5, Status.COMPUTED))
    (Fraction(1, 3), 0.5)
    """
    if number is None:
        return float("nan")  # holds in no check
    return number.value if isinstance(number.value, Fraction) else float(number)


def sharp(graph: OperatorGraph, *refinements: str) -> Bounds:
    """Bounds of the sharp family with the named refinements and no others."""
    from boundcalc.theories.perturbed.families import Sharp

    return Sharp(refinements).bounds(graph)


def general(graph: OperatorGraph, *refinements: str) -> tuple[Fraction, Fraction]:
    """ζ² and β² of the general form (Theorems 4.1, 4.2), whatever the means are, in fractions."""
    from boundcalc.arithmetic import RATIONALS
    from boundcalc.theories.perturbed import sharp as recurrences
    from boundcalc.theories.perturbed.refinements import Choice

    c, levels = graph.graph_constants(RATIONALS), graph.levels(RATIONALS)
    choice = Choice(RATIONALS, refinements)
    second = recurrences.centred(c, levels, RATIONALS, forward=False, backward=False, choice=choice)
    means = recurrences.means(c, levels, second, RATIONALS, choice=choice)
    return second.total(), means.total()


def runs_below(graph: OperatorGraph) -> Iterator[Check]:
    """Every sharp bound against the simulation of the same graph."""
    import boundcalc as bc
    from gallery.base import Check as NewCheck

    found = bc.verify(graph)
    how = f"upper end; all intervals hold at once with {found.confidence:.1%}"
    for verdict in found.verdicts:
        if verdict.family == "sharp":
            yield NewCheck(
                f"{verdict.claim}: run below the sharp bound",
                verdict.ci[1],
                float(verdict.bound),
                "at most",
                sampled=f"{how}, seed {found.run.seed}",
            )


def panel(x: str = "", y: str = "") -> tuple[Figure, Axes]:
    """A figure with one panel and the labels of its axes."""
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes
