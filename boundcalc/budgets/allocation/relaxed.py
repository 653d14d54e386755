"""The convex programme: real-valued bits of least cost under the bound, and its dual.

In x = ln r, r the root mean square at a site, the cost Σ w log₂(1 + c e^{−x}) is convex, as
ln(1 + e^t) is.  The bound is convex too.  Call a function of r log-convex if its logarithm is
convex in x.  Inputs and positive constants are; sums, products and powers with positive
exponents of log-convex functions are (S. Boyd, L. Vandenberghe, Convex Optimization, Cambridge
2004, sections 3.5 and 4.5); and the recurrences of docs/theory.md, (4c), (4d), (4g) and Theorems
4.3 and 4.9, and the statements of section 6, use nothing else: square roots are powers.  The
refinements and the averaging over a batch take minima, which need not be log-convex.  The
programme takes one side of each minimum everywhere, so its bound is never below the true one.

So the solution is found by fixed points.  At x⁰, with G the bound's derivatives, the model
B(x⁰) + Σ (G_j/p)(e^{p(x_j − x⁰_j)} − 1) agrees with the bound to first order; with p = 2 it is
an upper bound where the bound is a quadratic form in r (docs/theory.md, Theorem 4.5 (b)).  The
model's programme splits into sites, given the multiplier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from boundcalc.budgets.allocation.evaluator import Array
from boundcalc.budgets.allocation.quantisers import Columns

#: x ``(P, S)`` → bounds ``(P,)`` and their derivatives ``(P, S)`` by x.
Gradient: TypeAlias = Callable[[Array], tuple[Array, Array]]

#: Relative duality gap at which the iteration stops.
GAP = 1e-8
ROUNDS = 60
_RESTORING = 12
_TINY = 1e-300
_LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Relaxed:
    """Solutions for P targets.

    Attributes
    ----------
    x
        ln r, ``(P, S)``; the bound there is at most the target.
    bound, slope
        The bound, ``(P,)``, and its derivatives, ``(P, S)``.
    multiplier
        What a unit of bound is worth, in cost.
    cost, lower
        Σ w b there, and a lower bound on it by weak duality.
    """

    x: Array
    bound: Array
    slope: Array
    multiplier: Array
    cost: Array
    lower: Array


def solve(
    c: Columns,
    gradient: Gradient,
    targets: Array,
    start: Array,
    *,
    rounds: int = ROUNDS,
    gap: float = GAP,
) -> Relaxed:
    """Least cost with B(x) ≤ target and low ≤ x ≤ high, for several targets at once.

    Parameters
    ----------
    start
        ``(P, S)``; better the nearer it is.
    rounds
        Most evaluations of the gradient, but for those that bring the bound below the target.
    gap
        Relative duality gap at which to stop.

    Notes
    -----
    The bound at ``c.low`` must be below every target.
    """
    x = np.clip(start, c.low, c.high)
    degrees = _Degrees(len(targets))
    lower = np.full(len(targets), -np.inf)
    logs = np.zeros(len(targets))
    for k in range(rounds):
        bound, slope = gradient(x)
        multiplier = np.exp(logs)
        lower = np.maximum(lower, dual(c, x, bound, slope, targets, multiplier))
        # What it would cost, to first order, to come down to the target.
        cost = c.cost(x) + multiplier * (bound - targets)
        if k and np.all(np.abs(cost - lower) <= gap * np.maximum(cost, 1.0)):
            break
        if k + 1 < rounds:
            x, logs = model_step(c, x, slope, targets - bound, degrees.now)
            degrees.learn(logs)
    return _restored(c, gradient, targets, Relaxed(x, bound, slope, multiplier, cost, lower))


class _Degrees:
    """The exponent p of the model, in place of 2, for each target.

    Near the solution an error of ln λ becomes 1 − H/p times itself in a round, H being the
    bound's curvature over its slope; so the ratio of two changes gives H.
    """

    def __init__(self, count: int) -> None:
        self.now = np.full(count, 2.0)
        self._logs: list[Array] = []

    def learn(self, logs: Array) -> None:
        """After a round."""
        self._logs.append(logs)
        if len(self._logs) < 4:
            return
        change, before = (self._logs[k] - self._logs[k - 1] for k in (-1, -2))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = change / before
        ratio = np.clip(np.where(np.isfinite(ratio), ratio, 0.0), -0.8, 0.5)
        self.now = np.clip(self.now * (1 - ratio), 1.0, 8.0)
        self._logs = self._logs[-1:]


def _restored(c: Columns, gradient: Gradient, targets: Array, found: Relaxed) -> Relaxed:
    """All levels a little smaller, by one factor for each target, until the bound is met."""
    x, bound, slope = found.x, found.bound, found.slope
    for _ in range(_RESTORING):
        over = bound > targets
        if not over.any():
            break
        # The bound is convex: Newton's step is too short, but by little.
        steep = np.maximum(slope.sum(axis=1), _TINY)
        step = np.where(over, 1.05 * (bound - targets) / steep, 0.0)
        x = np.clip(x - np.minimum(step, 1.0)[:, None], c.low, c.high)
        bound, slope = gradient(x)
    cost = np.where(bound <= targets, c.cost(x), np.inf)
    return Relaxed(x, bound, slope, found.multiplier, cost, found.lower)


def dual(
    c: Columns, x: Array, bound: Array, slope: Array, targets: Array, multiplier: Array
) -> Array:
    """A lower bound on Σ w b over the box where B ≤ target, by weak duality.

    As B is convex, B(y) ≥ B(x) + G·(y − x), so that for every multiplier λ ≥ 0 and every y
    with B(y) ≤ target

        Σ w b(y) ≥ Σ_j min over y_j of [w_j b_j(y_j) + λ G_j (y_j − x_j)] + λ (B(x) − target),

    with the minimum at e^y = w c/(ln 2 · λ G) − c, or at a limit.
    """
    price = multiplier[:, None] * slope
    y = np.clip(_balance(c, price), c.low, c.high)
    sites = c.bits(y) * c.weight + price * (y - x)
    found: Array = sites.sum(axis=1) + multiplier * (bound - targets)
    # Rounding errors of the sum are far below this.
    safe: Array = found - 1e-11 * np.abs(c.bits(y) * c.weight).sum(axis=1)
    return safe


def _balance(c: Columns, price: Array) -> Array:
    """Where a bit is worth its weight: w c/(ln 2 (e^y + c)) = price; −∞ and ∞ beyond."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        r = np.where(price > 0, c.weight * c.top / (_LN2 * price) - c.top, np.inf)
        # What costs nothing and matters gets all the bits that there are.
        found: Array = np.log(np.where(r > 0, r, 0.0))
    return found


def model_step(
    c: Columns, x: Array, slope: Array, room: Array, degree: Array
) -> tuple[Array, Array]:
    """The optimum of the model at x, and ln λ.

    Minimise Σ w b(y) with Σ (G/p)(e^{p(y−x)} − 1) ≤ room: given λ each site has
    w c/(ln 2 (e^y + c)) = λ G e^{p(y−x)}, whose left side falls and whose right side rises;
    λ is where the room is used up.
    """
    p = degree[:, None]
    whole = slope.sum(axis=1) / degree
    # What the model cannot remove is left to the next round.
    room = np.maximum(room, -0.9 * whole)
    with np.errstate(divide="ignore"):
        balance = np.log(c.weight) + np.log(c.top) - np.log(_LN2) - np.log(slope)
    moving = np.isfinite(balance)
    rest = np.where(slope > 0, c.low, c.high)  # no weight, or no influence
    balance = np.where(moving, balance, 0.0)
    first = np.where(moving, balance - np.logaddexp(x, np.log(c.top)), 0.0)
    # The price that is right where most of the bound comes from.
    logs = (first * slope).sum(axis=1) / np.maximum(slope.sum(axis=1), _TINY)
    lowest, highest = np.full(len(x), -np.inf), np.full(len(x), np.inf)
    y = x.copy()
    for _ in range(80):
        for _ in range(2):
            total = np.logaddexp(y, np.log(c.top))
            off = balance - total - logs[:, None] - p * (y - x)
            y = y + off / (np.exp(y - total) + p)
        z = np.where(moving, np.clip(y, c.low, c.high), rest)
        growth = slope * np.exp(p * (z - x)) / p
        over = growth.sum(axis=1) - whole - room
        lowest = np.where(over > 0, np.maximum(lowest, logs), lowest)
        highest = np.where(over <= 0, np.minimum(highest, logs), highest)
        free = moving & (y > c.low) & (y < c.high)
        fall = p / (np.exp(y - np.logaddexp(y, np.log(c.top))) + p)
        steep = np.where(free, growth * fall, 0.0).sum(axis=1)
        done = (np.abs(over) <= 1e-13 * (whole + np.abs(room))) | (highest - lowest < 1e-13)
        if np.all(done | ((steep == 0) & np.isfinite(lowest + highest))):
            break
        # Newton on ln(growth), nearly linear in ln λ; halving where it leaves the bracket.
        with np.errstate(divide="ignore", invalid="ignore"):
            used = growth.sum(axis=1)
            newton = logs + np.clip(np.log(used / (whole + room)) * used / steep, -5.0, 5.0)
        outside = ~((newton > lowest) & (newton < highest) & np.isfinite(newton))
        logs = np.where(done, logs, np.where(outside, _between(lowest, highest), newton))
    return z, logs


def _between(low: Array, high: Array) -> Array:
    """A point between two, one of which may be infinite."""
    low = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high - 4.0, 0.0))
    high = np.where(np.isfinite(high), high, low + 4.0)
    found: Array = (low + high) / 2
    return found
