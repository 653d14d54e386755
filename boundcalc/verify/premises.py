"""Do the spec's stated constants fit the simulated problem?

A bound is a statement *if the assumptions hold*.  Where a simulation shows that a
stated constant is too small, a bound that fails is not refuted, and one that
holds is not confirmed: both are undetermined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES
from boundcalc.simulate import Run
from boundcalc.spec.expressions import Expression

_ROUNDING = 1e-6  # relative slack for differences of floats


@dataclass(frozen=True)
class Premise:
    """One stated number held against what the simulation met.

    Attributes
    ----------
    assumption
        Which assumption it belongs to.
    claim
        What is stated, in words.
    stated, met
        The stated number and what it must not fall below (or, for PL, exceed).
    consistent
        False where the simulation refutes it.  True is no proof.
    for_runs_only
        Whether only statements about whole runs depend on it.
    """

    assumption: str
    claim: str
    stated: float
    met: float
    consistent: bool
    for_runs_only: bool


def premises(graph: OperatorGraph, run: Run) -> list[Premise]:
    """Every premise that can be held against the run."""
    return [*_constants(graph), *_regions(graph, run), *_objective(graph, run)]


def _value(graph: OperatorGraph, expression: Expression) -> float:
    return float(expression.evaluate(FLOATS, graph.values(FLOATS)))


def _at_least(
    assumption: str, claim: str, stated: float, met: float, *, runs: bool = True
) -> Premise:
    consistent = bool(met <= stated * (1 + _ROUNDING) + 1e-15)
    return Premise(assumption, claim, stated, met, consistent, runs)


def _constants(graph: OperatorGraph) -> list[Premise]:
    """A3: constants given in the spec must not be below what the operator type proves.

    One line for each constant's name: the operator where it is tightest.
    """
    tightest: dict[str, tuple[float, float, str]] = {}
    for position, node in enumerate(graph.nodes):
        if node.derived is None:
            continue
        for name in CONSTANT_NAMES:
            if position == 0 and name.endswith("input"):
                continue
            stated = _value(graph, getattr(node.constants, name))
            met = _value(graph, getattr(node.derived, name))
            known = tightest.get(name)
            if known is None or met - stated > known[1] - known[0]:
                tightest[name] = (stated, met, node.id)
    return [
        _at_least("A3", f"{name} of {operator}", stated, met, runs=False)
        for name, (stated, met, operator) in tightest.items()
    ]


def _regions(graph: OperatorGraph, run: Run) -> list[Premise]:
    """A3: the run must stay where the constants hold."""
    found = []
    for number, node in enumerate(graph.nodes):
        if node.region.input is not None and number > 0:
            met = max(run.trajectory.input_reach[number], *(c.reach[number] for c in run.checks), 0)
            stated = _value(graph, node.region.input)
            found.append(_at_least("A3", f"input region of {node.id}", stated, met, runs=False))
        if node.region.weight is not None:
            met, stated = run.trajectory.weight_reach[number], _value(graph, node.region.weight)
            found.append(_at_least("A3", f"weight region of {node.id}", stated, met, runs=False))
    return found


def _objective(graph: OperatorGraph, run: Run) -> list[Premise]:
    """A1, A2, A4, the initial gap and the batch."""
    loss, found = graph.spec.loss, []
    if loss.smoothness is not None:
        stated = _value(graph, loss.smoothness)
        found.append(_at_least("A1", "smoothness L", stated, run.trajectory.secant))
    if loss.gradient_noise is not None:
        stated = _value(graph, loss.gradient_noise)
        found.append(_at_least("A2", "gradient noise σ", stated, _noise(graph, run)))
    if loss.initial_gap is not None and run.optimum is not None:
        met = float(run.trajectory.loss[0].max()) - run.optimum.value
        found.append(_at_least("Δ₀", "initial gap", _value(graph, loss.initial_gap), met))
    if loss.pl is not None and run.optimum is not None:
        stated, met = _value(graph, loss.pl), _pl_constant(run)
        ok = bool(met >= stated * (1 - _ROUNDING))
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
        return _value(graph, section.noise.std) * float(np.sqrt(run.trajectory.final.shape[1]))
    return run.minibatch_noise or 0.0


def _pl_constant(run: Run) -> float:
    """The smallest ‖∇ℓ‖²/(2(ℓ − ℓ*)) along the run, where ℓ − ℓ* is above rounding."""
    assert run.optimum is not None  # noqa: S101 - the caller has looked
    gap = run.trajectory.loss - run.optimum.value
    real = gap > 1e-9 * (1 + abs(run.optimum.value))
    if not real.any():
        return float("inf")
    return float(np.min(run.trajectory.gradient_norm[real] ** 2 / (2 * gap[real])))


def _batch(graph: OperatorGraph) -> int | None:
    """How many samples, each with its own draws, a simulated step averages."""
    section, data = graph.spec.simulation, graph.data
    if section is None or data is None or section.noise.kind == "minibatch":
        return None
    return len(data.labels)
