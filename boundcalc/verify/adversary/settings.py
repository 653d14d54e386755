"""What can be chosen where operators have types: weights, the sample, signs of the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError, UnsupportedError
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.operators.base import Array
from boundcalc.simulate.program import Program, make_program
from boundcalc.simulate.start import initial_weights
from boundcalc.verify.adversary.moments import Law, TwoValues, law_of
from boundcalc.verify.operators import constants
from boundcalc.verify.premise import number

#: Positions in an array.
Places: TypeAlias = npt.NDArray[np.intp]

#: Where weights without a region are looked for.
FREE = 6.0


@dataclass(frozen=True)
class Weights:
    """The weights that are searched for, among all trained ones.

    Attributes
    ----------
    start
        ``(k,)``: where the spec starts.
    free
        Places of those that may be chosen: operators without ``initial`` weights.
    balls
        (places, centre, radius) of the regions that hold them.
    """

    start: Array
    free: Places
    balls: tuple[tuple[Places, Array, float], ...]

    def projected(self, rows: Array) -> Array:
        """All weights ``(P, k)`` from the free ones, drawn back into every ball."""
        w = np.repeat(self.start[None], len(rows), axis=0)
        w[:, self.free] = rows
        for places, centre, radius in self.balls:
            away = w[:, places] - centre
            size = np.linalg.norm(away, axis=1, keepdims=True)
            w[:, places] = centre + away * np.minimum(1.0, radius / np.maximum(size, 1e-300))
        return w


@dataclass(frozen=True)
class Setting:
    """A typed graph with everything about it that does not change during a search."""

    graph: OperatorGraph
    program: Program
    weights: Weights
    laws: Law

    @property
    def signs(self) -> int:
        """How many perturbations may be reflected: those with a mean or a skew."""
        return sum(not _even(own[0]) for own in self.laws)

    def law(self, signs: Array) -> Law:
        """The laws with the perturbations of sign −1 reflected."""
        found, left = [], iter(signs)
        for own in self.laws:
            turned = not _even(own[0]) and next(left) < 0
            found.append(tuple(_reflected(c) for c in own) if turned else own)
        return tuple(found)


def _reflected(c: TwoValues) -> TwoValues:
    return TwoValues(-c.high, -c.low, 1 - c.p)


def _even(c: TwoValues) -> bool:
    return c.low == -c.high and c.p == 0.5


def make_setting(graph: OperatorGraph) -> Setting:
    """The search on a graph of library operators.

    Raises
    ------
    UnsupportedError
        If the spec has no data, or states constants below those that a type proves.
    """
    if graph.spec.simulation is None or graph.data is None:
        raise UnsupportedError(
            "operators with types are searched on data",
            where="simulation",
            expected="a `simulation` section with data",
            fix="add simulation: {data: {points: [[0]]}}, for instance",
        )
    broken = [p for p in constants(graph) if not p.consistent]
    if broken:
        first = broken[0]
        raise UnsupportedError(
            "no operator of this type is known to have the constants that are stated",
            value=f"{first.claim} = {first.stated:g}",
            expected=f"at least {first.met:g}, which the type proves on its region",
            fix="leave the constant out, or make the region smaller",
        )
    try:
        program = make_program(graph)
    except SimulationError as error:
        raise UnsupportedError(
            error.problem, where=error.where, expected=error.expected, fix=error.fix
        ) from None
    return Setting(graph, program, _weights(graph, program), law_of(graph) or _laws(graph))


def _weights(graph: OperatorGraph, program: Program) -> Weights:
    start = initial_weights(graph, program)[0]
    free = np.ones(len(start), dtype=np.bool_)
    balls: list[tuple[Places, Array, float]] = []
    for node in graph.nodes:
        if not node.trainable or node.group not in program.slices:
            continue
        places = np.arange(len(start))[program.slices[node.group]]
        if node.values is not None:
            free[places] = False
        region = node.region
        if region.weight is not None:
            balls.append((places, np.zeros(len(places)), number(graph, region.weight)))
        if region.change is not None and region.center is not None:
            balls.append((places, region.center, number(graph, region.change)))
    return Weights(start, np.flatnonzero(free), tuple(balls))


def _laws(graph: OperatorGraph) -> Law:
    """Two-point laws with the same mean and variance in every component."""
    return tuple(_two_values(graph, p) for p in graph.perturbations)


def _two_values(graph: OperatorGraph, p: Perturbation) -> tuple[TwoValues, ...]:
    rms, mean, fourth = (
        None if x is None else float(x) for x in p.level(FLOATS, graph.values(FLOATS))
    )
    assert rms is not None and mean is not None  # noqa: S101, PT018 - they are always known
    mu = mean / np.sqrt(p.size)
    sigma = np.sqrt(max(rms**2 - mean**2, 0.0) / p.size)
    one = TwoValues(mu - sigma, mu + sigma, 0.5)
    whole = (one.high**4 + one.low**4) / 2 * p.size
    whole += ((one.high**2 + one.low**2) / 2) ** 2 * p.size * (p.size - 1)
    if fourth is not None and whole > fourth:
        shrink = (fourth / whole) ** 0.25
        one = TwoValues(one.low * shrink, one.high * shrink, 0.5)
    return (one,) * p.size
