"""The agents, run: what stays bounded, and the left sides of the statements."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.report.cells import Block, Content, Maths, Paragraph
from boundcalc.simulate.statistics import Metric, share_interval
from boundcalc.theories.base import Options, Theory
from boundcalc.theories.distributed.measures import LEFT, NORMALISED, SQUARED
from boundcalc.theories.distributed.paths import Plan, Walk
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.distributed.settings import plan_of
from boundcalc.theories.distributed.simulator import walk
from boundcalc.theories.distributed.tails import careful_interval, median_interval
from boundcalc.theories.objective import objective_of
from boundcalc.theories.runs import TheoryRun, run_answer
from boundcalc.theories.values import Answer

MEANINGS: Mapping[str, Content] = {
    "share_bounded": "share of runs that stay within the escape radius",
    "final_loss": (Maths("f"), " at the end, mean over runs"),
    "median_final_loss": (Maths("f"), " at the end, median over runs"),
    SQUARED: (Maths(r"a^2"), " at a random time, ", Maths(r"a = \|\nabla f\|")),
    NORMALISED: (Maths(r"a^2/(L_0 + L_1 a)"), " at a random time"),
    LEFT: "left side of the statement about the algorithm",
}


@dataclass(frozen=True)
class Descent:
    """What a run met, for verdicts and figures.

    Attributes
    ----------
    plan, walk
        What was run, and what it met.
    reach
        A bound on ‖x_k‖ that holds for every run, whatever the noise; None where steps have
        no bounded length.
    """

    plan: Plan
    walk: Walk
    reach: float | None


def simulate(theory: Theory, graph: OperatorGraph, options: Options) -> Answer:
    """Run a spec's agents and measure.

    Raises
    ------
    SpecError
        See :func:`~boundcalc.theories.distributed.settings.plan_of`; and if the graph has
        another number of weights than ``distributed.dimension``.

    Notes
    -----
    Means have Student's interval over runs, but none where a run escaped or where one run makes
    up the spread (:func:`~boundcalc.theories.distributed.tails.careful_interval`); the share of
    bounded runs has Clopper and Pearson's, the median one between order statistics, and these
    two hold whatever the tails.
    """
    section: DistributedSection = theory.own(graph.spec)
    plan = plan_of(graph, section)
    objective = objective_of(graph)
    if objective.weights != section.dimension:
        raise SpecError(
            "the graph has another number of weights",
            where="distributed.dimension",
            value=section.dimension,
            expected=str(objective.weights),
            fix=f"set `dimension: {objective.weights}`",
        )
    start = float(np.linalg.norm(objective.start[0]))
    if not start <= plan.escape:
        raise SpecError(
            "the runs start beyond the escape radius",
            where="distributed.escape",
            value=f"{plan.escape:.6g}",
            expected=f"more than ‖x_0‖ = {start:.6g}",
            fix="raise `escape`",
        )
    began = time.perf_counter()
    met = walk(objective.both, objective.start[0], plan, options.report)
    seconds = time.perf_counter() - began
    simulation = graph.spec.simulation
    assert simulation is not None  # noqa: S101 - the plan has it
    run = TheoryRun(
        metrics=metrics_of(met, simulation.confidence),
        meanings=MEANINGS,
        seed=plan.seed,
        replicas=plan.replicas,
        steps=plan.horizon,
        seconds=seconds,
        confidence=simulation.confidence,
        at=met.at,
        series={"loss": met.loss, "gradient_norm": met.gradient_norm, "distance": met.distance},
        more=Descent(plan, met, reach_of(plan, objective.start[0])),
    )
    return run_answer(run, data={"escape": escape_data(run.more)}, blocks=_remarks(run.more))


@np.errstate(over="ignore", invalid="ignore")
def metrics_of(met: Walk, confidence: float) -> dict[str, Metric]:
    """Every metric with its interval; those of expectations are infinite after an escape."""
    return {
        "share_bounded": share_interval(int(met.bounded.sum()), len(met.bounded), confidence),
        "final_loss": careful_interval(met.loss[-1], confidence),
        "median_final_loss": median_interval(met.loss[-1], confidence),
        **{name: careful_interval(values, confidence) for name, values in met.measured.items()},
    }


def reach_of(plan: Plan, start: Array) -> float | None:
    """‖x_0‖ + Σ_kγ_k·D with D a bound on the length of a direction, if there is one.

    √d for signs, 1 for normalised directions, and the clipping norm.
    """
    name, steps = plan.algorithm.name, plan.steps.known(plan.horizon)
    longest = {"dsignsgd": math.sqrt(len(start)), "normalised": 1.0}.get(name)
    if name == "clipped":
        longest = plan.algorithm.server_clip
    elif plan.algorithm.agent_clip is not None and name == "dsgd":
        longest = plan.algorithm.agent_clip
    if longest is None or steps is None:
        return None
    return float(np.linalg.norm(start) + longest * steps.sum())


def escape_data(more: Descent) -> dict[str, Any]:
    """Radius, horizon, how many escaped and when, and what no run can exceed."""
    met = more.walk
    steps = met.escaped[met.escaped >= 0]
    return {
        "radius": more.plan.escape,
        "horizon": more.plan.horizon,
        "escaped": len(steps),
        "first_step": int(steps.min()) if len(steps) else None,
        "median_step": float(np.median(steps)) if len(steps) else None,
        "largest_distance": met.largest_distance,
        "reach": more.reach,
    }


def _remarks(more: Descent) -> tuple[Block, ...]:
    found = escape_data(more)
    radius = f"{found['radius']:.3g}"
    text = f"{found['escaped']} of {more.plan.replicas} runs passed the escape radius {radius}"
    if found["escaped"]:
        text += f", the first one at step {found['first_step']}; means over runs have no interval"
    text += "."
    if more.reach is not None:
        text += f" Bounded steps keep every run within {more.reach:.4g} of 0, whatever the noise."
    return (Paragraph(text),)
