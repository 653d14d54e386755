"""What the figures show, as plain numbers: logarithms, so that nothing overflows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import WIDE, Number, Status
from boundcalc.rates import Rate, wide
from boundcalc.rates.timeline import Timeline
from boundcalc.report.gather import Findings
from boundcalc.report.numbers import log10
from boundcalc.theories.perturbed.families import FAMILIES

Array = npt.NDArray[np.float64]

_POINTS = 400  # of a curve
_OPERATORS = 2_000  # of a depth profile


@dataclass(frozen=True)
class Band:
    """A sampled curve with its spread over replicas; ``steps`` counts from 1."""

    steps: Array
    middle: Array
    low: Array
    high: Array


def depth(findings: Findings, column: str) -> dict[str, tuple[Array, Array]]:
    """Family → operator numbers and log₁₀ of one column's coefficients; zeros left out."""
    found = {}
    for name, coefficients in findings.coefficients.items():
        numbers = coefficients.columns.get(column, ())
        sites = coefficients.sites(column)
        chosen = np.unique(np.linspace(0, max(len(numbers) - 1, 0), _OPERATORS).round().astype(int))
        found_here = [(sites[k], numbers[k]) for k in chosen if k < len(numbers)]
        points = [
            (findings.graph.operator_of(site), log10(value))
            for site, value in found_here
            if value is not None
        ]
        kept = [(k, y) for k, y in points if y is not None]
        found[name] = (
            np.array([k for k, _ in kept], dtype=np.float64),
            np.array([y for _, y in kept], dtype=np.float64),
        )
    return found


def steps_shown(horizon: int) -> npt.NDArray[np.int_]:
    """Steps 1..T, evenly spread on a logarithmic axis.

    >>> steps_shown(3).tolist()
    [1, 2, 3]
    """
    return np.unique(np.geomspace(1, horizon, _POINTS).round().astype(int))


def running_gradient(findings: Findings) -> Band | None:
    """(1/t) Σ_{k<t} ‖∇ℓ(w^(k))‖², mean and range over replicas."""
    if findings.verdicts is None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        squares = findings.verdicts.run.trajectory.gradient_norm[:-1] ** 2
        steps = steps_shown(len(squares))
        mean = np.cumsum(squares, axis=0)[steps - 1] / steps[:, None]
    return _band(steps, mean)


def running_gap(findings: Findings) -> Band | None:
    """ℓ(w^(t)) − ℓ*, with the best value found for ℓ*."""
    if findings.verdicts is None or findings.verdicts.run.optimum is None:
        return None
    run = findings.verdicts.run
    assert run.optimum is not None  # noqa: S101 - checked above
    steps = steps_shown(run.steps)
    return _band(steps, run.trajectory.loss[steps] - run.optimum.value)


def _band(steps: npt.NDArray[np.int_], values: Array) -> Band | None:
    """None if nothing finite and positive is left to draw on a logarithmic axis."""
    finite = np.isfinite(values).all(axis=1) & (values > 0).all(axis=1)
    if not finite.any():
        return None
    kept = values[finite]
    return Band(
        steps[finite].astype(np.float64),
        np.log10(kept.mean(axis=1)),
        np.log10(kept.min(axis=1)),
        np.log10(kept.max(axis=1)),
    )


def bound_curves(findings: Findings, regime: str) -> dict[str, tuple[Array, Array]]:
    """Family → steps and log₁₀ of its bound for horizon t at the spec's step size.

    Where perturbations act at some steps only, the single point at T.
    """
    rates = findings.rates
    if rates is None:
        return {}
    table: Mapping[str, Rate] = rates.nonconvex if regime == "nonconvex" else rates.pl
    constant = Timeline(findings.graph, rates.horizon).constant
    steps = steps_shown(rates.horizon) if constant else np.array([rates.horizon])
    found = {}
    for name, rate in table.items():
        if rate.bound is None:
            continue
        values = [_bound_at(findings, name, rate, regime, int(t)) for t in steps]
        logs = [log10(Number(v, Status.COMPUTED)) for v in values]
        kept = [(t, y) for t, y in zip(steps, logs, strict=True) if y is not None]
        found[name] = (
            np.array([t for t, _ in kept], dtype=np.float64),
            np.array([y for _, y in kept], dtype=np.float64),
        )
    return found


def _bound_at(findings: Findings, name: str, rate: Rate, regime: str, t: int) -> object:
    """The bound for horizon t from the one for T: only the discounts change."""
    assert findings.rates is not None  # noqa: S101 - the caller has looked
    horizon = findings.rates.horizon
    terms = {key: wide(term.value) for key, term in rate.terms.items()}
    if t == horizon:
        return sum(terms.values())
    if regime == "nonconvex":
        rest = sum(value for key, value in terms.items() if key != "optimisation")
        return terms["optimisation"] * horizon / t + rest
    descent = FAMILIES[name].descent
    graph = findings.graph
    values = graph.values(WIDE)
    mu, gap = graph.spec.loss.pl, graph.spec.loss.initial_gap
    assert mu is not None  # noqa: S101 - there is a PL rate
    assert gap is not None  # noqa: S101 - the same
    top, bottom = descent.contraction
    q = 1 - WIDE.number(top) / bottom * mu.evaluate(WIDE, values) * wide(
        findings.rates.step_size.value
    )
    grown = (1 - q**t) / (1 - q**horizon)
    sampling = terms["sampling"] * (grown if descent.pl_noise is None else 1)
    perturbation = (terms["perturbation_error"] + terms["perturbation_bias"]) * grown
    return q**t * gap.evaluate(WIDE, values) + sampling + perturbation


def log_float(x: float) -> float | None:
    """log₁₀ of a positive finite float, or None."""
    return math.log10(x) if math.isfinite(x) and x > 0 else None
