"""Bits by measured sensitivities: the model, the choice, the simulation beside it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.allocation.evaluator import Moments
from boundcalc.budgets.allocation.quantisers import quantisers
from boundcalc.budgets.budget import bare_reaches
from boundcalc.budgets.calibration.results import Calibration, SiteSensitivity
from boundcalc.budgets.measured_bits import Measured, _model, measured_bits
from boundcalc.budgets.question import Question, question
from boundcalc.errors import SpecError

SPEC = """
version: 1
name: two layers
graph:
  input: {{shape: [3], low: -1, high: 1}}
  operators:
    - {{id: act, type: tanh}}
    - id: layer
      type: dense
      units: 2
      initial: {{normal: 1/3}}
      region: {{weight_change: 1/10}}
    - {{id: loss, type: cross_entropy}}
loss: {{smoothness: 2, initial_gap: 1, gradient_noise: {sigma}, batch: {batch}}}
training: {{step_size: 1/100, horizon: 10}}
simulation:
  data: {{generator: uniform, samples: 8, dimension: 3, seed: 2, low: -1, high: 1, classes: 2}}
  replicas: 4
  check: {{iterates: [0], samples: 4, draws: 64}}
budget: {{tolerance: 1/1000, allocation: {{rounding: {rounding}, most_bits: 6}}}}
"""


def asked(sigma: str = "1/10", batch: int = 8, rounding: str = "stochastic") -> Question:
    return question(bc.build(bc.loads(SPEC.format(sigma=sigma, batch=batch, rounding=rounding))))


def calibration(q: Question) -> Calibration:
    def number(x: float) -> Number:
        return Number(x, Status.SAMPLED)

    sites = tuple(
        SiteSensitivity(
            site.direction,
            site.label,
            None,
            number(0.5 + k),
            (0.4 + k, 0.6 + k),
            None,
            measured_bias=number(0.1) if site.direction == "forward" else None,
            bias_interval=(0.05, 0.2) if site.direction == "forward" else None,
        )
        for k, site in enumerate(q.graph.sites)
    )
    return Calibration(sites, 0.99, (0,), *[None] * 8)


@pytest.mark.parametrize("rounding", ["stochastic", "nearest"])
@pytest.mark.parametrize(("sigma", "batch"), [("0", 1), ("1/10", 1), ("1/10", 8)])
def test_the_model_is_the_rate_statement_written_out(sigma: str, batch: int, rounding: str) -> None:
    q = asked(sigma, batch, rounding)
    found = calibration(q)
    made, _ = quantisers(q.graph, q.section.allocation, bare_reaches(q.graph))
    model: Measured = _model(q, found, made)
    rms, mean = np.array([0.3, 0.2, 0.1, 0.4]), np.array([0.1, 0.0, 0.05, 0.2])
    got = model.bound(Moments(rms, mean, rms))
    s, L, gamma, T = (0.0 if sigma == "0" else 0.1), 2, 1 / 100, 10
    c, root_d = [0.6, 1.6, 2.6, 3.6], [0.2**0.5, 0.2**0.5, 0, 0]
    error = sum(x * r**2 for x, r in zip(c, rms, strict=True))
    bias = sum(d * r**2 + x**0.5 * m for x, d, r, m in zip(c, root_d, rms, mean, strict=True)) ** 2
    level = min(error, ((batch - 1) * bias + error) / batch)
    want = 2 / (gamma * T) + L * gamma * (s + level**0.5) ** 2 + bias
    assert got == pytest.approx(want, rel=1e-12)


def test_the_choice_is_the_cheapest_of_all() -> None:
    q = asked()
    found = measured_bits(q, calibration(q), bare_reaches(q.graph))
    made, _ = quantisers(q.graph, q.section.allocation, bare_reaches(q.graph))
    model = _model(q, calibration(q), made)
    best = None
    for bits in product(range(1, 7), repeat=len(made)):
        rms = np.array([float(m.rms_squared(b)) ** 0.5 for m, b in zip(made, bits, strict=True)])
        if model.bound(Moments(rms, 0 * rms, rms)) <= float(q.target):
            cost = sum(m.weight * b for m, b in zip(made, bits, strict=True))
            best = cost if best is None else min(best, cost)
    assert best is not None
    assert found.cost.value == best
    assert float(found.bound) <= float(q.target)
    assert found.bound.status == "sampled"
    low, high = found.interval
    assert low <= float(found.simulated) <= high <= float(q.target)


def test_smaller_sensitivities_never_cost_more() -> None:
    q = asked()
    plain = calibration(q)
    small = replace(
        plain,
        sites=tuple(replace(s, interval=(0, s.interval[1] / 9)) for s in plain.sites),
    )
    costs = [measured_bits(q, x, bare_reaches(q.graph)).cost.value for x in (small, plain)]
    assert costs[0] < costs[1]


def test_what_it_is_not_for_is_refused() -> None:
    q = asked()
    with pytest.raises(SpecError, match="one step size"):
        measured_bits(replace(q, best=True), calibration(q), bare_reaches(q.graph))
    hard = replace(q, target=replace(q.target, value=q.baseline.value * 1))
    with pytest.raises(SpecError, match="most bits everywhere miss the target"):
        measured_bits(hard, calibration(q), bare_reaches(q.graph))


def test_it_stands_beside_the_proved_bits() -> None:
    spec = bc.loads(SPEC.format(sigma="1/10", batch=8, rounding="stochastic"))
    found = bc.budget(spec, allocate=True, calibrate=True)
    assert found.allocation is not None
    assert found.calibration is not None
    measured = found.calibration.bits
    assert measured is not None
    assert set(measured.bits) == {(s.direction, s.label) for s in found.allocation.sites}
    assert float(measured.cost) <= float(found.allocation.cost)
