"""A chain of library operators as NumPy passes over replicas and samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array, Operator
from boundcalc.spec.model import RegulariserSection

#: Perturbation arrays by operator number, 1 to N.
Shifts = Mapping[int, Array]


@dataclass(frozen=True)
class Program:
    """The passes of one chain.

    Attributes
    ----------
    operators
        f_1 … f_N.
    slices
        Where each operator's weights lie in the vector of all weights.
    regulariser, strength
        𝓡 and ρ.
    """

    operators: tuple[Operator, ...]
    slices: tuple[slice, ...]
    regulariser: RegulariserSection
    strength: float

    @property
    def weights(self) -> int:
        """The number of weights of all operators."""
        return int(self.slices[-1].stop)

    def outputs(
        self,
        w: Array,
        features: Array,
        labels: Array,
        delta: Shifts,
        reach: Array | None = None,
    ) -> list[Array]:
        """ỹ_0 … ỹ_N: ỹ_i = f_i(ỹ_{i−1}, w_i) + δ_i.

        Parameters
        ----------
        w
            ``(R, k)``.
        features, labels
            ``(R or 1, M, d)`` and ``(R or 1, M)``.
        delta
            δ_i of shape ``(R, M, m_i)`` for the operators that are perturbed.
        reach
            By operator, raised to the largest ‖ỹ_{i−1}‖ met, if given.
        """
        path = [features]
        for number, (operator, part) in enumerate(zip(self.operators, self.slices, strict=True), 1):
            y = operator.forward(path[-1], w[:, part], labels)
            path.append(y + delta[number] if number in delta else y)
        if reach is not None:
            met = [np.sqrt(np.max(np.sum(inputs**2, axis=-1))) for inputs in path[:-1]]
            np.maximum(reach, met, out=reach)
        return path

    def mean_gradient(self, w: Array, path: list[Array], labels: Array, epsilon: Shifts) -> Array:
        """The average of ũ over samples, ``(R, k)``, from the outputs of the same pass.

        ṽ_{i−1} = ∇₁f_iᵀ ṽ_i + ε_i and ũ_i = ∇₂f_iᵀ ṽ_i, for i = N..1; ṽ_0 is not needed.
        """
        parts: list[Array] = []
        v = np.ones_like(path[-1])
        for number in range(len(self.operators), 0, -1):
            operator, part = self.operators[number - 1], self.slices[number - 1]
            inputs, weights = path[number - 1], w[:, part]
            if number == 1:
                parts.append(operator.mean_weight_vjp(inputs, weights, labels, v))
                break
            v, gradient = operator.mean_vjp(inputs, weights, labels, v)
            parts.append(gradient)
            if number in epsilon:
                v = v + epsilon[number]
        return _joined(parts)

    def sample_gradients(
        self, w: Array, path: list[Array], labels: Array, epsilon: Shifts
    ) -> Array:
        """ũ of every sample, ``(R, M, k)``, from the outputs of the same pass."""
        parts: list[Array] = []
        v = np.ones_like(path[-1])
        for number in range(len(self.operators), 0, -1):
            operator, part = self.operators[number - 1], self.slices[number - 1]
            v, gradient = operator.vjp(path[number - 1], w[:, part], labels, v)
            parts.append(gradient)
            if number in epsilon:
                v = v + epsilon[number]
        return _joined(parts)

    def penalty(self, w: Array) -> Array:
        """ρ𝓡(w), shape ``(R,)``."""
        match self.regulariser.kind:
            case "squared":
                return np.asarray(self.strength * np.sum(w**2, axis=1))
            case "nonconvex":
                return np.asarray(self.strength * np.sum(w**2 / (1.0 + w**2), axis=1))
            case _:
                return np.zeros(len(w))

    def penalty_gradient(self, w: Array) -> Array:
        """ρ∇𝓡(w): 2ρw, or 2ρw/(1+w²)², shape ``(R, k)``."""
        match self.regulariser.kind:
            case "squared":
                return 2.0 * self.strength * w
            case "nonconvex":
                return 2.0 * self.strength * w / (1.0 + w**2) ** 2
            case _:
                return np.zeros_like(w)

    def objective(
        self, w: Array, features: Array, labels: Array, reach: Array | None = None
    ) -> tuple[Array, Array]:
        """ℓ(w) and ∇ℓ(w) over the given samples, shapes ``(R,)`` and ``(R, k)``."""
        path = self.outputs(w, features, labels, {}, reach)
        loss = path[-1][..., 0].mean(axis=1) + self.penalty(w)
        gradient = self.mean_gradient(w, path, labels, {}) + self.penalty_gradient(w)
        return loss, gradient


def make_program(graph: OperatorGraph) -> Program:
    """The program of a graph whose operators all come from the library.

    Raises
    ------
    SimulationError
        If an operator is given by constants only, or none has weights.
    """
    operators = [node.operator for node in graph.nodes]
    for node in graph.nodes:
        if node.operator is None:
            raise SimulationError(
                f"operator {node.id!r} is given by constants only and cannot be simulated",
                where=node.where,
                expected="a `type` from the library",
                fix="name a type for every operator, or use the bounds without a simulation",
            )
    stops = np.cumsum([0, *(node.weights for node in graph.nodes)]).tolist()
    if stops[-1] == 0:
        raise SimulationError(
            "no operator has weights, so there is nothing to train",
            where="graph.operators",
            expected="at least one operator with weights",
            fix="set `bias: true` on an elementwise operator, or add a `dense` one",
        )
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - callers have looked
    strength = float(section.regulariser.strength.evaluate(FLOATS, graph.values(FLOATS)))
    return Program(
        operators=tuple(operator for operator in operators if operator is not None),
        slices=tuple(slice(start, stop) for start, stop in pairwise(stops)),
        regulariser=section.regulariser,
        strength=strength,
    )


def _joined(parts: list[Array]) -> Array:
    """Weight gradients in the order f_1 … f_N, replicas broadcast to one length."""
    count = max(len(part) for part in parts)
    spread = [part if len(part) == count else np.repeat(part, count, axis=0) for part in parts]
    return np.concatenate(spread[::-1], axis=-1)
