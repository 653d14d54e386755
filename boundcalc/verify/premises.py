"""Do the spec's stated constants fit the simulated problem?

A bound is a statement *if the assumptions hold*.  Where a simulation shows that a
stated constant is too small, a bound that fails is not refuted, and one that
holds is not confirmed: both are undetermined.
"""

from __future__ import annotations

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.simulate import Run
from boundcalc.verify.operators import constants, regions
from boundcalc.verify.premise import ROUNDING, Premise, at_least, at_most, number

__all__ = ["Premise", "premises"]

#: Relative to the loss: a gap below this is mostly rounding.
_CANCELLED = {"float64": 1e-9, "float32": 1e-4}


def premises(graph: OperatorGraph, run: Run) -> list[Premise]:
    """Every premise that can be held against the run."""
    return [*constants(graph), *regions(graph, run), *_reaches(run), *_objective(graph, run)]


def _reaches(run: Run) -> list[Premise]:
    """Where the values lie that transforms were given, as the spec states it (`reach`)."""
    found = []
    for p, met in run.transformed:
        if p.reach is None or met.norm == -np.inf:
            continue  # it never acted
        for claim, stated, got, test in (
            ("radius", p.reach.radius, met.norm, at_least),
            ("upper end", p.reach.high, met.high, at_least),
            ("lower end", p.reach.low, met.low, at_most),
        ):
            if stated is not None:
                title = f"reach of {p.where}, {claim}"
                found.append(test("A3", title, float(stated), got, runs=False))
    return found


def _objective(graph: OperatorGraph, run: Run) -> list[Premise]:
    """A1, A2, A4, the initial gap and the batch."""
    loss, found = graph.spec.loss, []
    if loss.smoothness is not None:
        stated = number(graph, loss.smoothness)
        found.append(at_least("A1", "smoothness L", stated, run.trajectory.secant))
    if loss.gradient_noise is not None:
        stated = number(graph, loss.gradient_noise)
        found.append(at_least("A2", "gradient noise σ", stated, _noise(graph, run)))
    if loss.initial_gap is not None and run.optimum is not None:
        met = float(run.trajectory.loss[0].max()) - run.optimum.value
        found.append(at_least("Δ₀", "initial gap", number(graph, loss.initial_gap), met))
    if loss.pl is not None and run.optimum is not None:
        stated, met = number(graph, loss.pl), _pl_constant(run)
        ok = bool(met >= stated * (1 - ROUNDING))
        found.append(Premise("A4", "PL constant μ", stated, met, ok, True))
    averaged = _batch(graph)
    if averaged is not None:
        ok = loss.batch <= averaged
        found.append(Premise("batch", "samples averaged per step", loss.batch, averaged, ok, True))
    return found


def _noise(graph: OperatorGraph, run: Run) -> float:
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - there is a run
    if section.noise.kind == "gaussian":
        return number(graph, section.noise.std) * float(np.sqrt(run.trajectory.final.shape[1]))
    return run.minibatch_noise or 0.0


def _pl_constant(run: Run) -> float:
    """The smallest ‖∇ℓ‖²/(2(ℓ − ℓ*)) along the run, where ℓ − ℓ* is above rounding."""
    assert run.optimum is not None  # noqa: S101 - the caller has looked
    gap = run.trajectory.loss - run.optimum.value
    real = gap > _CANCELLED[run.precision] * (1 + abs(run.optimum.value))
    if not real.any():
        return float("inf")
    return float(np.min(run.trajectory.gradient_norm[real] ** 2 / (2 * gap[real])))


def _batch(graph: OperatorGraph) -> int | None:
    """How many samples, each with its own draws, a simulated step averages."""
    section, data = graph.spec.simulation, graph.data
    if section is None or data is None or section.noise.kind == "minibatch":
        return None
    return len(data.labels)
