"""Repeated stretches of a long list, so that a table shows each pattern once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

#: Longest pattern that is looked for.
PERIOD = 64


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


def stretches(keys: Sequence[Hashable]) -> list[Stretch]:
    """Cover a list by patterns that are repeated at once; O(n · PERIOD) at worst.

    From the left, with the shortest pattern that starts at each place.  A repeat that
    would save fewer than two lines of a table is left written out.

    Examples
    --------
    >>> stretches("abcbcbcd")
    [Stretch(start=0, period=1, count=1), Stretch(start=1, period=2, count=3), \
Stretch(start=7, period=1, count=1)]
    >>> stretches("aaaa")
    [Stretch(start=0, period=1, count=4)]
    """
    following = _next_alike(keys)
    found: list[Stretch] = []
    position = 0
    while position < len(keys):
        period = following[position] - position
        repeat = _repeat(keys, position, period) if 0 < period <= PERIOD else None
        found.append(repeat or Stretch(position))
        position = found[-1].stop
    return found


def _next_alike(keys: Sequence[Hashable]) -> list[int]:
    """By position: where the same key stands next, or −1."""
    following, seen = [-1] * len(keys), dict[Hashable, int]()
    for position in range(len(keys) - 1, -1, -1):
        following[position] = seen.get(keys[position], -1)
        seen[keys[position]] = position
    return following


def _repeat(keys: Sequence[Hashable], start: int, period: int) -> Stretch | None:
    """As many repeats of the next ``period`` keys as there are, or None if it is not worth it."""
    stop = start + period
    while stop < len(keys) and keys[stop] == keys[stop - period]:
        stop += 1
    count = (stop - start) // period
    # A pattern takes its own lines and one for all its repeats; one entry is one line.
    lines = 1 if period == 1 else period + 1
    return Stretch(start, period, count) if period * count - lines >= 2 else None
