"""Verdicts: right where the answer is known, honest where it is not."""

from fractions import Fraction

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import Number, Status
from boundcalc.resources import example
from boundcalc.verify.premises import Premise
from boundcalc.verify.verdicts import judge

ONE = Number(Fraction(1), Status.PROVED)


def outcome(lo, hi, zero=0.0, broken=()):
    return judge(ONE, np.atleast_1d(lo), np.atleast_1d(hi), zero, list(broken))[0]


def test_the_three_outcomes():
    assert outcome(0.2, 0.9) == "holds"
    assert outcome(1.1, 1.2) == "violated"
    assert outcome(0.9, 1.1) == "undetermined"


def test_an_attained_bound_holds_up_to_rounding():
    assert outcome(1 + 1e-12, 1 + 1e-12) == "holds"
    assert outcome(1 + 1e-6, 1 + 1e-6) == "violated"


def test_one_sample_beyond_the_bound_is_enough():
    assert outcome([0.1, 1.5], [0.2, 1.6]) == "violated"
    assert outcome([0.1, 0.9], [0.2, 1.6]) == "undetermined"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_never_pass(value):
    assert outcome(0.1, value) == "undetermined"
    assert outcome(value, 0.1) == "undetermined"


def test_a_failed_premise_leaves_everything_undetermined():
    broken = Premise("A1", "smoothness L", 1.0, 2.0, False, True)
    assert outcome(0.1, 0.2, broken=[broken]) == "undetermined"
    assert outcome(1.1, 1.2, broken=[broken]) == "undetermined"


@pytest.mark.parametrize("name", ["bilinear-erratum", "separable-erratum"])
def test_the_errata_are_found(name):
    verdicts = bc.verify(bc.load(example(name)))
    by = {(v.family, v.claim): v for v in verdicts.verdicts}
    for claim in ("bias at step 0", "bias at step 10"):
        published = by["published", claim]
        assert published.status == "violated"
        assert float(published.bound) == 0.0
        assert published.observed == pytest.approx(1 / 16, rel=1e-12)
        assert "seed 0" in published.detail
        assert "x = [1], w = [0.5, 0.5]" in by["published", "bias at step 0"].detail
        for family in ("corrected", "sharp"):
            assert by[family, claim].status == "holds"
    assert verdicts.exit_code == 1
    assert not verdicts.ok


def test_the_sharp_bound_is_attained_on_the_errata():
    for name in ("bilinear-erratum", "separable-erratum"):
        verdicts = bc.verify(bc.load(example(name)))
        sharp = [v for v in verdicts.verdicts if v.family == "sharp"]
        assert [v.slack for v in sharp] == pytest.approx([1.0] * len(sharp), rel=1e-9)


SMALL = """
version: 1
name: small
graph: {operators: [{id: f1, type: margin}, {id: f2, type: softplus}]}
loss: {smoothness: SMOOTHNESS, initial_gap: GAP, gradient_noise: NOISE, batch: BATCH}
perturbations: [{at: f1, pass: forward, model: two_point, magnitude: 1/10}]
training: {step_size: 1/10, horizon: 60}
simulation:
  data: {generator: logistic, samples: 40, dimension: 2}
  replicas: 4
  noise: {kind: gaussian, std: 1/100}
  check: {samples: 4, draws: 2048}
"""


def small(smoothness="1", gap="log(2)", noise="sqrt(2)/100", batch="40"):
    text = SMALL.replace("SMOOTHNESS", smoothness).replace("GAP", gap)
    return bc.verify(bc.loads(text.replace("NOISE", noise).replace("BATCH", batch)))


def test_everything_holds_where_the_premises_do():
    verdicts = small()
    assert verdicts.exit_code == 0
    assert all(p.consistent for p in verdicts.premises)


@pytest.mark.parametrize(
    ("change", "assumption"),
    [
        ({"smoothness": "1/1000"}, "A1"),
        ({"gap": "1/1000"}, "Δ₀"),
        ({"noise": "1/1000"}, "A2"),
        ({"batch": "41"}, "batch"),
    ],
)
def test_a_constant_that_the_run_refutes_is_named(change, assumption):
    verdicts = small(**change)
    assert [p.assumption for p in verdicts.premises if not p.consistent] == [assumption]
    runs = [v for v in verdicts.verdicts if v.claim == "nonconvex"]
    assert runs
    assert {v.status for v in runs} == {"undetermined"}
    assert "outside the assumptions" in runs[0].detail
    assert verdicts.exit_code == 3


def test_leaving_the_region_is_noticed():
    text = """
version: 1
name: outside
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 1}}
    - {id: f2, type: quadratic, region: {input: 1/2}}
perturbations: [{at: f1, pass: forward, model: constant, value: 1/4}]
training: {step_size: 1/100, horizon: 3}
simulation: {replicas: 2, data: {points: [[1]]}, initial_weights: [1/2, 0], check: {draws: 32}}
"""
    verdicts = bc.verify(bc.loads(text))
    broken = [p for p in verdicts.premises if not p.consistent]
    assert [p.claim for p in broken] == ["input region of f2"]
    assert broken[0].met == pytest.approx(0.75)
    assert {v.status for v in verdicts.verdicts} == {"undetermined"}


def test_a_stated_constant_below_the_derived_one_is_noticed():
    text = """
version: 1
name: too small a constant
graph:
  operators:
    - {id: f1, type: sine, bias: true}
    - {id: f2, type: tanh, bias: true, constants: {hess_input: 1/10}}
perturbations: [{at: f1, pass: forward, model: two_point, magnitude: 1/10}]
training: {step_size: 1/100, horizon: 3}
simulation: {replicas: 2, data: {points: [[1]]}, check: {draws: 32}}
"""
    verdicts = bc.verify(bc.loads(text))
    assert [p.claim for p in verdicts.premises if not p.consistent] == ["hess_input of f2"]


def test_published_bias_without_fourth_moment_is_skipped_with_a_reason():
    from boundcalc.theories.perturbed.families import FAMILIES

    graph = bc.build(
        bc.loads("""
version: 1
name: no fourth moment
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
perturbations: [{at: f1, pass: forward, rms: 1, mean: 0}]
""")
    )
    bounds = FAMILIES["published"].bounds(graph)
    assert bounds.bias is None
    assert "fourth" in bounds.reason
    assert FAMILIES["sharp"].bounds(graph).bias is not None
