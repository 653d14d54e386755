"""What `compile` and `rate` answer, and stale passes that are perturbed as well."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
import stale_literal as literal
from hypothesis import given, settings
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS, Status
from boundcalc.rates import rates as perturbed_rates
from boundcalc.report.cells import Theorem
from boundcalc.theories.plain import jsonable
from boundcalc.theories.registry import build_for, theory_named
from boundcalc.theories.staleness.rate import rates
from boundcalc.theories.staleness.setting import Problem
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


def answered(text: str, verb: str = "rate") -> Any:
    spec = bc.loads(text)
    return getattr(THEORY, verb)(build_for(spec))


def data(text: str, verb: str = "rate") -> Any:
    return json.loads(json.dumps(jsonable(answered(text, verb).data), allow_nan=False))


def test_the_json_of_a_rate() -> None:
    found = data(DSP)["staleness"]
    assert found["sgd"]["c0"] == 48
    c1 = math.sqrt(1860) - 18
    assert found["sgd"]["c1"] == pytest.approx(c1, rel=1e-12)
    assert found["sgd"]["step_size_limit"] == pytest.approx(c1 / (48 * 16), rel=1e-12)
    assert found["sgd"]["bound"] == pytest.approx(
        2 / 10 + (2 + 3 * 16 + 3 * c1 / 4) / 100, rel=1e-12
    )
    assert found["sgd"]["corrected"]["bound"] == pytest.approx(
        2 / 10 + (2 + 16 + c1 * 3 / 8) / 100, rel=1e-12
    )
    assert found["sgd"]["corollary"]["bound"] == pytest.approx(
        (2 + 2 + 48 + 3 * c1 / 4) / math.sqrt(1000), rel=1e-12
    )
    assert found["sgd"]["corollary"]["step_size"] == pytest.approx(1000**-0.5, rel=1e-12)
    assert found["sgd"]["sharp"]["bound"] < found["sgd"]["corrected"]["bound"]
    assert {"bound", "step_size_limit", "c2", "c3", "c4", "c5"} <= set(found["momentum"])
    assert (found["momentum"]["beta"], found["momentum"]["s"]) == (0, 0.5)
    assert found["momentum"]["sharp"]["bound"] < found["momentum"]["bound"]
    assert found["queues"] == {
        "p": [1, 1, 0],
        "m": [4, 2, 0],
        "q": [0, 1, 1],
        "delays": [4, 2, 0],
        "times": [0, 1, 2, 2, 3, 4],
    }
    assert (found["lipschitz"], found["error_gradient"]) == (1, 1)
    assert "composed" not in found
    assert any("s = 1/2" in note for note in found["notes"])


def test_printed_bounds_are_rounded_to_the_safe_side() -> None:
    spec = bc.loads(DSP)
    for statement in answered(DSP).statements:
        exact = json.loads(json.dumps(jsonable(statement.step_size_limit)))
        at = Problem(build_for(spec), THEORY.own(spec)).at(Fraction(exact))
        again = rates(at).statements[statement.key]
        assert again.bound is not None  # the printed limit is admissible


def test_corollary_needs_a_long_run() -> None:
    found = data(DSP.replace("horizon: 1000", "horizon: 100"))["staleness"]["sgd"]["corollary"]
    assert found["bound"] is None
    assert "longer runs" in found["refused"]
    assert found["step_size"] == pytest.approx((math.sqrt(1860) - 18) / 768)


def test_statements_are_theorems_and_a_family() -> None:
    answer = answered(DSP)
    keys = [statement.key for statement in answer.statements]
    assert keys == ["sgd", "sgd.corrected", "sgd.sharp", "momentum", "momentum.sharp"]
    theorems = [block for block in answer.blocks if isinstance(block, Theorem)]
    assert len(theorems) == 5
    assert all(statement.bound.status is Status.PROVED for statement in answer.statements)
    assert theory_named("staleness") is THEORY


def test_momentum_in_the_spec_silences_sgd() -> None:
    found = data(DSP.replace("horizon: 1000", "horizon: 1000, optimizer: nesterov"))["staleness"]
    assert found["sgd"]["bound"] is None
    assert "nesterov" in found["sgd"]["refused"]
    assert found["sgd"]["corrected"]["bound"] is found["sgd"]["sharp"]["bound"] is None
    assert found["sgd"]["corollary"]["bound"] is None
    assert found["momentum"]["beta"] == pytest.approx(0.9)
    assert found["momentum"]["s"] == 1


def test_a_step_that_is_too_large_says_so() -> None:
    found = data(DSP.replace("1/100", "1/20"))["staleness"]
    assert found["sgd"]["bound"] is None
    assert "0.05 is above the limit 0.0327183" in found["sgd"]["refused"]
    assert found["sgd"]["sharp"]["bound"] is not None


def test_the_json_of_compile() -> None:
    found = data(DSP, "compile")["staleness"]
    assert found["c0"] == 48
    assert [(b["id"], b["operators"], b["delay"]) for b in found["blocks"]] == [
        ("f1", 1, 4),
        ("f2", 1, 2),
        ("f3", 1, 0),
    ]
    assert found["blocks"][2]["kappa"] is None
    top = max(b["kappa"] * b["delay"] ** 2 for b in found["blocks"] if b["delay"])
    assert found["Q"] == pytest.approx(top)
    assert found["step_size_limits"]["sgd"] == data(DSP)["staleness"]["sgd"]["step_size_limit"]
    assert answered(DSP, "compile").blocks


def test_compile_needs_no_training() -> None:
    text = DSP.replace("training: {step_size: 1/100, horizon: 1000}", "")
    assert data(text, "compile") == data(DSP, "compile")


def test_the_ledger_has_all_of_it() -> None:
    spec = bc.loads(DSP)
    rows = {a.key: a for a in THEORY.assumptions(build_for(spec))}
    assert rows["L"].status == rows["M"].status == "stated"
    assert rows["A1"].value.value == 1
    derived = bc.loads(DSP.replace(", lipschitz: 1, error_gradient: 1", ""))
    rows = {a.key: a for a in THEORY.assumptions(build_for(derived))}
    assert rows["L"].status == rows["M"].status == "derived"
    assert rows["M"].value.value == 1
    assert float(rows["L"].value) > 1
    silent = bc.loads(DSP.replace(", lipschitz: 1, error_gradient: 1", "").replace(
        "loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}", "loss: {}"
    ))  # fmt: skip
    rows = {a.key: a for a in THEORY.assumptions(build_for(silent))}
    assert rows["L"].status == "not stated"


def test_symbols_stand_for_numbers_everywhere() -> None:
    text = DSP.replace("lipschitz: 1, error_gradient: 1", "lipschitz: Lx, error_gradient: sqrt(G)")
    text = text.replace("theory:", "symbols: {Lx: 2, G: 4}\ntheory:")
    found = data(text.replace("1/100", "1/1000"))["staleness"]
    assert (found["lipschitz"], found["error_gradient"]) == (2, 2)
    assert found["sgd"]["c0"] == 4 * 48
    assert found["sgd"]["sharp"]["smoothness"] == 1  # the smaller of the two that are stated


@given(
    st.integers(2, 40),
    st.fractions(Fraction(1, 4), 4, max_denominator=4),
    st.fractions(Fraction(1, 4), 4, max_denominator=4),
)
@settings(max_examples=8)
def test_no_delay_is_plain_sgd(N: int, smooth: Fraction, gap: Fraction) -> None:
    """Without delays sharp and composed are the sharp statement on (perturbed) passes."""
    text = f"""
version: 1
name: plain
THEORY
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators: [{{id: f1}}, {{id: f2}}]
loss: {{smoothness: {smooth}, initial_gap: {gap}, gradient_noise: 2}}
training: {{step_size: {1 / (2 * smooth)}, horizon: {N}}}
PERTURBED
"""
    noise = "perturbations: [{at: f1, pass: forward, rms: 1/10, mean: 1/20}]"
    own = "theory: staleness\nstaleness: {queues: {p: [0, 0], m: [0, 0]}}"
    for key, more in (("sgd.sharp", ""), ("composed", noise)):
        stale = bc.loads(text.replace("THEORY", own).replace("PERTURBED", more))
        plain = bc.loads(text.replace("THEORY", "").replace("PERTURBED", more))
        found = rates(Problem(build_for(stale), THEORY.own(stale))).statements[key]
        expected = perturbed_rates(bc.build(plain)).nonconvex["sharp"]
        assert found.bound is not None
        assert expected.bound is not None
        assert float(found.bound) == pytest.approx(float(expected.bound), rel=1e-14)
        assert float(found.step_size_limit) == float(expected.step_size_limit)


PERTURBED = DSP + "perturbations: [{at: f1, pass: forward, rms: RMS, mean: MEAN}]\n"


def _composed(rms: str, mean: str, text: str = PERTURBED) -> Any:
    spec = bc.loads(text.replace("RMS", rms).replace("MEAN", mean))
    return rates(Problem(build_for(spec), THEORY.own(spec))).statements["composed"]


def test_composed_grows_from_the_stale_statement() -> None:
    # Without perturbation and with the cruder noise term: 2Δ₀/(Nα) + Lασ² + α²Qσ².
    silent = _composed("0", "0")
    Q = float(silent.constants["Q"])
    assert float(silent.bound) == pytest.approx(2 / 10 + 1 / 100 + Q / 10**4, rel=1e-12)
    small, large = _composed("1/100", "0"), _composed("1/10", "1/10")
    assert float(silent.bound) < float(small.bound) < float(large.bound)
    assert large.bound.status is Status.PROVED
    others = data(PERTURBED.replace("RMS", "1/10").replace("MEAN", "0"))["staleness"]
    assert others["sgd"]["bound"] is others["sgd"]["sharp"]["bound"] is None
    assert "composed" in others["sgd"]["refused"]
    assert others["composed"]["bound"] is not None


ROOM = """
version: 1
name: at the limit
theory: staleness
staleness: {queues: {p: [0], m: [1]}, blocks: [f]}
graph:
  operators:
    - {id: f, constants: {jac_input: 1, jac_weight: 1, hess_input: 0, hess_mixed: 0,
                          third_input: 0, third_mixed: 0}}
    - {id: g, constants: {jac_input: 1, jac_weight: 0, hess_input: 2, hess_mixed: 0,
                          third_input: 0, third_mixed: 0}}
loss: {smoothness: 3, initial_gap: 1, gradient_noise: 1}
training: {step_size: STEP, horizon: 100}
"""


def test_composed_needs_some_room_below_the_limit() -> None:
    """Q = 4 and L = 3: the limit is 2/(3 + 5) = 1/4, exactly."""
    biased = ROOM + "perturbations: [{at: f, pass: forward, rms: 1/10, mean: 1/10}]\n"
    silent = ROOM + "perturbations: [{at: f, pass: forward, rms: 0, mean: 0}]\n"
    at_limit = rates(_problem(ROOM.replace("STEP", "1/4"))).statements["sgd.sharp"]
    assert at_limit.bound is not None
    assert at_limit.step_size_limit.value == Fraction(1, 4)
    assert rates(_problem(silent.replace("STEP", "1/4"))).statements["composed"].bound is not None
    refused = rates(_problem(biased.replace("STEP", "1/4"))).statements["composed"]
    assert refused.bound is None
    assert "not below the limit" in refused.refused
    below = rates(_problem(biased.replace("STEP", "249/1000"))).statements["composed"]
    assert below.bound is not None
    momentum = PERTURBED.replace("horizon: 1000", "horizon: 1000, optimizer: heavy_ball")
    assert "without momentum" in _composed("1/10", "0", momentum).refused


def test_composed_is_the_least_of_its_form() -> None:
    """min over τ of (1+τ)P + (1+1/τ)B with P = α²Q·Var, where the step leaves room."""
    biased = ROOM + "perturbations: [{at: f, pass: forward, rms: 1/10, mean: 1/10}]\n"
    for step in ("1/100", "1/10", "24/100"):
        found = rates(_problem(biased.replace("STEP", step))).statements["composed"]
        alpha = float(Fraction(step))
        bias = (2 * 0.1) ** 2  # A·δ, times b = 1
        spread = (1 + 0.2) ** 2  # (σ + ζ)²
        P, room = alpha**2 * 4 * spread, (1 - 3 * alpha - 4 * alpha**2) / (4 * alpha**2)
        taus = [room * k / 20_000 for k in range(1, 20_001)]
        least = min((1 + t) * P + (1 + 1 / t) * bias for t in taus)
        total = 2 / (100 * alpha) + 3 * alpha * spread + least
        assert float(found.bound) <= total * (1 + 1e-12)
        assert float(found.bound) >= total * (1 - 1e-4)


def _problem(text: str) -> Problem:
    spec = bc.loads(text)
    return Problem(build_for(spec), THEORY.own(spec))


def test_composed_bounds_exact_second_moments() -> None:
    """f = (x₀ + x₁)²/2; a constant δ after the second operator shifts every gradient by δ."""
    constants = (
        "constants: {jac_input: 1, jac_weight: 1, hess_input: 0, hess_mixed: 0, "
        "third_input: 0, third_mixed: 0}"
    )
    last = constants.replace("jac_weight: 1", "jac_weight: 0").replace(
        "hess_input: 0", "hess_input: 1"
    )
    text = f"""
version: 1
name: shifted
theory: staleness
staleness: {{queues: {{p: [1, 0], m: [3, 1]}}}}
graph: {{operators: [{{id: f1, {constants}}}, {{id: f2, {constants}}}, {{id: g, {last}}}]}}
loss: {{smoothness: 2, initial_gap: 2, gradient_noise: 1}}
training: {{step_size: 1/20, horizon: 40}}
perturbations: [{{at: f2, pass: forward, rms: 1/5, mean: 1/5}}]
"""
    spec = bc.loads(text)
    found = rates(Problem(build_for(spec), THEORY.own(spec))).statements["composed"]
    # x₀ + x₁ + δ follows the unshifted recursion, whose gradient is X = x₀ + x₁ + δ:
    # ‖∇f‖² = 2(X − δ)², so E‖∇f‖² ≤ 2(E X² + 2δ|E X| + δ²); X² ≥ (E X)².
    delta = Fraction(1, 5)
    start = [1 + delta, Fraction(1)]
    squares = literal.average_square(
        [3, 1], start, Fraction(1, 20), [Fraction(1, 2)] * 2, 40
    )  # avg of 2X²
    lower = (math.sqrt(float(squares)) - math.sqrt(2) * float(delta)) ** 2
    assert lower <= float(found.bound)
    # Long runs end at X ≈ noise, so that the shift alone stays: 2δ².
    assert float(found.bound) >= 2 * float(delta) ** 2
    # Both biases together: N is a matrix of ones, bias² = 2δ².
    bias = found.terms["perturbation_bias"]
    assert float(bias) > 2 * float(delta) ** 2


def test_lemma_2_is_a_condition_where_the_user_states_it() -> None:
    statements = {s.key: s for s in answered(DSP).statements}
    assert any("Lemma 2" in str(c) for c in statements["sgd"].conditions)
    compiled = {
        s.key: s for s in answered(DSP.replace(", lipschitz: 1, error_gradient: 1", "")).statements
    }
    assert not any("Lemma 2" in str(c) for c in compiled["sgd"].conditions)


def test_settings_are_evaluated_once_for_each_kind() -> None:
    spec = bc.loads(DSP)
    problem = Problem(build_for(spec), THEORY.own(spec))
    assert problem.setting(RATIONALS) is problem.setting(RATIONALS)
    moved = problem.setting(RATIONALS).moved(Fraction(1, 7))
    assert moved.step == Fraction(1, 7)
    assert problem.setting(RATIONALS).step == Fraction(1, 100)
