"""SGD on a program: all replicas of one run, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.memory import Memory, Rows
from boundcalc.simulate.noise import NoiseSource, stream
from boundcalc.simulate.program import Program
from boundcalc.simulate.reach import Reach, WeightReach

_BLOCK = 4096  # steps whose schedules are looked up at once
_REPORT = 64  # steps between two reports of progress


@dataclass(frozen=True)
class Trajectory:
    """What was recorded along a run of T steps with R replicas.

    Attributes
    ----------
    loss, gradient_norm
        ℓ(w^(t)) and ‖∇ℓ(w^(t))‖ for t = 0..T, ``(T+1, R)``.
    snapshots
        First replica's weights by step.
    final
        w^(T), ``(R, k)``.
    secant
        Largest ‖∇ℓ(w^(t+1)) − ∇ℓ(w^(t))‖ / ‖w^(t+1) − w^(t)‖ met: a lower bound on L.
    weight_reach, input_reach
        The weights and the inputs met, where a region is claimed; inputs only if the
        settings ask for them.
    diverged_at
        First step at which a replica's loss was not finite, or None.
    """

    loss: Array
    gradient_norm: Array
    snapshots: dict[int, Array]
    final: Array
    secant: float
    weight_reach: WeightReach
    input_reach: Reach
    diverged_at: int | None


@dataclass(frozen=True)
class Settings:
    """Everything :func:`train` needs besides the program and the noise."""

    step_size: float
    horizon: int
    replicas: int
    seed: int
    noise_std: float
    batch: int | None  # None: the full data set
    snapshot_steps: frozenset[int]
    track_inputs: bool  # measure inputs along the run, where a region is claimed


def train(
    program: Program,
    noise: NoiseSource,
    features: Array,
    labels: Array,
    start: Array,
    settings: Settings,
    progress: Callable[[int], None],
) -> Trajectory:
    """w ← w − γ(ũ + ρ∇𝓡(w) + ξ), T times, for all replicas at once.

    Parameters
    ----------
    features, labels
        ``(M, d)`` and ``(M,)``.
    start
        w^(0), ``(R, k)``.
    progress
        Called with the number of steps done, once in a while.

    Notes
    -----
    O(T·R·M) time; memory O(R·M) for the passes and O(T·R) for what is recorded.  A
    perturbation is drawn anew for every sample of every step.  Transforms with memory keep
    O(R·M) vectors more.
    """
    replicas, horizon = settings.replicas, settings.horizon
    draws, sampling = stream(settings.seed, "perturbations"), stream(settings.seed, "sampling")
    x, y = features[None], labels[None]
    w = start.copy()
    loss, norm = np.empty((horizon + 1, replicas)), np.empty((horizon + 1, replicas))
    snapshots: dict[int, Array] = {}
    reach, met = WeightReach(program.centers), Reach(program.claims)
    inputs = met if settings.track_inputs else None
    secant, before, diverged_at = 0.0, None, None
    memory = Memory(noise.perturbations, replicas, len(features))
    for t in range(horizon + 1):
        loss[t], gradient = program.objective(w, x, y, inputs)
        norm[t] = np.sqrt(np.sum(gradient**2, axis=1))
        if t in settings.snapshot_steps:
            snapshots[t] = w[0].copy()
        if before is not None:
            secant = max(secant, _secant(w, gradient, *before))
        if diverged_at is None and not np.isfinite(loss[t]).all():
            diverged_at = t
        reach.see(w)
        if t == horizon:
            break
        if t % _BLOCK == 0:
            active = noise.active(t, min(t + _BLOCK, horizon), horizon)
        if t % _REPORT == 0:
            progress(t)
        step = _gradient(
            program,
            noise,
            settings,
            w,
            (x, y),
            gradient,
            active[t % _BLOCK],
            (draws, sampling),
            inputs,
            memory,
        )
        before = (w, gradient)
        w = w - settings.step_size * step
    progress(horizon)
    return Trajectory(
        loss=loss,
        gradient_norm=norm,
        snapshots=snapshots,
        final=w,
        secant=secant,
        weight_reach=reach,
        input_reach=met,
        diverged_at=diverged_at,
    )


def _gradient(
    program: Program,
    noise: NoiseSource,
    settings: Settings,
    w: Array,
    data: tuple[Array, Array],
    exact: Array,
    active: Array,
    streams: tuple[np.random.Generator, np.random.Generator],
    reach: Reach | None,
    memory: Memory,
) -> Array:
    """One stochastic gradient: perturbed passes on the batch, regulariser, added noise."""
    (x, y), (draws, sampling) = data, streams
    rows: Rows = None
    if settings.batch is not None:
        rows = sampling.integers(x.shape[1], size=(len(w), settings.batch))
        x, y = x[0][rows], y[0][rows]
    if settings.batch is None and not active.any():
        gradient = exact
    else:
        delta, epsilon = noise.draw(
            draws,
            len(w),
            x.shape[1],
            tuple(bool(on) for on in active),
            memory=memory,
            rows=rows,
        )
        path = program.outputs(w, x, y, delta, reach)
        gradient = program.mean_gradient(w, path, y, epsilon) + program.penalty_gradient(w)
    if settings.noise_std:
        gradient = gradient + settings.noise_std * sampling.standard_normal(w.shape)
    return gradient


def _secant(w: Array, gradient: Array, w_before: Array, gradient_before: Array) -> float:
    moved = np.sqrt(np.sum((w - w_before) ** 2, axis=1))
    changed = np.sqrt(np.sum((gradient - gradient_before) ** 2, axis=1))
    # Below this the difference of gradients is mostly rounding.
    enough = moved > 1e-7 * (1.0 + np.sqrt(np.sum(w**2, axis=1)))
    with np.errstate(divide="ignore"):
        ratios = np.where(enough & np.isfinite(changed), changed / moved, 0.0)
    return float(ratios.max())
