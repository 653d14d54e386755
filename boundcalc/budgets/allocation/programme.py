"""The convex programme of a question, over the quantisers of its sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS, WIDE
from boundcalc.budgets.allocation.evaluator import Array, Evaluator, Moments
from boundcalc.budgets.allocation.quantisers import Columns
from boundcalc.budgets.allocation.relaxed import GAP, ROUNDS, Relaxed, solve

#: How much of the slack stays unused, so that rounding errors do not pass the target.
MARGIN = 1e-10
#: Relative gaps: before the sides of the minima are settled, and after for many sites.
FIRST, COARSE = 1e-4, 1e-6
#: Sites from which one evaluation takes milliseconds.
LARGE = 200
#: Times that the sides of the minima are chosen anew, where there are few sites.
_SIDES = 3


@dataclass(frozen=True)
class Programme:
    """Bounds over x = ln r, with one side of every minimum.

    Attributes
    ----------
    columns
        The quantisers.
    evaluator
        Gives bounds, without minima.
    """

    columns: Columns
    evaluator: Evaluator

    def bounds(self, x: Array) -> Array:
        """B(x) for several points ``(P, S)``."""
        return self.evaluator.bounds(self.columns.moments(x))

    def gradient(self, x: Array) -> tuple[Array, Array]:
        """B ``(P,)`` and its derivatives by x ``(P, S)``.

        All moments of a site are proportional to r, so the derivative by x is the sum of
        moment times derivative.
        """
        if len(x) == 1 or self.evaluator.kind is WIDE:
            rows = [self._gradient(self.columns.moments(row)) for row in x]
            return np.array([float(b) for b, _ in rows]), np.array([g for _, g in rows])
        bound, slope = self._gradient(self.columns.moments(x))
        return np.broadcast_to(bound, len(x)).astype(float), slope

    def _gradient(self, levels: Moments) -> tuple[float | Array, Array]:
        recording = self.evaluator.recording(levels)
        inputs = self.evaluator.inputs(levels, recording)
        kind = FLOATS if levels.rms.ndim > 1 else self.evaluator.kind
        bound, partial = recording.program.gradient(inputs, kind)
        parts = [z * d for z, d in zip(inputs, partial, strict=True)]
        count = len(recording.sites)
        total = parts[:count]
        for first, members in ((count, recording.means), (None, recording.fourths)):
            offset = count + len(recording.means) if first is None else first
            for position, j in enumerate(members):
                total[j] = total[j] + parts[offset + position]
        if levels.rms.ndim > 1:
            shape = (len(levels.rms),)
            return bound, np.stack([np.broadcast_to(d, shape) for d in total], axis=1)
        return float(bound), np.array([float(d) for d in total])


def frozen(columns: Columns, evaluator: Evaluator, x: Array) -> Programme:
    """The programme with the sides that the minima take at x."""
    return Programme(columns, evaluator.frozen(columns.moments(x)))


def optimum(
    columns: Columns, evaluator: Evaluator, target: float, start: Array
) -> tuple[Programme, Relaxed]:
    """The convex programme, and its solution for a target that most bits stay below.

    The sides of the minima are first those at the start, then those at the solution, as long
    as that makes it cheaper.

    Parameters
    ----------
    start
        ln r, ``(S,)``.
    """
    gap, sides = (GAP, _SIDES) if len(columns.top) <= LARGE else (COARSE, 1)
    targets = np.array([target])
    programme = frozen(columns, evaluator, start)
    found = solved(programme, targets, start[None, :], gap=FIRST)
    for _ in range(sides):
        programme = frozen(columns, evaluator, found.x[0])
        before, found = found, solved(programme, targets, found.x, gap=gap)
        if not found.cost[0] < before.cost[0] * (1 - 10 * FIRST):
            break
    return programme, found


def solved(
    programme: Programme,
    targets: Array,
    start: Array,
    *,
    rounds: int = ROUNDS,
    gap: float = GAP,
) -> Relaxed:
    """:func:`~boundcalc.budgets.allocation.relaxed.solve`, a little below the targets."""
    least = programme.bounds(programme.columns.low[None, :])[0]
    aims = targets - MARGIN * np.maximum(targets - least, 1e-5 * np.abs(targets))
    return solve(programme.columns, programme.gradient, aims, start, rounds=rounds, gap=gap)
