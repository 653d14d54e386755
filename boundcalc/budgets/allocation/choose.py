"""The cheapest assignment of candidates to sites under a bound.

A heuristic finds one: candidates by a price on the bound, then downgrades and exchanges.
Branch and bound proves small ones to be the cheapest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from boundcalc.budgets.allocation.branch import proved_cheapest
from boundcalc.budgets.allocation.candidates import Candidate, Picks, Table
from boundcalc.budgets.allocation.evaluator import Bounding

#: How far from the target, relative to it, floating point looks: first a little too far.
MARGINS = (-1e-12, 1e-12, 1e-9, 1e-6, 1e-4)

#: Instructions times assignments that one step of the heuristic may take.
EFFORT = 1_000_000_000

_PRICED_ROUNDS = 3
_EXCHANGES = 20
#: How far down one site goes for one step up of another.
_DEEPEST_EXCHANGE = 3


@dataclass(frozen=True)
class Chosen:
    """An assignment.

    Attributes
    ----------
    picks
        By site: the position of its candidate.
    cost
        Exact.
    lower
        No assignment whose bound, in floating point, is at most the target costs less.
    bound
        In floating point.
    """

    picks: tuple[int, ...]
    cost: Fraction
    lower: Fraction
    bound: float

    @property
    def proved(self) -> bool:
        """Whether nothing is cheaper."""
        return self.cost == self.lower


def cheapest(
    candidates: Sequence[Sequence[Candidate]],
    evaluator: Bounding,
    target: float,
    accept: Callable[[tuple[int, ...]], bool] | None = None,
    *,
    start: Sequence[int] | None = None,
    effort: int = EFFORT,
) -> Chosen | None:
    """An assignment with bound ≤ target, of least cost where :attr:`Chosen.proved`.

    Parameters
    ----------
    candidates
        By site of the evaluator; at least one each.
    target
        The largest admissible bound.
    accept
        Decides in the end, by exact arithmetic for instance; where it refuses, a slightly
        smaller target is tried.
    start
        An assignment to begin with.
    effort
        Instructions times assignments that one step may take.

    Returns
    -------
    None where no admissible assignment was found.
    """
    table = Table(candidates, evaluator)
    lower: Fraction | None = None
    for margin in MARGINS:
        if accept is None and margin < 0:
            continue
        limit = target - margin * abs(target)
        picks = _heuristic(table, limit, _given(table, start), effort)
        search = proved_cheapest(table, limit, picks, effort)
        # The first target is the largest one, so its lower bound is one for all.
        lower = search.lower if lower is None else lower
        if search.picks is None:
            return None
        found = table.original(search.picks)
        if accept is None or accept(found):
            return Chosen(found, table.total(search.picks), lower, table.bound(search.picks))
    return None


def _given(table: Table, start: Sequence[int] | None) -> Picks | None:
    """The start among the candidates that are kept; of one that is not the next better one."""
    if start is None:
        return None
    return np.array(
        [
            next((i for i, k in enumerate(kept) if k >= chosen), len(kept) - 1)
            for kept, chosen in zip(table.kept, start, strict=True)
        ]
    )


def _heuristic(table: Table, limit: float, start: Picks | None, effort: int) -> Picks | None:
    """An admissible assignment that no downgrade and no exchange of two makes cheaper."""
    picks = start if start is not None else priced(table, limit, effort)
    if picks is None or table.bound(picks) > limit:
        picks = table.best
        if table.bound(picks) > limit:
            return None
    for _ in range(_EXCHANGES):
        picks = downgraded(table, limit, picks)
        better = exchanged(table, limit, picks, effort)
        if better is None:
            break
        picks = better
    return picks


def _weight(table: Table, picks: Picks) -> int:
    """Instructions of a bound of an assignment."""
    return table.evaluator.weight(table.levels(picks))


def priced(table: Table, limit: float, effort: int) -> Picks | None:
    """Candidates by a price on the bound: each site takes its least cost + price · effect.

    The effects of single changes are added up, which is right to first order, and taken anew
    at what was found.
    """
    picks, found = table.best, None
    rows = [(j, k) for j, count in enumerate(table.counts.tolist()) for k in range(count)]
    if len(rows) * _weight(table, picks) > 10 * effort or table.bound(picks) > limit:
        return None
    sites, options = np.array(rows).T
    for _ in range(_PRICED_ROUNDS):
        at = table.bound(picks)
        changed = np.repeat(picks[None, :], len(rows), axis=0)
        changed[np.arange(len(rows)), sites] = options
        effect = np.full(table.cost[:, :-1].shape, np.inf)
        effect[sites, options] = table.bounds(changed) - at
        room = limit - at
        for _ in range(8):
            trial = _at_price(table, effect, room)
            if table.bound(trial) <= limit:
                break
            room -= 0.3 * abs(room)
        else:
            break
        if found is not None and table.cost_of(trial) >= table.cost_of(found):
            break
        picks = found = trial
    return found


def _at_price(table: Table, effect: np.ndarray, room: float) -> Picks:
    """The least price at which the effects add up to no more than the room."""
    cost = table.cost[:, :-1]
    used = np.isfinite(cost)
    size = np.where(used, np.where(np.isfinite(effect), effect, 0.0), np.inf)

    def at(logarithm: float) -> Picks:
        worth = np.where(used, cost + np.exp(logarithm) * size, np.inf)
        picks: Picks = worth.argmin(axis=1)
        return picks

    positive = np.abs(size[used & (size != 0)])
    scale = np.log(max(float(cost[used].max()), 1.0))
    low = scale - np.log(positive.max(initial=1.0)) - 30
    high = scale - np.log(positive.min(initial=1.0)) + 30
    for _ in range(100):
        middle = (low + high) / 2
        picks = at(middle)
        if size[table.sites, picks].sum() <= room:
            high = middle
        else:
            low = middle
    return at(high)


def downgraded(table: Table, limit: float, picks: Picks) -> Picks:
    """Sites take their next cheaper candidate, most saving for the bound first."""
    while True:
        lower = np.flatnonzero(picks > 0)
        if not len(lower):
            return picks
        changed = np.repeat(picks[None, :], len(lower), axis=0)
        changed[np.arange(len(lower)), lower] -= 1
        bounds = table.bounds(changed)
        at = table.bound(picks)
        saving = table.cost[lower, picks[lower]] - table.cost[lower, picks[lower] - 1]
        fits = bounds <= limit
        if not fits.any():
            return picks
        # Together as many as fit, the best ones first; alone the best one does.
        harm = np.maximum(bounds - at, 0.0) + 1e-300
        order = lower[fits][np.argsort(-(saving / harm)[fits], kind="stable")]
        picks = _as_many(table, limit, picks, order)


def _as_many(table: Table, limit: float, picks: Picks, order: Picks) -> Picks:
    """The longest run of downgrades that is found admissible by halving."""

    def first(count: int) -> Picks:
        new = picks.copy()
        new[order[:count]] -= 1
        return new

    low, high = 1, len(order) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if table.bound(first(middle)) <= limit else (low, middle)
    return first(low)


def exchanged(table: Table, limit: float, picks: Picks, effort: int) -> Picks | None:
    """One site better, another one cheaper, for less cost; None where nothing is found."""
    up = np.flatnonzero(picks < table.counts - 1)
    down = np.flatnonzero(picks > 0)
    room = max(1, effort // max(1, _weight(table, picks)))
    if len(up) * len(down) > room:
        return None
    moves: list[tuple[float, int, int, int]] = []
    for i, j in product(up.tolist(), down.tolist()):
        if i == j:
            continue
        more = table.cost[i, picks[i] + 1] - table.cost[i, picks[i]]
        for k in range(max(0, int(picks[j]) - _DEEPEST_EXCHANGE), int(picks[j])):
            less = table.cost[j, picks[j]] - table.cost[j, k]
            if less > more * (1 + 1e-12):
                moves.append((more - less, i, j, k))
    moves = sorted(moves)[:room]
    if not moves:
        return None
    changed = np.repeat(picks[None, :], len(moves), axis=0)
    for row, (_, i, j, k) in enumerate(moves):
        changed[row, i] += 1
        changed[row, j] = k
    fits = np.flatnonzero(table.bounds(changed) <= limit)
    if not len(fits):
        return None
    found: Picks = changed[fits[0]]
    return found
