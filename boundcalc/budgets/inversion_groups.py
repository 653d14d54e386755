"""Steps of a run in groups that see the same perturbations, and what a bound weighs them with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph import OperatorGraph
from boundcalc.perturbations.schedules import Progression, Schedule
from boundcalc.rates.discounts import geometric
from boundcalc.rates.timeline import Timeline

Array = NDArray[np.float64]

#: Longest run whose steps are listed one by one where there is no closed form.
LISTED_STEPS = 2_000

#: A contraction of float64 stays above 0, so that its logarithm is finite.
_LARGEST_DROP = 1 - 2.0**-53


@dataclass(frozen=True)
class Groups:
    """The steps t = 0 … T−1 in groups.

    Attributes
    ----------
    horizon
        T.
    shares
        Of the steps, group by group; they add up to 1.
    discounted
        ``(drop, lag, kind)`` → Σ_t q^{T−lag−t} over each group, q = 1 − drop.
    floats
        ``(drops, lag)`` → the same in float64 for many drops at once; None where that is
        too much work.
    """

    horizon: int
    shares: tuple[Fraction, ...]
    discounted: Callable[[Scalar, int, Arithmetic], list[Scalar]]
    floats: Callable[[Array, int], list[Array]] | None


def timed(graph: OperatorGraph, horizon: int) -> tuple[Groups, tuple[tuple[int, ...], ...]]:
    """Groups by the perturbations that act, and for each group which act.

    O(T) if the schedules differ, as :class:`~boundcalc.rates.timeline.Timeline`.
    """
    timeline = Timeline(graph, horizon)
    patterns = timeline.patterns
    floats: Callable[[Array, int], list[Array]] | None = None
    if timeline.closed:
        schedules = [p.schedule for p in graph.perturbations if not p.schedule.always]
        acting = schedules[0].progressions(horizon) if schedules else []
        on = [any(not graph.perturbations[i].schedule.always for i in p.active) for p in patterns]
        if len(acting) <= LISTED_STEPS:
            floats = _closed(acting, on, horizon)
    elif horizon <= LISTED_STEPS:
        floats = _listed(graph, [p.active for p in patterns], horizon)
    return (
        Groups(
            horizon,
            tuple(Fraction(p.count, horizon) for p in patterns),
            timeline.discounted,
            floats,
        ),
        tuple(p.active for p in patterns),
    )


def scheduled(schedule: Schedule, horizon: int) -> tuple[Groups, tuple[bool, ...]]:
    """Groups of a single schedule, and whether each is the one in which it acts."""
    return placed(schedule.progressions(horizon), horizon)


def placed(acting: Sequence[Progression], horizon: int) -> tuple[Groups, tuple[bool, ...]]:
    """The steps of some disjoint progressions, and all others; O(progressions).

    >>> groups, on = placed([Progression(2, 3, 2)], 10)
    >>> groups.shares, on
    ((Fraction(4, 5), Fraction(1, 5)), (False, True))
    """
    count = sum(part.length for part in acting)
    on = tuple(which for which, held in ((False, horizon - count), (True, count)) if held)
    shares = {True: Fraction(count, horizon), False: Fraction(horizon - count, horizon)}

    def discounted(drop: Scalar, lag: int, kind: Arithmetic) -> list[Scalar]:
        top = horizon - lag
        everything = geometric(drop, Progression(0, 1, horizon), top, kind)
        if on == (True,):
            return [everything]
        total = kind.number(0)
        for part in acting:
            total = total + geometric(drop, part, top, kind)
        rest = kind.maximum(kind.number(0), everything - total)
        return [total if which else rest for which in on]

    floats = _closed(acting, on, horizon) if len(acting) <= LISTED_STEPS else None
    return Groups(horizon, tuple(shares[which] for which in on), discounted, floats), on


def by_chance(probability: Fraction, horizon: int) -> tuple[Groups, tuple[bool, ...]]:
    """Every step is drawn into the second group with a probability, independently.

    Bounds are linear in these weights, so that they are those on the expectation over the draw.
    """
    shares = (1 - probability, probability)

    def discounted(drop: Scalar, lag: int, kind: Arithmetic) -> list[Scalar]:
        everything = geometric(drop, Progression(0, 1, horizon), horizon - lag, kind)
        return [everything * kind.number(share) for share in shares]

    def floats(drops: Array, lag: int) -> list[Array]:
        everything = progression_sums(drops, Progression(0, 1, horizon), horizon - lag)
        return [everything * float(share) for share in shares]

    return Groups(horizon, shares, discounted, floats), (False, True)


def progression_sums(drops: Array, steps: Progression, top: int) -> Array:
    """Σ_t q^{top−t} over a progression for many q = 1 − drop, as ``geometric`` does for one.

    >>> progression_sums(np.array([0.5]), Progression(0, 1, 3), 2)
    array([1.75])
    """
    if not steps.length:
        return np.zeros_like(drops)
    last = steps.start + (steps.length - 1) * steps.stride
    log_ratio = np.log1p(-np.minimum(drops, _LARGEST_DROP))
    with np.errstate(under="ignore"):
        terms = np.expm1(steps.stride * steps.length * log_ratio)
        found: Array = np.exp((top - last) * log_ratio) * terms / np.expm1(steps.stride * log_ratio)
    return found


def _closed(
    acting: Sequence[Progression], on: Iterable[bool], horizon: int
) -> Callable[[Array, int], list[Array]]:
    on = tuple(on)

    def floats(drops: Array, lag: int) -> list[Array]:
        top = horizon - lag
        everything = progression_sums(drops, Progression(0, 1, horizon), top)
        total = np.zeros_like(drops)
        for part in acting:
            total = total + progression_sums(drops, part, top)
        rest = np.maximum(0.0, everything - total)
        if len(on) == 1:
            return [everything]
        return [total if which else rest for which in on]

    return floats


def _listed(
    graph: OperatorGraph, active: Sequence[tuple[int, ...]], horizon: int
) -> Callable[[Array, int], list[Array]]:
    masks = [p.schedule.active(0, horizon, horizon) for p in graph.perturbations]
    steps = np.arange(horizon)
    rows = np.stack(masks, axis=1) if masks else np.zeros((horizon, 0), dtype=np.bool_)
    wanted = [np.isin(np.arange(len(masks)), chosen) for chosen in active]
    members = [steps[(rows == row).all(axis=1)] for row in wanted]

    def floats(drops: Array, lag: int) -> list[Array]:
        log_ratio = np.log1p(-np.minimum(drops, _LARGEST_DROP))
        with np.errstate(under="ignore"):
            return [
                np.exp(log_ratio[..., None] * (horizon - lag - group)).sum(axis=-1)
                for group in members
            ]

    return floats
