"""Distributed descent of many replicas at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from boundcalc.errors import SpecError
from boundcalc.operators.base import Array
from boundcalc.theories.distributed.noise_sampling import BLOCK, Draws, tiles
from boundcalc.theories.distributed.paths import Both, Plan, Walk
from boundcalc.theories.distributed.smoothness import smoothness_met

MAX_NUMBERS = 60_000_000  # that the agents of one block of replicas may send in a step
_AT_ONCE = 2_000_000  # numbers that a step works on
_PROBE = 1e-4  # how far probes of the gradient reach, relative to 1 + ‖x‖
MOST_PROBES = 32  # steps at which probes are made


def walk(
    both: Both, start: Array, plan: Plan, report: Callable[[int, int], None] | None = None
) -> Walk:
    """x_{k+1} = x_k − γ_k·D_k for all replicas; O(T·R·N·d) plus T·R gradients.

    Parameters
    ----------
    both
        f and ∇f.
    start
        x_0, ``(d,)``.
    report
        Told (steps done, steps in all).

    Raises
    ------
    SpecError
        If the agents' gradients of one block of replicas do not fit into memory.

    Notes
    -----
    Replica r meets the same numbers whatever the number of replicas and however many of them
    are worked on at once (:class:`~boundcalc.theories.distributed.noise_sampling.Draws`).

    Examples
    --------
    >>> from boundcalc.theories.distributed.algorithms import Algorithm
    >>> from boundcalc.theories.distributed.noise_sampling import Noise
    >>> from boundcalc.theories.distributed.schedules import Steps
    >>> half = lambda x: (np.sum(x**2, axis=1) / 2, x)
    >>> quiet = Noise("gaussian", np.zeros(1), np.zeros(1))
    >>> plan = Plan(Algorithm("dsgd"), quiet, Steps("constant", 0.5), 3, 2, 0, 1e6)
    >>> walk(half, np.array([8.0]), plan).loss[:, 0].tolist()
    [32.0, 8.0, 2.0, 0.5]
    """
    numbers = plan.noise.agents * len(start)
    if numbers * BLOCK > MAX_NUMBERS:
        raise SpecError(
            "the agents' gradients do not fit into memory",
            where="distributed.agents",
            value=f"{plan.noise.agents} agents × {len(start)} weights",
            expected=f"at most {MAX_NUMBERS // BLOCK} numbers",
            fix="simulate fewer agents or a smaller problem; `boundcalc rate` has no such limit",
        )
    found, apart = [], max(1, plan.horizon // 200)
    parts = list(tiles(plan.replicas, numbers, _AT_ONCE))
    for position, (part, blocks) in enumerate(parts):
        draws = Draws(plan.seed, blocks, len(part))

        def told(done: int, position: int = position) -> None:
            if report is not None and (done % apart == 0 or done == plan.horizon):
                report(position * plan.horizon + done, len(parts) * plan.horizon)

        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found.append(_Tile(both, start, plan, len(part), draws).run(told))
    return _together(found)


class _Tile:
    """Replicas that are worked on at once."""

    def __init__(self, both: Both, start: Array, plan: Plan, rows: int, draws: Draws) -> None:
        self.both, self.plan, self.draws = both, plan, draws
        self.x = np.tile(start, (rows, 1))
        self.escaped = np.full(rows, -1, dtype=np.int64)
        self.at = plan.recorded
        self.series = np.full((3, len(self.at), rows), np.inf)
        self.sums = {name: np.zeros(rows) for name in plan.measures}
        self.open = {name: np.ones(rows, dtype=np.bool_) for name in plan.measures}
        self.met, self.least = -np.inf, np.inf
        self.largest = np.full(rows, float(np.linalg.norm(start)))
        apart = max(1, len(self.at) // MOST_PROBES)
        self.probed = set(self.at[::apart])
        self.before: tuple[Array, Array] | None = None

    def run(self, told: Callable[[int], None]) -> Walk:
        record = {step: row for row, step in enumerate(self.at)}
        for step in range(self.plan.horizon + 1):
            alive = self.escaped < 0
            if not alive.any():
                break
            loss, gradient = self.both(self.x)
            norm = np.linalg.norm(gradient, axis=1)
            self._look(step, alive, loss, gradient)
            if step in record:
                row = record[step]
                for part, values in enumerate((loss, norm, np.linalg.norm(self.x, axis=1))):
                    self.series[part, row, alive] = values[alive]
            if step == self.plan.horizon:
                break
            self._stop(alive, norm)
            for name, measure in self.plan.measures.items():
                if measure.weights[step] > 0:
                    gain = measure.weights[step] * measure.of(gradient)
                    self.sums[name] += np.where(self.open[name], gain, 0.0)
            self._advance(step, alive, gradient, norm)
            told(step + 1)
        told(self.plan.horizon)
        return self._result()

    def _advance(
        self, step: int, alive: npt.NDArray[np.bool_], gradient: Array, norm: Array
    ) -> None:
        plan, size = self.plan, self.x.shape[1]
        noise = plan.noise.scaled(norm, self.draws.noise(plan.noise, size))
        uniforms = self.draws.uniforms(plan.noise.agents, size) if plan.algorithm.draws else None
        direction = plan.algorithm.direction(gradient[:, None, :] + noise, uniforms)
        new = self.x - plan.steps.at(step, norm)[:, None] * direction
        distance = np.linalg.norm(new, axis=1)
        inside = distance <= plan.escape  # NaN is not
        gone = alive & ~inside
        self.escaped[gone] = step + 1
        if gone.any() and any(math.isfinite(m.stop) for m in plan.measures.values()):
            # A run that leaves over a gradient beyond τ's leaves after τ.
            self._stop(gone, np.linalg.norm(self.both(new)[1], axis=1))
        kept = alive & inside
        self.x = np.where(kept[:, None], new, self.x)
        self.largest = np.where(kept, np.maximum(self.largest, distance), self.largest)

    def _stop(self, rows: npt.NDArray[np.bool_], norm: Array) -> None:
        """Close the measures whose τ has come, in some rows; NaN is beyond every number."""
        for name, measure in self.plan.measures.items():
            if math.isfinite(measure.stop):
                self.open[name] &= ~rows | (norm <= measure.stop)

    def _look(self, step: int, alive: npt.NDArray[np.bool_], loss: Array, gradient: Array) -> None:
        """The least f, and secants: from the last iterate, and to a close point."""
        self.least = min(self.least, float(np.min(loss[alive])))
        here = (self.x, gradient)
        if self.before is not None:
            self.met = max(self.met, smoothness_met(self.before, here, self.plan.L1, alive))
        if step in self.probed:
            reach = _PROBE * (1 + np.linalg.norm(self.x, axis=1, keepdims=True))
            near = self.x + reach * self.draws.directions(self.x.shape[1])
            there = (near, self.both(near)[1])
            self.met = max(self.met, smoothness_met(here, there, self.plan.L1, alive))
        self.before = here

    def _result(self) -> Walk:
        gone = self.escaped >= 0
        for name, sums in self.sums.items():
            sums[gone & self.open[name]] = np.inf
        self.largest[gone] = np.nan
        loss, norm, distance = self.series
        return Walk(
            at=np.array(self.at, dtype=np.float64),
            loss=loss,
            gradient_norm=norm,
            distance=distance,
            final=self.x,
            escaped=self.escaped,
            measured=self.sums,
            L0_met=self.met,
            least=self.least,
            largest_distance=_largest(self.largest),
        )


def _together(found: list[Walk]) -> Walk:
    if len(found) == 1:
        return found[0]
    largest = [w.largest_distance for w in found]
    return Walk(
        at=found[0].at,
        loss=np.concatenate([w.loss for w in found], axis=1),
        gradient_norm=np.concatenate([w.gradient_norm for w in found], axis=1),
        distance=np.concatenate([w.distance for w in found], axis=1),
        final=np.concatenate([w.final for w in found]),
        escaped=np.concatenate([w.escaped for w in found]),
        measured={
            name: np.concatenate([w.measured[name] for w in found]) for name in found[0].measured
        },
        L0_met=max(w.L0_met for w in found),
        least=min(w.least for w in found),
        largest_distance=_largest(np.array(largest)),
    )


def _largest(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else float("nan")
