"""What a pipeline is fed with: one batch after the other, each with its own random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.memory import Memory, Rows
from boundcalc.simulate.program import Shifts
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.streams import Streams, stream

_DRAWN = 100_000  # normal numbers drawn at once
_STEPS = 4096  # steps whose schedules are looked up at once


@dataclass(frozen=True)
class Batch:
    """The n-th batch on its way through the pipeline.

    Attributes
    ----------
    number
        n.
    features, labels
        ``(R or 1, M, d)`` and ``(R or 1, M)``.
    rows
        Which rows of the data they are, ``(R, M)``; None is all of them, in order.
    noise
        ξⁿ, ``(R, k)``, which is added to the gradients of all blocks; None is none.
    active
        Which perturbations act.
    probe
        Whether it moves no weights: the batch after the last, whose way through the pipeline
        shows x^T and the weights that its forward pass would have had.
    """

    number: int
    features: Array
    labels: Array
    rows: Rows
    noise: Array | None
    active: tuple[bool, ...]
    probe: bool = False


class Feed:
    """The batches of a run, in order.

    Random numbers come from the same streams as those of the ordinary simulator, in the same
    order, so that without staleness both make the same run.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        settings, replicas = problem.settings, range(problem.settings.replicas)
        self._features, self._labels = problem.features[None], problem.labels[None]
        self._sampling = [stream(settings.seed, "sampling", r) for r in replicas]
        self._left = np.zeros((0, 0, 0))
        self._schedule = np.zeros((0, 0), dtype=np.bool_)
        self._number = 0

    def next(self) -> Batch | None:
        """The next batch; after the last the probe, and then None."""
        number, settings = self._number, self._problem.settings
        self._number += 1
        if number >= settings.horizon:
            return self._probe(number) if number == settings.horizon else None
        features, labels, rows = self._features, self._labels, None
        if settings.batch is not None:
            count, size = features.shape[1], settings.batch
            rows = np.stack([g.integers(count, size=size) for g in self._sampling])
            features, labels = features[0][rows], labels[0][rows]
        noise = self._noise() if settings.noise_std else None
        return Batch(number, features, labels, rows, noise, self._active(number))

    def _probe(self, number: int) -> Batch:
        quiet = (False,) * len(self._problem.noise.perturbations)
        return Batch(number, self._features, self._labels, None, None, quiet, probe=True)

    def _noise(self) -> Array:
        if not len(self._left):
            settings, shape = self._problem.settings, self._problem.start.shape
            steps = max(1, _DRAWN // (shape[0] * shape[1]))
            drawn = [
                settings.noise_std * g.standard_normal((steps, shape[1])) for g in self._sampling
            ]
            self._left = np.stack(drawn, axis=1)
        first: Array = self._left[0]
        self._left = self._left[1:]
        return first

    def _active(self, number: int) -> tuple[bool, ...]:
        noise = self._problem.noise
        if not noise.perturbations:
            return ()
        at = number % _STEPS
        if at == 0:
            horizon = self._problem.settings.horizon
            self._schedule = noise.active(number, min(number + _STEPS, horizon), horizon)
        return tuple(bool(on) for on in self._schedule[at])


class Draws:
    """The perturbations of passes, drawn block by block when a batch comes there.

    Every perturbation has its own stream and sees the batches in order, so what it draws for a
    batch does not depend on the queues.

    Parameters
    ----------
    places
        By perturbation: the block that it acts in.
    """

    def __init__(self, problem: Problem, places: Mapping[int, int]) -> None:
        self._noise = problem.noise
        replicas = problem.settings.replicas
        perturbations = self._noise.perturbations
        by_chance = [p.probability is not None for p in perturbations]
        self._streams = Streams.of_replicas(
            problem.settings.seed, range(replicas), self._noise.keys, by_chance
        )
        self._memory = Memory(perturbations, replicas, len(problem.features))
        self._replicas = replicas
        self._here: dict[tuple[int, str], tuple[bool, ...]] = {
            (block, p.direction): tuple(
                places[other] == block and q.direction == p.direction
                for other, q in enumerate(perturbations)
            )
            for block, p in ((places[number], p) for number, p in enumerate(perturbations))
        }

    def forward(self, block: int, batch: Batch) -> Shifts:
        """δ by operator number."""
        return self._drawn(block, "forward", batch)[0]

    def backward(self, block: int, batch: Batch) -> Shifts:
        """ε by edge number."""
        return self._drawn(block, "backward", batch)[1]

    def _drawn(self, block: int, direction: str, batch: Batch) -> tuple[Shifts, Shifts]:
        here = self._here.get((block, direction))
        if here is None:
            return {}, {}
        active = tuple(on and local for on, local in zip(batch.active, here, strict=True))
        samples = batch.features.shape[1]
        return self._noise.draw(
            self._streams,
            self._replicas,
            samples,
            active,
            memory=self._memory,
            rows=batch.rows,
        )
