"""The largest size of a perturbation with which a bound stays within its target.

**Monotone.**  Every bound here is nondecreasing in every level, so that the admissible sizes
are an interval from 0.  The sums of [KZY] have nonnegative coefficients.  The sharp recurrences
(docs/theory.md, section 4) are made of nonnegative constants and levels by sums, products,
square roots and minima of nondecreasing functions.  Where the statement itself changes with
the levels it changes upwards: as soon as a mean is positive, sizes are added instead of
squares (Theorem 4.1 after 4.3) and the variance is (σ + ζ)² instead of σ² + ζ² (Lemma 6.3); a
kink costs its jump as soon as anything moves; and a refinement for independent perturbations
goes as soon as one acts of which less is known.  Each of these is a jump at size 0+.
The batch average min{ζ², (1−1/M)β² + ζ²/M} (Lemma 6.4), the sums over steps and their
discounts, and the least value over steps γ of functions that are nondecreasing are nondecreasing
as well.  For positive sizes all of these are continuous.

**Exact.**  A size is found in float64 and rounded down to 53 bits; then the bound is enclosed
there, in the same way as :func:`~boundcalc.rates.rates` does, and the size is lowered until it
is certainly within the target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

import numpy as np

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar, Status
from boundcalc.arithmetic.best import EXACT_OPERATORS
from boundcalc.arithmetic.number import worst
from boundcalc.budgets.inversion_certain import lowered, within
from boundcalc.budgets.inversion_groups import Groups
from boundcalc.budgets.inversion_levers import Lever, Scene
from boundcalc.budgets.inversion_moments import PLAIN, Moments
from boundcalc.budgets.inversion_objective import Objective, Sizes
from boundcalc.budgets.inversion_search import (
    RANGE,
    Array,
    crossing,
    log2,
    rounded_down,
    truncated,
)
from boundcalc.budgets.question import Question
from boundcalc.errors import ExpressionError

#: Binary exponents of searches in wide floats.
WIDE_RANGE = 20_000.0

#: Entries of one array in a search.
_CHUNK = 512

#: Rounding of float64 searches that nothing verifies.
_LOOSE = 2.0**-36

#: How near the single answer mostly is to that of the search for all, in binary exponents.
_NEAR = 2.0**-30

Outcome = Literal["found", "unlimited", "capped", "none"]


@dataclass(frozen=True)
class Found:
    """The answer to one search.

    Attributes
    ----------
    size
        Admissible, and not much below the largest; None where every size is.
    outcome
        ``found``; ``unlimited``; ``capped``: the largest that is asked for; ``none``: not even
        the smallest that is asked for, where ``size`` is 0.
    """

    size: Fraction | None
    outcome: Outcome
    status: Status


class Variable(Protocol):
    """Levels that depend on one number, by group of steps."""

    groups: Groups

    def sizes(self, kind: Arithmetic, lever: Lever, x: Scalar) -> list[tuple[Scalar, Scalar]]:
        """Error and bias by group."""
        ...


class Inverter:
    """Inverts one question's bound."""

    def __init__(self, asked: Question) -> None:
        self.asked = asked
        self.objective = Objective(asked)
        self.moments = Moments(asked.graph, asked.family)
        self._verified = asked.graph.size <= EXACT_OPERATORS
        # No step at all keeps the initial gap, whatever perturbs the gradients.
        self._everything = (
            asked.best and asked.regime == "pl" and self.objective.gap <= self.objective.target
        )

    def largest(
        self,
        scene: Scene,
        levers: Sequence[Lever],
        low: Sequence[Fraction | None] | None = None,
        high: Sequence[Fraction | None] | None = None,
    ) -> list[Found]:
        """The largest admissible x in [low, high] of every lever.

        Searches all levers together; up to 64 operators each is then refined on its own and
        verified.  O(levers · (N + slot pairs)) per evaluation.
        """
        lows = list(low or [None] * len(levers))
        highs = list(high or [None] * len(levers))
        if self._everything:
            every = Found(None, "unlimited", self.status(Status.COMPUTED))
            return [
                every if most is None else Found(truncated(most), "capped", every.status)
                for most in highs
            ]
        guesses = self._together(scene, levers, lows, highs)
        return [
            self._finished(scene, *one) for one in zip(levers, lows, highs, guesses, strict=True)
        ]

    def one(self, scene: Variable, lever: Lever) -> Found:
        """The largest admissible x of a single scene, verified however large the graph is."""
        u = np.inf if self._everything else self._single(scene, lever, None, None, np.nan)
        if u == np.inf:
            return Found(None, "unlimited", self.status(Status.COMPUTED))
        if u == -np.inf:
            return Found(Fraction(0), "none", self.status(Status.COMPUTED))
        return self._lowered(scene, lever, rounded_down(u), None, "found")

    # -- searches -----------------------------------------------------------------------------

    def _together(
        self,
        scene: Scene,
        levers: Sequence[Lever],
        low: Sequence[Fraction | None],
        high: Sequence[Fraction | None],
    ) -> Array:
        """In binary exponents; NaN where float64 is too small for it."""
        found = np.full(len(levers), np.nan)
        by_form: dict[object, list[int]] = {}
        for j, lever in enumerate(levers):
            by_form.setdefault(scene.form(lever), []).append(j)
        lows = np.array([-RANGE if x is None else _exponent(x) for x in low])
        highs = np.array([RANGE if x is None else _exponent(x) for x in high])
        for members in by_form.values():
            if len(members) == 1 and self._verified:
                continue  # the refinement does as well on its own
            for start in range(0, len(members), _CHUNK):
                chunk = np.array(members[start : start + _CHUNK])

                def spent(which: object, u: Array, chunk: object = chunk) -> Array:
                    some = chunk[which]  # type: ignore[index]
                    with np.errstate(all="ignore"):
                        sizes = scene.many([levers[j] for j in some], 2.0**u)
                        value = self.objective.spent(scene.groups, sizes, PLAIN)
                    return np.broadcast_to(np.asarray(value, dtype=np.float64), u.shape)

                # Where a number leaves the range of float64 each is searched on its own.
                with suppress(ArithmeticError, ExpressionError):
                    found[chunk] = crossing(spent, lows[chunk], highs[chunk])
        return found

    def _single(
        self,
        scene: Variable,
        lever: Lever,
        low: Fraction | None,
        high: Fraction | None,
        guess: float,
    ) -> float:
        """The same for one lever, with exactly its refinements, in wide floats if need be."""

        def spent(which: object, u: Array) -> Array:
            del which
            return np.array([self.spent(scene, lever, float(u[0]))])

        bottom = -RANGE if low is None else _exponent(low)
        top = RANGE if high is None else _exponent(high)
        if np.isfinite(guess):
            near = max(bottom, guess - _NEAR), min(top, guess + _NEAR)
            if near[0] < near[1]:
                u = float(crossing(spent, np.array([near[0]]), np.array([near[1]]))[0])
                if near[0] < u < near[1]:
                    return u
        if self._spent_at(scene, lever, low or Fraction(0)) > 1:
            return -np.inf
        u = float(crossing(spent, np.array([bottom]), np.array([top]))[0])
        if u == -np.inf and low is None:
            return self._beyond(spent, -WIDE_RANGE, bottom)
        if u >= top and high is None:
            return self._beyond(spent, top, WIDE_RANGE)
        return u

    def _beyond(self, spent: Callable[..., Array], bottom: float, top: float) -> float:
        """Where float64 ends, and mostly nothing is to be found, the far end comes first."""
        only = np.array([0])
        far = bottom if bottom == -WIDE_RANGE else top
        fits = bool(spent(only, np.array([far]))[0] <= 1)
        if far == top and fits:
            return np.inf
        if far == bottom and not fits:
            return -np.inf
        return float(crossing(spent, np.array([bottom]), np.array([top]))[0])

    def _spent_at(self, scene: Variable, lever: Lever, size: Fraction) -> float:
        """The same at the smallest size, 0 as a rule; a little less, for rounding."""
        found = np.nan
        try:
            with np.errstate(all="ignore"):
                sizes = scene.sizes(PLAIN, lever, float(size))
                found = float(self.objective.spent(scene.groups, sizes, PLAIN))
        except (ArithmeticError, ExpressionError):
            pass
        if not np.isfinite(found):
            sizes = scene.sizes(WIDE, lever, WIDE.number(size))
            found = float(self.objective.spent(scene.groups, sizes, WIDE))
        return found * (1 - _LOOSE)

    def spent(self, scene: Variable, lever: Lever, u: float) -> float:
        """How much of the slack size 2^u takes; inf where it is beyond all floats."""
        if abs(u) <= RANGE:
            try:
                with np.errstate(all="ignore"):
                    sizes = scene.sizes(PLAIN, lever, 2.0**u)
                    value = float(self.objective.spent(scene.groups, sizes, PLAIN))
                if 0 < value < np.inf:
                    return value
            except (ArithmeticError, ExpressionError):
                pass
        x = WIDE.exp(WIDE.number(Fraction(u)) * WIDE.log(WIDE.number(2)))
        sizes = scene.sizes(WIDE, lever, x)
        return float(self.objective.spent(scene.groups, sizes, WIDE))

    # -- answers ------------------------------------------------------------------------------

    def _finished(
        self,
        scene: Scene,
        lever: Lever,
        low: Fraction | None,
        high: Fraction | None,
        guess: float,
    ) -> Found:
        loose = self.status(Status.COMPUTED)
        u = self._single(scene, lever, low, high, guess) if self._refines(guess) else guess
        if u == -np.inf:
            return Found(Fraction(0), "none", self.status(Status.PROVED))
        if u == np.inf:
            return Found(None, "unlimited", loose)
        capped = high is not None and u >= _exponent(high)
        size = truncated(high) if capped and high is not None else rounded_down(u)
        if not self._verified:
            size = size if capped else truncated(size * Fraction(1 - _LOOSE))
            return Found(size, "capped" if capped else "found", loose)
        return self._lowered(scene, lever, size, low, "capped" if capped else "found")

    def _refines(self, guess: float) -> bool:
        return self._verified or not np.isfinite(guess) or abs(guess) >= RANGE

    def _lowered(
        self, scene: Variable, lever: Lever, size: Fraction, low: Fraction | None, outcome: Outcome
    ) -> Found:
        high = size if outcome == "capped" else None
        found, status = lowered(size, lambda x: self.within(scene, lever, x), low, high)
        if status is not None:
            return Found(found, outcome, self.status(status))
        if low is not None and self.within(scene, lever, low) is not None:
            return Found(low, outcome, self.status(Status.COMPUTED))
        return Found(Fraction(0), "none", self.status(Status.COMPUTED))

    def within(self, scene: Variable, lever: Lever, size: Fraction) -> Status | None:
        """How certainly the bound at a size is at most the target; None where it is not."""

        def sizes(kind: Arithmetic) -> list[tuple[Scalar, Scalar]]:
            return scene.sizes(kind, lever, kind.number(size))

        return self.fits(scene.groups, sizes)

    def fits(self, groups: Groups, sizes: Callable[[Arithmetic], Sizes]) -> Status | None:
        """How certainly the bound is at most the target; None where it is not."""
        step = None
        if self.asked.best:
            step = self.objective.step_for(groups, sizes(WIDE), WIDE)
            if step is None:  # no step at all keeps the initial gap
                return Status.COMPUTED if self.objective.gap <= self.objective.target else None

        def total(kind: Arithmetic) -> Scalar:
            return self.objective.bound(groups, sizes(kind), kind, step)

        return within(total, self.objective.target)

    def taken(self, groups: Groups, sizes: Callable[[Arithmetic], Sizes]) -> float:
        """The share of the slack that is taken, for searches."""
        return float(self.objective.spent(groups, sizes(WIDE), WIDE))

    def status(self, status: Status) -> Status:
        """What a number may claim, given how certain its last step is."""
        graph, family = self.asked.graph, self.asked.family
        own = family.status(graph, exact=status is Status.PROVED, bias=True)
        return worst(status, own, self.asked.baseline.status)


def _exponent(value: Fraction) -> float:
    return log2(value) if value > 0 else -WIDE_RANGE
