"""A graph of library operators as NumPy passes over replicas and samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array, spread
from boundcalc.simulate.reach import Centers, Place, Reach, claimed_inputs, claimed_weights
from boundcalc.simulate.steps import Arc, Step, make_steps, weight_slices
from boundcalc.simulate.transforms import Shift, shifted
from boundcalc.spec.model import RegulariserSection

#: What happens at perturbed sites: δ by operator number, 1 to N; ε by edge number.
Shifts = Mapping[int, Shift]

_FORGOTTEN = np.empty((1, 0, 0))  # in place of a value that no later step reads


class Path(list[Array]):
    """ỹ_0 … ỹ_N of a pass.

    Attributes
    ----------
    known
        By operator number: f_v before what acts on it, where the backward pass can use it.
    """

    def __init__(self, first: Array) -> None:
        super().__init__([first])
        self.known: dict[int, Array] = {}


@dataclass(frozen=True)
class Program:
    """The passes of one graph.

    Attributes
    ----------
    steps
        f_1 … f_N, in topological order.
    slices
        Where each group of trained weights lies in the vector of all of them, by the
        number of its first operator.
    claims, centers
        The inputs, and the weights by operator, whose regions are to be held against what
        a run meets.
    widths
        By operator: the size of its output.
    regulariser, strength
        𝓡 and ρ.
    """

    steps: tuple[Step, ...]
    slices: Mapping[int, slice]
    claims: tuple[Place, ...]
    centers: Centers
    widths: tuple[int, ...]
    regulariser: RegulariserSection
    strength: float

    @property
    def weights(self) -> int:
        """The number of trained weights of all operators."""
        return sum(part.stop - part.start for part in self.slices.values())

    def outputs(
        self,
        w: Array,
        features: Array,
        labels: Array,
        delta: Shifts,
        reach: Reach | None = None,
        *,
        value: bool = True,
    ) -> Path:
        """ỹ_0 … ỹ_N: ỹ_v = f_v(ỹ_{u₁}, …, ỹ_{u_k}, w_v) + δ_v for its predecessors u₁, …, u_k.

        Values that the backward pass does not need are left out.

        Parameters
        ----------
        w
            ``(R, k)``.
        features, labels
            ``(R or 1, M, d)`` and ``(R or 1, M)``.
        delta
            δ_v of shape ``(R, M, m_v)`` for the operators that are perturbed, or what
            replaces their outputs.
        reach
            Takes in the inputs met, if given.
        value
            Whether ỹ_N is wanted; the gradient does not need it.
        """
        path = Path(features)
        for number, step in enumerate(self.steps, 1):
            parts = [path[u] for u in step.reads]
            inputs = concatenated(parts)
            if reach is not None:
                reach.see(number, parts, inputs)
            if not value and number == len(self.steps):
                path.append(np.ones((len(inputs), inputs.shape[1], self.widths[-1]), inputs.dtype))
                break
            y = step.operator.forward(inputs, step.weights(w), labels)
            shift = delta.get(number)
            if step.operator.keeps_output:
                path.known[number] = y
                y = y if shift is None else y.copy()
            path.append(shifted(y, shift))
            for u in step.last:
                path[u] = _FORGOTTEN
        return path

    def mean_gradient(self, w: Array, path: Path, labels: Array, epsilon: Shifts) -> Array:
        """The average of ũ over samples, ``(R, k)``, from the outputs of the same pass.

        ṽ_u = Σ_v (∇_u f_vᵀ ṽ_v + ε_{v,u}) over the operators v that read u, and
        ũ_g = Σ_v ∇_w f_vᵀ ṽ_v over those with the weights g; ṽ_0 is not needed.
        """
        return self._gradient(w, path, labels, epsilon, mean=True)

    def sample_gradients(self, w: Array, path: Path, labels: Array, epsilon: Shifts) -> Array:
        """ũ of every sample, ``(R, M, k)``, from the outputs of the same pass."""
        return self._gradient(w, path, labels, epsilon, mean=False)

    def _gradient(
        self, w: Array, path: Path, labels: Array, epsilon: Shifts, *, mean: bool
    ) -> Array:
        found: list[Array | None] = [None] * len(self.slices)
        back = {len(self.steps): np.ones_like(path[-1])}
        for number in range(len(self.steps), 0, -1):
            step = self.steps[number - 1]
            if not step.wanted:
                continue
            v = back.pop(number)
            inputs, weights = concatenated([path[u] for u in step.reads]), step.weights(w)
            operator, pulled = step.operator, None
            if mean and not step.arcs:
                gradient = operator.mean_weight_vjp(inputs, weights, labels, v)
            elif mean or step.group is None:
                # The weight part of every sample would be large, and nobody asks for it.
                known = path.known.get(number)
                if known is None:
                    pulled, gradient = operator.mean_vjp(inputs, weights, labels, v)
                else:
                    pulled, gradient = operator.mean_vjp_at(known, inputs, weights, labels, v)
            else:
                pulled, gradient = operator.vjp(inputs, weights, labels, v)
            if step.group is not None:
                found[step.group] = _plus(found[step.group], gradient)
            for arc in step.arcs:
                assert pulled is not None  # noqa: S101 - only steps without arcs skip it
                back[arc.source] = _plus(back.get(arc.source), _along(arc, pulled, epsilon))
        return concatenated([part for part in found if part is not None])

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
        self, w: Array, features: Array, labels: Array, reach: Reach | None = None
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
        If an operator is given by constants only, or none has weights to train.
    """
    steps, slices = make_steps(graph), weight_slices(graph)
    if not slices:
        raise SimulationError(
            "no operator has weights, so there is nothing to train",
            where="graph.operators",
            expected="at least one operator with weights that are trained",
            fix="set `bias: true` on an elementwise operator, or add a `dense` one",
        )
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - callers have looked
    return Program(
        steps=steps,
        slices=slices,
        claims=claimed_inputs(graph),
        centers=claimed_weights(graph, slices),
        widths=tuple(node.outputs for node in graph.nodes),
        regulariser=section.regulariser,
        strength=float(section.regulariser.strength.evaluate(FLOATS, graph.values(FLOATS))),
    )


def concatenated(parts: list[Array]) -> Array:
    """Arrays joined along the last axis, replicas broadcast to one length.

    >>> concatenated([np.zeros((1, 2, 3)), np.ones((5, 2, 1))]).shape
    (5, 2, 4)
    """
    if len(parts) == 1:
        return parts[0]
    count = max(len(part) for part in parts)
    return np.concatenate([spread(part, count) for part in parts], axis=-1)


def _plus(known: Array | None, more: Array) -> Array:
    # Not in place: ``more`` may be a view of a longer array.
    return more if known is None else known + more


def _along(arc: Arc, pulled: Array, epsilon: Shifts) -> Array:
    """What goes back along one edge: the parts of its slots, then what happens there, once."""
    total = pulled[..., arc.cuts[0]]
    for cut in arc.cuts[1:]:
        total = total + pulled[..., cut]
    return shifted(total, epsilon.get(arc.edge))
