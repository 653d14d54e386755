"""SGD on a program: all replicas of one run, in blocks on several threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from boundcalc.operators.base import Array
from boundcalc.simulate.reach import Reach, WeightReach
from boundcalc.simulate.records import Trajectory, first_not_finite
from boundcalc.simulate.runner import Out, Runner
from boundcalc.simulate.settings import Problem

#: Makes the runner of a block of replicas.
MakeRunner = Callable[[Problem, range, Out], Runner]

_FIRST = 8  # steps before anything is known of their speed
_PAUSE = 0.15  # seconds between two reports of progress, roughly
_LONGEST = 4096  # steps between two reports
_LARGE = 4_000_000  # numbers, just below the 32 MiB up to which glibc learns


def train(
    problem: Problem,
    make: MakeRunner,
    *,
    blocks: list[range],
    threads: int,
    progress: Callable[[int], None],
) -> Trajectory:
    """w ← w − γ(ũ + ρ∇𝓡(w) + ξ), T times, for all replicas.

    Parameters
    ----------
    make
        Makes the runner of one engine for a block of replicas.
    blocks
        The replicas of each block; together all of them, in order.
    threads
        How many blocks run at the same time.
    progress
        Called with the number of steps done, once in a while.

    Notes
    -----
    O(T·R·M) time; memory O(R·M) for the passes and O(T·R/k) for what is recorded.  A
    perturbation is drawn anew for every sample of every step, unless the batch shares it.  The
    result does not depend on ``threads``.
    """
    settings = problem.settings
    _keep_freed_memory()
    shape = (settings.records, settings.replicas)
    out = Out(np.empty(shape), np.empty(shape))
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        runners = list(pool.map(lambda block: make(problem, block, out), blocks))
        snapshots = _run(runners, pool, problem, progress)
    for runner in runners:
        problem.noise.include(runner.noise)
    return Trajectory(
        steps=settings.recorded,
        loss=out.loss,
        gradient_norm=out.gradient_norm,
        snapshots=snapshots,
        final=np.concatenate([runner.w for runner in runners]).astype(np.float64),
        secant=max(runner.secant.largest for runner in runners),
        weight_reach=_weights(WeightReach(problem.program.centers), runners),
        input_reach=_inputs(Reach(problem.program.claims), runners),
        diverged=first_not_finite(settings.recorded, out.loss),
    )


def _keep_freed_memory() -> None:
    """Make the C library keep what is freed, instead of fetching it anew from the system.

    Once a large array was freed, glibc takes arrays up to that size from its own memory and
    returns nothing below twice that.  Without it half the time of a step goes into page faults.
    """
    np.empty(_LARGE)


def _run(
    runners: list[Runner],
    pool: ThreadPoolExecutor,
    problem: Problem,
    progress: Callable[[int], None],
) -> dict[int, Array]:
    """All steps; the first replica's weights where they are wanted."""
    settings, snapshots, t, length = problem.settings, {}, 0, _FIRST
    wanted = sorted({*settings.snapshot_steps, settings.horizon})
    for end in wanted:
        while t < end:
            progress(t)
            stop, began = min(t + length, end), time.perf_counter()
            for done in [pool.submit(runner.advance, stop) for runner in runners]:
                done.result()
            seconds = time.perf_counter() - began
            length = _next_length(stop - t, seconds)
            t = stop
        if end in settings.snapshot_steps:
            snapshots[end] = runners[0].w[0].astype(np.float64)
    for done in [pool.submit(runner.finish) for runner in runners]:
        done.result()
    progress(settings.horizon)
    return snapshots


def _next_length(steps: int, seconds: float) -> int:
    """How many steps to do next, so that progress is reported now and then."""
    wanted = round(steps * _PAUSE / max(seconds, 1e-6))
    return max(1, min(wanted, 8 * steps, _LONGEST))


def _inputs(total: Reach, runners: list[Runner]) -> Reach:
    for runner in runners:
        total.include(runner.input_reach)
    return total


def _weights(total: WeightReach, runners: list[Runner]) -> WeightReach:
    for runner in runners:
        total.include(runner.weight_reach)
    return total
