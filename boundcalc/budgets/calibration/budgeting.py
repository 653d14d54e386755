"""The measured budget: predicted levels by pattern, and their check by simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.calibration.checked import simulated
from boundcalc.budgets.calibration.iterates import Iterates
from boundcalc.budgets.calibration.prediction import Predicted
from boundcalc.budgets.calibration.scale import Growth, largest_factor
from boundcalc.budgets.calibration.survey import Survey
from boundcalc.budgets.question import Question
from boundcalc.graph import OperatorGraph
from boundcalc.rates.timeline import Timeline
from boundcalc.spec.budget import CalibrationSection

#: Most sets of perturbations that act together for which a budget is predicted.
MAX_SETS = 64
_ROUNDS = 8  # of simulation, each with a smaller factor


@dataclass(frozen=True)
class Sets:
    """Sets of perturbations that act together, by position.

    Attributes
    ----------
    together
        All that reach the gradient.
    timeline
        Of the run.
    patterns
        Those of the timeline, in its order; None where there are too many to predict for.
    """

    together: tuple[int, ...]
    timeline: Timeline
    patterns: tuple[tuple[int, ...], ...] | None

    @property
    def all(self) -> list[tuple[int, ...]]:
        """Each of them once."""
        return list(dict.fromkeys([self.together, *(self.patterns or ())]))


def sets_of(graph: OperatorGraph, positions: tuple[int, ...]) -> Sets:
    """The sets of a run of the spec's horizon."""
    training = graph.spec.training
    assert training is not None  # noqa: S101 - a question has one
    timeline, known = Timeline(graph, training.horizon), set(positions)
    patterns = tuple(tuple(i for i in p.active if i in known) for p in timeline.patterns)
    few = len(set(patterns)) <= MAX_SETS
    return Sets(positions, timeline, patterns if few else None)


def growth(pieces: list[Predicted]) -> Growth:
    """Upper limits over all samples of some points."""
    return Growth(
        error=max(float(piece.error.hi.max()) for piece in pieces),
        first=math.sqrt(max(float(piece.first.hi.max()) for piece in pieces)),
        second=math.sqrt(max(float(piece.second.hi.max()) for piece in pieces)),
    )


def measured_scale(
    asked: Question,
    section: CalibrationSection,
    found: Iterates,
    seen: Survey,
    sets: Sets,
) -> tuple[Number | None, str | None]:
    """The largest common factor, and what is to be said about it.

    Predictions hold for small perturbations.  So all of them times the factor are simulated at
    every iterate; where an interval lies above the prediction, the prediction is raised to the
    interval's upper end, and the factor found anew.
    """
    if sets.patterns is None:
        return None, f"no measured budget: more than {MAX_SETS} sets of perturbations act together"
    limits = {
        active: growth([piece for pieces in steps.values() for piece in pieces])
        for active, steps in seen.predicted.items()
    }
    patterns = sets.patterns
    for _ in range(_ROUNDS):
        now = [limits[active] for active in patterns]
        factor = largest_factor(asked, sets.timeline, now)
        if factor is None:
            return None, "no measured budget: the measured sensitivities admit any factor"
        more = _missed(asked.graph, section, found, limits[sets.together], factor)
        if more is None:
            note = None if found.noise else "the measured budget is not checked by simulation"
            return Number(factor, Status.SAMPLED, limit=True), note
        limits = {active: limit.plus(more) for active, limit in limits.items()}
    return None, (
        "no measured budget: predictions from small perturbations fail at the factors they admit"
    )


def _missed(
    graph: OperatorGraph,
    section: CalibrationSection,
    found: Iterates,
    limit: Growth,
    factor: float,
) -> Growth | None:
    """What a limit lacks at a factor according to simulation; None where nothing."""
    error, squared = limit.at(factor)
    lacking = Growth()
    for step in found.weights:
        check = simulated(graph, section, found, step, factor)
        if check is None:
            return None
        if check.error_lo.max() > error:
            more = (float(check.error_hi.max()) - error) / factor**2
            lacking = lacking.enlarged(Growth(error=more))
        if check.bias_lo.max() > squared:
            more = (math.sqrt(check.bias_hi.max()) - math.sqrt(squared)) / factor**2
            lacking = lacking.enlarged(Growth(second=more))
    return None if lacking == Growth() else lacking
