"""What a tighter or looser bound costs: optimal real-valued allocations for many targets."""

from __future__ import annotations

import numpy as np

from boundcalc.budgets.allocation.programme import LARGE, Programme, solved
from boundcalc.budgets.allocation.relaxed import Relaxed

#: How far the slack is taken up and down from the target's, and in how many points.
DECADES, POINTS = 2, 21

#: Evaluations of the gradient; each point starts from the target's optimum.
ROUNDS = 12

#: The same for more than LARGE sites.
FEWER_POINTS, FEWER_ROUNDS = 9, 3


def trade_off(programme: Programme, found: Relaxed, target: float) -> list[tuple[float, float]]:
    """(cost, bound) of real-valued allocations, from the tightest to the loosest.

    Targets are spread evenly in the logarithm of the slack over the bound at most bits; those
    that least bits meet are one point.
    """
    columns = programme.columns
    ends = programme.bounds(np.stack([columns.low, columns.high]))
    loosest = (float(columns.cost(columns.high[None, :])[0]), float(ends[1]))
    if not ends[0] < target:
        return [loosest]
    large = len(columns.top) > LARGE
    factors = np.geomspace(10.0**-DECADES, 10.0**DECADES, FEWER_POINTS if large else POINTS)
    targets = ends[0] + (target - ends[0]) * factors
    inside = (targets > ends[0]) & (targets < ends[1])
    points: list[tuple[float, float]] = []
    if inside.any():
        # A bound quadratic in r has r² proportional to the slack.
        start = found.x + 0.5 * np.log(factors[inside])[:, None]
        row = solved(programme, targets[inside], start, rounds=FEWER_ROUNDS if large else ROUNDS)
        points = [
            (cost, bound)
            for cost, bound in zip(row.cost.tolist(), row.bound.tolist(), strict=True)
            if np.isfinite(cost)
        ]
    return [*points, loosest] if not inside.all() else points
