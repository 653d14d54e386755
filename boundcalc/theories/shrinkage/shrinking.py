"""What is done with a step's gradient, in floating point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SpecError
from boundcalc.operators.base import Array
from boundcalc.perturbations.formats.rounding import Grid, rounded
from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.theories.shrinkage.formats.pieces import Pieces, pieces
from boundcalc.theories.shrinkage.section import FormatSection, Schedule
from boundcalc.theories.shrinkage.setting import Case

#: Rounds the gradients of a block, given each replica's generator.
Quantiser = Callable[[Array, list[np.random.Generator]], Array]


@dataclass(frozen=True)
class Shrinking:
    """What happens to a gradient.

    Attributes
    ----------
    factors
        q_k of every step, ``(K,)``; None where they depend on the past.
    steps
        μ_k, ``(K,)``, before compensation.
    least, threshold
        Of factors that depend on the past: q_min, and ‖w‖ above which it is taken; without a
        threshold it is taken where ‖∇ℓ‖ exceeds ``sigma``.
    noise
        σ_e.
    sigma
        σ.
    compensated
        Whether the step is divided by the factor.
    quantiser
        Rounds the gradient itself; then there are no factors and no noise.
    met
        The factors that were taken, ``(K, R)``, of those that depend on the past.
    """

    factors: Array | None
    steps: Array
    least: float
    threshold: float | None
    noise: float
    sigma: float
    compensated: bool
    quantiser: Quantiser | None
    met: Array


def shrinking(case: Case, weights: int) -> Shrinking:
    """What a case does to gradients, in floating point.

    Raises
    ------
    SpecError
        If the spec's gradient law has another dimension than the gradient.
    """
    s = case.at(FLOATS) if case.projection is None else None
    graph, horizon = case.graph, case.horizon
    section = graph.spec.simulation
    assert section is not None  # noqa: S101 - the caller has looked
    k = np.arange(1, horizon + 1, dtype=np.float64)
    decay = {"constant": 0.0, "inverse_sqrt": 0.5, "inverse": 1.0}[case.own.steps.type]
    training = graph.spec.training
    assert training is not None  # noqa: S101 - case_of() has looked
    steps = float(training.step_size.evaluate(FLOATS, graph.values(FLOATS))) * k**-decay
    past = case.kind == "past"
    factors = None
    if s is not None and case.factors is not None and not past:
        q = np.array([float(x) for x in s.q])
        factors = q[case.factors.positions(0, horizon)]
    schedule = case.own.q
    threshold = schedule.threshold if isinstance(schedule, Schedule) else None
    return Shrinking(
        factors=factors,
        steps=steps,
        least=1.0 if s is None else float(s.q_min),
        threshold=None
        if threshold is None
        else float(threshold.evaluate(FLOATS, graph.values(FLOATS))),
        noise=0.0 if s is None else float(s.noise) ** 0.5,
        sigma=sampling_noise(case),
        compensated=case.own.compensation,
        quantiser=None if case.own.format is None else quantiser(case.own.format, weights),
        met=np.ones((horizon, section.replicas)) if past else np.ones((0, 0)),
    )


def quantiser(section: FormatSection, weights: int) -> Quantiser:
    """Rounds every component of a gradient into a format.

    Raises
    ------
    SpecError
        If the law of the spec is that of a gradient of another dimension.
    """
    if section.gradient.dimension != weights:
        raise SpecError(
            "the gradient that is simulated has another dimension",
            where="shrinkage.format.gradient.dimension",
            value=section.gradient.dimension,
            expected=f"{weights}, the number of trained weights",
            fix=f"write dimension: {weights}",
        )
    form = FORMATS[section.name]
    if section.rounding == "toward_zero":
        made: Pieces = pieces(form, "toward_zero", section.flush)
        return lambda values, _: made.applied(values)
    grid, one = Grid.of(form, section.flush), np.asarray(1.0)
    if section.rounding == "nearest":
        return lambda values, _: rounded(values, grid, one)

    def stochastic(values: Array, streams: list[np.random.Generator]) -> Array:
        rows = (rounded(v, grid, one, g) for v, g in zip(values, streams, strict=True))
        return np.stack(list(rows))

    return stochastic


def sampling_noise(case: Case) -> float:
    """σ."""
    noise = case.graph.spec.loss.gradient_noise
    assert noise is not None  # noqa: S101 - case_of() has looked
    return float(noise.evaluate(FLOATS, case.graph.values(FLOATS)))
