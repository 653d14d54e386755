"""Which engine runs a problem, and how it divides the replicas."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from boundcalc.errors import SimulationError
from boundcalc.simulate.numpy_engine import NumpyRunner
from boundcalc.simulate.records import Trajectory
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.train import MakeRunner, train

EngineName = Literal["auto", "numpy", "compiled"]

ENGINES: tuple[EngineName, ...] = ("auto", "numpy", "compiled")

_TARGET = 65_536  # numbers in one array of a block, so that a pass stays in the cache
_WORTH = 2e8  # sample·step·operator evaluations from which a compilation pays
_LARGEST = 200  # operators of a program that is compiled without being asked for
_MAX_THREADS = 256


@dataclass(frozen=True)
class Choice:
    """An engine for a problem.

    Attributes
    ----------
    name
        ``numpy`` or ``compiled``.
    why
        Why not the compiled one, where it was not asked for.
    blocks
        The replicas of each block.
    """

    name: Literal["numpy", "compiled"]
    why: str
    make: MakeRunner
    blocks: list[range]
    threads: int


def run_problem(
    problem: Problem,
    wanted: EngineName = "auto",
    threads: int | None = None,
    *,
    progress: Callable[[int], None],
) -> Trajectory:
    """Make a run with the engine that :func:`choose` finds."""
    choice = choose(problem, wanted, threads)
    return run_with(choice, problem, progress)


def run_with(choice: Choice, problem: Problem, progress: Callable[[int], None]) -> Trajectory:
    """Make a run with an engine that was chosen."""
    return train(
        problem,
        choice.make,
        blocks=choice.blocks,
        threads=choice.threads,
        progress=progress,
    )


def choose(problem: Problem, wanted: EngineName, threads: int | None) -> Choice:
    """The engine: the one asked for, or the compiled one where that pays.

    Raises
    ------
    SimulationError
        If the compiled engine is asked for and cannot be had, or for an unknown engine.
    """
    if wanted not in ENGINES:
        raise SimulationError(
            "unknown engine", where="engine", value=wanted, expected="one of " + ", ".join(ENGINES)
        )
    count = thread_count(threads)
    if wanted == "numpy":
        return _numpy(problem, "", count)
    if wanted == "auto" and work(problem) < _WORTH:
        return _numpy(problem, "the run is too short to pay for a compilation", count)
    if wanted == "auto" and len(problem.program.steps) > _LARGEST:
        return _numpy(problem, f"more than {_LARGEST} operators take long to compile", count)
    from boundcalc.simulate.compiled import compiled_runner

    try:
        found = compiled_runner(problem)
    except SimulationError as error:
        if wanted == "compiled":
            raise
        found = error.problem
    if isinstance(found, str):
        if wanted == "compiled":
            raise SimulationError(
                "the compiled engine cannot run this",
                where="engine",
                value=found,
                expected="a C compiler, and a graph and perturbations that have C kernels",
                fix="use the NumPy engine: --engine numpy",
            )
        return _numpy(problem, found, count)
    blocks = evenly(problem.settings.replicas, count)
    return Choice("compiled", "", found, blocks, min(count, len(blocks)))


def work(problem: Problem) -> float:
    """Operator evaluations of the whole run."""
    settings = problem.settings
    samples = settings.batch or len(problem.features)
    return float(settings.horizon) * settings.replicas * samples * sum(problem.program.widths)


def thread_count(wanted: int | None) -> int:
    """The threads asked for, or as many as this process may use.

    Raises
    ------
    SimulationError
        For less than one, or more than 256.
    """
    if wanted is None:
        affinity = getattr(os, "sched_getaffinity", None)
        return min(_MAX_THREADS, len(affinity(0)) if affinity else os.cpu_count() or 1)
    if not 1 <= wanted <= _MAX_THREADS:
        raise SimulationError(
            "not a number of threads",
            where="threads",
            value=wanted,
            expected=f"1 to {_MAX_THREADS}",
        )
    return wanted


def evenly(replicas: int, blocks: int) -> list[range]:
    """The replicas in at most so many blocks of nearly equal length, in order.

    >>> evenly(5, 2)
    [range(0, 3), range(3, 5)]
    """
    count = max(1, min(blocks, replicas))
    ends = [-(-replicas * i // count) for i in range(count + 1)]
    return [range(a, b) for a, b in pairwise(ends)]


def _numpy(problem: Problem, why: str, threads: int) -> Choice:
    # Blocks depend on sizes only, so that results do not depend on the number of threads.
    settings = problem.settings
    samples = settings.batch or len(problem.features)
    each = max(1, _TARGET // (samples * max(problem.program.widths)))
    blocks = evenly(settings.replicas, max(2, -(-settings.replicas // each)))
    return Choice("numpy", why, NumpyRunner, blocks, min(threads, len(blocks)))
