"""Runs: reproducible, exact where theory is exact, honest where they fail."""

import numpy as np
import pytest
from programs import ENGINES, PROGRAMS, graph_of

import boundcalc as bc
from boundcalc.simulate.literal import literal_gradient
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.statistics import (
    jackknife_interval,
    mean_interval,
    stable_complexity,
    stable_norm,
)
from boundcalc.simulate.streams import Streams


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_run_equals_a_loop_over_the_literal_twin(name, engine):
    graph = graph_of(name)
    run = bc.simulate(graph, engine=engine)
    noise = make_noise(graph)
    x, y = graph.data.features[None], graph.data.labels[None]
    w = np.tile(run.trajectory.snapshots[0], (3, 1))
    draws = Streams.of_replicas(4, range(3), noise.keys)
    for t in range(20):
        active = tuple(bool(p.schedule.active(t, t + 1, 20)[0]) for p in noise.perturbations)
        delta, epsilon = noise.draw(draws, 3, x.shape[1], active)
        w = w - 0.1 * literal_gradient(graph, w, x, y, delta, epsilon).mean(axis=1)
    np.testing.assert_allclose(run.trajectory.final, w, rtol=0, atol=1e-12 * (1 + np.abs(w).max()))


def test_the_same_seed_gives_the_same_numbers_and_another_does_not():
    first, second = bc.simulate(graph_of("margin-logit")), bc.simulate(graph_of("margin-logit"))
    assert first.metrics == second.metrics
    assert np.array_equal(first.trajectory.loss, second.trajectory.loss)
    assert np.array_equal(first.checks[0].error, second.checks[0].error)
    text = """
version: 1
name: another seed
graph: {operators: [{id: f1, type: margin}, {id: f2, type: softplus}]}
perturbations: [{at: f1, pass: forward, model: gaussian, std: 1}]
training: {step_size: 1/10, horizon: 5}
simulation: {seed: SEED, data: {generator: logistic, samples: 5, dimension: 2}}
"""
    losses = [bc.simulate(bc.loads(text.replace("SEED", s))).trajectory.loss for s in ("1", "2")]
    assert not np.array_equal(*losses)


def test_schedules_decide_when_the_run_is_disturbed():
    text = """
version: 1
name: late shift
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: bilinear, region: {input: 9, weight: 9}}
perturbations: [{at: f1, pass: forward, model: constant, value: 1, SCHEDULE}]
training: {step_size: 1/100, horizon: 6}
simulation: {replicas: 2, data: {points: [[1]]}, initial_weights: [1, 1]}
"""

    def second_weight(schedule):
        run = bc.simulate(bc.loads(text.replace("SCHEDULE", schedule)))
        return run.trajectory.final[0, 1]

    never = second_weight("first: 0")
    assert second_weight("last: 1") == pytest.approx(never - 0.01, abs=1e-15)
    assert second_weight("steps: [5]") == second_weight("last: 1")
    assert second_weight("every: 3") < second_weight("steps: [0]") < never


def test_exact_floor_of_a_biased_quadratic():
    """f = y²/2 with y = w·1: gradient λw + b at λ = 1, σ = 1, b = 0.3, γ = 0.1.

    The exact floor of E[ℓ − ℓ*] is b²/(2λ) + γσ²/(2(2−γλ)) (docs/theory.md, section 6).
    """
    text = """
version: 1
name: one-dimensional quadratic
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 99}}
    - {id: f2, type: squared, region: {input: 99}}
loss: {smoothness: 1, pl: 1, initial_gap: 0, gradient_noise: 1}
perturbations: [{at: f2, pass: backward, model: constant, value: 0.3}]
training: {step_size: 1/10, horizon: 400}
simulation:
  replicas: 4000
  data: {points: [[1]]}
  noise: {kind: gaussian, std: 1}
"""
    run = bc.simulate(bc.loads(text))
    gap = run.metrics["final_gap"]
    assert gap.lo <= 0.3**2 / 2 + 0.1 / (2 * 1.9) <= gap.hi
    assert gap.hi - gap.lo < 0.02


def test_divergence_is_recorded_and_never_verified():
    text = """
version: 1
name: far above 2/L
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 1}}
    - {id: f2, type: squared, region: {input: 1}}
loss: {smoothness: 1/100, initial_gap: 100, gradient_noise: 0}
training: {step_size: 50, horizon: 600}
simulation: {replicas: 2, data: {points: [[1]]}, initial_weights: [1]}
"""
    verdicts = bc.verify(bc.loads(text))
    assert verdicts.run.trajectory.diverged_at is not None
    assert {v.status for v in verdicts.verdicts if v.claim == "nonconvex"} <= {"undetermined"}
    assert verdicts.exit_code == 3


def test_mean_interval_is_students():
    metric = mean_interval(np.array([1.0, 2.0, 3.0, 4.0]), 0.95)
    half = 3.182446305284263 * np.sqrt(5 / 3) / 2  # t quantile with 3 degrees of freedom
    assert (metric.lo, metric.hi) == pytest.approx((2.5 - half, 2.5 + half), rel=1e-12)


def test_jackknife_of_a_mean_is_its_t_interval():
    values = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    left = (values.sum() - values) / 4
    lo, hi = jackknife_interval(left, values.mean(), 0.9)
    plain = mean_interval(values, 0.9)
    assert (lo, hi) == pytest.approx((plain.lo, plain.hi), rel=1e-12)


def test_stable_norm_and_complexity_follow_their_definitions():
    ewma = np.array([[8.0, 1.0], [3.0, 1.0], [1.4, 1.0], [1.0, 1.0], [1.0, 1.0]])
    assert stable_norm(ewma).tolist() == [1.0, 1.0]  # mean over the last ⌊5/2⌋ = 2 steps
    assert stable_complexity(ewma).tolist() == [2.0, 0.0]
