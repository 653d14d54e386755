"""The parts of the adversary: functions that turn fast, laws, chains, exact expectations."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes import exact_moments, independent_law

import boundcalc as bc
from boundcalc.resources import examples
from boundcalc.simulate.program import make_program
from boundcalc.verify.adversary.chain import ScalarChain
from boundcalc.verify.adversary.functions import exact_value
from boundcalc.verify.adversary.instance import spline_spec
from boundcalc.verify.adversary.laws import BackwardSite, ForwardSite, two_points
from boundcalc.verify.adversary.moments import law_of, moments, outcomes
from boundcalc.verify.adversary.plan import plan
from boundcalc.verify.adversary.precise import precise_moments
from boundcalc.verify.adversary.settings import Weights
from boundcalc.verify.adversary.spec_text import spec_text
from boundcalc.verify.adversary.templates import function_shapes, random_start
from boundcalc.verify.adversary.turns import Limits, make_turns
from boundcalc.verify.adversary.within import excess

UNEQUAL = """
version: 1
name: unequal constants
graph:
  operators:
    - {id: f1, constants: {jac_weight: 3/4}}
    - id: f2
      constants: {jac_input: 1, jac_weight: 2, hess_input: 1/2,
        hess_mixed: 1, third_input: 1, third_mixed: 2}
    - id: f3
      constants: {jac_input: 3/2, jac_weight: 1, hess_input: 1,
        hess_mixed: 1/3, third_input: 1/3, third_mixed: 1}
    - id: f4
      constants: {jac_input: 1, jac_weight: 1/2, hess_input: 1,
        hess_mixed: 0, third_input: 2, third_mixed: 0}
perturbations:
  - {at: f1, pass: forward, rms: 1, mean: 1/4, fourth: 2}
  - {at: f2, pass: forward, rms: 1/2, mean: 0, fourth: 1/2}
  - {at: f3, pass: forward, rms: 1/3, mean: 1/3, fourth: 1/3}
  - {at: f3, pass: backward, rms: 1/4, mean: 1/5}
  - {at: f4, pass: backward, rms: 1/2, mean: 0}
"""

sizes = st.floats(0.1, 3.0)
units = st.floats(-1.0, 1.0)


@settings(deadline=None, max_examples=30)
@given(size=sizes, rate=sizes, bend=sizes, start=units, levels=st.tuples(units, units, units))
def test_turns_stay_within_their_limits_and_reach_their_levels(size, rate, bend, start, levels):
    limits = Limits(size, rate, bend)
    turns = make_turns(np.array([[start, *levels, 0.3]]), limits)
    step = 4e-3
    t = np.arange(start - 1.0, turns.knots[0, -1] + 1.0, step)[None]
    h = turns.once(t)[0]
    first, second = np.diff(h) / step, np.diff(h, 2) / step**2
    assert np.abs(h).max() <= size * (1 + 1e-9)
    assert np.abs(first).max() <= rate * (1 + 1e-6)
    assert np.abs(second).max() <= bend * (1 + 1e-4)
    assert h[0] == pytest.approx(levels[0] * size)
    assert h[-1] == pytest.approx(levels[2] * size, abs=1e-7)
    twice = turns.twice(t)[0]
    assert np.diff(twice) / step == pytest.approx((h[1:] + h[:-1]) / 2, abs=4e-5)
    assert turns.twice(np.zeros((1, 1)))[0, 0] == 0.0


def test_a_flip_takes_the_shortest_time():
    # |H| ≤ 1, |H′| ≤ 1, |H″| ≤ 1: ramps of length 1 and a plateau of length 1; with a lower
    # bend no plateau is left, and 2 = bend·(T/2)².
    assert Limits(1.0, 1.0, 1.0).flip == 3.0
    assert Limits(1.0, 9.0, 0.5).flip == pytest.approx(2 * np.sqrt(2 / 0.5))
    assert not Limits(1.0, 1.0, 0.0).moves


@settings(deadline=None, max_examples=100)
@given(rms=sizes, mean=st.floats(0, 1), fourth=st.floats(1, 2), z=st.tuples(units, units))
def test_laws_keep_within_their_moments(rms, mean, fourth, z):
    site = ForwardSite(1, rms, rms * mean, rms * fourth)
    values, p = two_points(np.array([z]), site, steady=False)
    assert p.sum() == pytest.approx(1.0)
    assert abs((p * values).sum()) <= site.mean * (1 + 1e-9) + 1e-12
    assert (p * values**2).sum() <= rms**2 * (1 + 1e-9)
    assert (p * values**4).sum() <= site.fourth**4 * (1 + 1e-9)
    free = ForwardSite(1, rms, rms * mean, None)
    values, p = two_points(np.array([z]), free, steady=False)
    assert (p * values**2).sum() == pytest.approx(rms**2)
    assert (p * values).sum() == pytest.approx(z[0] * free.mean)


def test_a_tight_fourth_moment_makes_a_law_fairer_not_smaller():
    values, p = two_points(np.array([[0.0, 1.0]]), ForwardSite(1, 1.0, 0.0, 1.1), steady=False)
    assert (p * values**2).sum() == pytest.approx(1.0)
    assert p[0, 0] != 0.5


@pytest.mark.parametrize("steady", [True, False])
def test_a_candidate_has_one_value_computed_in_three_ways(steady):
    graph = bc.build(bc.loads(UNEQUAL))
    chain = next(c for c in plan(graph).chains if c.steady is steady)
    rng = np.random.default_rng(4)
    for z in random_start(chain, rng, 3):
        text = spline_spec(graph, chain, z, digits=9)
        instance = bc.build(bc.loads(text))
        assert excess(graph, instance) == []
        error, bias = (found[0] for found in chain.moments(z[None]))
        precise = precise_moments(instance)
        for value, own, exact in zip((error, bias), (False, True), precise, strict=True):
            assert exact_value(instance, bias=own) == pytest.approx(
                float(exact), rel=1e-9, abs=1e-15
            )
            # Rounding to decimals and making heights smaller changes little.
            assert value == pytest.approx(float(exact), rel=1e-4, abs=1e-7)


def test_backward_noise_enters_by_its_mean_and_variance():
    # Two operators, s₂′ = m₂ = m₁ = 1: ũ₁ − u₁ = ε, so E = rms² and bias² = mean².
    limits = Limits(1.0, 0.0, 0.0)
    chain = ScalarChain((limits,), (limits,), 1.0, (), (BackwardSite(2, 0.5, 0.3),), (1.0,), True)
    z = np.zeros((1, chain.parameters))
    z[0, [1, 6]] = 1.0
    error, bias = chain.moments(z)
    assert (error[0], bias[0]) == pytest.approx((0.25, 0.09))


def test_shapes_lie_in_the_box():
    graph = bc.build(bc.loads(UNEQUAL))
    chain = plan(graph).chains[0]
    low, high = chain.boxes()
    for k in range(chain.functions):
        shapes = function_shapes(chain, k)
        part = slice(5 * k, 5 * k + 5)
        assert np.all((low[part] <= shapes) & (shapes <= high[part]))


TYPED = """
version: 1
name: typed
graph:
  operators:
    - {id: f1, type: dense, units: 2, region: {weight: 20}}
    - {id: f2, type: tanh}
    - {id: f3, type: inner, inputs: [f1, f2]}
    - {id: loss, type: softplus, bias: true}
perturbations:
  - {at: f1, pass: forward, model: two_point, low: -1/2, high: 1/4, p_high: 1/3}
  - {at: f2, pass: forward, model: two_point, magnitude: 1/3}
  - {at: "f1->f3", pass: backward, model: two_point, magnitude: 1/5}
  - {at: loss, pass: backward, model: constant, value: 1/10}
training: {step_size: 1, horizon: 1}
simulation: {data: {points: [[1, -1], [2, 1/2]]}, initial_weights: 1}
"""


def test_moments_are_those_of_plain_enumeration():
    graph = bc.build(bc.loads(TYPED))
    program, rng = make_program(graph), np.random.default_rng(0)
    law = independent_law(graph, rng)
    w = rng.standard_normal((3, program.weights))
    found = outcomes(graph.perturbations, law_of(graph), rng, draws=1)
    x, labels = graph.data.features[None], graph.data.labels[None]
    ours = moments(graph, program, w, x, labels, found)
    for row in range(3):
        error, bias, _ = exact_moments(graph, program, w[row : row + 1], law)
        assert ours.error[row] == pytest.approx(np.ravel(error), rel=1e-11)
        assert ours.bias[row] == pytest.approx(np.ravel(bias), rel=1e-11)


def test_drawn_outcomes_agree_within_their_interval(monkeypatch):
    graph = bc.build(bc.loads(TYPED))
    program, rng = make_program(graph), np.random.default_rng(1)
    w = rng.standard_normal((1, program.weights))
    x, labels = graph.data.features[None], graph.data.labels[None]
    exact = moments(
        graph, program, w, x, labels, outcomes(graph.perturbations, law_of(graph), rng, draws=1)
    )
    for name in ("MAX_OUTCOMES", "MAX_PASSES"):
        # The function ``verify`` hides the package of that name.
        monkeypatch.setattr(sys.modules[moments.__module__], name, 1)
    drawn = outcomes(graph.perturbations, law_of(graph), rng, draws=20_000)
    assert drawn.drawn
    found = moments(graph, program, w, x, labels, drawn)
    assert np.all(found.spread[0] > 0)
    assert np.all(np.abs(found.error - exact.error) < found.spread[0])
    assert np.all(np.abs(found.bias - exact.bias) < found.spread[1])


def test_inputs_that_leave_their_region_are_noticed():
    text = TYPED.replace("type: tanh", "type: tanh, region: {high: 2}")
    graph = bc.build(bc.loads(text))
    program, rng = make_program(graph), np.random.default_rng(1)
    found = outcomes(graph.perturbations, law_of(graph), rng, draws=1)
    x, labels = graph.data.features[None], graph.data.labels[None]
    w = np.zeros((2, program.weights))
    w[1, 4:6] = 1.8  # the bias of f1: 1.8 + 1/4 > 2 with the perturbation
    assert moments(graph, program, w, x, labels, found).outside.tolist() == [False, True]


@pytest.mark.parametrize("path", examples().values(), ids=lambda path: path.stem)
def test_a_spec_survives_being_written(path):
    spec = bc.load(path)
    again = bc.loads(spec_text(spec, {}))
    assert again.model_dump() == spec.model_dump()


def test_weights_are_drawn_back_into_their_regions():
    places = np.array([0, 1])
    weights = Weights(np.array([0.1, 0.1, 7.0]), places, ((places, np.array([1.0, 0.0]), 2.0),))
    found = weights.projected(np.array([[1.5, 0.5], [1.0, 8.0], [-9.0, 0.0]]))
    assert found == pytest.approx(np.array([[1.5, 0.5, 7], [1, 2, 7], [-1, 0, 7]]))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("jac_input: 1, jac_weight: 2", "jac_input: 1, jac_weight: 1/100", "jac_weight of f2"),
        ("third_input: 1/3", "third_input: 1/100", "third_input of f3"),
        ("rms: 1, mean: 1/4, fourth: 2", "rms: 1/100, mean: 1/100", "e[1]"),
        ("rms: 1/4, mean: 1/5", "rms: 1/4, mean: 1/100", "n[3]"),
    ],
)
def test_an_instance_that_leaves_the_spec_is_noticed(old, new, said):
    graph = bc.build(bc.loads(UNEQUAL))
    chain = plan(graph).chains[0]
    z = random_start(chain, np.random.default_rng(2), 64)
    z = z[np.argmax(chain.moments(z)[0])]
    # A function of each kind that uses all that it may.
    for k in range(chain.functions):
        z[5 * k : 5 * k + 5] = [0.0, -1.0, 1.0, 1.0, 0.0]
    instance = bc.build(bc.loads(spline_spec(graph, chain, z, digits=9)))
    assert excess(graph, instance) == []
    assert old in UNEQUAL
    smaller = bc.build(bc.loads(UNEQUAL.replace(old, new)))
    assert any(found.startswith(said) for found in excess(smaller, instance))
