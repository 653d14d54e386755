"""How far values and weights go: what a region says is held against the largest that is met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.operators.regions import ANYWHERE
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import OperatorSection

#: An operator's number and one of its slots; None is its whole input as one vector.
Place: TypeAlias = tuple[int, int | None]

#: By operator number: where its weights lie among all trained ones, and w⁰ or None.
Centers: TypeAlias = Mapping[int, tuple[slice, Array | None]]


def sections_of(graph: OperatorGraph) -> list[OperatorSection]:
    """By operator: the section of the spec that it was made from."""
    found: dict[str, OperatorSection] = {}

    def walk(sections: list[OperatorSection], where: str) -> None:
        for index, section in enumerate(sections):
            place = f"{where}[{index}]"
            found[place] = section
            walk(section.block or [], f"{place}.block")

    spec: Spec = graph.spec
    walk(spec.graph.operators, "graph.operators")
    return [found[node.where] for node in graph.nodes]


def claimed_inputs(graph: OperatorGraph) -> tuple[Place, ...]:
    """The inputs whose region is a claim: stated in the spec, or measured.

    Every other region is propagated, and so holds by proof where these do.  The data do
    not move: an operator that reads them needs no measurement along a run.
    """
    places: list[Place] = []
    for number, (node, section) in enumerate(zip(graph.nodes, sections_of(graph), strict=True), 1):
        stated = section.region
        if node.reads == (0,):
            continue
        if graph.sampled or any(x is not None for x in (stated.input, stated.low, stated.high)):
            places.append((number, None))
        if graph.sampled:
            parts = enumerate(node.region.parts)
            places += [(number, slot) for slot, part in parts if part != ANYWHERE]
    return tuple(places)


def claimed_weights(graph: OperatorGraph, slices: Mapping[int, slice]) -> Centers:
    """The trained weights whose region is stated.

    Parameters
    ----------
    slices
        Where each group of them lies among all.
    """
    return {
        number: (slices[node.group], node.region.center)
        for number, node in enumerate(graph.nodes, 1)
        if node.trainable
        and node.group in slices
        and (node.region.weight is not None or node.region.change is not None)
    }


@dataclass
class Reach:
    """The largest norm and the lowest and highest component met, by place.

    Attributes
    ----------
    places
        Where it is measured.
    norm, low, high
        In the order of the places; −∞ or ∞ before anything was met, and NaN if NaN was.
    """

    places: tuple[Place, ...]
    norm: Array = field(init=False)
    low: Array = field(init=False)
    high: Array = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.places)
        self.norm, self.high = np.full(count, -np.inf), np.full(count, -np.inf)
        self.low = np.full(count, np.inf)
        self._of: dict[int, list[tuple[int, int | None]]] = {}
        for index, (number, slot) in enumerate(self.places):
            self._of.setdefault(number, []).append((index, slot))

    def see(self, number: int, parts: list[Array], whole: Array) -> None:
        """Take in the inputs of one operator, ``(R, M, n)``, slot by slot and together."""
        for index, slot in self._of.get(number, ()):
            values = whole if slot is None else parts[slot]
            norm = np.sqrt(np.max(np.sum(values**2, axis=-1)))
            # Not max(): NaN must not be lost.
            self.norm[index] = np.maximum(self.norm[index], norm)
            self.low[index] = np.minimum(self.low[index], values.min())
            self.high[index] = np.maximum(self.high[index], values.max())

    def include(self, other: Reach) -> None:
        """Take in what another one of the same places met."""
        self.norm = np.maximum(self.norm, other.norm)
        self.low = np.minimum(self.low, other.low)
        self.high = np.maximum(self.high, other.high)


@dataclass
class Met:
    """The largest norm and the lowest and highest component of the values at one site.

    Attributes
    ----------
    norm, low, high
        −∞ or ∞ before anything was met, and NaN if NaN was.
    """

    norm: float = -np.inf
    low: float = np.inf
    high: float = -np.inf

    def see(self, values: Array) -> None:
        """Take in values ``(…, n)``."""
        if values.size:
            norm = np.sqrt(np.max(np.sum(values**2, axis=-1)))
            # Not max(): NaN must not be lost.
            self.norm = float(np.maximum(self.norm, norm))
            self.low = float(np.minimum(self.low, values.min()))
            self.high = float(np.maximum(self.high, values.max()))

    def include(self, other: Met) -> None:
        """Take in what another one of the same site met."""
        self.norm = float(np.maximum(self.norm, other.norm))
        self.low = float(np.minimum(self.low, other.low))
        self.high = float(np.maximum(self.high, other.high))


@dataclass
class WeightReach:
    """The largest ‖w‖ and ‖w − w⁰‖ met, by operator with a stated region of its weights.

    Attributes
    ----------
    norm, change
        By operator number; ``change`` only where there is a w⁰.
    """

    centers: Centers
    norm: dict[int, float] = field(default_factory=dict)
    change: dict[int, float] = field(default_factory=dict)

    def see(self, w: Array) -> None:
        """Take in the weights of all operators and replicas, ``(R, k)``."""
        for number, (part, center) in self.centers.items():
            _raise(self.norm, number, w[:, part])
            if center is not None:
                _raise(self.change, number, w[:, part] - center)

    def include(self, other: WeightReach) -> None:
        """Take in what another one of the same weights met."""
        for known, more in ((self.norm, other.norm), (self.change, other.change)):
            for number, met in more.items():
                known[number] = float(np.maximum(known.get(number, 0.0), met))


def _raise(known: dict[int, float], number: int, rows: Array) -> None:
    met = np.sqrt(np.max(np.sum(rows**2, axis=1), initial=0.0))
    known[number] = float(np.maximum(known.get(number, 0.0), met))
