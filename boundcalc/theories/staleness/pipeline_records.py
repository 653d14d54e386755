"""What is measured along a pipeline: x^n, which every block reaches at a time of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array
from boundcalc.simulate.reach import Reach, WeightReach
from boundcalc.simulate.records import Secant
from boundcalc.simulate.settings import Problem
from boundcalc.theories.staleness.pipeline_stages import Stage, mixed_gradient


@dataclass
class _Pending:
    """Weights of one batch; ``left`` blocks have not gone backward yet."""

    ahead: Array
    back: Array
    left: int


@dataclass(frozen=True)
class Part:
    """One operator with trained weights.

    Attributes
    ----------
    operator, block
        Its number from 1, and its block's from 0.
    columns
        Where its weights lie among all.
    """

    operator: int
    block: int
    columns: slice


class Recorder:
    """Measures every k-th batch n and the probe, once the last of its blocks has gone backward.

    Parts are the operators with trained weights.

    Attributes
    ----------
    parts
        In order.
    steps
        The recorded n: 0, k, 2k, … and T; ``(records,)``.
    loss, gradient_norm
        f(x^n) and ‖∇f(x^n)‖ over all data, ``(records, R)``.
    difference
        ‖𝒢_j(x^n; x^f) − ∇_j f(x^n)‖ of every part j over all data, ``(records, parts, R)``.
    forward_difference
        ‖𝒢_j(x^n; x^f) − ∇_j f(x^f)‖ likewise: what [XHH], Lemma 1, bounds.
    distance
        d_j = ‖x_j^n − x_j^f‖, ``(records, parts, R)``.
    first, last
        x⁰ and x^T, ``(R, k)``.
    carried
        The largest ‖v_i‖ of a sample: v_i is the gradient at the output of block i, of all
        blocks but the last.
    secant, weight_reach, input_reach
        As :class:`~boundcalc.simulate.records.Trajectory` has them, at these n; the secant also
        from x^f to x^n.
    """

    def __init__(self, problem: Problem, stages: Sequence[Stage]) -> None:
        settings, program = problem.settings, problem.program
        self._problem, self._stages = problem, stages
        self._x, self._y = problem.features[None], problem.labels[None]
        self._every, self._horizon = settings.record_every, settings.horizon
        self.parts = _parts(stages)
        self.steps: npt.NDArray[np.int64] = settings.recorded
        shape = (len(self.steps), len(problem.start))
        by_part = (len(self.steps), len(self.parts), len(problem.start))
        self.loss, self.gradient_norm = np.full(shape, np.nan), np.full(shape, np.nan)
        self.difference, self.distance = np.full(by_part, np.nan), np.full(by_part, np.nan)
        self.forward_difference = np.full(by_part, np.nan)
        self.first, self.last, self.carried = problem.start, problem.start, 0.0
        self.secant = Secant()
        self.weight_reach = WeightReach(program.centers)
        self.input_reach = Reach(program.claims)
        self._inputs = self.input_reach if settings.track_inputs else None
        self._pending: dict[int, _Pending] = {}
        self._free: list[_Pending] = []

    def by_block(self, values: Array) -> Array:
        """Norms by part as norms by block, ``(records, K, R)``."""
        found = np.zeros((len(values), len(self._stages), values.shape[2]))
        for index, part in enumerate(self.parts):
            found[:, part.block] += values[:, index] ** 2
        return np.asarray(np.sqrt(found))

    def ahead(self, block: int, number: int, weights: Array) -> None:
        """x_k^f, the weights with which a batch passes forward."""
        if not self._wanted(number):
            return
        pending = self._pending.get(number)
        if pending is None:
            pending = self._pending[number] = self._empty()
        pending.ahead[:, self._stages[block].columns] = weights

    def read(self, first: int, inputs: Sequence[Array]) -> None:
        """What operators read in a perturbed pass, from which their regions must not keep it."""
        if self._inputs is not None:
            for number, value in enumerate(inputs, first):
                self._inputs.see(number, [value], value)

    def back(self, block: int, number: int, weights: Array) -> None:
        """x_k^n, the weights with which it goes back; the first block is the last to."""
        if not self._wanted(number):
            return
        pending = self._pending[number]
        pending.back[:, self._stages[block].columns] = weights
        pending.left -= 1
        if not pending.left:
            index = -1 if number == self._horizon else number // self._every
            self._measure(index, pending)
            self._free.append(self._pending.pop(number))

    def _wanted(self, number: int) -> bool:
        return number % self._every == 0 or number == self._horizon

    def _empty(self) -> _Pending:
        if self._free:
            pending = self._free.pop()
            pending.left = len(self._stages)
            return pending
        shape = self._problem.start.shape
        return _Pending(np.empty(shape), np.empty(shape), len(self._stages))

    def _measure(self, index: int, pending: _Pending) -> None:
        program, ahead, back = self._problem.program, pending.ahead, pending.back
        self.weight_reach.see(back)
        loss, own = self._both(back)
        self.loss[index] = loss + program.penalty(back)
        gradient = own + program.penalty_gradient(back)
        self.gradient_norm[index] = _norms(gradient)
        old = self._both(ahead)[1]
        mixed = mixed_gradient(self._stages, ahead, back, self._x, self._y, self._carry)
        for place, part in enumerate(self.parts):
            here = part.columns
            self.difference[index, place] = _norms(mixed[:, here] - own[:, here])
            self.forward_difference[index, place] = _norms(mixed[:, here] - old[:, here])
            self.distance[index, place] = _norms(back[:, here] - ahead[:, here])
        self.secant.see(ahead.copy(), old + program.penalty_gradient(ahead))
        self.secant.see(back.copy(), gradient)
        if index == -1:
            self.last = back.copy()

    def _both(self, w: Array) -> tuple[Array, Array]:
        """f(w) and ∇f(w) over all data, without the regulariser."""
        program = self._problem.program
        path = program.outputs(w, self._x, self._y, {}, self._inputs)
        return path[-1][..., 0].mean(axis=1), program.mean_gradient(w, path, self._y, {})

    def _carry(self, v: Array) -> None:
        largest = np.sqrt(np.max(np.sum(v**2, axis=-1)))
        self.carried = float(np.maximum(self.carried, largest))  # NaN must not be lost


def _parts(stages: Sequence[Stage]) -> tuple[Part, ...]:
    return tuple(
        Part(number, block, slice(start + step.part.start, start + step.part.stop))
        for block, stage in enumerate(stages)
        for start in (stage.columns.start,)
        for number, step in enumerate(stage.steps, stage.first)
        if step.group is not None
    )


def _norms(rows: Array) -> Array:
    return np.asarray(np.sqrt(np.sum(rows**2, axis=1)))
