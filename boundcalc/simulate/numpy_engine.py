"""The engine in NumPy: all replicas of a block at once, array by array."""

from __future__ import annotations

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.memory import Memory, Rows
from boundcalc.simulate.optimizers import clip
from boundcalc.simulate.runner import Out, Runner
from boundcalc.simulate.settings import Problem

_BLOCK = 4096  # steps whose schedules are looked up at once
_DRAWN = 100_000  # normal numbers drawn at once


class NumpyRunner(Runner):
    """A block of replicas run with the operators' own NumPy code.

    O(R·M) a step for each operator; memory O(R·M) for the passes of one step.  Transforms with
    memory keep O(R·M) vectors more.
    """

    def __init__(self, problem: Problem, replicas: range, out: Out) -> None:
        super().__init__(problem, replicas, out)
        dtype = problem.settings.dtype
        self._x = problem.features[None].astype(dtype, copy=False)
        self._y = problem.labels[None].astype(dtype, copy=False)
        self._inputs = self.input_reach if problem.settings.track_inputs else None
        self._memory = Memory(self.noise.perturbations, len(replicas), len(problem.features))
        self._active = np.zeros((0, 0), dtype=np.bool_)
        self._noise = np.zeros((0, 0, 0))

    def advance(self, stop: int) -> None:
        """Do the steps t .. stop − 1; warnings of runs on their way to infinity are silenced."""
        every = self.problem.settings.record_every
        with np.errstate(over="ignore", invalid="ignore"):
            while self.t < stop:
                exact = self._record(self.t // every) if self.t % every == 0 else None
                self._step(exact)
                self.t += 1

    def finish(self) -> None:
        """Record the weights after the last step."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._record(self.problem.settings.records - 1)
            self.weight_reach.see(self.w)

    def _record(self, index: int) -> Array:
        loss, gradient = self.problem.program.objective(self.w, self._x, self._y, self._inputs)
        rows = slice(self.replicas.start, self.replicas.stop)
        self.out.loss[index, rows] = loss
        self.out.gradient_norm[index, rows] = np.sqrt(np.sum(gradient**2, axis=1))
        self.secant.see(self.w.copy(), gradient)
        return gradient

    def _step(self, exact: Array | None) -> None:
        """One step; ``exact`` is ∇ℓ(w) where it is known."""
        settings = self.problem.settings
        self.weight_reach.see(self.w)
        gradient = self._gradient(exact).astype(self.w.dtype, copy=exact is not None)
        if settings.noise_std:
            gradient += self._added_noise().astype(self.w.dtype, copy=False)
        if settings.clip is not None:
            clip(gradient, settings.clip)
        settings.optimizer.update(self.w, gradient, self.states, self.t, settings.step_size)

    def _gradient(self, exact: Array | None) -> Array:
        """One stochastic gradient: perturbed passes on the batch, and the regulariser."""
        program, settings = self.problem.program, self.problem.settings
        x, y, rows = self._x, self._y, self._rows()
        if rows is not None:
            x, y = x[0][rows], y[0][rows]
        active = self._acting()
        if rows is None and not any(active) and exact is not None:
            return exact
        delta, epsilon = self.noise.draw(
            self.streams,
            len(self.w),
            x.shape[1],
            active,
            memory=self._memory,
            rows=rows,
            dtype=settings.dtype,
        )
        path = program.outputs(self.w, x, y, delta, self._inputs, value=False)
        return program.mean_gradient(self.w, path, y, epsilon) + program.penalty_gradient(self.w)

    def _added_noise(self) -> Array:
        """ξ of this step, ``(R, k)``: drawn replica by replica for many steps at once."""
        if not len(self._noise):
            steps = max(1, _DRAWN // self.w.size)
            std, count = self.problem.settings.noise_std, self.w.shape[1]
            drawn = [std * g.standard_normal((steps, count)) for g in self.sampling]
            self._noise = np.stack(drawn, axis=1)
        first: Array = self._noise[0]
        self._noise = self._noise[1:]
        return first

    def _rows(self) -> Rows:
        """The rows of a minibatch, ``(R, B)``; None is the whole data set."""
        batch, count = self.problem.settings.batch, self._x.shape[1]
        if batch is None:
            return None
        return np.stack([g.integers(count, size=batch) for g in self.sampling])

    def _acting(self) -> tuple[bool, ...]:
        """Which perturbations act in this step."""
        at = self.t % _BLOCK
        if at == 0 or not len(self._active):
            first, horizon = self.t - at, self.problem.settings.horizon
            self._active = self.noise.active(first, min(first + _BLOCK, horizon), horizon)
        return tuple(bool(on) for on in self._active[at])
