"""Every statement of a spec held against its run."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.theories.objective import objective_of
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.shrinkage.measured import More
from boundcalc.theories.shrinkage.rate import ShrinkageRate
from boundcalc.theories.shrinkage.setting import Case
from boundcalc.theories.verdicts import Claim, TheoryVerdicts, judged
from boundcalc.verify.operators import constants, regions
from boundcalc.verify.premise import ROUNDING, Premise, at_least, number

_ATTAINED = "it is attained on this quadratic: the exact floor is held against the run instead"
_STRAIGHT = 1e-6  # of a gradient: by how much that of a quadratic may be off by rounding
_NEAR = 0.1  # of the scale that the spec states for the gradient's law
_CANCELLED = 1e-9  # relative to the loss: a gap below this is mostly rounding


def verdicts(case: Case, rate: ShrinkageRate, run: TheoryRun) -> TheoryVerdicts:
    """One claim for each statement that has a bound, and one for the exact floor."""
    more = cast(More, run.more)
    broken = tuple(p for p in premises(case, run) if not p.consistent)
    quadratic = rate.exact.floor is not None and is_quadratic(case, more)
    claims, skipped = [], []
    for key, statement in rate.statements.items():
        claim = "final gap" if key.endswith("pl") or key.startswith("pl") else "average gradient"
        metric = run.metrics.get(metric_of(case, key))
        if statement.bound is None:
            skipped.append((claim, statement.title, statement.refused))
        elif quadratic and key.endswith("sharp"):
            skipped.append((claim, statement.title, _ATTAINED))
        elif metric is None:
            skipped.append((claim, statement.title, "its weights are not all positive"))
        else:
            own = tuple(p for p in broken if p.assumption != "S4" or not key.startswith("rounding"))
            claims.append(Claim(claim, statement.title, statement.bound, metric, broken=own))
    exact = rate.exact
    if exact.floor is None:
        skipped.append(("floor", "exact", exact.why))
    elif not quadratic:
        skipped.append(("floor", "exact", "the objective is no quadratic of one curvature"))
    else:
        why = "" if more.settled else "the run is too short to forget its start"
        claims.append(
            Claim("floor", "exact", exact.floor, run.metrics["floor"], "equals", "", broken, why)
        )
    return judged(claims, run, skipped)


def metric_of(case: Case, key: str) -> str:
    """The metric that a statement bounds."""
    if key in ("pl", "pl_sharp", "rounding_pl"):
        return "final_gap"
    if case.own.steps.type != "constant":
        return "gradient_weighted"
    if case.kind == "past":
        return "gradient_q_weighted" if key == "nonconvex_weighted" else "gradient_average"
    if case.kind == "constant":
        return "gradient_average"
    return {
        "nonconvex": "gradient_weighted",
        "nonconvex_q_min": "gradient_q_weighted",
        "nonconvex_sharp": "gradient_sharp",
    }[key]


def is_quadratic(case: Case, more: More) -> bool:
    """Whether ∇ℓ(w) = λ(w − w*) wherever the runs ended, and opposite of w*."""
    objective = objective_of(case.graph)
    best = more.run.optimum.weights[None]
    away = more.run.trajectory.final - best
    if not np.isfinite(away).all():
        return False
    constant = case.number(lambda s: s.L)
    assert constant is not None  # noqa: S101 - case_of() has looked
    expected = float(constant) * away
    size = 1.0 + np.abs(expected).max()
    return all(
        bool(
            np.abs(objective.gradient(best + sign * away) - sign * expected).max()
            <= _STRAIGHT * size
        )
        for sign in (1.0, -1.0)
    )


def premises(case: Case, run: TheoryRun) -> list[Premise]:
    """A1, A4 and Δ₀ against the run; A3 where passes are perturbed."""
    more, graph = cast(More, run.more), case.graph
    loss, trajectory = graph.spec.loss, more.run.trajectory
    found = []
    if loss.smoothness is not None:
        stated = number(graph, loss.smoothness)
        found.append(at_least("A1", "smoothness L", stated, trajectory.secant))
    best = more.run.optimum.value
    gap = trajectory.loss - best
    if loss.initial_gap is not None:
        stated = number(graph, loss.initial_gap)
        met = float(trajectory.loss[0].max()) - best
        found.append(at_least("Δ₀", "initial gap", stated, met))
    if loss.pl is not None:
        stated = number(graph, loss.pl)
        met = _pl_constant(gap, trajectory.gradient_norm, best)
        ok = bool(met >= stated * (1 - ROUNDING))
        found.append(Premise("A4", "PL constant m", stated, met, ok, True))
    if case.projection is not None:
        found.append(_law(case, more))
    if case.levels.bounds:
        found += [*constants(graph), *regions(graph, cast(Any, _Seen(trajectory)))]
        found.append(_batch(case))
    return found


def _batch(case: Case) -> Premise:
    """The stated batch against the samples, each with its own draws, that a step averages."""
    data, stated = case.graph.data, case.graph.spec.loss.batch
    assert data is not None  # noqa: S101 - there is a run
    averaged = len(data.labels)
    return Premise("batch", "samples averaged per step", stated, averaged, stated <= averaged, True)


def _law(case: Case, more: More) -> Premise:
    """The stated scale of a component against that of the second half: √((σ² + ‖∇ℓ‖²)/d)."""
    assert case.projection is not None  # noqa: S101 - the caller has looked
    norm = more.run.trajectory.gradient_norm
    with np.errstate(over="ignore"):
        square = float(np.mean(norm[len(norm) // 2 :] ** 2)) + more.run.shrinking.sigma**2
    met = float(np.sqrt(square / case.projection.dimension))
    stated = case.projection.scale
    ok = bool(abs(met - stated) <= _NEAR * stated)
    return Premise("S4", "scale of a component of the gradient", stated, met, ok, True)


class _Seen:
    """What the check of regions reads of an ordinary run."""

    def __init__(self, trajectory: Any) -> None:
        self.trajectory = trajectory
        self.checks: tuple[Any, ...] = ()


def _pl_constant(gap: Array, norm: Array, best: float) -> float:
    """The smallest ‖∇ℓ‖²/(2(ℓ − ℓ*)) along the run, where the gap is above rounding."""
    real = gap > _CANCELLED * (1 + abs(best))
    if not real.any():
        return float("inf")
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.min(norm[real] ** 2 / (2 * gap[real])))
