"""Assumption 3 against the run: stated constants slot by slot, stated and measured regions."""

import math

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.simulate.reach import Reach
from boundcalc.verify.premises import premises

TEXT = """
version: 1
name: premises
graph:
  KEYS
  operators:
OPERATORS
perturbations: [PERTURBATIONS]
training: {step_size: STEP, horizon: 3}
simulation: {replicas: 2, data: {points: [[1, 2]]}, check: {draws: 32}, INITIAL}
"""


def text_of(operators, perturbations="", keys="", step="1/100", initial="1"):
    lines = "\n".join(f"    - {{{line}}}" for line in operators)
    text = TEXT.replace("OPERATORS", lines).replace("PERTURBATIONS", perturbations)
    text = text.replace("INITIAL", f"initial_weights: {initial}")
    return text.replace("KEYS", keys).replace("STEP", step)


def found(*args, **keys):
    graph = bc.build(bc.loads(text_of(*args, **keys)))
    return [p for p in premises(graph, bc.simulate(graph)) if p.assumption == "A3"]


def broken(*args, **keys):
    return [p.claim for p in found(*args, **keys) if not p.consistent]


DIAMOND = [
    "id: f1, type: dense, units: 2, region: {weight: 20}",
    "id: a, type: tanh, bias: true, inputs: [f1]",
    "id: b, type: sine, inputs: [f1]",
    "id: join, type: multiply, inputs: [a, b]",
    "id: loss, type: bilinear, region: {weight: 9}",
]


def changed(position, extra):
    lines = list(DIAMOND)
    lines[position] += f", {extra}"
    return lines


def test_what_the_types_prove_and_what_is_propagated_is_no_premise():
    claims = [p.claim for p in found(DIAMOND)]
    assert claims == ["weight region of f1", "weight region of loss"]


def test_a_stated_constant_of_a_join_is_held_against_each_slot():
    # multiply: a₁ = largest component of the sine ≤ 1, a₂ = of the tanh ≤ 1.
    few = "constants: {jac_input: {a: 2, b: 1/2}}"
    [premise] = [p for p in found(changed(3, few)) if p.claim == "jac_input of join"]
    assert (premise.stated, premise.met, premise.consistent) == (0.5, 1.0, False)
    enough = "constants: {jac_input: {a: 2, b: 2}}"
    assert broken(changed(3, enough)) == []


def test_a_stated_constant_of_a_pair_of_slots_is_held_against_its_own():
    pairs = "constants: {hess_input: {a: {a: 0, b: 1/2}, b: {a: 1, b: 0}}}"
    [premise] = [p for p in found(changed(3, pairs)) if not p.consistent]
    assert (premise.claim, premise.stated, premise.met) == ("hess_input of join", 0.5, 1.0)


def test_a_lipschitz_constant_stated_for_a_kink_is_refuted():
    lines = list(DIAMOND)
    lines[1] = "id: a, type: relu, inputs: [f1], constants: {hess_input: 5, third_input: 5}"
    by = {p.claim: p for p in found(lines)}
    assert by["hess_input of a"].met == math.inf
    assert not by["hess_input of a"].consistent


def test_weight_constants_of_kept_weights_are_zero_and_no_premise():
    kept = "trainable: false, initial: {values: [1, 2]}, constants: {jac_input: 1, jac_weight: 0}"
    claims = [p.claim for p in found(changed(1, kept)) if " of a" in p.claim]
    assert claims == ["jac_input of a", "lip_input of a"]


def test_an_input_region_of_a_join_is_that_of_all_its_inputs():
    """The tanh and the sine together: a vector of four components."""
    lines = changed(3, "region: {input: 1/100}")
    [premise] = [p for p in found(lines) if not p.consistent]
    assert premise.claim == "input region of join"
    run = bc.simulate(bc.build(bc.loads(text_of(lines))))
    assert run.trajectory.input_reach.places == ((4, None),)
    w, x = run.trajectory.snapshots[0], np.array([1.0, 2.0])
    y = w[:4].reshape(2, 2) @ x + w[4:6]
    whole = np.linalg.norm([*np.tanh(y + w[6:8]), *np.sin(y)])
    assert run.checks[0].reach.norm[0] == pytest.approx(whole, rel=1e-12)
    assert premise.met == pytest.approx(float(np.max(run.trajectory.input_reach.norm)))


@pytest.mark.parametrize(
    ("extra", "claims"),
    [
        ("region: {low: -2, high: 1/10}", ["input region of loss, upper end"]),
        ("region: {low: 1/2, high: 2}", ["input region of loss, lower end"]),
        ("region: {low: -2, high: 2}", []),
    ],
)
def test_a_stated_box_has_two_ends(extra, claims):
    lines = [
        "id: f1, type: dense, units: 1, region: {weight: 1}, initial: {values: [1/4, 0, 0]}",
        "id: g, type: identity",
        f"id: loss, type: sine, bias: true, {extra}",
    ]
    assert broken(lines) == claims


def test_what_is_met_on_the_run_and_at_fixed_iterates_both_count():
    graph = bc.build(bc.loads(text_of(changed(2, "region: {input: 50}"))))
    for reach in (0, 1):
        run = bc.simulate(graph)
        assert all(p.consistent for p in premises(graph, run))
        (run.trajectory.input_reach, run.checks[1].reach)[reach].norm[0] = 51.0
        [premise] = [p for p in premises(graph, run) if not p.consistent]
        assert (premise.claim, premise.met) == ("input region of b", 51.0)


def test_perturbations_move_inputs_out_of_their_region():
    lines, ones = changed(2, "region: {input: 12}"), str([1] * 10)
    shift = "{at: f1, pass: forward, model: constant, value: 9}"
    assert broken(lines, initial=ones) == []  # y₁ is near (4, 4)
    assert broken(lines, shift, initial=ones) == ["input region of b"]


def test_weights_may_move_as_far_from_their_start_as_is_stated():
    start = "initial: {values: [3, 4]}, region: {weight_change: RADIUS}"
    lines = [f"id: f1, type: bilinear, {start}", "id: loss, type: identity"]
    # Three steps of γ = 1/100 along x = (1, 2).
    moved = 3 * math.sqrt(5) / 100
    enough = [line.replace("RADIUS", "7/100") for line in lines]
    [premise] = found(enough)
    assert (premise.claim, premise.consistent) == ("weight region of f1, change", True)
    assert premise.met == pytest.approx(moved, rel=1e-12)
    assert broken([line.replace("RADIUS", "6/100") for line in lines]) == [
        "weight region of f1, change"
    ]


def test_kept_weights_must_lie_in_their_ball():
    lines = [
        "id: f1, type: sine, bias: true",
        "id: f2, type: bilinear, trainable: false, initial: {values: [3, 4]}, region: {weight: R}",
    ]
    assert broken([line.replace("R", "5") for line in lines]) == []
    assert broken([line.replace("R", "4") for line in lines]) == ["weight region of f2"]


def test_shared_weights_are_held_against_the_region_of_each_member():
    shared = "type: sine, bias: true, weights: w, region: {weight: RADIUS}"
    lines = [f"id: f{k}, {shared}".replace("RADIUS", radius) for k, radius in ((1, "9"), (2, "1"))]
    lines.append("id: loss, type: bilinear, region: {weight: 9}")
    assert broken(lines, initial="[1, 1, 1, 1]") == ["weight region of f2"]


def test_the_data_must_lie_where_the_spec_says():
    assert broken(DIAMOND, keys="input: {radius: 2, low: -9, high: 9}") == ["region of the data"]
    assert broken(DIAMOND, keys="input: {low: 3/2}") == ["region of the data, lower end"]
    assert broken(DIAMOND, keys="input: {radius: 3}") == []


def test_a_region_stated_where_the_data_is_read_must_hold_the_data():
    """All regions after it are propagated from it."""
    lines = list(DIAMOND)
    lines[0] = "id: f1, type: dense, units: 2, region: {weight: 20, input: RADIUS}"
    assert broken([line.replace("RADIUS", "9/4") for line in lines]) == []
    assert broken([line.replace("RADIUS", "2") for line in lines]) == ["input region of f1"]
    lines[0] = "id: f1, type: dense, units: 2, region: {weight: 20, low: -2, high: 3/2}"
    assert broken(lines) == ["input region of f1, upper end"]


VISITED = [
    "id: f1, type: dense, units: 2, initial: {normal: 1}, region: {weight_change: 9}",
    "id: a, type: tanh, bias: true, inputs: [f1]",
    "id: b, type: sine, inputs: [f1]",
    "id: join, type: multiply, inputs: [a, b]",
    "id: loss, type: bilinear, initial: {normal: 1}, region: {weight_change: 9}",
]


def test_measured_regions_are_checked_everywhere_and_part_by_part():
    text = text_of(VISITED, keys="regions: visited\n  margin: 3", step="1/1000")
    graph = bc.build(bc.loads(text))
    verdicts = bc.verify(graph)
    run = verdicts.run
    assert run.trajectory.input_reach.places == (
        (2, None),
        (3, None),
        (4, None),
        (4, 0),
        (4, 1),
        (5, None),
    )
    inputs = [p for p in verdicts.premises if "input region" in p.claim]
    # Only the tightest few are reported.
    assert len(inputs) == 3
    assert all(p.consistent for p in verdicts.premises)
    assert verdicts.exit_code == 0
    assert {v.bound.status.name for v in verdicts.verdicts} == {"SAMPLED"}


def test_a_run_that_leaves_a_measured_region_confirms_nothing():
    text = text_of(VISITED, keys="regions: visited\n  margin: 1", step="1")
    verdicts = bc.verify(bc.loads(text))
    assert any("input region" in p.claim for p in verdicts.premises if not p.consistent)
    assert {v.status for v in verdicts.verdicts} == {"undetermined"}
    assert verdicts.exit_code == 3


def test_each_part_of_a_joined_input_is_measured_alone():
    reach = Reach(((4, None), (4, 0), (4, 1)))
    first, second = np.array([[[3.0, -4.0]]]), np.array([[[0.5, 12.0]]])
    reach.see(4, [first, second], np.concatenate([first, second], axis=-1))
    reach.see(3, [9 * first], 9 * first)  # of another operator
    assert reach.norm.tolist() == [math.sqrt(169.25), 5.0, math.sqrt(144.25)]
    assert (reach.low.tolist(), reach.high.tolist()) == ([-4, -4, 0.5], [12, 3, 12])


def test_reports_stay_short():
    lines = [
        "id: f1, type: sine, bias: true",
        "id: f, repeat: 40, type: tanh, region: {input: 1}",
        "id: loss, type: bilinear, region: {weight: 9}",
    ]
    claims = [p.claim for p in found(lines)]
    assert [claim.split(".")[0] for claim in claims] == ["input region of f"] * 3 + [
        "weight region of loss"
    ]
    # What is refuted comes first, the worst of it: the input of f.20, and those after it.
    shift = "{at: f.19, pass: forward, model: constant, value: 2}"
    shown = found(lines, shift)
    refuted = [p.claim for p in shown if not p.consistent]
    assert refuted == [f"input region of f.{k}" for k in (20, 21, 22)]
    assert len(shown) == 4


def test_not_a_number_is_never_inside():
    reach = Reach(((1, None),))
    for value in (1.0, math.nan, 2.0):
        reach.see(1, [], np.full((1, 1, 1), value))
    assert np.isnan([*reach.norm, *reach.low, *reach.high]).all()


def test_claims_that_a_family_does_not_make_are_listed_once():
    text = text_of(DIAMOND, "{at: a, pass: forward, model: two_point, magnitude: 1/10}")
    loss = "loss: {smoothness: 10, initial_gap: 100, gradient_noise: 0}\ntraining"
    verdicts = bc.verify(bc.loads(text.replace("training", loss)))
    assert [(claims, family) for claims, family, _ in verdicts.skipped] == [
        ("error, bias, nonconvex", "published"),
        ("error, bias, nonconvex", "corrected"),
    ]
    assert "chains" in verdicts.skipped[0][2]
    assert {v.family for v in verdicts.verdicts} == {"sharp"}
