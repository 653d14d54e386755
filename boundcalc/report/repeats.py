"""Repeated stretches of a long list, so that a table shows each pattern once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

#: Longest pattern that is looked for.
PERIOD = 64
_WORTH = 2  # lines that a repeat must save


@dataclass(frozen=True)
class Stretch:
    """``count`` repeats of a pattern of ``period`` entries, from position ``start`` on."""

    start: int
    period: int = 1
    count: int = 1

    @property
    def stop(self) -> int:
        """The position after its last entry."""
        return self.start + self.period * self.count

    @property
    def saved(self) -> int:
        """Lines of a table that it saves: one line is needed for all repeats but the first."""
        return self.period * self.count - (1 if self.period == 1 else self.period + 1)


def stretches(keys: Sequence[Hashable]) -> list[Stretch]:
    """Cover a list by patterns that are repeated at once; O(n · PERIOD) at worst.

    From the left, with the pattern that saves most lines of a table at each place.  A repeat
    that would save fewer than two is left written out.

    Examples
    --------
    >>> stretches("abcbcbcd")
    [Stretch(start=0, period=1, count=1), Stretch(start=1, period=2, count=3), \
Stretch(start=7, period=1, count=1)]
    >>> stretches("aabaabaab")  # not aa, b, aa, b, …
    [Stretch(start=0, period=3, count=3)]
    """
    following = _next_alike(keys)
    found: list[Stretch] = []
    position = 0
    while position < len(keys):
        found.append(_best(keys, position, following))
        position = found[-1].stop
    return found


def _next_alike(keys: Sequence[Hashable]) -> list[int]:
    """By position: where the same key stands next, or the length of the list."""
    following, seen = [len(keys)] * len(keys), dict[Hashable, int]()
    for position in range(len(keys) - 1, -1, -1):
        following[position] = seen.get(keys[position], len(keys))
        seen[keys[position]] = position
    return following


def _best(keys: Sequence[Hashable], start: int, following: list[int]) -> Stretch:
    """The repeat from one place on that saves most, or that place alone."""
    alike = start
    while alike + 1 < len(keys) and following[alike] == alike + 1:
        alike += 1
    best = Stretch(start, 1, alike - start + 1)
    if best.saved < _WORTH:
        best = Stretch(start)
    # A pattern inside equal keys would be longer than it needs to be.
    next_start = following[alike]
    while next_start - start <= PERIOD and next_start < len(keys):
        period = next_start - start
        if _may_reach_beyond(keys, best, period):
            found = _repeat(keys, start, period)
            best = found if found.saved >= max(_WORTH, best.saved + 1) else best
        next_start = following[next_start]
    return best


def _may_reach_beyond(keys: Sequence[Hashable], best: Stretch, period: int) -> bool:
    """Whether a pattern from the same start could cover more than the best one so far."""
    if period > best.stop - best.start:
        return True
    return best.stop < len(keys) and keys[best.stop] == keys[best.stop - period]


def _repeat(keys: Sequence[Hashable], start: int, period: int) -> Stretch:
    """As many repeats of the next ``period`` keys as there are."""
    stop = start + period
    while stop < len(keys) and keys[stop] == keys[stop - period]:
        stop += 1
    return Stretch(start, period, (stop - start) // period)
