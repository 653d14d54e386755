"""The blocks of a pipeline: parts of a program that hold their own weights.

A batch goes forward through block i at the weights x_i^f, and backward through it at x_i^b: the
Jacobians of each operator are taken at what it read on the way forward and at x_i^b.  So the
loss, which stands at the end of the last block, is differentiated at the value that it was given.

A block of one operator stores its input and nothing else, as in [XHH].  In longer blocks [XHH]
compute the values inside again, with x_i^b; here they are stored, which is what Lemma 1 of
docs/theory-staleness.md, section 10, is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.program import Program, Shifts
from boundcalc.simulate.steps import Step
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
        Its operators, in order; their weights lie in those of the block.
    columns
        Where its weights lie among all trained ones.
    known
        By operator: whether its backward pass uses its output.
    width
        The size of its output.
    last
        Whether it ends the chain: its output is the loss, of which nobody needs the value.
    """

    first: int
    steps: tuple[Step, ...]
    columns: slice
    known: tuple[bool, ...]
    width: int
    last: bool

    def forward(
        self, w: Array, value: Array, labels: Array, delta: Shifts = _NOTHING
    ) -> tuple[list[Array], Array]:
        """What each operator reads, and the block's output at the weights w, ``(R, M, m)``.

        Parameters
        ----------
        w
            The weights of the block, ``(R, columns)``.
        value
            The block's input, ``(R or 1, M, n)``; it is not changed.
        delta
            What acts after an operator, by its number.
        """
        inputs: list[Array] = []
        for number, step in enumerate(self.steps, self.first):
            inputs.append(value)
            if self.last and len(inputs) == len(self.steps):
                break  # the loss itself is not needed
            value = step.operator.forward(value, step.weights(w), labels)
            if delta:
                value = shifted(value, delta.get(number))
        return inputs, value

    def backward(
        self,
        w: Array,
        inputs: Sequence[Array],
        labels: Array,
        v: Array | None,
        epsilon: Shifts = _NOTHING,
    ) -> tuple[Array, Array | None]:
        """𝒢_k averaged over the samples, ``(R, columns)``, and what goes to the block before.

        Parameters
        ----------
        inputs
            What :meth:`forward` gave.
        v
            The gradient at the block's output; None for the last block, where it is 1.
        epsilon
            What acts on the gradient along an edge, by the edge's number.

        Returns
        -------
        gradient, v
            The second is None where nothing before the block is trained.
        """
        if v is None:
            read = inputs[-1]
            v = np.ones((len(read), read.shape[1], self.width))
        parts: list[Array] = []
        for index in range(len(self.steps) - 1, -1, -1):
            step, read = self.steps[index], inputs[index]
            if v is None or not step.wanted:
                v = None
                break
            weights, made = step.weights(w), None
            if self.known[index]:
                made = step.operator.forward(read, weights, labels)
            v, gradient = _pulled(step, read, made, weights, labels, v, epsilon)
            if step.group is not None:
                parts.append(gradient)
        return _joined(parts[::-1], len(w)), v


def _pulled(
    step: Step,
    value: Array,
    made: Array | None,
    weights: Array,
    labels: Array,
    v: Array,
    epsilon: Shifts,
) -> tuple[Array | None, Array]:
    """What an operator passes back, if anyone is to have it, and its own gradient."""
    operator = step.operator
    if not step.arcs:
        return None, operator.mean_weight_vjp(value, weights, labels, v)
    if made is None:
        pulled, gradient = operator.mean_vjp(value, weights, labels, v)
    else:
        pulled, gradient = operator.mean_vjp_at(made, value, weights, labels, v)
    return shifted(pulled, epsilon.get(step.arcs[0].edge)) if epsilon else pulled, gradient


def _joined(parts: list[Array], replicas: int) -> Array:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts, axis=-1) if parts else np.zeros((replicas, 0))


def make_stages(program: Program, blocks: Sequence[range]) -> tuple[Stage, ...]:
    """The stages of a chain whose operators share no weights.

    Parameters
    ----------
    blocks
        The numbers of each block's operators, from 1; together all of them, in order.
    """
    stages, start = [], 0
    for numbers in blocks:
        steps = program.steps[numbers.start - 1 : numbers.stop - 1]
        stop = max((step.part.stop for step in steps if step.group is not None), default=start)
        last = numbers.stop - 1 == len(program.steps)
        known = [bool(step.arcs) and step.operator.keeps_output for step in steps]
        if last:
            known[-1] = False  # the loss itself is not computed
        stages.append(
            Stage(
                first=numbers.start,
                steps=tuple(replace(step, part=_moved(step.part, start)) for step in steps),
                columns=slice(start, stop),
                known=tuple(known),
                width=program.widths[numbers.stop - 2],
                last=last,
            )
        )
        start = stop
    return tuple(stages)


def _moved(part: slice, by: int) -> slice:
    return slice(part.start - by, part.stop - by) if part.stop > part.start else part


def mixed_gradient(
    stages: Sequence[Stage],
    ahead: Array,
    back: Array,
    features: Array,
    labels: Array,
    carried: Callable[[Array], None] | None = None,
) -> Array:
    """𝒢(x^b; x^f): forward through every block at x^f, backward at x^b, without noise.

    It is what a pipeline computes for a batch whose weights on the way forward were older, and
    the gradient itself where both are the same.

    Parameters
    ----------
    ahead, back
        x^f and x^b, ``(R, k)``.
    carried
        Told v_i of every sample, the gradient at the output of block i, of all blocks but the
        last, where it is 1.

    Returns
    -------
    Array
        ``(R, k)``, averaged over the samples; the regulariser is not in it.
    """
    stored, value = [], features
    for stage in stages:
        inputs, value = stage.forward(ahead[:, stage.columns], value, labels)
        stored.append(inputs)
    v: Array | None = None
    found = np.empty_like(back)
    for stage, inputs in zip(reversed(stages), reversed(stored), strict=True):
        if not stage.last and v is None:
            break  # nothing here or before it is trained
        if carried is not None and v is not None:
            carried(v)
        found[:, stage.columns], v = stage.backward(back[:, stage.columns], inputs, labels, v)
    return found
