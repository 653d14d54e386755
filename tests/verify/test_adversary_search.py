"""Searches: known worst cases are found, false bounds are beaten, impossible constants named."""

import math

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.errors import SpecError, UnsupportedError
from boundcalc.resources import example
from boundcalc.verify.adversary import search
from boundcalc.verify.adversary.floor import Problem, floor_bounds
from boundcalc.verify.adversary.search import confirmed, fraction


def ones(size, *, level="1", mean="1", more=""):
    sites = ", ".join(f"f{i}" for i in range(1, size))
    operators = ", ".join(f"{{id: f{i}}}" for i in range(1, size + 1))
    return bc.build(
        bc.loads(
            f"""
version: 1
name: ones
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators: [{operators}]
{more}
perturbations:
  - {{at: [{sites}], pass: forward, rms: {level}, mean: {mean}, fourth: {level}}}
"""
        )
    )


@pytest.mark.parametrize(
    ("graph", "objective", "value"),
    [
        (ones(2), "error", 2),  # H′ = 1 from 0 to 1, for s and m
        (ones(2), "bias", 2),
        (ones(2, mean="0"), "bias", 1 / 2),  # 1 − t²/2 at t = ±1
        (ones(2, level="1/2", mean="0"), "error", 1 / 2),
        (ones(3), "error", 3 * 1.75**2),  # H over a distance of 2: 2 − 1/4
        (ones(5), "error", 4 * 5),  # everything changes its sign
    ],
)
def test_known_worst_cases_are_found(graph, objective, value):
    found = search(graph, objective=objective, starts=2)
    assert found.attained == pytest.approx(value, rel=1e-6)
    assert found.uncertainty == 0
    assert found.violated == ()
    assert all(share <= 1 + 1e-9 for share in found.fractions.values())
    assert found.fractions["sharp"] == fraction(found.attained, found.bounds["sharp"])


def test_the_instance_runs_and_is_verified():
    found = search(ones(3), starts=1)
    graph = bc.build(bc.loads(found.instance))
    verdicts = bc.verify(graph)
    assert verdicts.ok
    assert all(premise.consistent for premise in verdicts.premises)
    errors = [v for v in verdicts.verdicts if v.claim.startswith("error")]
    assert [v.observed for v in errors] == pytest.approx([found.attained] * len(errors))


def test_the_same_seed_gives_the_same_result():
    first, second, other = (search(ones(3, mean="0"), starts=1, seed=s) for s in (3, 3, 4))
    assert first == second
    assert first.instance != other.instance
    assert len(first.history) == 1


def test_an_interrupt_keeps_the_best_so_far():
    def stop(done, total):
        if done == 1:
            raise KeyboardInterrupt

    found = search(ones(2), starts=50, progress=stop)
    assert len(found.history) == 1
    assert found.attained == pytest.approx(2)
    typed = bc.build(bc.load(example("three-operators")))
    assert len(search(typed, starts=50, progress=stop).history) == 1


def test_progress_goes_to_the_end():
    seen = []
    search(ones(2, mean="1/2"), starts=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("name", ["bilinear-erratum", "separable-erratum"])
def test_the_printed_bias_bound_is_beaten(name):
    found = search(bc.build(bc.load(example(name))), objective="bias", starts=2)
    assert found.violated == ("published",)
    assert found.fractions["published"] == math.inf
    assert found.fractions["sharp"] == pytest.approx(1)
    verdicts = bc.verify(bc.build(bc.loads(found.instance)))
    beaten = {v.family for v in verdicts.verdicts if v.status == "violated"}
    assert beaten == {"published"}


def test_a_violation_must_hold_in_fifty_digits():
    found = search(bc.build(bc.load(example("bilinear-erratum"))), objective="bias", starts=1)
    bounds = {"low": 0.06, "high": 0.0626}
    assert confirmed(found.instance, "bias", bounds, ["low", "high"]) == ("low",)


@pytest.mark.parametrize("name", ["three-operators", "diamond"])
@pytest.mark.parametrize("objective", ["error", "bias"])
def test_typed_graphs_come_close_and_beat_no_sharp_bound(name, objective):
    graph = bc.build(bc.load(example(name)))
    own, found = (search(graph, objective=objective, starts=n) for n in (1, 3))
    assert 0.4 < found.fractions["sharp"] <= 1 + 1e-9
    assert found.attained >= own.attained
    instance = bc.build(bc.loads(found.instance))
    assert not [v for v in bc.verify(instance).verdicts if v.status == "violated"]


def one_operator(**constants):
    given = ", ".join(f"{name}: {value}" for name, value in constants.items())
    return bc.build(
        bc.loads(
            f"""
version: 1
name: impossible
graph:
  operators:
    - {{id: f1, constants: {{jac_weight: 1}}}}
    - {{id: f2, constants: {{{given}}}}}
perturbations:
  - {{at: f1, pass: forward, rms: 1, mean: 1}}
"""
        )
    )


ALL = {
    "jac_input": 1,
    "jac_weight": 1,
    "hess_input": 1,
    "hess_mixed": 1,
    "third_input": 1,
    "third_mixed": 1,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"third_input": 0}, "hess_input² ≤ 2·jac_input·third_input"),
        ({"third_input": "49/100"}, "at most hess_input = 0.98"),
        ({"third_mixed": 0}, "hess_mixed² ≤ 2·jac_weight·third_mixed"),
        ({"lip_input": "1/2"}, "jac_input = 1 and lip_input = 0.5"),
        ({"hess_mixed": 0}, "third_mixed = 1 with hess_mixed = 0"),
    ],
)
def test_constants_that_no_operator_has_are_named(changes, said):
    found = search(one_operator(**{**ALL, **changes}), starts=1)
    assert any("no operator f2" in note and said in note for note in found.notes)
    assert search(one_operator(**ALL), starts=1).notes == ()
    assert search(one_operator(**{**ALL, "third_input": "1/2"}), starts=1).notes == ()


def test_without_a_third_derivative_nothing_moves_on_the_whole_line():
    found = search(one_operator(**{**ALL, "third_input": 0, "third_mixed": 0}), starts=1)
    assert found.attained == 0
    assert found.fractions["sharp"] == 0


MIXED = """
version: 1
name: mixed
graph:
  operators:
    - {id: f1, type: sine, bias: true}
    - id: f2
      constants: {jac_input: 1, jac_weight: 1, hess_input: 1,
        hess_mixed: 1, third_input: 1, third_mixed: 1}
"""
TOO_SMALL = """
version: 1
name: too small
graph:
  operators:
    - {id: f1, type: sine, bias: true}
    - {id: f2, type: sine, bias: true, constants: {jac_input: 1/2}}
training: {step_size: 1, horizon: 1}
simulation: {data: {points: [[0]]}}
"""
JOINED = """
version: 1
name: joined
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3, inputs: [f1, f2]}]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MIXED, "f1 has a type, f2 has none"),
        (TOO_SMALL, "jac_input of f2 = 0.5"),
        (JOINED, "searched for in chains"),
        (TOO_SMALL.split("training")[0], "searched on data"),
    ],
)
def test_what_cannot_be_searched_is_refused(text, said):
    with pytest.raises(UnsupportedError, match=said):
        search(bc.build(bc.loads(text)), starts=1)


def test_bad_arguments_are_refused():
    with pytest.raises(SpecError, match="unknown objective"):
        search(ones(2), objective="variance")
    with pytest.raises(SpecError, match="starts ≥ 1"):
        search(ones(2), starts=0)


LOSS = """
loss: {smoothness: 1, pl: 1, gradient_noise: 1}
training: {step_size: 1/10, horizon: 2000}
"""


def test_the_floor_of_a_quadratic():
    # docs/theory.md, section 6: λ = σ = 1, b = 0.3, γ = 0.1 has the floor 0.0713158, and the
    # sharp bound is (b² + γVar)/2 with Var ≤ (σ + b)², as the perturbation has a mean.
    found = search(ones(2, level="0.3/sqrt(2)", mean="0.3/sqrt(2)", more=LOSS), objective="floor")
    assert found.attained == pytest.approx(0.3**2 / 2 + 0.1 / (2 * 1.9), rel=1e-9)
    assert found.bounds["sharp"] == pytest.approx((0.09 + 0.1 * 1.3**2) / 2, rel=1e-9)
    assert found.violated == ()
    assert floor_bounds(found.instance) == found.bounds


def test_the_floor_is_that_of_the_recursion():
    problem = Problem(2.0, 0.5, 0.1, 40, 0.7, 0.2, 0.5, 0.3)
    lam, b = 0.8, 0.25
    mean, variance = -np.sqrt(2 * 0.7 / lam), 0.0
    for _ in range(40):
        mean, variance = mean - 0.1 * (lam * mean + b), variance * (1 - 0.1 * lam) ** 2
        variance += 0.1**2 * (0.5**2 - b**2 + 0.2**2)
    expected = lam / 2 * (mean**2 + variance)
    assert problem.value(np.array(lam), np.array(b)) == pytest.approx(expected, rel=1e-12)


def test_the_instance_of_a_floor_is_verified():
    more = "loss: {smoothness: 1, pl: 1/2, initial_gap: 1}\ntraining: {step_size: 1/4, horizon: 60}"
    found = search(ones(2, level="1/4", mean="1/8", more=more), objective="floor", starts=2)
    assert 0.5 < found.fractions["sharp"] <= 1
    verdicts = bc.verify(bc.build(bc.loads(found.instance)))
    assert verdicts.ok
    gap = next(v for v in verdicts.verdicts if v.claim == "pl")
    assert gap.ci[0] <= found.attained <= gap.ci[1]


def test_a_floor_needs_constants_of_the_loss():
    with pytest.raises(UnsupportedError, match=r"loss\.smoothness"):
        search(ones(2), objective="floor")
