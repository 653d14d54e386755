"""When a perturbation acts: sets of steps known before the run.

Steps are counted t = 0 .. T−1.  A perturbation that acts by chance follows no
schedule of this kind: its event is drawn anew for every replica, sample and step,
by :func:`~boundcalc.perturbations.vector.thinned`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, TypeAlias, final

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, ValidationError

from boundcalc.errors import SimulationError, SpecError, nearest
from boundcalc.spec.fields import Frozen, custom_error

MAX_STEPS = 1_000_000  # entries of a list of steps

Mask: TypeAlias = npt.NDArray[np.bool_]

# Strict: `every: true` or `every: 2.0` is a slip, not a number of steps.
_Count = Annotated[int, Field(strict=True, ge=0)]


def _increasing(steps: tuple[int, ...]) -> tuple[int, ...]:
    ordered = tuple(sorted(steps))
    for before, after in pairwise(ordered):
        if before == after:
            raise custom_error(
                f"step {after} is listed twice", "different steps", f"remove one {after}"
            )
    return ordered


class Progression(NamedTuple):
    """The steps ``start``, ``start + stride``, …, ``length`` of them."""

    start: int
    stride: int
    length: int


class Schedule(Frozen, ABC):
    """A set of steps; concrete schedules are final."""

    @property
    def always(self) -> bool:
        """Whether every step belongs to it, whatever the horizon."""
        return False

    @abstractmethod
    def count(self, horizon: int) -> int:
        """Q, the number of its steps among t = 0 .. horizon−1, without listing them."""

    @abstractmethod
    def progressions(self, horizon: int) -> list[Progression]:
        """Its steps below the horizon as disjoint arithmetic progressions, without listing them."""

    def active(self, start: int, stop: int, horizon: int) -> Mask:
        """Which of the steps start .. stop−1 belong to it, shape (stop − start,).

        Raises
        ------
        SimulationError
            Unless 0 ≤ start ≤ stop ≤ horizon.
        """
        if not 0 <= start <= stop <= horizon:
            raise SimulationError(
                "the steps asked for are not steps of the run",
                value=f"start = {start}, stop = {stop}",
                expected=f"0 ≤ start ≤ stop ≤ {horizon}",
            )
        mask = np.zeros(stop - start, dtype=np.bool_)
        self._mark(mask, start, horizon)
        return mask

    @abstractmethod
    def _mark(self, mask: Mask, start: int, horizon: int) -> None:
        """Set ``mask[t − start]`` for its steps t."""


@final
class Always(Schedule):
    """Every step: Q = T."""

    @property
    def always(self) -> bool:
        """True."""
        return True

    def count(self, horizon: int) -> int:
        """Q = T."""
        return horizon

    def progressions(self, horizon: int) -> list[Progression]:
        """0, 1, …, T − 1."""
        return [Progression(0, 1, horizon)]

    def _mark(self, mask: Mask, start: int, horizon: int) -> None:
        mask.fill(True)


@final
class Every(Schedule):
    """Every Δt-th step, beginning with the first: t ≡ 0 (mod Δt), Q = ⌈T/Δt⌉.

    Examples
    --------
    >>> Every(every=3).active(0, 5, horizon=5)
    array([ True, False, False,  True, False])
    """

    every: Annotated[int, Field(strict=True, ge=1)]

    @property
    def always(self) -> bool:
        """Whether Δt = 1."""
        return self.every == 1

    def count(self, horizon: int) -> int:
        """Q = ⌈T/Δt⌉, in integers."""
        return -(-horizon // self.every)

    def progressions(self, horizon: int) -> list[Progression]:
        """0, Δt, 2Δt, …."""
        return [Progression(0, self.every, self.count(horizon))]

    def _mark(self, mask: Mask, start: int, horizon: int) -> None:
        mask[-start % self.every :: self.every] = True


@final
class Steps(Schedule):
    """Listed steps, kept in increasing order; those at or after the horizon never come.

    Examples
    --------
    >>> Steps(steps=[7, 2]).active(1, 4, horizon=10)
    array([False,  True, False])
    """

    steps: Annotated[tuple[_Count, ...], Field(max_length=MAX_STEPS), AfterValidator(_increasing)]

    def count(self, horizon: int) -> int:
        """Q, by bisection."""
        return bisect_left(self.steps, horizon)

    def progressions(self, horizon: int) -> list[Progression]:
        """One of a single step for each step listed."""
        return [Progression(step, 1, 1) for step in self.steps[: self.count(horizon)]]

    def _mark(self, mask: Mask, start: int, horizon: int) -> None:
        inside = slice(bisect_left(self.steps, start), bisect_left(self.steps, start + mask.size))
        mask[np.array(self.steps[inside], dtype=np.intp) - start] = True


@final
class First(Schedule):
    """The first k steps, t < k: Q = min(k, T)."""

    first: _Count

    def count(self, horizon: int) -> int:
        """Q = min(k, T)."""
        return min(self.first, horizon)

    def progressions(self, horizon: int) -> list[Progression]:
        """0, 1, …, k − 1."""
        return [Progression(0, 1, self.count(horizon))]

    def _mark(self, mask: Mask, start: int, horizon: int) -> None:
        mask[: max(self.first - start, 0)] = True


@final
class Last(Schedule):
    """The last k steps, t ≥ T − k: Q = min(k, T)."""

    last: _Count

    def count(self, horizon: int) -> int:
        """Q = min(k, T)."""
        return min(self.last, horizon)

    def progressions(self, horizon: int) -> list[Progression]:
        """T − k, …, T − 1."""
        return [Progression(horizon - self.count(horizon), 1, self.count(horizon))]

    def _mark(self, mask: Mask, start: int, horizon: int) -> None:
        mask[max(horizon - self.last - start, 0) :] = True


#: Key of a perturbation in the spec → schedule.
SCHEDULES: dict[str, type[Schedule]] = {
    "every": Every,
    "steps": Steps,
    "first": First,
    "last": Last,
}


def from_keys(keys: Mapping[str, Any]) -> Schedule:
    """The schedule that a perturbation's keys describe; no key is every step.

    Parameters
    ----------
    keys
        At most one of ``every``, ``steps``, ``first``, ``last``; None counts as absent.

    Raises
    ------
    SpecError
        If two are given, one is unknown, or its value does not fit.

    Examples
    --------
    >>> from_keys({"every": 10, "first": None})
    Every(every=10)
    >>> from_keys({})
    Always()
    >>> from_keys({"first": 5, "every": 10})
    Traceback (most recent call last):
        ...
    boundcalc.errors.SpecError: a perturbation can follow one schedule only
      found:    'first and every'
      expected: at most one of every, steps, first, last
      fix:      write two perturbations, one for each schedule
    """
    given = [name for name, value in keys.items() if value is not None]
    for name in given:
        if name not in SCHEDULES:
            near = nearest(name, SCHEDULES)
            raise SpecError(
                "unknown schedule",
                value=name,
                expected="one of " + ", ".join(SCHEDULES),
                fix=f"did you mean {near}?" if near else None,
            )
    if len(given) > 1:
        raise SpecError(
            "a perturbation can follow one schedule only",
            value=" and ".join(given),
            expected="at most one of " + ", ".join(SCHEDULES),
            fix="write two perturbations, one for each schedule",
        )
    if not given:
        return Always()
    name = given[0]
    try:
        return SCHEDULES[name].model_validate({name: keys[name]})
    except ValidationError as error:
        raise _spec_error(error) from None


def _spec_error(error: ValidationError) -> SpecError:
    first = error.errors(include_url=False)[0]
    name, *indices = first["loc"]
    context = first.get("ctx", {})
    return SpecError(
        first["msg"],
        where=str(name) + "".join(f"[{index}]" for index in indices),
        value=first["input"],
        expected=context.get("expected"),
        fix=context.get("fix"),
    )
