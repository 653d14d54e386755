"""Branch and bound over candidates: proof that an assignment is the cheapest."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from boundcalc.budgets.allocation.candidates import Picks, Table

#: What running a program costs whatever the number of assignments, in assignments.
OVERHEAD = 300
#: Sites above which no tree is searched.
DEEPEST = 64


@dataclass(frozen=True)
class Search:
    """What was found: an assignment or None, and what no assignment can cost less than."""

    picks: Picks | None
    lower: Fraction


def proved_cheapest(table: Table, limit: float, picks: Picks | None, effort: int) -> Search:
    """Branch and bound from an incumbent.

    A partial assignment is cut where the bound is above the limit although the other sites
    have their ideal candidates, or where its cost and the least costs of the other sites come
    to at least the incumbent's.  If that takes too long the lower bound is the sum of least
    costs, each over the candidates that the bound allows with ideal ones elsewhere.
    """
    weight = table.evaluator.weight(table.levels(table.best))
    alone = int(table.counts.sum())
    if alone * weight > effort:
        return Search(picks, _least_costs(table, None))
    allowed = _allowed(table, limit)
    if not all(len(options) for options in allowed):
        return Search(None, _least_costs(table, None))
    root = _least_costs(table, allowed)
    if len(allowed) > DEEPEST:
        return Search(picks, root)
    nodes = effort // max(1, weight)
    tree = _Tree(table, limit, allowed, picks, nodes)
    finished = tree.run()
    if finished and tree.picks is not None:
        return Search(tree.picks, table.total(tree.picks))
    return Search(tree.picks, root)


def _allowed(table: Table, limit: float) -> list[list[int]]:
    """By site: candidates within the limit if all other sites have ideal ones."""
    rows = [(j, k) for j, count in enumerate(table.counts.tolist()) for k in range(count)]
    sites, options = np.array(rows).T
    picks = np.full((len(rows), len(table.counts)), table.ideal)
    picks[np.arange(len(rows)), sites] = options
    fits = table.bounds(picks) <= limit
    found: list[list[int]] = [[] for _ in table.counts]
    for (j, k), good in zip(rows, fits.tolist(), strict=True):
        if good:
            found[j].append(k)
    return found


def _least_costs(table: Table, allowed: list[list[int]] | None) -> Fraction:
    total = Fraction(0)
    for j, options in enumerate(table.options):
        positions = range(len(options)) if allowed is None else allowed[j]
        total += min(options[k].cost for k in positions)
    return total


class _Tree:
    """Depth first, cheapest candidates first, sites of the largest spread of costs first."""

    def __init__(
        self, table: Table, limit: float, allowed: list[list[int]], picks: Picks | None, nodes: int
    ) -> None:
        self.table, self.limit, self.allowed, self.picks = table, limit, allowed, picks
        self.cost = None if picks is None else table.total(picks)
        self.nodes = nodes
        spread = [
            table.options[j][options[-1]].cost - table.options[j][options[0]].cost
            for j, options in enumerate(allowed)
        ]
        self.order = sorted(range(len(allowed)), key=lambda j: -spread[j])
        rest = Fraction(0)
        #: Least cost of the sites from a depth on.
        self.rest = [rest]
        for j in reversed(self.order):
            rest += min(table.options[j][k].cost for k in allowed[j])
            self.rest.append(rest)
        self.rest.reverse()

    def run(self) -> bool:
        """Whether the whole tree was searched."""
        start = np.full(len(self.order), self.table.ideal)
        return self._below(start, 0, Fraction(0))

    def _below(self, picks: Picks, depth: int, cost: Fraction) -> bool:
        if depth == len(self.order):
            if self.cost is None or cost < self.cost:
                self.picks, self.cost = picks.copy(), cost
            return True
        j = self.order[depth]
        options = self.table.options[j]
        found = [
            k
            for k in self.allowed[j]
            if self.cost is None or cost + options[k].cost + self.rest[depth + 1] < self.cost
        ]
        if not found:
            return True
        self.nodes -= len(found) + OVERHEAD
        if self.nodes < 0:
            return False
        rows = np.repeat(picks[None, :], len(found), axis=0)
        rows[:, j] = found
        fits = self.table.bounds(rows) <= self.limit
        for row, k, good in zip(rows, found, fits.tolist(), strict=True):
            price = cost + options[k].cost
            beaten = self.cost is not None and price + self.rest[depth + 1] >= self.cost
            if good and not beaten and not self._below(row, depth + 1, price):
                return False
        return True
