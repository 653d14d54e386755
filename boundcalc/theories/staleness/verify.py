"""Every statement about a pipeline held against a run of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from boundcalc.arithmetic import WIDE, Number, Status
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.statistics import Metric
from boundcalc.theories.base import Options, Theory
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.staleness.rate import Rates, rates
from boundcalc.theories.staleness.run import PipelineRun
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.values import Answer
from boundcalc.theories.verdicts import Claim, judged, verdict_answer
from boundcalc.verify.premise import Premise, at_least
from boundcalc.verify.premises import premises
from boundcalc.verify.rare import rare_along

_ROUNDING = 1e-12  # of differences of gradients, relative to the longest gradient of the replica

_HUGE = 1e300

_ONE = Number(1, Status.PROVED)

#: (claim, statement, reason) of claims that are not made.
Skipped = list[tuple[str, str, str]]


def verify(
    theory: Theory, graph: OperatorGraph, options: Options, run: Answer | None = None
) -> Answer:
    """Averages against the theorems, and the lemmas at every recorded step and replica.

    A lemma is a statement about each step, so its claim is about the largest ratio of its two
    sides; nothing in it is random.

    Raises
    ------
    SpecError, SimulationError
        If the pipeline cannot be run.
    """
    answer = run or theory.simulate(graph, options)
    made: TheoryRun = answer.value
    problem, skipped = Problem(graph, theory.own(graph.spec)), Skipped()
    lemmas = list(_lemmas(problem, made.more, skipped))
    stated = _premises(problem, made.more, lemmas)
    claims = [
        *_averages(problem, made, stated, skipped),
        *(_pathwise(name, family, ratios, made, stated) for name, family, ratios in lemmas),
    ]
    return verdict_answer(judged(claims, made, skipped))


def _averages(
    problem: Problem, run: TheoryRun, stated: Sequence[Premise], skipped: Skipped
) -> Iterator[Claim]:
    """The average of ‖∇f(xⁿ)‖² against every theorem."""
    name = "average of ‖∇f‖²"
    try:
        found: Rates = rates(problem)
    except BoundcalcError as error:
        skipped.append((name, "all", str(error).splitlines()[0]))
        return
    section = problem.graph.spec.simulation
    assert section is not None  # noqa: S101 - there is a run
    every = section.record.every
    for statement in found.statements.values():
        if statement.bound is None:
            skipped.append((name, statement.title, statement.refused or "no bound"))
        elif every > 1:
            reason = (
                f"the average over all steps was not measured: one step in {every} was recorded; "
                "set `simulation.record: {every: 1}`"
            )
            skipped.append((name, statement.title, reason))
        else:
            yield Claim(
                name,
                statement.title,
                statement.bound,
                run.metrics["mean_squared_gradient"],
                broken=tuple(p for p in stated if not p.consistent),
                why=_open(run.more) or rare_along(run.more.plain),
            )


def _open(run: PipelineRun) -> str:
    """Why nothing was seen; empty where something was."""
    trajectory = run.plain.trajectory
    diverged = trajectory.diverged >= 0
    if not diverged.any():
        return ""
    count, first = int(diverged.sum()), int(trajectory.diverged[diverged].min())
    return f"{count} of {run.plain.replicas} replicas diverged, the first one at step {first}"


def _pathwise(
    name: str, family: str, ratios: Array, run: TheoryRun, stated: Sequence[Premise]
) -> Claim:
    """The largest ratio of two sides, over steps, parts and replicas."""
    largest = float(ratios.max())
    return Claim(
        name,
        family,
        _ONE,
        Metric(largest, largest, largest, "largest"),
        where=f"{len(run.at)} recorded steps of {run.replicas} replicas, seed {run.seed}",
        broken=tuple(p for p in stated if not p.consistent and not p.for_runs_only),
        why=_open(run.more),
    )


def _premises(
    problem: Problem, run: PipelineRun, lemmas: Sequence[tuple[str, str, Array]]
) -> list[Premise]:
    """What is stated, against the run; stated L and M also by the lemmas that they are for."""
    found = premises(problem.graph, run.plain)
    section = problem.section
    if section.error_gradient is not None:
        M = float(problem.number(lambda s: s.M))
        met = max(run.records.carried, 1.0)
        found.append(at_least("M", "error gradient M", M, met, runs=False))
    if section.lipschitz is not None:
        L = float(problem.number(lambda s: s.L))
        met = run.plain.trajectory.secant
        found.append(at_least("L", "Lipschitz constant L", L, met, runs=False))
        for name, family, ratios in lemmas:
            if family == "[XHH]":
                largest = float(ratios.max())
                found.append(at_least("L", f"{name} at this L and M", 1.0, largest, runs=False))
    return found


def _lemmas(
    problem: Problem, run: PipelineRun, skipped: Skipped
) -> Iterator[tuple[str, str, Array]]:
    """Name, source, and left over right side of each lemma at every recorded step."""
    records = run.records
    with np.errstate(invalid="ignore", over="ignore"):
        noise = _ROUNDING * records.gradient_norm.max(axis=0)
        d = records.by_block(records.distance)
        try:
            L, M = (float(problem.number(f)) for f in (lambda s: s.L, lambda s: s.M))
        except BoundcalcError as error:
            skipped.append(("Lemmas 1 and 2", "[XHH]", str(error).splitlines()[0]))
        else:
            if problem.section.lipschitz is None and problem.setting(WIDE).first is None:
                reason = "L is compiled without it: how an operator bends in its weights is unknown"
                skipped.append(("Lemma 1", "[XHH]", reason))
            else:
                left = records.by_block(records.forward_difference)
                tails = np.flip(np.cumsum(np.flip(d, axis=1), axis=1), axis=1)
                yield "Lemma 1", "[XHH]", _ratios(left, L * M * tails, noise)
            yield "Lemma 2", "[XHH]", _ratios(_total(records.difference), _second(L, M, d), noise)
        yield from _sharp(problem, run, d, noise)


def _second(L: float, M: float, d: Array) -> Array:
    """√(½L²c_0 Σ_k (k+1)/(K+1) d_k²), c_0 = M²K(K+1)²."""
    K = d.shape[1]
    shares = 0.5 * L**2 * M**2 * K * (K + 1) * np.arange(1, K + 1)
    return np.asarray(np.sqrt(np.einsum("k,nkr->nr", shares, d**2)))


def _sharp(
    problem: Problem, run: PipelineRun, d: Array, noise: Array
) -> Iterator[tuple[str, str, Array]]:
    """The bound on each operator's gradient, and the separable one on all of it."""
    records = run.records
    if problem.chain_refusal is None:
        chain = problem.setting(WIDE).chain
        names = ("a", "b", "l", "A", "B", "V")
        floats = {name: tuple(map(float, getattr(chain, name))) for name in names}
        moved = [np.zeros_like(d[:, 0])] * (chain.size + 1)
        for place, part in enumerate(records.parts):
            moved[part.operator] = records.distance[:, place]
        errors = replace(chain, **floats, zero=np.zeros_like(d[:, 0])).errors(moved)
        bounds = np.stack([errors[part.operator] for part in records.parts], axis=1)
        yield (
            "difference by operator",
            "docs/theory-staleness.md, 10.4",
            _ratios(records.difference, bounds, noise),
        )
    option = problem.coupling
    weights = [WIDE.number(t) for t in option[1]]
    kappas = [float(x) for x in problem.setting(WIDE).made(option).shares(weights)]
    if option[0] == "graph":
        chosen = np.array([kappas[part.operator - 1] for part in records.parts])
        right = np.einsum("k,nkr->nr", chosen, records.distance**2)
    else:
        right = np.einsum("k,nkr->nr", np.array(kappas), d**2)
    left = _total(records.difference)
    yield "separable bound", "docs/theory-staleness.md, 10.4", _ratios(left, np.sqrt(right), noise)


def _total(values: Array) -> Array:
    return np.asarray(np.sqrt(np.sum(values**2, axis=1)))


def _ratios(left: Array, right: Array, noise: Array) -> Array:
    """Left over right, where the left side is more than rounding; else 0."""
    excess = np.where(left <= noise, 0.0, left)  # NaN stays
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(excess == 0.0, 0.0, excess / right)
    # A side that should be 0 is a violation, not something that could not be observed.
    return np.minimum(found, _HUGE)
