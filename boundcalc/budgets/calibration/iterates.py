"""The iterates of a training run at which sensitivities are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import FLOATS
from boundcalc.budgets.levels import with_perturbations
from boundcalc.errors import SimulationError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.engines import run_problem
from boundcalc.simulate.noise import NoiseSource, make_noise
from boundcalc.simulate.program import Program, make_program
from boundcalc.simulate.run import run_settings
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.start import initial_weights
from boundcalc.spec.budget import CalibrationSection

#: Longest run, in steps: every step is recorded.
MAX_STEPS = 10_000_000

_KEY = 0xCA11B  # of the streams of random numbers that only calibration uses


@dataclass(frozen=True)
class Iterates:
    """Weights met along a run, and the samples at which to look.

    Attributes
    ----------
    noise
        The spec's perturbations as they are drawn; None where they cannot be.
    weights
        w^(t), ``(k,)``, by step t; finite.
    rows
        Numbers of the samples.
    features, labels
        Of the whole data set, ``(M, d)`` and ``(M,)``.
    notes
        What is to be said about the run.
    """

    program: Program
    noise: NoiseSource | None
    weights: dict[int, Array]
    rows: npt.NDArray[np.int64]
    features: Array
    labels: Array
    notes: tuple[str, ...]


def generator(seed: int, *key: int) -> np.random.Generator:
    """A stream of random numbers of calibration's own (SFC64).

    >>> bool(generator(1, 2).random() == generator(1, 2).random())
    True
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, _KEY, *key])))


# A run on its way to infinity overflows; its iterates are left out and said to be.
@np.errstate(over="ignore", invalid="ignore")
def trained_iterates(
    graph: OperatorGraph, section: CalibrationSection, progress: Callable[[int], None]
) -> Iterates:
    """Train one replica as the spec says and keep the weights at the positions asked for.

    Perturbations act as in the spec where all of them can be drawn, else none does.

    Raises
    ------
    SpecError
        Without a ``simulation`` section.
    SimulationError
        If an operator is given by constants only, the run is too long, or no iterate is finite.
    """
    simulation, training = graph.spec.simulation, graph.spec.training
    if simulation is None:
        raise SpecError(
            "sensitivities are measured along a training run, and the spec has no `simulation`",
            where="simulation",
            expected="a `simulation` section: the data to train on",
            fix="add one (docs/spec-reference.md), or leave calibration out",
        )
    assert training is not None  # noqa: S101 - a budget's question has one
    assert graph.data is not None  # noqa: S101 - the build made it
    if training.horizon > MAX_STEPS:
        raise SimulationError(
            "the run is too long to be made for a calibration",
            where="training.horizon",
            value=training.horizon,
            expected=f"at most {MAX_STEPS} steps",
            fix="lower `budget.horizon`, or `training.horizon`",
        )
    program = make_program(graph)
    noise, notes = _noise(graph)
    steps = _positions(section, training.horizon)
    settings = replace(
        run_settings(graph, program),
        replicas=1,
        snapshot_steps=frozenset(steps),
        track_inputs=False,
        record_every=training.horizon,  # the weights are wanted, nothing along the way
    )
    data = graph.data
    problem = Problem(
        program,
        noise or make_noise(with_perturbations(graph, ())),
        data.features,
        data.labels,
        initial_weights(graph, program)[:1],
        settings,
        graph.values(FLOATS),
    )
    run = run_problem(problem, progress=progress)
    finite = {step: run.snapshots[step] for step in steps if np.isfinite(run.snapshots[step]).all()}
    return Iterates(
        program=program,
        noise=noise,
        weights=_some(finite, steps, notes),
        rows=_rows(len(data.labels), section.samples, simulation.seed),
        features=data.features,
        labels=data.labels,
        notes=tuple(notes),
    )


def _positions(section: CalibrationSection, horizon: int) -> list[int]:
    return sorted({round(position * horizon) for position in section.iterates})


def _rows(count: int, wanted: int, seed: int) -> npt.NDArray[np.int64]:
    chosen = generator(seed, 0).choice(count, size=min(wanted, count), replace=False)
    return np.sort(chosen)


def _noise(graph: OperatorGraph) -> tuple[NoiseSource | None, list[str]]:
    """The spec's perturbations to draw from, or None, and what to say about the run."""
    training = graph.spec.training
    assert training is not None  # noqa: S101 - callers have looked
    run = f"iterates of one run of {training.horizon} steps at step size {training.step_size}"
    if any(p.rms is not None for p in graph.perturbations):
        return None, [
            f"{run}, without perturbations: one is given by its moments and cannot be drawn, "
            "so that predictions are not checked by simulation"
        ]
    acting = ", perturbed as the spec says" if graph.perturbations else ""
    return make_noise(graph), [run + acting]


def _some(finite: dict[int, Array], steps: list[int], notes: list[str]) -> dict[int, Array]:
    if not finite:
        raise SimulationError(
            "the run diverged before the first iterate of the calibration",
            where="budget.calibration.iterates",
            value=steps,
            expected="an iterate at which the weights are finite",
            fix="lower the step size, or calibrate at an earlier iterate (0 is the start)",
        )
    if len(finite) < len(steps):
        lost = ", ".join(str(step) for step in steps if step not in finite)
        notes.append(f"the run diverged: iterates at steps {lost} are left out")
    return finite
