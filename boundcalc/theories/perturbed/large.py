"""The sharp bounds of a large graph: its numbers as arrays, through the compiled kernel."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import overload

from boundcalc.arithmetic import FLOATS, Number, Scalar, Status
from boundcalc.graph import Levels, OperatorGraph
from boundcalc.graph.arrays import GraphArrays
from boundcalc.graph.level_arrays import LevelArrays
from boundcalc.theories.perturbed.fast import FastBounds, ScaledArray, fast_bounds
from boundcalc.theories.perturbed.refinements import MEAN_CAP, REFINEMENTS, SATURATION


def both_bounds(
    graph: OperatorGraph, active: list[int] | None, refinements: Container[str] = REFINEMENTS
) -> tuple[FastBounds, FastBounds, Levels, tuple[str, ...]]:
    """The plain bounds, the best ones, levels that say which statement holds, refinements; O(N).

    Of the refinements those for independent and for conditionally bounded perturbations are
    left out.
    """
    levels = graph.levels(FLOATS, active)
    constants = GraphArrays.from_constants(graph.graph_constants(FLOATS))
    sizes = LevelArrays.from_levels(levels, constants)
    plain = fast_bounds(
        constants, sizes, forward_centred=False, backward_centred=False, capped=False
    )
    best = fast_bounds(
        constants,
        sizes,
        forward_centred=levels.forward_centred,
        backward_centred=levels.backward_centred,
        capped=MEAN_CAP in refinements,
        saturated=SATURATION in refinements,
    )
    taken = tuple(name for name in (SATURATION, MEAN_CAP) if name in refinements)
    return plain, best, levels, taken


@dataclass(frozen=True)
class Contributions(Sequence[Number]):
    """Numbers that are made when they are looked at: there may be a million."""

    values: ScaledArray | Sequence[Scalar]
    status: Status

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Number: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Number, ...]: ...

    def __getitem__(self, index: int | slice) -> Number | tuple[Number, ...]:
        if isinstance(index, slice):
            return tuple(self[k] for k in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return Number(self.values[index], self.status)
