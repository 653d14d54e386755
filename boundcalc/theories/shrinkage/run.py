"""SGD with shortened gradients: w ← w − s_k (q_k (g_k) + e_k), or w ← w − μ Q(g_k).

The ordinary NumPy engine runs the graph, with perturbed passes if there are any; only what is done
with a step's gradient differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.engines import evenly, thread_count
from boundcalc.simulate.memory import check_size
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.numpy_engine import NumpyRunner
from boundcalc.simulate.optimum import Optimum, find_optimum
from boundcalc.simulate.program import make_program
from boundcalc.simulate.records import Trajectory
from boundcalc.simulate.run import run_settings
from boundcalc.simulate.runner import Out
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.start import initial_weights
from boundcalc.simulate.streams import stream
from boundcalc.simulate.train import train
from boundcalc.theories.base import Options
from boundcalc.theories.shrinkage.setting import Case
from boundcalc.theories.shrinkage.shrinking import Shrinking, sampling_noise, shrinking

_RECORDED = 40_000_000  # most numbers that one trajectory array may hold
_TARGET = 65_536  # numbers in one array of a block, so that a pass stays in the cache
_DRAWN = 100_000  # normal numbers drawn at once


@dataclass(frozen=True)
class ShrunkRun:
    """What a run left behind.

    Attributes
    ----------
    trajectory
        With a record of every step.
    optimum
        The best weights that were found.
    shrinking
        What was done to gradients.
    """

    trajectory: Trajectory
    optimum: Optimum
    shrinking: Shrinking
    weights: int


class ShrunkRunner(NumpyRunner):
    """The NumPy engine with shortened gradients; every replica has its own streams."""

    def __init__(self, problem: Problem, replicas: range, out: Out, shrinking: Shrinking) -> None:
        super().__init__(problem, replicas, out)
        self._how = shrinking
        self._added = [stream(problem.settings.seed, "shrinkage", r) for r in replicas]
        self._errors = np.zeros((0, 0, 0))

    def _step(self, exact: Array | None) -> None:
        how, settings = self._how, self.problem.settings
        assert exact is not None  # noqa: S101 - every step is recorded
        self.weight_reach.see(self.w)
        gradient = self._gradient(exact).copy()
        if settings.noise_std:
            gradient += self._added_noise()
        if how.quantiser is not None:
            self.w -= how.steps[self.t] * how.quantiser(gradient, self._added)
            return
        q = self._factor(exact)
        received = q * gradient
        if how.noise:
            received += self._error()
        step = how.steps[self.t] / q if how.compensated else how.steps[self.t]
        self.w -= step * received

    def _factor(self, exact: Array) -> Any:
        """q_k, one number or ``(R, 1)``; it may look at the weights but not at the sample."""
        how = self._how
        if how.factors is not None:
            return how.factors[self.t]
        if how.threshold is None:
            far = np.sum(exact**2, axis=1) > how.sigma**2
        else:
            far = np.sum(self.w**2, axis=1) > how.threshold**2
        q = np.where(far, how.least, 1.0)
        how.met[self.t, self.replicas.start : self.replicas.stop] = q
        return q[:, None]

    def _error(self) -> Array:
        """e_k, ``(R, k)``: Gaussian with E‖e‖² = σ_e², drawn replica by replica."""
        if not len(self._errors):
            count = self.w.shape[1]
            steps = max(1, _DRAWN // self.w.size)
            std = self._how.noise / np.sqrt(count)
            drawn = [std * g.standard_normal((steps, count)) for g in self._added]
            self._errors = np.stack(drawn, axis=1)
        first: Array = self._errors[0]
        self._errors = self._errors[1:]
        return first


def shrunk_run(case: Case, options: Options) -> ShrunkRun:
    """Run a case.

    Raises
    ------
    SpecError, SimulationError
        If the spec cannot be simulated, or the run is too long to record.
    """
    graph = case.graph
    problem = _problem(case)
    how = shrinking(case, problem.program.weights)
    blocks, threads = _blocks(problem, options)
    horizon = problem.settings.horizon

    def make(given: Problem, replicas: range, out: Out) -> ShrunkRunner:
        return ShrunkRunner(given, replicas, out, how)

    with np.errstate(over="ignore", invalid="ignore"):
        trajectory = train(
            problem,
            make,
            blocks=blocks,
            threads=threads,
            progress=lambda done: options.report(done, horizon),
        )
    data = graph.data
    assert data is not None  # noqa: S101 - the build made it
    optimum = find_optimum(problem.program, data, trajectory)
    return ShrunkRun(trajectory, optimum, how, problem.program.weights)


def _blocks(problem: Problem, options: Options) -> tuple[list[range], int]:
    """As few blocks as fit the cache: more than one thread pays for large problems only."""
    replicas = problem.settings.replicas
    each = _TARGET // (len(problem.features) * max(problem.program.widths))
    count = -(-replicas // max(1, each))
    threads = thread_count(options.threads)
    blocks = evenly(replicas, max(count, threads if options.threads else 1))
    return blocks, min(threads, len(blocks))


def _problem(case: Case) -> Problem:
    graph = case.graph
    section, data = graph.spec.simulation, graph.data
    if section is None:
        raise SpecError(
            "the spec has no `simulation` section",
            where="simulation",
            expected="a `simulation` section",
            fix="add one (docs/spec-reference.md); `boundcalc rate` needs none",
        )
    _refuse(graph)
    program = make_program(graph)
    assert data is not None  # noqa: S101 - the build made it
    noise = make_noise(graph)
    check_size(noise.perturbations, section.replicas, len(data.labels))
    settings = replace(
        run_settings(graph, program),
        noise_std=sampling_noise(case) / float(np.sqrt(program.weights)),
        record_every=1,
        snapshot_steps=frozenset((0, case.horizon)),
    )
    if settings.records * section.replicas > _RECORDED:
        raise SimulationError(
            "the run is too long: the averages need every step",
            where="training.horizon",
            value=f"{settings.horizon} steps × {section.replicas} replicas",
            expected=f"at most {_RECORDED} in all",
            fix="lower `training.horizon` or `simulation.replicas`",
        )
    values = {name: float(x.evaluate(FLOATS)) for name, x in graph.symbols.items()}
    start = initial_weights(graph, program)
    return Problem(program, noise, data.features, data.labels, start, settings, values)


def _refuse(graph: OperatorGraph) -> None:
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - the caller has looked
    if section.noise.kind != "none":
        raise SpecError(
            "this theory draws the sampling noise itself, Gaussian with E‖ξ‖² = σ²",
            where="simulation.noise.kind",
            value=section.noise.kind,
            expected="none; σ is `loss.gradient_noise`",
            fix="remove `simulation.noise`",
        )
    if section.precision != "float64":
        raise SpecError(
            "this theory is simulated in double precision",
            where="simulation.precision",
            value=section.precision,
            expected="float64",
            fix="remove `simulation.precision`",
        )
