"""DSP(p; m): a chain of blocks run as a pipeline, with first-in-first-out queues between them.

[XHH] An Xu, Zhouyuan Huo, Heng Huang, On the Acceleration of Deep Learning Model Parallelism
with Staleness, CVPR 2020, arXiv 1909.02625.

At every tick of a common clock each block k

1. takes a value from the queue of length p_{k−1} before it, passes it forward at its own
   weights of that moment, puts the result into the queue p_k and stores what its operators
   read in a queue of length m_k of its own;
2. takes what it stored from that queue and a gradient from the queue of length q_{k+1} that the
   next block fills, goes backward at its weights of that moment, puts the gradient of its input
   into the queue q_k, and moves its weights.

At first every queue is full of gaps, and a block that takes a gap does nothing and puts a gap.
So batch n is passed forward through block k at tick n + p_0 + … + p_{k−1} and back m_k ticks
later; its gradient and its stored value come out together if and only if
m_k + q_k + p_{k−1} = m_{k−1}, which is the rule for q_k.  Until then block k has seen the
gradients of the batches 0, …, n − m_k − 1: its weights on the way forward are x_k^{n−m_k}, or
x_k⁰ for n < m_k, and x_k^n on the way back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.program import Shifts
from boundcalc.simulate.settings import Problem
from boundcalc.theories.staleness.pipeline_batches import Batch, Draws, Feed
from boundcalc.theories.staleness.pipeline_stages import Stage

T = TypeVar("T")


class Lengths(Protocol):
    """The lengths of the queues of DSP(p; m): K of each kind."""

    @property
    def p(self) -> Sequence[int]:
        """Of values between blocks k and k + 1; the last is 0."""

    @property
    def m(self) -> Sequence[int]:
        """Of stored values inside block k."""

    @property
    def q(self) -> Sequence[int]:
        """Of gradients between blocks k and k − 1; the first is 0."""


class Observer(Protocol):
    """Who is told the weights with which each batch passes each block."""

    def ahead(self, block: int, number: int, weights: Array) -> None:
        """The forward pass of a batch: ``weights`` are x_k^f, ``(R, columns)``."""

    def read(self, first: int, inputs: Sequence[Array]) -> None:
        """What the operators from ``first`` on read in a perturbed pass."""

    def back(self, block: int, number: int, weights: Array) -> None:
        """The backward pass, before the weights x_k^n are moved."""


class Queue(Generic[T]):
    """First in, first out: what is put comes out ``length`` ticks later, after as many gaps.

    >>> queue = Queue[str](2)
    >>> [queue.through(item) for item in "abc"]
    [None, None, 'a']
    """

    def __init__(self, length: int) -> None:
        self._items: deque[T | None] = deque([None] * length, length + 1)

    def put(self, item: T | None) -> None:
        """Add an item, or a gap, at the end."""
        self._items.append(item)

    def take(self) -> T | None:
        """The item at the front, or None for a gap."""
        return self._items.popleft()

    @property
    def count(self) -> int:
        """How many items it holds; gaps are none."""
        return sum(item is not None for item in self._items)

    def through(self, item: T | None) -> T | None:
        """Put one and take one."""
        self.put(item)
        return self.take()


@dataclass(frozen=True)
class _Stored:
    """What a block keeps of a batch between its two passes."""

    batch: Batch
    inputs: list[Array]


class PipelineEngine:
    """The blocks of a chain, their queues and their weights, for all replicas at once.

    Memory is O(R·M·Σ(m_k + p_k + q_k)) vectors of values; a tick takes O(R·M) for each operator.

    Parameters
    ----------
    problem
        What the ordinary simulator would be given.
    stages
        The blocks.
    queues
        Their queues.
    draws
        Of perturbed passes; None for exact ones.
    observer
        Told about every pass.

    Attributes
    ----------
    ticks
        How many there are until the last batch is done.
    """

    def __init__(
        self,
        problem: Problem,
        stages: Sequence[Stage],
        queues: Lengths,
        draws: Draws | None = None,
        observer: Observer | None = None,
    ) -> None:
        settings = problem.settings
        self._problem, self._stages, self._draws, self._observer = problem, stages, draws, observer
        self._feed = Feed(problem)
        self._ahead = [Queue[tuple[Batch, Array]](length) for length in queues.p[:-1]]
        self._own = [Queue[_Stored](length) for length in queues.m]
        self._back = [Queue[tuple[Batch, Array | None]](length) for length in queues.q[1:]]
        self._weights = [problem.start[:, stage.columns].copy() for stage in stages]
        self._states = [np.zeros((settings.optimizer.states, *w.shape)) for w in self._weights]
        self._regularised = problem.program.regulariser.kind != "none"
        self.ticks = settings.horizon + 1 + queues.m[0]  # the first block is the last to be done

    @property
    def w(self) -> Array:
        """The weights of every block now, ``(R, k)``: of different versions until the end."""
        return np.concatenate(self._weights, axis=1)

    @property
    def held(self) -> int:
        """How many values and gradients all queues hold now; gaps are none."""
        queues: list[Queue[Any]] = [*self._ahead, *self._own, *self._back]
        return sum(queue.count for queue in queues)

    def tick(self) -> None:
        """One tick of the clock: every block passes one batch forward and one back."""
        batch = self._feed.next()
        arrived = None if batch is None else (batch, batch.features)
        for block in range(len(self._stages)):
            stored, result = self._forward(block, arrived)
            self._own[block].put(stored)
            if block < len(self._ahead):
                arrived = self._ahead[block].through(result)
        gradient: tuple[Batch, Array | None] | None = None
        for block in reversed(range(len(self._stages))):
            result_back = self._backward(block, self._own[block].take(), gradient)
            if block:
                gradient = self._back[block - 1].through(result_back)

    def _forward(
        self, block: int, arrived: tuple[Batch, Array] | None
    ) -> tuple[_Stored | None, tuple[Batch, Array] | None]:
        if arrived is None:
            return None, None
        batch, value = arrived
        if self._observer is not None:
            self._observer.ahead(block, batch.number, self._weights[block])
        weights, labels = self._weights[block], batch.labels
        delta: Shifts = {} if self._draws is None else self._draws.forward(block, batch)
        inputs, result = self._stages[block].forward(weights, value, labels, delta)
        if self._observer is not None and self._draws is not None:
            self._observer.read(self._stages[block].first, inputs)
        return _Stored(batch, inputs), (batch, result)

    def _backward(
        self,
        block: int,
        stored: _Stored | None,
        gradient: tuple[Batch, Array | None] | None,
    ) -> tuple[Batch, Array | None] | None:
        stage = self._stages[block]
        if stored is None and (stage.last or gradient is None):
            return None
        if stored is None or not (stage.last or (gradient and gradient[0] is stored.batch)):
            raise RuntimeError("a gradient and its batch did not arrive together")
        batch, v = stored.batch, None if gradient is None else gradient[1]
        if self._observer is not None:
            self._observer.back(block, batch.number, self._weights[block])
        if batch.probe or (v is None and not stage.last):
            return batch, None  # nothing here or before it is to be moved
        epsilon = {} if self._draws is None else self._draws.backward(block, batch)
        found, passed = stage.backward(
            self._weights[block], stored.inputs, batch.labels, v, epsilon
        )
        self._move(block, batch, found)
        return batch, passed

    def _move(self, block: int, batch: Batch, gradient: Array) -> None:
        """One step of the optimizer on the block's own weights."""
        weights, settings = self._weights[block], self._problem.settings
        if self._regularised:
            gradient = gradient + self._problem.program.penalty_gradient(weights)
        if batch.noise is not None:
            gradient = gradient + batch.noise[:, self._stages[block].columns]
        states = self._states[block]
        settings.optimizer.update(weights, gradient, states, batch.number, settings.step_size)
