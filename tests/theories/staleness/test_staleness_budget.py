"""The largest delays and steps for a target."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.errors import SpecError
from boundcalc.theories.plain import jsonable
from boundcalc.theories.registry import build_for
from boundcalc.theories.staleness.budget import Delay, best_step, budgets, scaled
from boundcalc.theories.staleness.queues import Queues
from boundcalc.theories.staleness.rate import evaluated
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.staleness.shapes import CORRECTED, MOMENTUM_SHARP, SGD, SHARP, Shape
from boundcalc.theories.staleness.theory import THEORY

DSP = """
version: 1
name: three blocks
theory: staleness
staleness: {queues: {p: [1, 1, 0], m: [4, 2, 0]}, lipschitz: 1, error_gradient: 1}
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}
training: {step_size: 1/100, horizon: 1000}
"""

SHAPES = {
    "sgd": SGD,
    "sgd.corrected": CORRECTED,
    "sgd.sharp": SHARP,
    "momentum.sharp": MOMENTUM_SHARP,
}


def _problem(text: str) -> Problem:
    spec = bc.loads(text)
    return Problem(build_for(spec), THEORY.own(spec))


@cache
def _budgets(text: str) -> dict[str, Delay]:
    return {d.key: d for d in budgets(_problem(text))}


def _bound(problem: Problem, shape: Shape) -> float:
    found = evaluated(problem, shape).bound
    return float("inf") if found is None else float(found)


def test_the_largest_delay_is_the_last_that_fits() -> None:
    problem = _problem(DSP)
    found = _budgets(DSP + "budget: {target: 1/2}\n")
    # No pipeline of three blocks has a delay below 4: blocks lag two steps more than the next.
    expected = {"sgd": 0, "sgd.corrected": 4, "sgd.sharp": 45, "momentum.sharp": 25}
    for key, shape in SHAPES.items():
        # Every delay one after the other, from none on.
        t = 0
        while _bound(problem.delayed(scaled((4, 2, 0), t + 1)), shape) <= 0.5:
            t += 1
        assert found[key].largest_delay == max(scaled((4, 2, 0), t)) == expected[key]
        assert float(found[key].bound) <= 0.5
        assert float(found[key].target) == 0.5


def test_tolerance_is_measured_from_no_delay() -> None:
    found = _budgets(DSP + "budget: {tolerance: 1/10}\n")
    # Lασ²·2 and Lασ² beside 2Δ₀/(Nα) = 1/5.
    assert found["sgd"].target.value == Fraction(11, 10) * Fraction(22, 100)
    assert found["sgd.sharp"].target.value == Fraction(11, 10) * Fraction(21, 100)
    assert found["sgd"].largest_delay == 0
    assert found["sgd.sharp"].largest_delay > found["momentum.sharp"].largest_delay > 0


@pytest.mark.long
def test_a_chosen_step_allows_more() -> None:
    problem = _problem(DSP)
    for d in _budgets(DSP + "budget: {target: 1/2}\n").values():
        assert d.best_delay >= d.largest_delay
        assert float(d.best_bound) <= 0.5
        if d.key in ("sgd", "sgd.sharp"):
            later = problem.delayed(scaled((4, 2, 0), d.best_delay + 1))
            top = float(evaluated(later, SHAPES[d.key]).step_size_limit)
            steps = [Fraction(top * k / 60) for k in range(1, 60)]
            assert min(_bound(later.at(step), SHAPES[d.key]) for step in steps) > 0.5


@pytest.mark.long
@pytest.mark.parametrize("shape", [SGD, SHARP, MOMENTUM_SHARP])
def test_best_step_is_nearly_best(shape: Shape) -> None:
    for text in (DSP, DSP.replace("gradient_noise: 1", "gradient_noise: 1/100")):
        problem = _problem(text)
        found = best_step(problem, shape)
        top = float(evaluated(problem, shape).step_size_limit)
        assert 0 < found <= Fraction(top)
        least = min(_bound(problem.at(Fraction(top * 0.94**k)), shape) for k in range(80))
        assert _bound(problem.at(found), shape) <= least * (1 + 1e-9)


def test_the_largest_step_meets_the_target_and_no_larger_one_does() -> None:
    problem = _problem(DSP)
    for d in _budgets(DSP + "budget: {target: 1/2}\n").values():
        if d.key not in SHAPES or d.largest_step is None:
            continue
        step = d.largest_step.value
        assert _bound(problem.at(step), SHAPES[d.key]) <= 0.5
        beyond = step * (1 + Fraction(1, 10**6))
        assert _bound(problem.at(beyond), SHAPES[d.key]) > 0.5
        assert step <= Fraction(float(d.step_size_limit))


def test_a_generous_target_leaves_the_limit() -> None:
    d = _budgets(DSP + "budget: {target: 1000000}\n")["sgd.sharp"]
    assert float(d.largest_step) == pytest.approx(float(d.step_size_limit), rel=1e-9)
    assert float(d.largest_step) <= float(d.step_size_limit)


def test_a_target_that_no_delay_meets() -> None:
    d = _budgets(DSP + "budget: {target: 1/100}\n")["sgd.sharp"]
    assert d.largest_delay is None
    assert d.bound is None
    assert d.best_delay is None
    assert d.largest_step is None
    assert not d.refused


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5), st.integers(0, 60))
def test_scaled_delays_are_those_of_a_pipeline(lags: list[int], t: int) -> None:
    """Queues of positive length exist for them; and they grow with t."""
    delays = [0 if len(lags) > 1 else lags[0]]
    for lag in lags[1:]:
        delays.insert(0, delays[0] + 2 + lag)
    found = scaled(delays, t)
    p = (*(1 for _ in found[1:]), 0)
    Queues(p if t else (0,) * len(found), found)
    assert all(a <= b for a, b in zip(found, scaled(delays, t + 1), strict=True))
    if any(delays):
        assert scaled(delays, max(delays)) == tuple(delays)


def test_a_spec_without_delays_takes_the_shortest_pipeline() -> None:
    text = DSP.replace("p: [1, 1, 0], m: [4, 2, 0]", "p: [0, 0, 0], m: [0, 0, 0]")
    found = _budgets(text + "budget: {tolerance: 1/10}\n")["sgd.sharp"]
    same = _problem(DSP)
    t = found.largest_delay
    target = 1.1 * 0.21
    assert _bound(same.delayed(scaled((4, 2, 0), t)), SHARP) <= target
    assert _bound(same.delayed(scaled((4, 2, 0), t + 1)), SHARP) > target


def test_without_an_initial_gap_the_best_step_is_as_small_as_one_likes() -> None:
    text = DSP.replace("initial_gap: 1", "initial_gap: 0") + "budget: {target: 1}\n"
    found = _budgets(text)["sgd.sharp"]
    assert found.best_delay >= found.largest_delay > 0
    assert float(found.best_bound) < 1e-9
    assert float(found.largest_step) > 0.01


def test_the_horizon_of_a_budget_is_that_of_its_perturbations() -> None:
    """Perturbed in the first four steps only: four thousand steps would dilute them."""
    perturbed = "perturbations: [{at: f1, pass: forward, rms: 1, steps: [0, 1, 2, 3]}]\n"
    short, long = (
        _budgets(
            DSP.replace("horizon: 1000", f"horizon: {horizon}")
            + perturbed
            + "budget: {target: 3000, horizon: 4}\n"
        )["composed"]
        for horizon in (4, 4000)
    )
    assert short.largest_delay is not None
    assert (long.largest_delay, long.best_delay) == (short.largest_delay, short.best_delay)
    assert (str(long.bound), str(long.best_bound)) == (str(short.bound), str(short.best_bound))


def test_step_and_horizon_of_the_budget_count() -> None:
    same = _budgets(DSP + "budget: {target: 1/2, step_size: 1/200, horizon: 2000}\n")["sgd.sharp"]
    problem = _problem(DSP.replace("1/100", "1/200").replace("horizon: 1000", "horizon: 2000"))
    t = same.largest_delay
    assert _bound(problem.delayed(scaled((4, 2, 0), t)), SHARP) <= 0.5
    assert _bound(problem.delayed(scaled((4, 2, 0), t + 1)), SHARP) > 0.5


@pytest.mark.long
def test_noise_free_delays_are_limited_by_the_step_alone() -> None:
    text = DSP.replace("gradient_noise: 1", "gradient_noise: 0") + "budget: {target: 1}\n"
    d = _budgets(text)["sgd.sharp"]
    problem = _problem(text)
    assert evaluated(problem.delayed(scaled((4, 2, 0), d.largest_delay)), SHARP).bound is not None
    assert evaluated(problem.delayed(scaled((4, 2, 0), d.largest_delay + 1)), SHARP).bound is None
    # At any delay a small enough step does: the search ends somewhere.
    assert d.best_delay >= d.largest_delay


def test_perturbed_passes_have_the_composed_budget() -> None:
    text = DSP + (
        "perturbations: [{at: f1, pass: forward, rms: 1/10, mean: 0}]\nbudget: {target: 1/2}\n"
    )
    found = _budgets(text)
    assert found["composed"].largest_delay > 0
    assert found["sgd.sharp"].largest_delay is None
    assert "composed" in found["sgd.sharp"].refused


def test_the_answer_is_data_and_a_table() -> None:
    spec = bc.loads(DSP + "budget: {target: 1/2}\n")
    answer = THEORY.budget(build_for(spec))
    data: Any = json.loads(json.dumps(jsonable(answer.data), allow_nan=False))["staleness"]
    assert data["sgd.sharp"]["largest_delay"] == 45
    assert data["queues"]["q"] == [0, 1, 1]
    assert answer.blocks


@pytest.mark.parametrize(
    ("budget", "where"),
    [("", "budget"), ("budget: {tolerance: 1/10, regime: pl}\n", "budget.regime")],
)
def test_what_no_budget_can_be(budget: str, where: str) -> None:
    with pytest.raises(SpecError) as caught:
        budgets(_problem(DSP + budget))
    assert caught.value.where == where
    assert caught.value.fix
