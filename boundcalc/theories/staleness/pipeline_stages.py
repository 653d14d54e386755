"""The blocks of a pipeline: parts of a program that hold their own weights.

A batch goes forward through block i at the weights x_i^f, backward through it at x_i^b, and the
backward pass of a block starts from the input that the block stored on the way forward: values
inside the block are computed again, with x_i^b ([XHH] recompute them, too).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.program import Program, Shifts
from boundcalc.simulate.steps import Arc, Step
from boundcalc.simulate.transforms import shifted

_NOTHING: Shifts = {}


@dataclass(frozen=True)
class Stage:
    """One block k of a chain.

    Attributes
    ----------
    first
        The number of its first operator.
    steps
        Its operators, in order.
    columns
        Where its weights lie among all trained ones.
    width
        The size of its output.
    last
        Whether it ends the chain: its output is the loss, of which nobody needs the value.
    """

    first: int
    steps: tuple[Step, ...]
    columns: slice
    width: int
    last: bool

    def forward(self, w: Array, value: Array, labels: Array, delta: Shifts = _NOTHING) -> Array:
        """The block's output at the weights w, ``(R, M, m)``; of the last block its input.

        Parameters
        ----------
        w
            The weights of all blocks, ``(R, k)``.
        value
            The block's input, ``(R or 1, M, n)``; it is not changed.
        delta
            What acts after an operator, by its number.
        """
        if self.last:
            return value
        for number, step in enumerate(self.steps, self.first):
            value = step.operator.forward(value, step.weights(w), labels)
            if delta:
                value = shifted(value, delta.get(number))
        return value

    def backward(
        self,
        w: Array,
        value: Array,
        labels: Array,
        v: Array | None,
        delta: Shifts = _NOTHING,
        epsilon: Shifts = _NOTHING,
    ) -> tuple[Array, Array | None]:
        """𝒢_k averaged over the samples, ``(R, columns)``, and what goes to the block before.

        Parameters
        ----------
        value
            The input that the block stored, ``(R or 1, M, n)``.
        v
            The gradient at the block's output; None for the last block, where it is 1.
        epsilon
            What acts on the gradient along an edge, by the edge's number.

        Returns
        -------
        gradient, v
            The second is None where nothing before the block is trained.
        """
        inputs = self._inputs(w, value, labels, delta)
        if v is None:
            v = np.ones((len(inputs[-1]), value.shape[1], self.width))
        found: dict[int, Array] = {}
        for step, known in zip(reversed(self.steps), reversed(inputs), strict=True):
            if not step.wanted:
                v = None
                break
            weights, pulled = step.weights(w), None
            if step.arcs:
                pulled, gradient = step.operator.mean_vjp(known, weights, labels, v)
            else:
                gradient = step.operator.mean_weight_vjp(known, weights, labels, v)
            if step.group is not None:
                before = found.get(step.group)
                found[step.group] = gradient if before is None else before + gradient
            v = None if pulled is None else _along(step.arcs[0], pulled, epsilon)
        parts = [found[group] for group in sorted(found)]
        return _joined(parts, len(w)), v

    def _inputs(self, w: Array, value: Array, labels: Array, delta: Shifts) -> list[Array]:
        """What each operator of the block reads."""
        inputs = [value]
        for number, step in enumerate(self.steps[:-1], self.first):
            value = step.operator.forward(value, step.weights(w), labels)
            inputs.append(shifted(value, delta.get(number)))
            value = inputs[-1]
        return inputs


def _along(arc: Arc, pulled: Array, epsilon: Shifts) -> Array:
    return shifted(pulled, epsilon.get(arc.edge)) if epsilon else pulled


def _joined(parts: list[Array], replicas: int) -> Array:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts, axis=-1) if parts else np.zeros((replicas, 0))


def make_stages(program: Program, blocks: Sequence[range]) -> tuple[Stage, ...]:
    """The stages of a chain.

    Parameters
    ----------
    blocks
        The numbers of each block's operators, from 1; together all of them, in order.
    """
    stages, start = [], 0
    for numbers in blocks:
        steps = program.steps[numbers.start - 1 : numbers.stop - 1]
        stop = max((step.part.stop for step in steps if step.group is not None), default=start)
        stages.append(
            Stage(
                first=numbers.start,
                steps=steps,
                columns=slice(start, stop),
                width=program.widths[numbers.stop - 2],
                last=numbers.stop - 1 == len(program.steps),
            )
        )
        start = stop
    return tuple(stages)


def mixed_gradient(
    stages: Sequence[Stage], ahead: Array, back: Array, features: Array, labels: Array
) -> Array:
    """𝒢(x^b; x^f): forward through every block at x^f, backward at x^b, without noise.

    It is what a pipeline computes for a batch whose weights on the way forward were older, and
    the gradient itself where both are the same.

    Parameters
    ----------
    ahead, back
        x^f and x^b, ``(R, k)``.

    Returns
    -------
    Array
        ``(R, k)``, averaged over the samples; the regulariser is not in it.
    """
    stored = [features]
    for stage in stages[:-1]:
        stored.append(stage.forward(ahead, stored[-1], labels))
    v: Array | None = None
    found = np.empty_like(back)
    for stage, value in zip(reversed(stages), reversed(stored), strict=True):
        if not stage.last and v is None:
            break  # nothing here or before it is trained
        found[:, stage.columns], v = stage.backward(back, value, labels, v)
    return found
