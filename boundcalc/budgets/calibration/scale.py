"""The largest common factor of the spec's perturbations under measured sensitivities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.combine import added
from boundcalc.budgets.question import Question, at_most
from boundcalc.rates.bound import statement
from boundcalc.rates.inputs import problem
from boundcalc.rates.shared import SharedDraws
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import Bounds

#: Largest factor that is looked at.
MOST = 1e12
_HALVINGS = 48  # of the logarithm of a bracket
_STEP = 16.0  # between two ends of a bracket


@dataclass(frozen=True)
class Growth:
    """Upper limits on the error and bias of a set of perturbations times a factor c.

    Attributes
    ----------
    error
        E‖ũ−u‖² ≤ error c².
    first, second
        ‖E[ũ−u]‖ ≤ first c + second c².
    """

    error: float = 0.0
    first: float = 0.0
    second: float = 0.0

    def at(self, factor: float) -> tuple[float, float]:
        """Error and squared bias; a bias is never above the error.

        >>> Growth(4.0, 0.0, 1.0).at(1.0), Growth(4.0, 0.0, 1.0).at(3.0)
        ((4.0, 1.0), (36.0, 36.0))
        """
        error = self.error * factor**2
        return error, min(error, (self.first * factor + self.second * factor**2) ** 2)

    def plus(self, other: Growth) -> Growth:
        """The sum of both in every entry."""
        return Growth(
            self.error + other.error, self.first + other.first, self.second + other.second
        )

    def enlarged(self, other: Growth) -> Growth:
        """The larger of both in every entry."""
        return Growth(
            max(self.error, other.error),
            max(self.first, other.first),
            max(self.second, other.second),
        )


def measured_bound(
    asked: Question, timeline: Timeline, levels: Sequence[tuple[float, float]]
) -> Number:
    """The rate statement with measured errors and biases by pattern of the timeline; sampled."""
    graph = asked.graph
    p = problem(graph)
    bounds = [
        Bounds(
            error=Number(error, Status.SAMPLED),
            bias=Number(bias, Status.SAMPLED),
            form="measured sensitivities",
            error_plain=None,
            bias_plain=None,
        )
        for error, bias in levels
    ]
    # How a measured error splits between draws that a batch shares and others is not known.
    shared = [
        SharedDraws() if any(graph.perturbations[i].shared for i in pattern.active) else None
        for pattern in timeline.patterns
    ]
    found = statement(graph, p, timeline, asked.family, bounds, asked.regime, shared)
    if not asked.best:
        return added(found.numbers().values())
    at_best = found.at_best(found.best_step())
    assert at_best is not None  # noqa: S101 - the question's baseline had one
    return at_best[1]


def largest_factor(asked: Question, timeline: Timeline, limits: Sequence[Growth]) -> float | None:
    """The largest c at which the statement keeps to the target; None above :data:`MOST`.

    Rounded down, by bisection of the logarithm: errors and biases grow with c.

    Parameters
    ----------
    limits
        By pattern of the timeline of the question's graph.
    """

    def admissible(factor: float) -> bool:
        bound = measured_bound(asked, timeline, [limit.at(factor) for limit in limits])
        return at_most(bound, asked.target)

    if admissible(MOST):
        return None
    low = 1.0
    while not admissible(low):
        low /= _STEP
        if low < 1 / MOST:
            return 0.0
    high = low * _STEP
    while admissible(high):
        low, high = high, high * _STEP
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        if admissible(middle):
            low = middle
        else:
            high = middle
    return low
