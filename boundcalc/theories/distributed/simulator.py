"""Distributed descent of many replicas at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from boundcalc.errors import SpecError
from boundcalc.operators.base import Array
from boundcalc.theories.distributed.algorithms import Algorithm
from boundcalc.theories.distributed.noise_sampling import BLOCK, Draws, Noise, tiles
from boundcalc.theories.distributed.schedules import Steps

MAX_NUMBERS = 60_000_000  # that the agents of one block of replicas may send in a step
_AT_ONCE = 2_000_000  # numbers that a step works on
_PROBE = 1e-4  # how far probes of the gradient reach, relative to 1 + ‖x‖
_CLOSE = 1e-6  # iterates closer than this are not told apart: differences would be rounding
MOST_PROBES = 32  # steps at which probes are made

#: f and ∇f of many points ``(R, d)``: ``(R,)`` and ``(R, d)``.
Both = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Measure:
    """Σ_k p_k·φ(∇f(x_k)), the mean of φ at a random time with probabilities p_k.

    Attributes
    ----------
    weights
        ``(T,)``: p_k ≥ 0, with sum 1.
    of
        φ: from gradients ``(R, d)`` to ``(R,)``.
    """

    weights: Array
    of: Callable[[Array], Array]


@dataclass(frozen=True)
class Plan:
    """One run.

    Attributes
    ----------
    algorithm, noise, steps
        What agents send, what disturbs them, and γ_k.
    horizon, replicas, seed
        T, R, and the seed.
    escape
        A replica with ‖x‖ beyond it, or not finite, is stopped.
    every
        f, ‖∇f‖ and ‖x‖ are recorded at every so many steps, and at the end.
    measures
        By name what is averaged along the run.
    L1
        For the smoothness that a run meets; see :attr:`Walk.L0_met`.
    """

    algorithm: Algorithm
    noise: Noise
    steps: Steps
    horizon: int
    replicas: int
    seed: int
    escape: float
    every: int = 1
    measures: Mapping[str, Measure] = field(default_factory=dict)
    L1: float = 0.0

    @property
    def recorded(self) -> list[int]:
        """The recorded steps: 0, every, 2·every, … and T."""
        return [*range(0, self.horizon, self.every), self.horizon]


@dataclass(frozen=True)
class Walk:
    """What a run met.

    Attributes
    ----------
    at
        ``(n,)``: the recorded steps.
    loss, gradient_norm, distance
        ``(n, R)``: f, ‖∇f‖ and ‖x‖; infinite from the step on at which a replica escaped.
    final
        ``(R, d)``: x_T; of a replica that escaped the last iterate before.
    escaped
        ``(R,)``: the step whose iterate was beyond the escape radius; −1 if none was.
    measured
        Name → ``(R,)``, the measures of the plan; infinite for a replica that escaped.
    L0_met
        The smallest L0 for which no pair of points that the run looked at refutes
        (L0, L1)-smoothness, −∞ if there was no pair.
    least, largest_distance
        The least f, and the largest ‖x‖ of a replica that did not escape; NaN if all did.
    """

    at: Array
    loss: Array
    gradient_norm: Array
    distance: Array
    final: Array
    escaped: npt.NDArray[np.int64]
    measured: Mapping[str, Array]
    L0_met: float
    least: float
    largest_distance: float

    @property
    def bounded(self) -> npt.NDArray[np.bool_]:
        """``(R,)``: which replicas did not escape."""
        return self.escaped < 0


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
    found = []
    parts = list(tiles(plan.replicas, numbers, _AT_ONCE))
    for position, (part, blocks) in enumerate(parts):
        draws = Draws(plan.seed, blocks, len(part))

        def told(done: int, position: int = position) -> None:
            if report is not None:
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
            for name, measure in self.plan.measures.items():
                if measure.weights[step] > 0:
                    self.sums[name] += measure.weights[step] * measure.of(gradient)
            self._advance(step, alive, gradient, norm)
            told(step + 1)
        return self._result()

    def _advance(
        self, step: int, alive: npt.NDArray[np.bool_], gradient: Array, norm: Array
    ) -> None:
        plan, size = self.plan, self.x.shape[1]
        noise = plan.noise.scale(norm)[..., None] * self.draws.noise(plan.noise, size)
        uniforms = self.draws.uniforms(plan.noise.agents, size) if plan.algorithm.draws else None
        direction = plan.algorithm.direction(gradient[:, None, :] + noise, uniforms)
        new = self.x - plan.steps.at(step, norm)[:, None] * direction
        distance = np.linalg.norm(new, axis=1)
        inside = distance <= plan.escape  # NaN is not
        self.escaped[alive & ~inside] = step + 1
        kept = alive & inside
        self.x = np.where(kept[:, None], new, self.x)
        self.largest = np.where(kept, np.maximum(self.largest, distance), self.largest)

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
        for sums in self.sums.values():
            sums[gone] = np.inf
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


def smoothness_met(
    one: tuple[Array, Array], two: tuple[Array, Array], L1: float, rows: npt.NDArray[np.bool_]
) -> float:
    """The smallest L0 for which pairs (x, ∇f(x)) do not refute (L0, L1)-smoothness.

    ‖∇²f‖ ≤ L0 + L1‖∇f‖ implies ‖∇f(y) − ∇f(x)‖ ≤ (L0 + L1‖∇f(x)‖)(e^{L1·r} − 1)/L1 with
    r = ‖y − x‖, for either end as x.

    Parameters
    ----------
    rows
        Which pairs count; those closer than rounding allows never do.

    Examples
    --------
    >>> x, y = np.array([[0.0]]), np.array([[2.0]])
    >>> smoothness_met((x, 3 * x), (y, 3 * y), 0.0, np.array([True]))
    3.0
    """
    gap = np.linalg.norm(two[0] - one[0], axis=1)
    size = 1 + np.maximum(np.linalg.norm(one[0], axis=1), np.linalg.norm(two[0], axis=1))
    rows = rows & (gap > _CLOSE * size)
    if not rows.any():
        return -np.inf
    change = np.linalg.norm(two[1] - one[1], axis=1)[rows]
    smaller = np.minimum(np.linalg.norm(one[1], axis=1), np.linalg.norm(two[1], axis=1))[rows]
    gap = gap[rows]
    with np.errstate(over="ignore"):  # e^{L1·r} may be infinite: then the pair says nothing
        slope = change / gap if L1 == 0 else change * L1 / np.expm1(L1 * gap)
    return float(np.max(slope - L1 * smaller))


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
