"""Simulate a spec: train replicas, then measure error and bias at fixed iterates."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.operators.base import Array
from boundcalc.showing import Gridded, Plotted, Shown, Tabular
from boundcalc.simulate.engines import EngineName, choose, run_with
from boundcalc.simulate.iterates import IterateCheck, check_iterate
from boundcalc.simulate.memory import check_size
from boundcalc.simulate.metrics import metrics_of, with_rounding
from boundcalc.simulate.noise import NoiseSource, make_noise
from boundcalc.simulate.optimizers import make_clip, make_optimizer
from boundcalc.simulate.optimum import Optimum, find_optimum
from boundcalc.simulate.program import Program, make_program
from boundcalc.simulate.reach import Met
from boundcalc.simulate.records import Trajectory
from boundcalc.simulate.recovery import recovery_metrics
from boundcalc.simulate.sections import needed_sections
from boundcalc.simulate.settings import Problem, Settings
from boundcalc.simulate.start import initial_weights
from boundcalc.simulate.statistics import Metric, smoothed
from boundcalc.simulate.streams import stream

_RECORDED = 40_000_000  # most numbers that one trajectory array may hold

#: Called with (steps done, steps in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Run(Shown, Tabular, Gridded, Plotted):
    """A simulated spec.

    Attributes
    ----------
    metrics
        Name → mean over replicas with a confidence interval.
    checks
        Error and bias at fixed iterates.
    trajectory
        Loss and gradient norm at every step.
    ewma
        The smoothed gradient norm, ``(T, R)``.
    optimum
        The best weights found for the unperturbed objective, when the spec states an
        initial gap, which supposes that the objective is bounded below.
    minibatch_noise
        Measured √E‖g − ∇ℓ‖² of a minibatch at the start and the end, or None.
    confidence
        Of every interval.
    transformed
        Every perturbation that transforms the value, and the values that it was given.
    unchecked
        Why there are no checks at iterates after the start; empty where there are.
    engine, why
        ``numpy`` or ``compiled``; and why not the latter, where it was not asked for.
    threads
        How many blocks of replicas ran at the same time.
    precision
        Of the run; the checks at fixed iterates are always in float64.
    """

    graph: OperatorGraph
    metrics: dict[str, Metric]
    checks: tuple[IterateCheck, ...]
    trajectory: Trajectory
    ewma: Array
    optimum: Optimum | None
    minibatch_noise: float | None
    seed: int
    replicas: int
    steps: int
    seconds: float
    confidence: float
    transformed: tuple[tuple[Perturbation, Met], ...] = ()
    unchecked: str = ""
    engine: str = "numpy"
    why: str = ""
    threads: int = 1
    precision: str = "float64"


# A run on its way to infinity overflows; it is recorded as diverged, not warned about.
@np.errstate(over="ignore", invalid="ignore")
def simulate(
    graph: OperatorGraph,
    *,
    engine: EngineName = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run the spec's graph with its perturbations and measure what the bounds speak of.

    Parameters
    ----------
    graph
        A compiled spec with ``simulation`` and ``training`` sections whose operators
        and perturbations all come from the library.
    engine
        ``numpy``; ``compiled``, a program in C made for this graph; or ``auto``, the compiled
        one where that is possible and pays.
    threads
        How many blocks of replicas run at the same time; by default as many as there are
        processors.  The numbers do not depend on it.
    progress
        Told how many steps are done.

    Returns
    -------
    Run
        All its numbers are `sampled`.

    Raises
    ------
    SpecError, SimulationError
        If a section is missing, or something cannot be simulated.

    Notes
    -----
    The same seed gives the same numbers; another engine gives them up to rounding.
    O(T·R·M) for the run, plus O(draws × samples) for each fixed iterate.
    """
    section, _ = needed_sections(graph)
    began = time.perf_counter()
    program, noise = make_program(graph), make_noise(graph)
    data = graph.data
    assert data is not None  # noqa: S101 - the build made it
    settings = run_settings(graph, program)
    check_size(noise.perturbations, settings.replicas, len(data.labels))
    problem = Problem(
        program,
        noise,
        data.features,
        data.labels,
        initial_weights(graph, program),
        settings,
        graph.values(FLOATS),
    )
    horizon = settings.horizon
    positions = [round(position * horizon) for position in section.check.iterates]
    total = horizon + len(positions)
    report = progress or (lambda done, total: None)
    choice = choose(problem, engine, threads)
    trajectory = run_with(choice, problem, lambda done: report(done, total))
    rng = stream(section.seed, "check")
    count = min(section.check.samples, len(data.labels))
    rows = np.sort(rng.choice(len(data.labels), size=count, replace=False))
    checks = []
    unchecked = _unchecked(noise)
    for number, position in enumerate(positions):
        weights = trajectory.snapshots[position]
        # At the start all memories are empty, as they are in a fresh draw.
        if (not unchecked or position == 0) and np.isfinite(weights).all():
            checks.append(
                check_iterate(
                    program,
                    noise,
                    rng,
                    step=position,
                    w=weights,
                    features=data.features,
                    labels=data.labels,
                    rows=rows,
                    draws=section.check.draws,
                    confidence=section.confidence,
                )
            )
        report(horizon + number + 1, total)
    optimum = None
    if graph.spec.loss.initial_gap is not None:
        optimum = find_optimum(program, data, trajectory)
    ewma = smoothed(trajectory.gradient_norm[:-1], section.ewma**settings.record_every)
    metrics = metrics_of(trajectory, ewma, optimum, section.confidence, section.seed)
    metrics |= recovery_metrics(graph, trajectory, ewma, section.confidence)
    if settings.precision == "float32":
        # Makes a part of the run again in double precision, and so imports this module.
        from boundcalc.simulate.rounding import rounding_errors

        errors = rounding_errors(
            graph, trajectory, ewma, optimum, engine=choice.name, threads=choice.threads
        )
        metrics = with_rounding(metrics, errors)
    return Run(
        graph=graph,
        metrics=metrics,
        checks=tuple(checks),
        trajectory=trajectory,
        ewma=ewma,
        optimum=optimum,
        minibatch_noise=(
            None if settings.batch is None else _minibatch_noise(program, graph, trajectory)
        ),
        seed=section.seed,
        replicas=section.replicas,
        steps=horizon,
        seconds=time.perf_counter() - began,
        confidence=section.confidence,
        transformed=noise.transformed,
        unchecked=unchecked,
        engine=choice.name,
        why=choice.why,
        threads=choice.threads,
        precision=settings.precision,
    )


def _unchecked(noise: NoiseSource) -> str:
    """Why error and bias cannot be measured at an iterate by drawing perturbations anew.

    The moments of a transform with memory are averages over the steps before, while an
    iterate comes with the one state of the memory that led to it.
    """
    kept = dict.fromkeys(p.where for p in noise.perturbations if p.memory is not None)
    if not kept:
        return ""
    return f"not measured after the start: {', '.join(kept)} remembers the steps before"


def run_settings(graph: OperatorGraph, program: Program) -> Settings:
    """What the spec asks of a run.

    Raises
    ------
    SimulationError
        If it would record too much.
    """
    section, training = graph.spec.simulation, graph.spec.training
    assert section is not None  # noqa: S101 - callers have looked
    assert training is not None  # noqa: S101 - callers have looked
    horizon, values = training.horizon, graph.values(FLOATS)
    minibatch = section.noise.kind == "minibatch"
    settings = Settings(
        step_size=float(training.step_size.evaluate(FLOATS, values)),
        horizon=horizon,
        replicas=section.replicas,
        seed=section.seed,
        noise_std=_noise_std(graph),
        batch=graph.spec.loss.batch if minibatch else None,
        snapshot_steps=frozenset(round(p * horizon) for p in section.check.iterates),
        track_inputs=bool(program.claims),
        record_every=section.record.every,
        optimizer=make_optimizer(graph),
        clip=make_clip(graph),
        precision=section.precision,
    )
    if settings.records * section.replicas > _RECORDED:
        raise SimulationError(
            "the run is too long to record",
            where="simulation.record.every",
            value=f"{settings.records} records × {section.replicas} replicas",
            expected=f"at most {_RECORDED} recorded numbers",
            fix="raise `simulation.record.every`, or lower `training.horizon` or "
            "`simulation.replicas`",
        )
    return settings


def _noise_std(graph: OperatorGraph) -> float:
    assert graph.spec.simulation is not None  # noqa: S101 - callers have looked
    noise = graph.spec.simulation.noise
    if noise.kind != "gaussian":
        return 0.0
    return float(noise.std.evaluate(FLOATS, graph.values(FLOATS)))


def _minibatch_noise(program: Program, graph: OperatorGraph, trajectory: Trajectory) -> float:
    """√(tr Cov u / B) at the first replica's start and end, the larger of the two."""
    data = graph.data
    assert data is not None  # noqa: S101 - the build made it
    x, y = data.features[None], data.labels[None]
    spreads = []
    for step in (min(trajectory.snapshots), max(trajectory.snapshots)):
        w = trajectory.snapshots[step][None]
        gradients = program.sample_gradients(w, program.outputs(w, x, y, {}), y, {})[0]
        spreads.append(float(np.sum(np.var(gradients, axis=0))))
    return float(np.sqrt(max(spreads) / graph.spec.loss.batch))
