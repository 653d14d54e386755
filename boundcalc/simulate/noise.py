"""Perturbation draws for the passes, site by site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.perturbations import thinned
from boundcalc.perturbations.base import Sampler
from boundcalc.simulate.memory import Memory, Rows
from boundcalc.simulate.program import Shifts
from boundcalc.simulate.reach import Met
from boundcalc.simulate.transforms import Change, Replacement, Shift

#: Streams of random numbers, one for each purpose, so that they do not shift each other.
STREAMS = {"weights": 0, "perturbations": 1, "sampling": 2, "check": 3}


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The generator (SFC64) of one purpose under a seed.

    >>> bool(stream(1, "check").random() == stream(1, "check").random())
    True
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, STREAMS[purpose]])))


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
    mirrors
        For ``forward`` by operator, for ``backward`` by edge number: twice the centre
        about which the whole perturbation is symmetric; None where it is not symmetric.
    """

    perturbations: tuple[Perturbation, ...]
    samplers: tuple[Sampler | Replacement, ...]
    mirrors: Mapping[str, Mapping[int, float] | None]

    def draw(
        self,
        rng: np.random.Generator,
        replicas: int,
        samples: int,
        active: tuple[bool, ...],
        *,
        memory: Memory | None = None,
        rows: Rows = None,
        record: bool = False,
    ) -> tuple[dict[int, Shift], dict[int, Shift]]:
        """Fresh δ by operator and ε by edge number, ``(R, M, n)``, of the active perturbations.

        Perturbations are drawn in the order of the spec, so a draw depends on nothing
        but the generator's state and on which of them act.  A transform draws from the same
        generator when the pass comes to its site, anew each time.

        Parameters
        ----------
        memory
            The state of transforms with memory, moved on by every pass; without it they
            act as in the first step of a run.
        rows
            The rows of the data that the samples are, for the memory; None is all of them.
        record
            Whether changes shall remember what they added.
        """
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
                    known = side[key] = Change(rng, replicas, [*before], record)
                slot = None if memory is None else memory.slot(position, rows)
                known.parts.append((sampler, slot))
                continue
            drawn = np.empty((replicas, samples, perturbation.size))
            sampler(rng, drawn)
            if isinstance(known, Change):
                known.add(drawn)
            else:
                side[key] = drawn if known is None else known + drawn
        return delta, epsilon

    @property
    def transformed(self) -> tuple[tuple[Perturbation, Met], ...]:
        """The perturbations that replace the value, and the values given to each so far."""
        return tuple(
            (perturbation, sampler.met)
            for perturbation, sampler in zip(self.perturbations, self.samplers, strict=True)
            if isinstance(sampler, Replacement)
        )

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
        kept.append(perturbation)
        samplers.append(_sampler(perturbation, values))
    mirrors = {side: _mirrors(kept, side, values) for side in ("forward", "backward")}
    return NoiseSource(tuple(kept), tuple(samplers), mirrors)


def _sampler(perturbation: Perturbation, values: Mapping[str, float]) -> Sampler | Replacement:
    """How one perturbation is drawn, or replaces the value."""
    p = perturbation.probability
    probability = None if p is None else float(p.evaluate(FLOATS, values))
    if perturbation.transform is not None:
        apply = perturbation.transform.apply()
        return Replacement(apply, probability, perturbation.memory, Met())
    assert perturbation.distribution is not None  # noqa: S101 - make_noise() has looked
    sampler = perturbation.distribution.sampler(values)
    return sampler if probability is None else thinned(sampler, probability)


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
