"""Simulate a spec's pipeline and measure what the statements speak of."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.report.cells import Block as ReportBlock
from boundcalc.report.cells import Column, Content, Maths, Table
from boundcalc.report.numbers import sampled
from boundcalc.simulate.metrics import metrics_of
from boundcalc.simulate.optimum import Optimum, find_optimum
from boundcalc.simulate.records import Trajectory, first_not_finite
from boundcalc.simulate.run import Run
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.statistics import Metric, mean_interval, smoothed
from boundcalc.theories.base import Options, Theory
from boundcalc.theories.runs import TheoryRun, run_answer
from boundcalc.theories.staleness.pipeline import PipelineEngine
from boundcalc.theories.staleness.pipeline_records import Recorder
from boundcalc.theories.staleness.pipeline_setup import Setup, make_setup
from boundcalc.theories.staleness.stragglers import straggler_answer
from boundcalc.theories.values import Answer

_REPORTS = 256  # ticks between two reports of progress
_ROWS = 24  # blocks in a table

MEANINGS: dict[str, Content] = {
    "mean_squared_gradient": (
        "average of ",
        Maths(r"\lVert\nabla f(x^n)\rVert^2"),
        " along the run",
    ),
    "mean_squared_difference": (
        "average of ",
        Maths(r"\lVert\mathcal{G}-\nabla f(x^n)\rVert^2"),
        " along the run",
    ),
    "final_loss": (Maths("f(x)"), " after the last step"),
    "final_gradient_norm": (Maths(r"\lVert\nabla f(x)\rVert"), " after the last step"),
    "stable_gradient_norm": ("smoothed ", Maths(r"\lVert\nabla f\rVert"), ", second half"),
    "stable_iteration_complexity": "first step near the stable norm",
    "final_gap": (Maths("f(x)"), " after the last step, above the best found"),
    "diverged_share": "share of replicas that diverged",
}


@dataclass(frozen=True)
class PipelineRun:
    """What was measured, for verdicts and figures.

    Attributes
    ----------
    setup
        What was run.
    plain
        The run as one of the ordinary simulator, so that its premises can be checked alike.
    records
        Differences and distances, block by block.
    stragglers
        The table of times, where the spec asks for it.
    """

    setup: Setup
    plain: Run
    records: Recorder
    stragglers: Any = None


def simulate(theory: Theory, graph: OperatorGraph, options: Options) -> Answer:
    """Run DSP(p; m) on all replicas at once.

    Raises
    ------
    SpecError, SimulationError
        If something cannot be run as a pipeline.

    Notes
    -----
    O(T·R·M) for each operator, memory O(R·M·Σ(m_k + p_k + q_k)) vectors.  The numbers depend on
    the seed alone; those of a replica do not depend on the others.
    """
    if options.engine == "compiled":
        raise SimulationError(
            "pipelines run with NumPy only",
            where="engine",
            value=options.engine,
            expected="auto or numpy",
            fix="leave the engine out",
        )
    began, section = time.perf_counter(), theory.own(graph.spec)
    setup = make_setup(graph, section)
    records = _run(setup, options)
    metrics, plain = _measured(graph, setup, records, began)
    slow = None if section.stragglers is None else straggler_answer(graph, section)
    run = TheoryRun(
        metrics=metrics,
        seed=plain.seed,
        replicas=plain.replicas,
        steps=plain.steps,
        seconds=plain.seconds,
        confidence=plain.confidence,
        meanings=MEANINGS,
        at=records.steps.astype(np.float64),
        series=_series(records),
        more=PipelineRun(setup, plain, records, slow),
    )
    data: dict[str, Any] = {"queues": _queues(setup), "blocks": _rows(setup, records)}
    blocks: tuple[ReportBlock, ...] = (_block_table(setup, records),)
    if slow is not None:
        data["stragglers"] = slow.data
        blocks = (*blocks, *slow.blocks)
    return run_answer(run, data=data, blocks=blocks)


# A run on its way to infinity overflows; it is recorded as diverged, not warned about.
@np.errstate(over="ignore", invalid="ignore")
def _run(setup: Setup, options: Options) -> Recorder:
    records = Recorder(setup.problem, setup.stages)
    engine = PipelineEngine(
        setup.problem, setup.stages, setup.pipeline.queues, setup.draws, records
    )
    for tick in range(engine.ticks):
        if tick % _REPORTS == 0:
            options.report(tick, engine.ticks)
        engine.tick()
    options.report(engine.ticks, engine.ticks)
    return records


@np.errstate(over="ignore", invalid="ignore")
def _measured(
    graph: OperatorGraph, setup: Setup, records: Recorder, began: float
) -> tuple[dict[str, Metric], Run]:
    """The metrics, and the run as one of the ordinary simulator."""
    section, problem = graph.spec.simulation, setup.problem
    assert section is not None  # noqa: S101 - the setup has looked
    settings, data = problem.settings, graph.data
    assert data is not None  # noqa: S101 - the build made it
    trajectory = Trajectory(
        steps=records.steps,
        loss=records.loss,
        gradient_norm=records.gradient_norm,
        snapshots={0: records.first[0], settings.horizon: records.last[0]},
        final=records.last,
        secant=records.secant.largest,
        weight_reach=records.weight_reach,
        input_reach=records.input_reach,
        diverged=first_not_finite(records.steps, records.loss),
    )
    optimum: Optimum | None = None
    if graph.spec.loss.initial_gap is not None:
        optimum = find_optimum(problem.program, data, trajectory)
    ewma = smoothed(records.gradient_norm[:-1], section.ewma**settings.record_every)
    metrics = metrics_of(trajectory, ewma, optimum, section.confidence, section.seed)
    squares = np.sum(records.difference[:-1] ** 2, axis=1).mean(axis=0)
    metrics["mean_squared_difference"] = mean_interval(squares, section.confidence)
    plain = Run(
        graph=graph,
        metrics=metrics,
        checks=(),
        trajectory=trajectory,
        ewma=ewma,
        optimum=optimum,
        minibatch_noise=minibatch_noise(problem, trajectory),
        seed=section.seed,
        replicas=section.replicas,
        steps=settings.horizon,
        seconds=time.perf_counter() - began,
        confidence=section.confidence,
        transformed=problem.noise.transformed,
    )
    return metrics, plain


def minibatch_noise(problem: Problem, trajectory: Trajectory) -> float | None:
    """√(tr Cov u / B) of a minibatch at the start and the end, the larger; None without one."""
    if problem.settings.batch is None:
        return None
    program, x, y = problem.program, problem.features[None], problem.labels[None]
    spreads = []
    for w in (trajectory.snapshots[min(trajectory.snapshots)], trajectory.final[0]):
        path = program.outputs(w[None], x, y, {})
        gradients = program.sample_gradients(w[None], path, y, {})[0]
        spreads.append(float(np.sum(np.var(gradients, axis=0))))
    return float(np.sqrt(max(spreads) / problem.settings.batch))


def _series(records: Recorder) -> dict[str, Array]:
    found = {"loss": records.loss, "gradient_norm": records.gradient_norm}
    difference, distance = records.by_block(records.difference), records.by_block(records.distance)
    for k in range(difference.shape[1]):
        found[f"difference_{k}"] = difference[:, k]
        found[f"distance_{k}"] = distance[:, k]
    return found


def _queues(setup: Setup) -> dict[str, Any]:
    queues = setup.pipeline.queues
    return {"p": list(queues.p), "m": list(queues.m), "q": list(queues.q)}


@np.errstate(over="ignore", invalid="ignore")
def _rows(setup: Setup, records: Recorder) -> list[dict[str, Any]]:
    """By block: averages over steps and replicas."""
    queues = setup.pipeline.queues
    difference, distance = records.by_block(records.difference), records.by_block(records.distance)
    return [
        {
            "block": block.name,
            "delay": queues.delays[k],
            "distance": float(distance[:-1, k].mean()),
            "difference": float(difference[:-1, k].mean()),
            "largest_difference": float(difference[:, k].max()),
        }
        for k, block in enumerate(setup.pipeline.blocks)
    ]


def _block_table(setup: Setup, records: Recorder) -> Table:
    rows = _rows(setup, records)
    shown = rows if len(rows) <= _ROWS else rows[: _ROWS // 2] + rows[-_ROWS // 2 :]
    remarks = () if len(rows) <= _ROWS else (f"The middle {len(rows) - _ROWS} blocks left out.",)
    return Table(
        caption="How stale the blocks are: how far their weights move between the two passes of "
        "a batch, and what that does to the gradient.",
        columns=(
            Column("block", 3.0),
            Column("delay"),
            Column("mean distance"),
            Column("mean difference"),
            Column("largest difference"),
        ),
        rows=tuple(
            (
                str(row["block"]),
                str(row["delay"]),
                *(sampled(row[key]) for key in ("distance", "difference", "largest_difference")),
            )
            for row in shown
        ),
        remarks=remarks,
    )
