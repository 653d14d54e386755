"""Streams of random numbers: one for each purpose, replica and perturbation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array

#: So that what is drawn for one purpose does not shift the numbers of another.
STREAMS = {
    "weights": 0,
    "perturbations": 1,
    "sampling": 2,
    "check": 3,
    "events": 4,
    "staleness": 10,
    "shrinkage": 11,
    "distributed": 12,
}


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """The generator (SFC64) of one purpose under a seed, and of a replica and a perturbation.

    Parameters
    ----------
    keys
        Numbers below 2³² that tell apart streams of one purpose.

    >>> bool(stream(1, "check").random() == stream(1, "check").random())
    True
    >>> bool(stream(1, "events", 0, 1).random() == stream(1, "events", 1, 0).random())
    False
    """
    code = STREAMS[purpose]
    sequence = (
        np.random.SeedSequence(seed, spawn_key=(code, *keys))
        if keys
        else np.random.SeedSequence([seed, code])
    )
    return np.random.Generator(np.random.SFC64(sequence))


class Joined:
    """Several generators as one that fills arrays of their number of rows, each its own row.

    It offers what samplers of distributions draw with.

    >>> pair = Joined([stream(0, "events", 0), stream(0, "events", 1)])
    >>> out = np.empty((2, 3))
    >>> pair.random(out=out)
    >>> bool((out[1] == stream(0, "events", 1).random(3)).all())
    True
    """

    def __init__(self, generators: Sequence[np.random.Generator]) -> None:
        self._generators = generators

    def random(self, out: Array) -> None:
        """Uniform on [0, 1)."""
        for generator, row in zip(self._generators, out, strict=True):
            generator.random(out=row)

    def standard_normal(self, out: Array) -> None:
        """Normal with mean 0 and variance 1."""
        for generator, row in zip(self._generators, out, strict=True):
            generator.standard_normal(out=row)


@dataclass(frozen=True)
class Streams:
    """The generators of a block of replicas, or one that serves all of them.

    Attributes
    ----------
    values, events
        By perturbation and by replica of the block: what is drawn, and whether it acts.  One
        generator instead of one for each replica draws for all replicas in order.
    """

    values: tuple[tuple[np.random.Generator, ...], ...]
    events: tuple[tuple[np.random.Generator, ...], ...]

    @classmethod
    def of_replicas(
        cls,
        seed: int,
        replicas: range,
        keys: Sequence[tuple[int, ...]],
        by_chance: Sequence[bool] | None = None,
    ) -> Streams:
        """One for each replica and perturbation: no replica's numbers depend on the others.

        Parameters
        ----------
        keys
            By perturbation: what tells it from the others.
        by_chance
            By perturbation: whether it needs events; by default each does.  Where none are
            drawn no generator is made, which takes longer than many a step.
        """

        def all_of(purpose: str, key: tuple[int, ...]) -> tuple[np.random.Generator, ...]:
            return tuple(stream(seed, purpose, r, *key) for r in replicas)

        chance = [True] * len(keys) if by_chance is None else by_chance
        values = tuple(all_of("perturbations", key) for key in keys)
        events = tuple(
            all_of("events", key) if by else own
            for key, by, own in zip(keys, chance, values, strict=True)
        )
        return cls(values, events)

    @classmethod
    def of_one(cls, rng: np.random.Generator, perturbations: int) -> Streams:
        """One generator for everything."""
        return cls(((rng,),) * perturbations, ((rng,),) * perturbations)

    def parts(
        self, position: int, replicas: int
    ) -> Iterator[tuple[slice, np.random.Generator, np.random.Generator]]:
        """Which rows of an array ``(R, …)`` are drawn from which generators."""
        values, events = self.values[position], self.events[position]
        if len(values) == 1:
            yield slice(0, replicas), values[0], events[0]
            return
        for r, pair in enumerate(zip(values, events, strict=True)):
            yield slice(r, r + 1), *pair
