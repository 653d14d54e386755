"""Perturbation draws for the passes, site by site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.operators.base import Array
from boundcalc.perturbations import thinned
from boundcalc.perturbations.base import Sampler
from boundcalc.simulate.memory import Memory, Rows
from boundcalc.simulate.program import Shifts
from boundcalc.simulate.reach import Met
from boundcalc.simulate.streams import Joined, Streams
from boundcalc.simulate.transforms import Change, Replacement, Shift

_DOUBLE = np.dtype(np.float64)


def shift_key(perturbation: Perturbation) -> int:
    """The operator after which a perturbation acts, or the edge along which it does."""
    return perturbation.site if perturbation.direction == "forward" else perturbation.edge


@dataclass(frozen=True)
class NoiseSource:
    """Draws the perturbations of a graph.

    Attributes
    ----------
    perturbations, samplers
        Those that can reach the gradient, and how each is drawn or replaces the value.
    probabilities
        Of each drawn one, and None where it always acts.
    mirrors
        For ``forward`` by operator, for ``backward`` by edge number: twice the centre
        about which the whole perturbation is symmetric; None where it is not symmetric.
    """

    perturbations: tuple[Perturbation, ...]
    samplers: tuple[Sampler | Replacement, ...]
    probabilities: tuple[float | None, ...]
    mirrors: Mapping[str, Mapping[int, float] | None]

    def draw(
        self,
        rng: np.random.Generator | Streams,
        replicas: int,
        samples: int,
        active: tuple[bool, ...],
        *,
        memory: Memory | None = None,
        rows: Rows = None,
        record: bool = False,
        dtype: np.dtype[np.floating] = _DOUBLE,
    ) -> tuple[dict[int, Shift], dict[int, Shift]]:
        """Fresh δ by operator and ε by edge number, ``(R, M, n)``, of the active perturbations.

        A draw that the samples of a batch share is ``(R, 1, n)``.  Each perturbation is drawn
        sample by sample from its own stream, if there are streams.  A transform draws when
        the pass comes to its site, anew each time.

        Parameters
        ----------
        memory
            The state of transforms with memory, moved on by every pass; without it they
            act as in the first step of a run.
        rows
            The rows of the data that the samples are, for the memory; None is all of them.
        record
            Whether changes shall remember what they added.
        dtype
            Of the draws, which are rounded to it.
        """
        count = len(self.perturbations)
        streams = rng if isinstance(rng, Streams) else Streams.of_one(rng, count)
        delta: dict[int, Shift] = {}
        epsilon: dict[int, Shift] = {}
        for position, (perturbation, sampler) in enumerate(
            zip(self.perturbations, self.samplers, strict=True)
        ):
            if not active[position]:
                continue
            side = delta if perturbation.direction == "forward" else epsilon
            key = shift_key(perturbation)
            known = side.get(key)
            if isinstance(sampler, Replacement):
                if not isinstance(known, Change):
                    before = [] if known is None else [known]
                    known = side[key] = Change(streams, replicas, [*before], record)
                slot = None if memory is None else memory.slot(position, rows)
                known.parts.append((position, sampler, slot))
                continue
            shared = perturbation.shared
            drawn = np.empty((replicas, 1 if shared else samples, perturbation.size))
            self._fill(position, sampler, streams, drawn)
            drawn = drawn.astype(dtype, copy=False)
            if isinstance(known, Change):
                known.add(drawn)
            else:
                side[key] = drawn if known is None else known + drawn
        return delta, epsilon

    def _fill(self, position: int, sampler: Sampler, streams: Streams, out: Array) -> None:
        probability = self.probabilities[position]
        if probability is not None:
            acting = thinned(sampler, probability)
            for part, values, events in streams.parts(position, len(out)):
                acting(values, out[part], events)
            return
        generators = streams.values[position]
        law = self.perturbations[position].distribution
        if len(generators) > 1 and law is not None and law.joint:
            # What is the same for all replicas is computed for all of them at once.
            sampler(cast(np.random.Generator, Joined(generators)), out)
            return
        for generator, rows in zip(generators, np.split(out, len(generators)), strict=True):
            sampler(generator, rows)

    @property
    def keys(self) -> tuple[tuple[int, ...], ...]:
        """By perturbation: its pass, its site and its place there.

        Streams of random numbers go by these, so that the draws of one perturbation do not
        depend on what acts elsewhere.
        """
        counts: dict[tuple[int, int], int] = {}
        found = []
        for perturbation in self.perturbations:
            at = (int(perturbation.direction == "backward"), shift_key(perturbation))
            found.append((*at, counts.get(at, 0)))
            counts[at] = counts.get(at, 0) + 1
        return tuple(found)

    @property
    def transformed(self) -> tuple[tuple[Perturbation, Met], ...]:
        """The perturbations that replace the value, and the values given to each so far."""
        return tuple(
            (perturbation, sampler.met)
            for perturbation, sampler in zip(self.perturbations, self.samplers, strict=True)
            if isinstance(sampler, Replacement)
        )

    def fresh(self) -> NoiseSource:
        """The same source, which has met no values yet."""
        return replace(
            self,
            samplers=tuple(
                replace(sampler, met=Met()) if isinstance(sampler, Replacement) else sampler
                for sampler in self.samplers
            ),
        )

    def include(self, other: NoiseSource) -> None:
        """Take in the values that another source of the same perturbations met."""
        for (_, mine), (_, theirs) in zip(self.transformed, other.transformed, strict=True):
            mine.include(theirs)

    def mirrored(self, direction: str, draws: Shifts) -> Shifts | None:
        """Draws of one pass reflected about their centre: the same law, odd terms reversed.

        None where the law is not symmetric, or nothing is perturbed.
        """
        centres = self.mirrors[direction]
        if centres is None or not draws:
            return None
        arrays = {site: drawn for site, drawn in draws.items() if not isinstance(drawn, Change)}
        return {site: centres[site] - drawn for site, drawn in arrays.items()}

    def active(self, start: int, stop: int, horizon: int) -> np.ndarray:
        """Which perturbations act at steps start..stop−1, shape ``(steps, perturbations)``."""
        if not self.perturbations:
            return np.zeros((stop - start, 0), dtype=np.bool_)
        masks = [p.schedule.active(start, stop, horizon) for p in self.perturbations]
        return np.stack(masks, axis=1)


def make_noise(graph: OperatorGraph) -> NoiseSource:
    """The noise source of a graph whose perturbations all have a model.

    It remembers the values that transforms are given, so that each run needs its own.

    Raises
    ------
    SimulationError
        If a perturbation is given by its moments only.
    """
    values = graph.values(FLOATS)
    kept: list[Perturbation] = []
    samplers: list[Sampler | Replacement] = []
    probabilities: list[float | None] = []
    for perturbation in graph.perturbations:
        if perturbation.distribution is None and perturbation.transform is None:
            raise SimulationError(
                "a perturbation given by its moments cannot be drawn",
                where=perturbation.where,
                expected="a `model` such as gaussian, uniform, two_point or constant",
                fix="replace rms, mean and fourth by a model with these moments",
            )
        # δ of the loss, and what goes back to the data, never reach the gradient.
        reaches = (
            perturbation.site < graph.size
            if perturbation.direction == "forward"
            else graph.ends[perturbation.edge][0] > 0
        )
        if not reaches:
            continue
        p = perturbation.probability
        probability = None if p is None else float(p.evaluate(FLOATS, values))
        kept.append(perturbation)
        samplers.append(_sampler(perturbation, probability, values))
        probabilities.append(probability)
    mirrors = {side: _mirrors(kept, side, values) for side in ("forward", "backward")}
    return NoiseSource(tuple(kept), tuple(samplers), tuple(probabilities), mirrors)


def _sampler(
    perturbation: Perturbation, probability: float | None, values: Mapping[str, float]
) -> Sampler | Replacement:
    """How one perturbation is drawn where it acts, or replaces the value."""
    if perturbation.transform is not None:
        apply = perturbation.transform.apply()
        return Replacement(apply, probability, perturbation.memory, Met())
    assert perturbation.distribution is not None  # noqa: S101 - make_noise() has looked
    return perturbation.distribution.sampler(values)


def _mirrors(
    perturbations: list[Perturbation], direction: str, values: Mapping[str, float]
) -> dict[int, float] | None:
    centres: dict[int, float] = {}
    for perturbation in perturbations:
        if perturbation.direction != direction:
            continue
        distribution = perturbation.distribution
        if distribution is None:
            return None  # a transform looks at the value, so its pass has no mirror image
        centre = float(distribution.moments().mean.evaluate(FLOATS, values))
        # A draw that is left out at random is reflected onto itself only about 0.
        thinned_off_centre = perturbation.probability is not None and centre != 0.0
        if thinned_off_centre or not distribution.symmetric(values):
            return None
        key = shift_key(perturbation)
        centres[key] = centres.get(key, 0.0) + 2.0 * centre
    return centres
