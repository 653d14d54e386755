"""Branch and bound over the box of constants: is the claim implied by the sharp bound?"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from boundcalc.errors import ExpressionError
from boundcalc.verify.claims.domination import margin, nonnegative
from boundcalc.verify.claims.forms import bias_form, error_form
from boundcalc.verify.claims.graded import Cell
from boundcalc.verify.claims.model import Box, ChainClaim, Claim
from boundcalc.verify.claims.points import PointClaim, point_claim
from boundcalc.verify.claims.ranges import Range

#: Boxes that are looked at unless more are asked for.
BOXES = 2_000

_AFTER = 24  # boxes that are looked at once a point is known, for the proved share
_SURE = 1 + 1e-7  # a ratio above this, in floating point, is a violation of domination
_WIDE = 4  # a side whose ends have this quotient is halved at their geometric mean

Progress: TypeAlias = Callable[[int, int], None]
Sides: TypeAlias = Mapping[str, tuple[Fraction, Fraction]]


@dataclass
class Domination:
    """How far the sharp bound is known to lie below the claim, for one length.

    Attributes
    ----------
    size
        N.
    proved
        Whether the sharp bound is at most the claim on the whole box.
    share
        The proved share of the box's volume.
    boxes
        How many boxes were looked at.
    point
        A point of the box at which the claim is below the sharp bound, with the levels
        that show it; None if none was found.
    stopped, interrupted
        Whether boxes ran out; whether the search was interrupted.
    """

    size: int
    proved: bool = False
    share: Fraction = Fraction(0)
    boxes: int = 0
    point: PointClaim | None = None
    ratio: float = 0.0
    stopped: bool = False
    interrupted: bool = False


def dominated(
    claim: Claim, chain: ChainClaim, *, boxes: int = BOXES, progress: Progress | None = None
) -> Domination:
    """Whether the sharp bound is at most the claim at all constants of the box.

    Boxes on which the quadratic form of the claim minus that of the sharp bound is proved
    nonnegative are done; others are halved, largest first, until ``boxes`` were looked at.
    Where the claim is found to be below the sharp bound, at a corner of the whole box or the
    centre of a part, a few more boxes say on which share it is not.

    Parameters
    ----------
    claim, chain
        The claim, and its part for one length.
    boxes
        How many boxes to look at.
    progress
        Called with (boxes looked at, ``boxes``).
    """
    result = Domination(chain.size)
    for point in corners(claim.box):
        _look(claim, chain, point, result)
    limit = boxes if result.point is None else min(boxes, _AFTER)
    order = itertools.count()
    heap = [(Fraction(-1), next(order), examined(claim, chain, claim.box))]  # largest first
    try:
        while heap:
            if result.boxes >= limit:
                result.stopped = result.point is None
                return result
            minus, _, trial = heapq.heappop(heap)
            result.boxes += 1
            if progress is not None:
                progress(result.boxes, boxes)
            if trial.proved:
                result.share -= minus
                continue
            halves = _halves(claim, chain, trial.sides)
            if not halves:
                return result
            if result.point is None and _look(claim, chain, centre(trial.sides), result):
                limit = min(boxes, result.boxes + _AFTER)
            for half in halves:
                heapq.heappush(heap, (-_share(half.sides, claim.box), next(order), half))
    except KeyboardInterrupt:
        result.interrupted = True
        return result
    result.proved = result.point is None
    return result


@dataclass(frozen=True)
class Trial:
    """A box: whether the claim is proved on it, and by how much it fails; 0 is close."""

    sides: Sides
    proved: bool
    margin: float


def examined(claim: Claim, chain: ChainClaim, sides: Sides) -> Trial:
    """Whether the sharp bound is proved to be at most the claim on a box."""
    cell = Cell.of({name: Range.of(*ends) for name, ends in sides.items()})
    exact = all(low == high for low, high in sides.values())
    try:
        make = error_form if claim.statement == "error" else bias_form
        found = make(chain, cell, zero_mean=claim.zero_mean).difference(cell)
        if found is None:
            return Trial(sides, False, -1e9)
        if nonnegative(found[0], exact=exact):
            return Trial(sides, True, 0.0)
        return Trial(sides, False, margin(*found))
    except (ZeroDivisionError, OverflowError, ExpressionError):
        return Trial(sides, False, -1e9)


def _look(
    claim: Claim, chain: ChainClaim, point: Mapping[str, Fraction], result: Domination
) -> bool:
    """Whether the claim is below the sharp bound at a point; the worst point is kept."""
    made = point_claim(chain, claim.statement, claim.zero_mean, point)
    if made is None:
        return False
    ratio, _ = made.probe()
    if ratio <= _SURE:
        return False
    # Of equals the later: corners with larger constants leave instances more room.
    if result.point is None or ratio >= result.ratio:
        result.point, result.ratio = made, ratio
    return True


def _halves(claim: Claim, chain: ChainClaim, sides: Sides) -> list[Trial]:
    """The two halves along the side whose halving brings the proof closest."""
    best: list[Trial] = []
    for name, (low, high) in sides.items():
        if low == high:
            continue
        middle = middle_of(low, high)
        ends = ((low, middle), (middle, high))
        halves = [examined(claim, chain, {**sides, name: end}) for end in ends]
        if not best or _gain(halves) > _gain(best):
            best = halves
    return best


def _gain(halves: Sequence[Trial]) -> tuple[int, float, float]:
    """What is proved of two halves, and how close the rest is; then the better half."""
    worse, better = sorted(half.margin for half in halves)
    return sum(half.proved for half in halves), worse, better


def _share(sides: Sides, whole: Box) -> Fraction:
    """The share of the whole box's volume; sides that are points do not count."""
    share = Fraction(1)
    for name, (low, high) in whole.items():
        if low < high:
            share *= (sides[name][1] - sides[name][0]) / (high - low)
    return share


def middle_of(low: Fraction, high: Fraction) -> Fraction:
    """A point between two ends: the middle, or a rational near √(low·high) for wide ones."""
    if low > 0 and high > _WIDE * low:
        return low * Fraction(max(2, round(float(high / low) ** 0.5 * 4)), 4)
    return (low + high) / 2


def centre(sides: Sides) -> dict[str, Fraction]:
    """The centre of a box."""
    return {
        name: middle_of(*ends) if ends[0] < ends[1] else ends[0] for name, ends in sides.items()
    }


def corners(box: Box) -> list[dict[str, Fraction]]:
    """The corners of a box and its centre, at most 257 points."""
    ends = [dict.fromkeys(side).keys() for side in box.values()]
    found = [dict(zip(box, corner, strict=True)) for corner in itertools.product(*ends)]
    return [*found, centre(box)]
