"""q_0, q_1, …: which factor acts at which step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.spec.expressions import Expression
from boundcalc.theories.shrinkage.section import Schedule, ShrinkageSection

Kind = Literal["constant", "pattern", "segments", "past"]


@dataclass(frozen=True)
class Factors:
    """A sequence q_k made of few different numbers.

    Attributes
    ----------
    kind
        ``constant``; a ``pattern`` that is repeated; ``segments``, the last of which is held;
        or ``past``, of which only the smallest number is known.
    values
        The numbers, in order; of ``past`` the smallest one only.
    lengths
        How many steps each is held within the pattern or the list of segments.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> q = Factors("segments", (parse("1/2"), parse(1)), (3, 1))
    >>> q.counts(10), q.runs(10)
    ((3, 7), ((0, 3), (1, 7)))
    """

    kind: Kind
    values: tuple[Expression, ...]
    lengths: tuple[int, ...]

    def counts(self, horizon: int) -> tuple[int, ...]:
        """How many of the steps 0 … K−1 each number takes."""
        if self.kind == "pattern":
            whole, rest = divmod(horizon, len(self.values))
            return tuple(whole + (i < rest) for i in range(len(self.values)))
        found = [0] * len(self.values)
        for i, count in self.runs(horizon):
            found[i] = count
        return tuple(found)

    def runs(self, horizon: int) -> tuple[tuple[int, int], ...]:
        """(number's position, steps) one after the other, of a sequence without a pattern."""
        left, found = horizon, []
        for i, length in enumerate(self.lengths):
            held = left if i == len(self.lengths) - 1 else min(length, left)
            if held:
                found.append((i, held))
            left -= held
        return tuple(found)

    def positions(self, start: int, stop: int) -> Array:
        """Which number acts at the steps start … stop − 1."""
        steps = np.arange(start, stop)
        if self.kind == "pattern":
            return np.asarray(steps % len(self.values))
        ends = np.cumsum(self.lengths[:-1])
        return np.asarray(np.searchsorted(ends, steps, side="right"))


def factors_of(own: ShrinkageSection) -> Factors:
    """The sequence of a section that gives ``q``."""
    q = own.q
    if isinstance(q, Schedule):
        if q.depends_on_past:
            assert own.q_min is not None  # noqa: S101 - the section's validator asks for it
            return Factors("past", (own.q_min,), (1,))
        if q.pattern is not None:
            return Factors("pattern", tuple(q.pattern), (1,) * len(q.pattern))
        assert q.segments is not None  # noqa: S101 - one of the three is given
        return Factors(
            "segments", tuple(s.q for s in q.segments), tuple(s.steps for s in q.segments)
        )
    assert q is not None  # noqa: S101 - callers have looked
    return Factors("constant", (q,), (1,))


def place(factors: Factors, position: int) -> str:
    """Where in the spec a number of the sequence stands."""
    return {
        "constant": "shrinkage.q",
        "pattern": f"shrinkage.q.pattern[{position}]",
        "segments": f"shrinkage.q.segments[{position}].q",
        "past": "shrinkage.q_min",
    }[factors.kind]
