"""The spec's graph as an objective to descend, for theories that ask no more of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.program import Program, make_program
from boundcalc.simulate.start import initial_weights


@dataclass(frozen=True)
class Objective:
    """ℓ(w) = avg over the data of the graph's output, plus ρ𝓡(w), for many w at once.

    Attributes
    ----------
    program
        The graph's passes.
    features, labels
        ``(1, M, d)`` and ``(1, M)``.
    start
        w⁰, ``(R, k)``: the same for all replicas.
    """

    program: Program
    features: Array
    labels: Array
    start: Array

    @property
    def weights(self) -> int:
        """k."""
        return self.program.weights

    def value(self, w: Array) -> Array:
        """ℓ(w), ``(R,)``; O(R·M)."""
        return self.both(w)[0]

    def gradient(self, w: Array) -> Array:
        """∇ℓ(w), ``(R, k)``; O(R·M)."""
        return self.both(w)[1]

    def both(self, w: Array) -> tuple[Array, Array]:
        """ℓ(w) and ∇ℓ(w); overflow gives infinities, as a diverging run meets them."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.program.objective(w, self.features, self.labels)


def objective_of(graph: OperatorGraph) -> Objective:
    """The objective of a spec with ``simulation`` and operators from the library.

    Raises
    ------
    SpecError, SimulationError
        If a section is missing, or an operator is given by constants only.
    """
    if graph.spec.simulation is None:
        raise SpecError(
            "the spec has no `simulation` section",
            where="simulation",
            expected="a `simulation` section",
            fix="add one (docs/spec-reference.md); `boundcalc rate` needs none",
        )
    program = make_program(graph)
    data = graph.data
    assert data is not None  # noqa: S101 - the build made it
    start = initial_weights(graph, program)
    return Objective(program, data.features[None], data.labels[None], start)
