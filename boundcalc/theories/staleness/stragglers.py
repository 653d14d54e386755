"""Workers that are slow now and then: how long a step takes with queues between them.

Worker k may begin its n-th step as soon as it has done the one before, worker k − 1 has put a
value for it into the queue p_{k−1}, and worker k + 1 a gradient into the queue q_{k+1}.  At first
the queues hold p and q items, so with durations T

    C_k(n) = T_k(n) + max{C_k(n−1), C_{k−1}(n − p_{k−1}), C_{k+1}(n − q_{k+1})},

the end of step n, is linear in the (max, +) sense.  Between two neighbours p_{k−1} + q_k items
go round, so neither gets further ahead of the other than the items that wait for it: a queue
that is full is one whose counterpart is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from boundcalc.arithmetic import FLOATS, Status
from boundcalc.errors import SimulationError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.report.cells import Block, Column, Content, Table, Value
from boundcalc.report.numbers import sampled, text_of
from boundcalc.simulate.statistics import Metric, mean_interval
from boundcalc.simulate.streams import stream
from boundcalc.theories.staleness.queues import Queues
from boundcalc.theories.staleness.section import StalenessSection
from boundcalc.theories.values import Answer

STEPS = 2000  # half of them before anything is measured
RUNS = 32
FACTORS = (1, 2, 4, 8)  # by which queues are longer
_MANY, _FEW = 64, 8  # workers from which on fewer runs will do
_LARGEST = 20_000_000  # numbers that the ends of past steps may take

#: Makes the durations of every step anew, each ``(W, n)``.
Durations = Callable[[], Iterator[Array]]


@dataclass(frozen=True)
class StragglerTable:
    """How much longer a step takes than one of workers that are never slow, in per cent.

    Attributes
    ----------
    slowdowns
        By how much a slow worker is slower, one for each column; the last column draws one of
        them each time, if there are several.
    rows
        Name → one number for each column, sampled.
    waiting, free
        Expected values, computed: every step waits for the slowest worker; no worker ever
        waits for another, which no queue can undercut.
    """

    slowdowns: tuple[float, ...]
    rows: dict[str, tuple[Metric, ...]]
    waiting: tuple[float, ...]
    free: tuple[float, ...]


def step_ends(durations: Iterator[Array], forward: Sequence[int], back: Sequence[int]) -> Array:
    """C_k(n) of all steps, ``(steps, W, n)``, from the durations of each step.

    Parameters
    ----------
    durations
        T_k(n), ``(W, n)`` for each step.
    forward, back
        p_0, …, p_{W−2} and q_1, …, q_{W−1}, each at least 1.

    Examples
    --------
    Two workers that take turns to be slow, with one item in each queue and with two:

    >>> slow = [np.array([[2.0], [1.0]]), np.array([[1.0], [2.0]])] * 2
    >>> step_ends(iter(slow), [1], [1])[-1].ravel().tolist()
    [7.0, 8.0]
    >>> step_ends(iter(slow), [2], [2])[-1].ravel().tolist()
    [6.0, 6.0]
    """
    return np.array([ends.copy() for ends in _ends(durations, forward, back)])


def _ends(
    durations: Iterator[Array], forward: Sequence[int], back: Sequence[int]
) -> Iterator[Array]:
    """C(n), ``(W, n)``, step by step; what is given out is overwritten later."""
    longest = max((1, *forward, *back))
    past: Array | None = None
    lags, leads = np.array(forward, dtype=np.int64), np.array(back, dtype=np.int64)
    before, after = np.arange(len(forward)), np.arange(1, len(back) + 1)
    for n, duration in enumerate(durations):
        if past is None:
            past = np.zeros((longest + 1, *duration.shape))
        ends = past[n % len(past)]
        np.copyto(ends, past[(n - 1) % len(past)])
        # Slots that no step has written yet hold 0, the time at which all begins.
        np.maximum(ends[1:], past[(n - lags) % len(past), before], out=ends[1:])
        np.maximum(ends[:-1], past[(n - leads) % len(past), after], out=ends[:-1])
        ends += duration
        yield ends


def time_per_step(
    durations: Durations, forward: Sequence[int], back: Sequence[int], steps: int
) -> Array:
    """The time of a step in the second half of a run, of each column ``(n,)``."""
    half, start = steps // 2, None
    capped = [min(lag, steps) for lag in forward], [min(lag, steps) for lag in back]
    for n, ends in enumerate(_ends(durations(), *capped)):
        if n == half - 1:
            start = ends.max(axis=0)
    assert start is not None  # noqa: S101 - there are at least two steps
    return np.asarray((ends.max(axis=0) - start) / (steps - half))


def straggler_answer(graph: OperatorGraph, section: StalenessSection) -> Answer:
    """The table for a spec's ``stragglers``; O(steps × workers × runs) for each row.

    Raises
    ------
    SpecError, SimulationError
        If the probability is above 1, or the table would need too much memory.
    """
    stated = section.stragglers
    assert stated is not None  # noqa: S101 - the caller has looked
    values, spec = graph.values(FLOATS), graph.spec
    chance = float(stated.probability.evaluate(FLOATS, values))
    if not 0 <= chance <= 1:
        raise SpecError(
            "not a probability",
            where="staleness.stragglers.probability",
            value=str(stated.probability),
            expected="a number in [0, 1]",
        )
    slow = tuple(float(s.evaluate(FLOATS, values)) for s in stated.slowdowns)
    queues = Queues(tuple(section.queues.p), tuple(section.queues.m))
    workers = stated.workers or queues.size
    simulation = spec.simulation
    assert simulation is not None  # noqa: S101 - the setup has looked
    found = straggler_table(
        lengths_of(queues, workers), workers, chance, slow, simulation.seed, simulation.confidence
    )
    return Answer(found, _data(found), _blocks(found, workers, chance))


def lengths_of(queues: Queues, workers: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """p_0, …, p_{W−2} and q_1, …, q_{W−1}; 1 each if the workers are not the blocks.

    None for plain backpropagation, which has no queues.
    """
    if queues.plain and queues.size > 1:
        return None
    if workers != queues.size:
        return (1,) * (workers - 1), (1,) * (workers - 1)
    return queues.p[:-1], queues.q[1:]


def straggler_table(
    lengths: tuple[Sequence[int], Sequence[int]] | None,
    workers: int,
    chance: float,
    slow: tuple[float, ...],
    seed: int,
    confidence: float,
    *,
    steps: int = STEPS,
    runs: int = RUNS,
) -> StragglerTable:
    """How much longer a step takes, by queues and by slow-down.

    Parameters
    ----------
    lengths
        Of the queues between the workers, which are then taken 1, 2, 4 and 8 times as long; None
        if there are none.
    chance, slow
        A worker's step takes 1, or with this probability 1 + s.

    Notes
    -----
    All columns and rows see the same events, so longer queues are never slower in any run.
    """
    columns = (*slow, None) if len(slow) > 1 else slow
    runs = runs if workers <= _MANY else min(runs, _FEW)
    longest = 0 if lengths is None else max(FACTORS) * max((1, *lengths[0], *lengths[1]))
    kept = (min(longest, steps) + 1) * workers * runs * len(columns)
    if kept > _LARGEST:
        raise SimulationError(
            "the straggler table would need too much memory",
            where="staleness.stragglers",
            value=f"{kept} numbers",
            expected=f"at most {_LARGEST}",
            fix="set fewer `workers` or shorter queues",
        )

    def durations() -> Iterator[Array]:
        return _durations(workers, chance, slow, seed, steps, runs)

    rows = {}
    for factor in FACTORS if lengths is not None else ():
        forward, back = ([factor * lag for lag in side] for side in lengths or ())
        times = 100 * (time_per_step(durations, forward, back, steps) - 1)
        name = "queues as in the spec" if factor == 1 else f"queues {factor} times as long"
        by_column = times.reshape(len(columns), runs)
        rows[name] = tuple(mean_interval(column, confidence) for column in by_column)
    anyone = 1 - (1 - chance) ** workers
    return StragglerTable(
        slowdowns=slow,
        rows=rows,
        waiting=(
            *(100 * s * anyone for s in slow),
            *([100 * _slowest(workers, chance, slow)] if len(columns) > len(slow) else []),
        ),
        free=tuple(100 * chance * (sum(slow) / len(slow) if s is None else s) for s in columns),
    )


def _slowest(workers: int, chance: float, slow: Sequence[float]) -> float:
    """E max of the slow-downs of all workers, each one of ``slow`` or 0.

    >>> round(_slowest(1, 0.5, [1.0, 3.0]), 12)
    1.0
    """
    total, before = 0.0, (1 - chance) ** workers
    for index, s in enumerate(sorted(slow)):
        at_most = (1 - chance * (len(slow) - 1 - index) / len(slow)) ** workers
        total += s * (at_most - before)
        before = at_most
    return total


def _durations(
    workers: int, chance: float, slow: Sequence[float], seed: int, steps: int, runs: int
) -> Iterator[Array]:
    """T(n), ``(W, columns × runs)``: the same events in every column."""
    rng, sizes = stream(seed, "staleness"), np.array(slow)
    for _ in range(steps):
        acts = rng.random((workers, runs)) < chance
        which = sizes[rng.integers(len(sizes), size=(workers, runs))]
        parts = [1.0 + s * acts for s in slow]
        if len(slow) > 1:
            parts.append(1.0 + which * acts)
        yield np.concatenate(parts, axis=1)


def _data(found: StragglerTable) -> dict[str, Any]:
    return {
        "slowdowns": list(found.slowdowns),
        "waiting_for_the_slowest": list(found.waiting),
        "no_waiting": list(found.free),
        "rows": {name: list(row) for name, row in found.rows.items()},
        "unit": "per cent longer than without stragglers",
    }


def _computed(x: float) -> Value:
    return Value(text_of(x, 4), Status.COMPUTED)


def _blocks(found: StragglerTable, workers: int, chance: float) -> tuple[Block, ...]:
    titles = [f"{text_of(100 * s)} %" for s in found.slowdowns]
    if len(found.waiting) > len(titles):
        titles.append("any of these")
    rows: list[tuple[Content, ...]] = [
        ("every step waits for the slowest", *map(_computed, found.waiting))
    ]
    rows += [(name, *(sampled(m.mean) for m in row)) for name, row in found.rows.items()]
    rows.append(("no worker ever waits", *map(_computed, found.free)))
    table = Table(
        caption=f"Stragglers: by how many per cent a step takes longer if each of {workers} "
        f"workers is slower, with probability {text_of(chance, 4)} in each step, by what the "
        "column says.",
        columns=(Column("", 5.0), *(Column(title) for title in titles)),
        rows=tuple(rows),
        remarks=("The first and the last row are expected values, the others are simulated.",),
    )
    return (table,)
