"""What each site may be given, as arrays for the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.budgets.allocation.evaluator import Array, Bounding, Moments

Picks: TypeAlias = npt.NDArray[np.intp]

#: Numbers in one array of assignments, at most, for every instruction that is alive.
_ROWS = 2_000


@dataclass(frozen=True)
class Candidate:
    """One thing that a site may be given: a number of bits, or a number format.

    Attributes
    ----------
    name
        For people.
    cost
        Of giving it to the site.
    rms, mean, fourth
        √E‖·‖², the size of the mean, and (E‖·‖⁴)^{1/4}, which the sharp family does not use.
    """

    name: str
    cost: Fraction
    rms: float
    mean: float
    fourth: float = 0.0


class Table:
    """Candidates of all sites, ``(S, K)``, cheapest first; the last column is an ideal one.

    A site's ideal candidate has its least cost and its least moments, so that an assignment of
    it bounds what any candidate can do.  Candidates that another one beats in everything are
    left out.

    Parameters
    ----------
    candidates
        By site of the evaluator; at least one each.
    evaluator
        Gives bounds.
    """

    def __init__(self, candidates: Sequence[Sequence[Candidate]], evaluator: Bounding) -> None:
        self.evaluator = evaluator
        #: By site: positions in what was given of the candidates that are kept.
        self.kept = [_undominated(options) for options in candidates]
        self.options = [
            [options[k] for k in kept] for options, kept in zip(candidates, self.kept, strict=True)
        ]
        self.counts = np.array([len(options) for options in self.options])
        width = int(self.counts.max())
        self.cost = np.full((len(candidates), width + 1), np.inf)
        self.rms, self.mean, self.fourth = (np.zeros_like(self.cost) for _ in range(3))
        for j, options in enumerate(self.options):
            for k, option in enumerate(options):
                self.cost[j, k] = float(option.cost)
                self.rms[j, k], self.mean[j, k] = option.rms, option.mean
                self.fourth[j, k] = option.fourth
            n = len(options)
            for column in (self.cost, self.rms, self.mean, self.fourth):
                column[j, -1] = column[j, :n].min()
        self.sites = np.arange(len(candidates))

    @property
    def ideal(self) -> int:
        """The column of the ideal candidates."""
        return self.cost.shape[1] - 1

    @property
    def best(self) -> Picks:
        """The candidate of least root mean square at every site."""
        masked = np.where(np.isfinite(self.cost[:, :-1]), self.rms[:, :-1], np.inf)
        found: Picks = masked.argmin(axis=1)
        return found

    def levels(self, picks: Picks) -> Moments:
        """Of one assignment ``(S,)`` or several ``(P, S)``."""
        return Moments(
            self.rms[self.sites, picks],
            self.mean[self.sites, picks],
            self.fourth[self.sites, picks],
        )

    def bounds(self, picks: Picks) -> Array:
        """The bounds of assignments ``(P, S)``."""
        parts = [
            self.evaluator.bounds(self.levels(picks[k : k + _ROWS]))
            for k in range(0, len(picks), _ROWS)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def bound(self, picks: Picks) -> float:
        """The bound of one assignment."""
        return self.evaluator.bound(self.levels(picks))

    def total(self, picks: Picks) -> Fraction:
        """The exact cost of an assignment of true candidates."""
        chosen = zip(self.options, picks.tolist(), strict=True)
        return sum((options[k].cost for options, k in chosen), Fraction(0))

    def cost_of(self, picks: Picks) -> float:
        """The cost in floating point."""
        return float(self.cost[self.sites, picks].sum())

    def original(self, picks: Picks) -> tuple[int, ...]:
        """Positions in what was given."""
        chosen = zip(self.kept, picks.tolist(), strict=True)
        return tuple(kept[k] for kept, k in chosen)


def _undominated(options: Sequence[Candidate]) -> list[int]:
    """Positions of the candidates that no other one beats in cost and all moments, by cost."""
    order = sorted(
        range(len(options)),
        key=lambda k: (options[k].cost, options[k].rms, options[k].mean, options[k].fourth),
    )
    kept: list[int] = []
    for k in order:
        new = options[k]
        if not any(
            options[old].rms <= new.rms
            and options[old].mean <= new.mean
            and options[old].fourth <= new.fourth
            for old in kept
        ):
            kept.append(k)
    return kept
