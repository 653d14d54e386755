"""The graph whose regions hold what an event, or a perturbation of unknown law, does to values.

Constants of an operator hold on a region.  A forward perturbation moves the values after it; where
regions follow from the data they have to be enlarged by it, and where nothing bounds it they do
not exist.
"""

from __future__ import annotations

from fractions import Fraction

from boundcalc.arithmetic import FLOATS
from boundcalc.budgets.frequency_events import Event
from boundcalc.budgets.levels import with_perturbations
from boundcalc.budgets.question import Question
from boundcalc.errors import SpecError, SymbolError
from boundcalc.graph import OperatorGraph, build
from boundcalc.spec.expressions import exact
from boundcalc.spec.model import PerturbationSection, Spec


def depends(graph: OperatorGraph, label: str) -> bool:
    """Whether constants depend on how far a forward perturbation at an operator moves values.

    That is, whether the spec with an unbounded one there has other constants, or none; O(N).
    """
    section = PerturbationSection.model_validate(
        {"at": label, "pass": "forward", "rms": exact(Fraction(1)), "mean": exact(Fraction(0))}
    )
    try:
        new = build(_with(graph.spec, section))
        return new.graph_constants(FLOATS) != graph.graph_constants(FLOATS)
    except SymbolError:
        raise
    except SpecError:
        return True


def alone(asked: Question, event: Event) -> OperatorGraph:
    """The graph for an event when nothing else is perturbed.

    Raises
    ------
    SpecError
        If constants depend on how far it moves values, and that is not stated.
    """
    graph = asked.graph
    if event.direction == "backward" or not event.where or not event.reaches:
        return graph  # a perturbation of the spec: its regions count it
    if not depends(graph, event.label):
        return graph
    _require(event, "the constants of operators after it hold on regions that it enlarges")
    return build(graph.spec.model_copy(update={"perturbations": [_bounded(event)]}))


def on_top(graph: OperatorGraph, event: Event) -> OperatorGraph | None:
    """A graph with the event in the spec: its regions and transforms count what it does to values.

    The event's own perturbation is left out of the levels.  None where a format does not hold
    the values that the event makes.

    Raises
    ------
    SpecError
        If how far the event moves values matters, and is not stated.
    """
    transforms = any(p.transform is not None for p in graph.perturbations)
    forward = event.direction == "forward"
    if not event.reaches or not (transforms or (forward and depends(graph, event.label))):
        return graph
    _require(event, "number formats and constants after it hold on regions that it enlarges")
    try:
        new = build(_with(graph.spec, _bounded(event)))
    except SpecError:
        return None
    kept = [p for p in new.perturbations if p.where != "perturbations[0]"]
    return with_perturbations(new, kept)


def _with(spec: Spec, section: PerturbationSection) -> Spec:
    """The spec with a perturbation before the others."""
    return spec.model_copy(update={"perturbations": [section, *spec.perturbations]})


def _bounded(event: Event) -> PerturbationSection:
    """Noise that moves values as far as the event can."""
    assert event.largest is not None  # noqa: S101 - asked for before
    return PerturbationSection.model_validate(
        {
            "at": event.label,
            "pass": event.direction,
            "model": "uniform",
            "half_width": event.largest,
        }
    )


def _require(event: Event, why: str) -> None:
    if event.largest is None:
        raise SpecError(
            f"how far the event {event.name} at {event.label} moves values is not known: {why}",
            where=event.where or "budget.events",
            expected="`largest`, a bound on every component",
            fix="add `largest`, or state regions for the operators after it",
        )
