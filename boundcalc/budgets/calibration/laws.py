"""First and second moments of the spec's perturbations, as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.budgets.calibration.iterates import generator
from boundcalc.budgets.calibration.point import Point
from boundcalc.budgets.levels import with_perturbations
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.operators.base import Array
from boundcalc.simulate.noise import NoiseSource, make_noise, shift_key

#: A direction and the number of an operator, or of an edge.
Key: TypeAlias = tuple[str, int]

#: Draws of a transform from which its moments at a point are measured.
DRAWS = 256


@dataclass(frozen=True)
class Law:
    """A perturbation with mean m and covariance (spread/n) I + extra m mᵀ.

    Attributes
    ----------
    key
        Its site.
    mean
        m, ``(n,)``, or ``(M, n)`` where it depends on the sample.
    spread
        The part of E‖δ − m‖² that has no preferred direction; by sample as well, then.
    extra
        (1 − p)/p for a perturbation that acts with probability p, else 0.
    """

    key: Key
    mean: Array
    spread: float | Array
    extra: float = 0.0


@dataclass(frozen=True)
class Laws:
    """The laws of all perturbations that reach the gradient.

    Attributes
    ----------
    still
        By position: those that do not look at the value.
    moving
        Positions of transforms, whose law is another one at every value.
    unbiased
        Those of them whose mean is proved to be zero.
    noise
        Draws the transforms.
    assumed
        Whether a covariance is taken to have no preferred direction without proof.
    seed
        Of the transforms' draws.
    """

    still: Mapping[int, Law]
    moving: tuple[int, ...]
    unbiased: frozenset[int]
    noise: NoiseSource
    assumed: bool
    seed: int

    @property
    def positions(self) -> tuple[int, ...]:
        """Those that reach the gradient."""
        return tuple(sorted((*self.still, *self.moving)))

    def at(self, point: Point) -> dict[int, Law]:
        """All laws by position, those of transforms measured at the point's values."""
        found = dict(self.still)
        for number, position in enumerate(self.moving):
            found[position] = self._measured(point, number)
        return {position: found[position] for position in self.positions}

    def _measured(self, point: Point, number: int) -> Law:
        perturbation = self.noise.perturbations[number]
        key: Key = (perturbation.direction, shift_key(perturbation))
        active = tuple(i == number for i in range(len(self.moving)))
        rng = generator(self.seed, 3, number)
        total = np.zeros((point.samples, perturbation.size))
        squares, left = np.zeros(point.samples), DRAWS
        origin = None
        while left:
            count = min(left, point.most(point.samples))
            left -= count
            delta, epsilon = self.noise.draw(rng, count, point.samples, active, record=True)
            drawn = point.added(delta, epsilon)
            # Deviations from the first draw: a transform without chance has no spread at all.
            origin = drawn[0] if origin is None else origin
            total += (drawn - origin).sum(axis=0)
            squares += np.sum((drawn - origin) ** 2, axis=(0, 2))
        assert origin is not None  # noqa: S101 - there is at least one draw
        shift = total / DRAWS
        spread = (squares - DRAWS * np.sum(shift**2, axis=-1)) / (DRAWS - 1)
        mean = origin + shift
        if self.moving[number] in self.unbiased:
            mean = np.zeros_like(mean)  # the average of the draws is only noise
        return Law(key, mean, np.maximum(spread, 0.0))


def laws_of(graph: OperatorGraph) -> tuple[Laws | None, str]:
    """The laws, or None and why there are none to predict from."""
    assert graph.spec.simulation is not None  # noqa: S101 - the run was made
    keys = {(site.direction, site.index) for site in graph.sites}
    values = graph.values(FLOATS)
    still: dict[int, Law] = {}
    moving: list[int] = []
    unbiased: set[int] = set()
    assumed = False
    for position, perturbation in enumerate(graph.perturbations):
        if (perturbation.direction, shift_key(perturbation)) not in keys:
            continue
        if perturbation.memory is not None:
            return None, f"nothing is predicted: {perturbation.where} remembers earlier steps"
        given = perturbation.distribution is None
        assumed = assumed or (given and perturbation.size > 1)
        if perturbation.transform is not None:
            moving.append(position)
            if perturbation.level(FLOATS, values)[1] == 0:
                unbiased.add(position)
            continue
        law = law_of(perturbation, values)
        if law is None:
            return None, (
                f"nothing is predicted: {perturbation.where} is given by its size and a mean of "
                "unknown direction (a model, or mean: 0, leaves nothing open)"
            )
        still[position] = law
    if not still and not moving:
        return None, "there is nothing to predict: no perturbation of the spec reaches the gradient"
    noise = make_noise(with_perturbations(graph, (graph.perturbations[i] for i in moving)))
    seed = graph.spec.simulation.seed
    return Laws(still, tuple(moving), frozenset(unbiased), noise, assumed, seed), ""


def law_of(perturbation: Perturbation, values: Mapping[str, float]) -> Law | None:
    """One perturbation's law; None where the direction of its mean is unknown.

    Notes
    -----
    The n components of a model are independent with mean μ and variance s².  A draw x that is
    added with probability p has the mean m = pμ1 and the covariance
    p s² I + p(1 − p) μ²11ᵀ = p s² I + (1 − p)/p · m mᵀ.
    """
    size, key = perturbation.size, (perturbation.direction, shift_key(perturbation))
    if perturbation.distribution is None:
        rms, mean, _ = perturbation.level(FLOATS, values)
        if mean != 0:
            return None
        return Law(key, np.zeros(size), float(rms) ** 2)
    moments = perturbation.distribution.moments()
    mean = float(moments.mean.evaluate(FLOATS, values))
    second = float(moments.second.evaluate(FLOATS, values))
    p = 1.0
    if perturbation.probability is not None:
        p = float(perturbation.probability.evaluate(FLOATS, values))
    spread = p * size * max(second - mean**2, 0.0)
    return Law(
        key=key,
        mean=np.full(size, p * mean),
        spread=spread,
        extra=(1 - p) / p if p > 0 else 0.0,
    )


def spreads(known: Mapping[int, Law], active: Iterable[int]) -> dict[Key, float | Array]:
    """By site: the spreads of independent perturbations add."""
    found: dict[Key, float | Array] = {}
    for position in active:
        law = known[position]
        if np.any(law.spread):
            found[law.key] = found.get(law.key, 0.0) + law.spread
    return found


def means(known: Mapping[int, Law], active: Iterable[int]) -> dict[Key, Array]:
    """By site: means add as vectors; sites without any are left out."""
    found: dict[Key, Array] = {}
    for position in active:
        law = known[position]
        if law.mean.any():
            found[law.key] = found[law.key] + law.mean if law.key in found else law.mean
    return found
