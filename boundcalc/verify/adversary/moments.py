"""Expectations over all outcomes of the noise: finite sums instead of samples.

The gradient is affine in the backward perturbations, so that of these only mean and
variance matter: one more backward pass for each component gives their part exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.operators.base import Array, Domain
from boundcalc.simulate.noise import shift_key
from boundcalc.simulate.program import Program
from boundcalc.simulate.reach import Reach

#: Outcomes of the forward noise that are enumerated; with more, some are drawn.
MAX_OUTCOMES = 4096

#: Components of the backward noise that get a pass of their own; with more, they are drawn.
MAX_PASSES = 64


@dataclass(frozen=True)
class TwoValues:
    """One component of a perturbation: ``high`` with probability ``p``, else ``low``."""

    low: float
    high: float
    p: float

    @property
    def mean(self) -> float:
        """E x."""
        return self.p * self.high + (1 - self.p) * self.low

    @property
    def variance(self) -> float:
        """E x² − (E x)²."""
        return self.p * (1 - self.p) * (self.high - self.low) ** 2

    @property
    def fixed(self) -> bool:
        """Whether there is one outcome only."""
        return self.low == self.high or self.p in (0.0, 1.0)


#: The independent components of every perturbation, in the order of the graph's.
Law = tuple[tuple[TwoValues, ...], ...]


def law_of(graph: OperatorGraph) -> Law | None:
    """The law of a graph whose perturbations take one or two values; None for others."""
    values, found = graph.values(FLOATS), []
    for p in graph.perturbations:
        d = p.distribution
        if d is None or p.probability is not None or d.model not in ("constant", "two_point"):
            return None
        get = {
            name: getattr(d, name, None) for name in ("value", "magnitude", "low", "high", "p_high")
        }
        x = {k: float(e.evaluate(FLOATS, values)) for k, e in get.items() if e is not None}
        if "value" in x:
            one = TwoValues(x["value"], x["value"], 1.0)
        elif "magnitude" in x:
            one = TwoValues(-x["magnitude"], x["magnitude"], 0.5)
        else:
            one = TwoValues(x["low"], x["high"], x["p_high"])
        found.append((one,) * p.size)
    return tuple(found)


@dataclass(frozen=True)
class Outcomes:
    """Joint outcomes of the forward noise, and the first two moments of the backward noise.

    Attributes
    ----------
    probability
        ``(Q,)``.
    delta
        By operator: ``(Q, n)``.
    shift, variance
        By edge: mean and variance of every component, ``(1, n)`` and ``(n,)``; or draws,
        ``(Q, n)``, and variance 0.
    drawn
        Whether the outcomes were drawn, not enumerated.
    """

    probability: Array
    delta: Mapping[int, Array]
    shift: Mapping[int, Array]
    variance: Mapping[int, Array]
    drawn: bool


def outcomes(
    perturbations: tuple[Perturbation, ...], law: Law, rng: np.random.Generator, *, draws: int
) -> Outcomes:
    """All outcomes of a law where there are at most ``MAX_OUTCOMES``, else ``draws`` of them."""
    forward = [
        (p, own) for p, own in zip(perturbations, law, strict=True) if p.direction == "forward"
    ]
    backward = [
        (p, own) for p, own in zip(perturbations, law, strict=True) if p.direction == "backward"
    ]
    random = [c for _, own in forward for c in own if not c.fixed]
    many = sum(not c.fixed for _, own in backward for c in own) > MAX_PASSES
    drawn = many or len(random) > math.log2(MAX_OUTCOMES)
    p_high = np.array([c.p for c in random])
    if drawn:
        high = rng.random((draws, len(random))) < p_high
        probability = np.full(draws, 1.0 / draws)
    else:
        high = (np.arange(2 ** len(random))[:, None] >> np.arange(len(random))) % 2 == 1
        probability = np.prod(np.where(high, p_high, 1.0 - p_high), axis=1)
    shift: dict[int, Array] = {}
    variance: dict[int, Array] = {}
    for p, own in backward:
        key = shift_key(p)
        added = _drawn(own, rng, draws) if many else np.array([[c.mean for c in own]])
        shift[key] = shift.get(key, 0.0) + added
        spread = np.array([0.0 if many else c.variance for c in own])
        variance[key] = variance.get(key, 0.0) + spread
    delta: dict[int, Array] = {}
    at = 0
    for p, own in forward:
        columns = []
        for c in own:
            if c.fixed:
                value = c.high if c.p == 1.0 else c.low
                columns.append(np.full(len(probability), value))
            else:
                columns.append(np.where(high[:, at], c.high, c.low))
                at += 1
        drawn_here = np.stack(columns, axis=1)
        delta[p.site] = delta.get(p.site, 0.0) + drawn_here
    return Outcomes(probability, delta, shift, variance, drawn)


def _drawn(own: tuple[TwoValues, ...], rng: np.random.Generator, draws: int) -> Array:
    high = rng.random((draws, len(own))) < np.array([c.p for c in own])
    return np.where(high, [c.high for c in own], [c.low for c in own])


class Inside(Reach):
    """How far inputs leave their regions, by replica."""

    def __init__(self, graph: OperatorGraph, replicas: int) -> None:
        super().__init__(())
        self.out = np.zeros(replicas)
        self._regions = [node.region for node in graph.nodes]
        values = graph.values(FLOATS)
        self._radii = [
            None if r.input is None else float(r.input.evaluate(FLOATS, values))
            for r in self._regions
        ]

    def see(self, number: int, parts: list[Array], whole: Array) -> None:
        """Take in the inputs of one operator, ``(R, M, n)``."""
        region, radius = self._regions[number - 1], self._radii[number - 1]
        if radius is not None:
            size = np.sqrt(np.sum(whole**2, axis=-1)).max(axis=1)
            self.out = np.maximum(self.out, size - radius * (1 + 1e-9) - 1e-15)
        box = Domain(low=region.low, high=region.high)
        slack = 1e-9 * min(box.largest, 1e300) + 1e-15
        self.out = np.maximum(self.out, box.low - slack - whole.min(axis=(1, 2)))
        self.out = np.maximum(self.out, whole.max(axis=(1, 2)) - box.high - slack)


@dataclass(frozen=True)
class Moments:
    """By candidate and sample, ``(P, M)``.

    Attributes
    ----------
    error, bias
        E‖ũ − u‖² and ‖E[ũ − u]‖².
    spread
        Half of a 99.9 % interval of ``error`` and ``bias`` where outcomes were drawn; else 0.
    outside
        ``(P,)``: whether an input left its region.
    """

    error: Array
    bias: Array
    spread: tuple[Array, Array]
    outside: Array


def moments(
    graph: OperatorGraph, program: Program, w: Array, x: Array, labels: Array, found: Outcomes
) -> Moments:
    """Moments of P candidates at M samples.

    Parameters
    ----------
    w
        ``(P, k)``.
    x, labels
        ``(P or 1, M, d)`` and ``(P or 1, M)``.
    """
    count, q, samples = len(w), len(found.probability), x.shape[1]
    clean_reach = Inside(graph, count)
    clean = program.sample_gradients(
        w, program.outputs(w, np.repeat(x, count // len(x), 0), labels, {}, clean_reach), labels, {}
    )
    rows = np.repeat(w, q, axis=0)
    xs = np.repeat(np.repeat(x, count // len(x), 0), q, axis=0)
    ys = labels if len(labels) == 1 else np.repeat(labels, q, axis=0)

    def spread(values: Array) -> Array:
        """(Q, n) or (1, n) for every candidate and sample."""
        wide = np.broadcast_to(values, (q, values.shape[-1]))
        return np.repeat(np.tile(wide, (count, 1))[:, None], samples, axis=1)

    delta = {v: spread(d) for v, d in found.delta.items() if v < graph.size}
    kept = {e: s for e, s in found.shift.items() if graph.ends[e][0]}
    shift = {e: spread(s) for e, s in kept.items()}
    reach = Inside(graph, count * q)
    path = program.outputs(rows, xs, ys, delta, reach)
    middle = program.sample_gradients(rows, path, ys, shift)
    middle = np.broadcast_to(middle, (count * q, *middle.shape[1:]))
    off = (middle - np.repeat(clean, q, axis=0)).reshape(count, q, samples, -1)
    squared = np.sum(off**2, axis=-1)
    for edge, variance in found.variance.items():
        for c in np.flatnonzero(variance) if edge in kept else ():
            unit = np.zeros(kept[edge].shape[1])
            unit[c] = 1.0
            moved = program.sample_gradients(rows, path, ys, {**shift, edge: shift[edge] + unit})
            part = (moved - middle).reshape(count, q, samples, -1)
            squared = squared + variance[c] * np.sum(part**2, axis=-1)
    p = found.probability[:, None]
    mean = np.einsum("q,pqmk->pmk", found.probability, off)
    error, bias = np.sum(p * squared, axis=1), np.sum(mean**2, axis=-1)
    zero = np.zeros_like(error)
    half = (zero, zero)
    if found.drawn:
        # 3.29 standard errors; of the bias, by the delta method: 2⟨mean, off⟩.
        # The mean of q draws has the square of its own spread in its square.
        bias = np.maximum(bias - np.maximum(error - bias, 0.0) / (q - 1), 0.0)
        along = np.einsum("pmk,pqmk->pqm", mean, off)
        half = (
            3.29 * squared.std(axis=1) / np.sqrt(q),
            3.29 * 2 * along.std(axis=1) / np.sqrt(q) + 11 * np.maximum(error - bias, 0) / q,
        )
    outside = (clean_reach.out > 0) | (reach.out.reshape(count, q).max(axis=1) > 0)
    return Moments(error, bias, half, outside)
