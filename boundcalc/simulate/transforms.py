"""What a pass does to the values of a site: arrays are added, transforms replace the value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from boundcalc.operators.base import Array, spread
from boundcalc.perturbations.transform import Apply
from boundcalc.simulate.memory import Acts, Slot
from boundcalc.simulate.reach import Met
from boundcalc.simulate.streams import Streams


@dataclass(frozen=True)
class Replacement:
    """One transform at one site, as it is simulated.

    Attributes
    ----------
    apply
        Q.
    probability
        Of acting at all, drawn for every replica and sample; None is 1.
    memory
        What is kept of what the transform leaves out.
    met
        The values given to it, to hold against the reach.
    """

    apply: Apply
    probability: float | None
    memory: Literal["feedback", "difference"] | None
    met: Met

    def __call__(
        self,
        rng: np.random.Generator,
        value: Array,
        slot: Slot | None,
        events: np.random.Generator,
    ) -> Array:
        """The values ``(R, M, n)`` after the transform; ``value`` itself is not changed.

        Parameters
        ----------
        slot
            The memory's state, which is moved on; None is a memory that is empty and forgets.
        events
            Decides on which samples it acts.
        """
        self.met.see(value)
        if self.probability is None:
            return self._sent(rng, value, slot, None)
        acts = events.random(value.shape[:-1]) < self.probability
        result = value.copy()
        if acts.any():
            result[acts] = self._sent(rng, value[acts], slot, acts)
        return result

    def _sent(self, rng: np.random.Generator, value: Array, slot: Slot | None, acts: Acts) -> Array:
        if self.memory is None or slot is None:
            return self.apply(rng, value)
        state = slot.read(acts)
        if self.memory == "feedback":
            wanted = value + state
            sent = self.apply(rng, wanted)
            slot.write(wanted - sent, acts)
            return sent
        received = state + self.apply(rng, value - state)
        slot.write(received, acts)
        return received


@dataclass
class Change:
    """What happens at one site in one pass: arrays and transforms, in the order of the spec.

    A call draws the transforms' randomness anew from the streams.

    Attributes
    ----------
    replicas
        R, to which values that are the same for all replicas are repeated first.
    parts
        Arrays δ ``(R, M, n)``, which are added, and transforms: position, Q and memory.
    record
        Whether to keep in ``added`` what the last call added in all.
    """

    streams: Streams
    replicas: int
    parts: list[Array | tuple[int, Replacement, Slot | None]] = field(default_factory=list)
    record: bool = False
    added: Array | None = None

    def add(self, drawn: Array) -> None:
        """An array more, after all that is here."""
        last = self.parts[-1] if self.parts else None
        if isinstance(last, np.ndarray):
            self.parts[-1] = last + drawn
        else:
            self.parts.append(drawn)

    def __call__(self, value: Array) -> Array:
        """The values of the site after everything that acts there."""
        before = spread(value, self.replicas)
        after = before
        for part in self.parts:
            after = self._replaced(*part, after) if isinstance(part, tuple) else after + part
        if self.record:
            self.added = after - before
        return after

    def _replaced(
        self, position: int, replacement: Replacement, slot: Slot | None, value: Array
    ) -> Array:
        parts = [
            replacement(values, value[part], None if slot is None else slot.of(part), events)
            for part, values, events in self.streams.parts(position, self.replicas)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


#: What happens at one site: an array is added, a change is called.
Shift: TypeAlias = Array | Change


def shifted(value: Array, shift: Shift | None) -> Array:
    """A value after what happens at its site; the array given may be the one returned.

    >>> shifted(np.ones(2), np.full(2, 0.5)).tolist()
    [1.5, 1.5]
    """
    if shift is None:
        return value
    if isinstance(shift, Change):
        return shift(value)
    if np.broadcast_shapes(value.shape, shift.shape) != value.shape:
        return value + shift
    # In place: operators give fresh arrays, and a pass is as fast as its memory.
    value += shift
    return value


def as_added(shifts: Mapping[int, Shift]) -> dict[int, Array]:
    """The shifts of a pass as arrays: of recorded changes what they added.

    The literal twin takes these: it knows additive perturbations only.
    """
    found = {}
    for site, shift in shifts.items():
        added = shift.added if isinstance(shift, Change) else shift
        assert added is not None  # noqa: S101 - recorded, and the pass was run
        found[site] = added
    return found
