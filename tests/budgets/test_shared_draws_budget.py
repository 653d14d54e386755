"""Budgets where a batch shares draws: within the target, and never larger than without sharing."""

import itertools

import pytest

import boundcalc as bc
from boundcalc.budgets.budget import budget
from boundcalc.budgets.magnitude_scale import scaled_graph
from boundcalc.budgets.question import highest, lowest, question
from boundcalc.errors import SpecError

SPEC = """
version: 1
name: shared draws
graph: {operators: [{id: f1, type: margin}, {id: f2, type: softplus}]}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0, batch: 100}
perturbations:
  - {at: f1, pass: forward, model: gaussian, std: 1/2, draw: FORWARD}
  - {at: f2, pass: backward, model: gaussian, std: 1/2, draw: BACKWARD}
training: {step_size: 1/4, horizon: 100}
simulation: {data: {points: [[1, 0], [0, 1]], labels: [1, -1]}}
budget: {tolerance: 1/10}
"""
WAYS = list(itertools.product(["per_sample", "per_batch"], repeat=2))


def found_for(forward, backward):
    text = SPEC.replace("FORWARD", forward).replace("BACKWARD", backward)
    return budget(bc.build(bc.loads(text)))


def test_every_scale_is_within_the_target_and_sharing_makes_it_smaller():
    scales = {}
    for way in WAYS:
        found = found_for(*way)
        scale, asked = found.magnitudes.scale, found.question
        scales[way] = highest(scale.value)
        bound = asked.bound(scaled_graph(asked.graph, scales[way]))
        assert highest(bound.value) <= lowest(asked.target.value)
        noted = any("one draw for the whole batch" in note for note in found.notes)
        assert noted == ("per_batch" in way)
    own, both = scales["per_sample", "per_sample"], scales["per_batch", "per_batch"]
    # All shared, the batch is worth no more than a sample: 1/4 ζ² + β² against 1/400 ζ² + β².
    for way in WAYS:
        assert both <= scales[way] <= own
    assert both < own / 5


def test_a_batch_of_shared_draws_is_worth_one_sample():
    shared = found_for("per_batch", "per_batch")
    text = SPEC.replace("FORWARD", "per_sample").replace("BACKWARD", "per_sample")
    single = budget(bc.build(bc.loads(text.replace("batch: 100", "batch: 1"))))
    assert shared.magnitudes.scale.value == single.magnitudes.scale.value
    for one, other in zip(shared.magnitudes.allowances, single.magnitudes.allowances, strict=True):
        assert str(one.alone) == str(other.alone)
        assert str(one.given) == str(other.given)
    assert str(shared.frequencies[0].probability) == str(single.frequencies[0].probability)


@pytest.mark.parametrize("keys", ["optimizer: nesterov", "clip: 3"])
def test_other_methods_than_plain_sgd_have_no_budget(keys):
    text = SPEC.replace("horizon: 100", f"horizon: 100, {keys}")
    text = text.replace("FORWARD", "per_sample").replace("BACKWARD", "per_sample")
    with pytest.raises(SpecError, match="plain SGD"):
        question(bc.build(bc.loads(text)))
