"""What is measured along a pipeline: x^n put together from blocks that reach it at their own time."""

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


class Recorder:
    """Measures every k-th batch n, as soon as the last of its blocks has gone backward.

    Attributes
    ----------
    steps
        The recorded n: 0, k, 2k, … < T; ``(records,)``.
    loss, gradient_norm
        f(x^n) and ‖∇f(x^n)‖ over all data, ``(records, R)``.
    difference
        ‖𝒢_i(x^n; x^f) − ∇_i f(x^n)‖ of every block i over all data, ``(records, K, R)``.
    distance
        d_i = ‖x_i^n − x_i^f‖, ``(records, K, R)``.
    secant, weight_reach, input_reach
        As :class:`~boundcalc.simulate.records.Trajectory` has them, at these n.
    block_secant
        The largest ‖∇_i f(x) − ∇_i f(x′)‖ / ‖x − x′‖ of one block i and of n recorded after
        each other, and of x^n and x^f: a lower bound on [XHH]'s L.
    """

    def __init__(self, problem: Problem, stages: Sequence[Stage]) -> None:
        settings, program = problem.settings, problem.program
        self._problem, self._stages = problem, stages
        self._x, self._y = problem.features[None], problem.labels[None]
        self._every = settings.record_every
        self.steps: npt.NDArray[np.int64] = settings.recorded[:-1]
        shape = (len(self.steps), len(problem.start))
        blocks = (len(self.steps), len(stages), len(problem.start))
        self.loss, self.gradient_norm = np.full(shape, np.nan), np.full(shape, np.nan)
        self.difference, self.distance = np.full(blocks, np.nan), np.full(blocks, np.nan)
        self.secant, self.block_secant = Secant(), 0.0
        self.weight_reach = WeightReach(program.centers)
        self.input_reach = Reach(program.claims)
        self._inputs = self.input_reach if settings.track_inputs else None
        self._pending: dict[int, _Pending] = {}
        self._free: list[_Pending] = []
        self._before: tuple[Array, Array] | None = None

    def ahead(self, block: int, number: int, weights: Array) -> None:
        """x_k^f, the weights with which a batch passes forward."""
        if number % self._every:
            return
        pending = self._pending.get(number)
        if pending is None:
            pending = self._pending[number] = self._empty()
        pending.ahead[:, self._stages[block].columns] = weights

    def back(self, block: int, number: int, weights: Array) -> None:
        """x_k^n, the weights with which it goes back; the first block is the last to."""
        if number % self._every:
            return
        pending = self._pending[number]
        pending.back[:, self._stages[block].columns] = weights
        pending.left -= 1
        if not pending.left:
            self._measure(number // self._every, pending)
            self._free.append(self._pending.pop(number))

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
        path = program.outputs(back, self._x, self._y, {}, self._inputs)
        own = program.mean_gradient(back, path, self._y, {})
        gradient = own + program.penalty_gradient(back)
        self.loss[index] = path[-1][..., 0].mean(axis=1) + program.penalty(back)
        self.gradient_norm[index] = _norms(gradient)
        mixed = mixed_gradient(self._stages, ahead, back, self._x, self._y)
        for block, stage in enumerate(self._stages):
            part = stage.columns
            self.difference[index, block] = _norms(mixed[:, part] - own[:, part])
            self.distance[index, block] = _norms(back[:, part] - ahead[:, part])
        self.secant.see(back.copy(), gradient)


def _norms(rows: Array) -> Array:
    return np.asarray(np.sqrt(np.sum(rows**2, axis=1)))
