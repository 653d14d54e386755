"""Instances against claims: their numbers are enclosed, their constants are the claim's."""

import json
import sys
from fractions import Fraction
from random import Random

import flint
import numpy as np
import pytest

from boundcalc.errors import UnsupportedError
from boundcalc.graph import build
from boundcalc.operators.pieces import Pieces
from boundcalc.spec.expressions import exact
from boundcalc.spec.loading import loads
from boundcalc.verify.adversary.functions import exact_value
from boundcalc.verify.claims import attack, loads_claim, refute
from boundcalc.verify.claims.bilinear import bilinear
from boundcalc.verify.claims.enclosed import enclosed
from boundcalc.verify.claims.loading import ROW_KEYS
from boundcalc.verify.claims.local import integral, pieces
from boundcalc.verify.claims.outcome import UNDETERMINED
from boundcalc.verify.claims.points import Profile, point_claim
from boundcalc.verify.claims.proof import float_above, float_below, proof
from boundcalc.verify.claims.small_noise import NoiseShape, small_noise

HALF = Fraction(1, 2)


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - to be repeated, not to be secret


CONSTANTS = ("jac_input", "jac_weight", "lip_input", "hess_input", "hess_mixed")


def drawn(rng: Random) -> dict[str, Fraction]:
    return {key: Fraction(rng.randint(3, 7), rng.randint(4, 9)) for key in CONSTANTS}


def claim_of_nothing(size: int, one: dict[str, Fraction], *, zero_mean: bool):
    """A claim that the bias is 0, with the same constants for all operators, and its point."""
    row = {k: str(x) for k, x in one.items()} | {"third_input": 0, "third_mixed": 0}
    raw = {
        "version": 1,
        "claim": "nothing",
        "statement": "bias",
        "operators": size,
        "chain": [row] * size,
        "coefficients": {},
        "assumptions": {"zero_mean": zero_mean},
    }
    claim = loads_claim(json.dumps(raw), name="c.json")
    made = point_claim(claim.chains[size], "bias", zero_mean, {})
    assert made is not None
    return claim, made


def profile_of(moments) -> Profile:
    keys = ("forward", "forward_mean", "backward", "backward_mean")
    return Profile(*(np.sqrt([float(x) for x in moments[key]]) for key in keys))


# --- enclosures --------------------------------------------------------------------------------


def test_integrals_are_those_of_the_spline() -> None:
    rng = seeded(0)
    for _ in range(20):
        knots = sorted(rng.sample(range(-20, 20), rng.randint(2, 6)))
        at = [Fraction(k, 7) for k in knots]
        of = [Fraction(0), *(Fraction(rng.randint(-9, 9), 5) for _ in at[2:]), Fraction(0)]
        left = Fraction(rng.randint(-9, 9), 4)
        spline = Pieces(tuple(at), tuple(of), left)
        own = pieces([exact(x) for x in at], [exact(x) for x in of], exact(left))
        zero = integral(own, flint.arb(0), 2)
        for t in (*map(float, at), *(rng.uniform(-4, 4) for _ in range(10))):
            once, twice = integral(own, flint.arb(t), 1), integral(own, flint.arb(t), 2) - zero
            assert float(once) == pytest.approx(float(spline.once(np.array(t))), abs=1e-12)
            assert float(twice) == pytest.approx(float(spline.twice(np.array(t))), abs=1e-12)


def test_a_ball_over_a_knot_has_the_values_of_both_sides() -> None:
    own = pieces([exact(x) for x in (-1, 0, 1)], [exact(x) for x in (0, 1, 0)], exact(0))
    whole = integral(own, flint.arb(0, 2), 1)  # from −2 to 2 the integral goes from 0 to 1
    assert whole.contains(flint.arb(0))
    assert whole.contains(flint.arb(1))


SPLINES = """
version: 1
name: splines
graph:
  operators:
    - {id: f1, type: spline, weight_value: 3/2, region: {weight: 0}}
    - {id: f2, type: spline, slope: 1/3, knots: [-1, 0, 2], second: [0, 1, 0], weight_value: -1,
       weight_knots: [-1, 1/3, 1], weight_first: [0, 2, 0], region: {weight: 0}}
    - {id: f3, type: spline, slope: -1/2, knots: [-3, 1, 2], second: [0, 2/3, 0], weight_value: 1/5,
       weight_knots: [-2, 0, 2], weight_first: [0, -1, 0], region: {weight: 0}}
perturbations:
  - {at: f1, pass: forward, model: two_point, low: -1/2, high: 3/4, p_high: 1/3}
  - {at: f2, pass: forward, model: two_point, magnitude: 2/7}
  - {at: f2, pass: backward, model: two_point, low: -1/5, high: 1, p_high: 1/4}
  - {at: f3, pass: backward, model: constant, value: 2/9}
training: {step_size: 1e-30, horizon: 1}
simulation:
  data: {points: [[0]]}
  replicas: 2
"""


def test_enclosed_errors_are_those_of_the_passes() -> None:
    graph = build(loads(SPLINES))
    found = enclosed(graph, ROW_KEYS)
    assert found is not None
    assert float(found.error) == pytest.approx(exact_value(graph, bias=False), rel=1e-12)
    assert float(found.bias) == pytest.approx(exact_value(graph, bias=True), rel=1e-12)
    assert float(found.error.rad()) < 1e-200
    second = Fraction(1, 3) * Fraction(9, 16) + Fraction(2, 3) * Fraction(1, 4)
    assert found.moments["forward"] == (second, Fraction(4, 49))
    assert found.moments["forward_mean"] == (Fraction(1, 144), 0)
    assert found.moments["forward_fourth"][1] == Fraction(2, 7) ** 4
    assert found.moments["backward"][0] == Fraction(3, 4) / 25 + Fraction(1, 4)
    assert found.moments["backward_mean"] == (Fraction(1, 100), Fraction(4, 81))
    assert found.constants["b"][0] == Fraction(3, 2)
    assert found.constants["A"] == (None, 1, Fraction(2, 3))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model: two_point, magnitude: 2/7", "model: gaussian, std: 1/7"),
        ("model: two_point, magnitude: 2/7", "rms: 1/7, mean: 0"),
        ("replicas: 2", "replicas: 2\n  initial_weights: [0, 0, sqrt(2)]"),
        ("replicas: 2", "replicas: 2\n  initial_weights: [0, 0, 1/9]"),
        ("type: spline, weight_value: 3/2, region: {weight: 0}", "type: identity"),
    ],
)
def test_what_is_not_covered_is_not_enclosed(old: str, new: str) -> None:
    assert old in SPLINES
    text = SPLINES.replace(old, new)
    assert enclosed(build(loads(text)), ROW_KEYS) is None


@pytest.mark.parametrize(("radius", "inside"), [("1/2", True), ("499/1000", False)])
def test_states_have_to_stay_in_their_regions(radius: str, inside: bool) -> None:
    text = (
        "{version: 1, name: e1, graph: {operators: ["
        "{id: f1, type: spline, weight_value: 1, region: {weight: 0}},"
        f"{{id: f2, type: bilinear, region: {{input: {radius}, weight: 1}}}}]}},"
        "perturbations: [{at: f1, pass: forward, model: two_point, magnitude: 1/2}],"
        "training: {step_size: 1e-9, horizon: 1},"
        "simulation: {data: {points: [[0]]}, replicas: 2, initial_weights: [0, 1]}}"
    )
    assert (enclosed(build(loads(text)), ROW_KEYS) is not None) is inside


def test_floats_are_on_the_right_side() -> None:
    third = flint.arb(flint.fmpq(1, 3))
    assert Fraction(float_below(third)) < Fraction(1, 3) < Fraction(float_above(third))
    assert float_below(flint.arb(2)) == float_above(flint.arb(2)) == 2.0


# --- structured instances ----------------------------------------------------------------------


@pytest.mark.parametrize("zero_mean", [False, True])
@pytest.mark.parametrize("size", [2, 3, 5])
def test_small_noise_comes_near_superposition_and_not_above(size: int, zero_mean: bool) -> None:
    rng = seeded(size)
    near = 0
    for _ in range(8):
        one = drawn(rng)
        claim, made = claim_of_nothing(size, one, zero_mean=zero_mean)
        sigma, mean, back = (
            [Fraction(rng.randint(1, 5), 3) for _ in range(size - 1)] for _ in range(3)
        )
        zero = [Fraction(0)] * (size - 1)
        shape = NoiseShape(sigma, zero, zero) if zero_mean else NoiseShape(sigma, mean, back)
        instance = small_noise(claim, made, shape)
        if instance is None:
            continue  # states would be too large for positive weights
        shown = proof(made, instance)
        assert shown is not None
        bound = made.sharp(profile_of(shown.moments))
        assert shown.attained <= bound * (1 + 1e-12)
        # The chain has one first and one second derivative for the constants of a kind.
        least = uniform_bound(one, size, profile_of(shown.moments), zero_mean=zero_mean)
        if least > 0:
            assert shown.attained == pytest.approx(least, rel=2e-3)
            near += 1
    assert near >= 3 or (size == 2 and zero_mean)  # where nothing but third derivatives counts


def uniform_bound(one: dict[str, Fraction], size: int, p: Profile, *, zero_mean: bool) -> float:
    """Theorem 4.18 (a) for the constants that the chain of squares really has."""
    slope = min(one["jac_input"], one["jac_weight"], one["lip_input"])
    bend = min(one["hess_input"], one["hess_mixed"])
    own = dict(zip(CONSTANTS, (slope, slope, slope, bend, bend), strict=True))
    made = claim_of_nothing(size, own, zero_mean=zero_mean)[1]
    first = claim_of_nothing(size, {**own, "jac_weight": one["jac_weight"]}, zero_mean=zero_mean)[1]
    M = made.linear.copy()
    M[0] = first.linear[0]  # b_1 is the first operator's own
    levels = [p.e**2] if zero_mean else [p.e**2, p.m, p.n]
    return float(((M @ np.concatenate(levels)) ** 2).sum())


def test_instances_of_other_claims_prove_nothing() -> None:
    shape = NoiseShape([HALF, HALF], [HALF, HALF], [HALF, HALF])
    claim, made = claim_of_nothing(3, drawn(seeded(1)), zero_mean=False)
    instance = small_noise(claim, made, shape)
    assert instance is not None
    found = enclosed(build(loads(instance)), ROW_KEYS)
    assert found is not None
    own = {
        name: max(x for x in found.constants[key] if x is not None)
        for key, name in ROW_KEYS.items()
        if name in CONSTANTS
    }
    _, exactly = claim_of_nothing(3, own, zero_mean=False)
    assert proof(exactly, instance) is not None
    _, centred = claim_of_nothing(3, own, zero_mean=True)
    assert proof(centred, instance) is None  # its means are not 0
    for key in CONSTANTS:
        less = {**own, key: own[key] * (1 - Fraction(1, 10**15))}
        assert proof(claim_of_nothing(3, less, zero_mean=False)[1], instance) is None, key


def test_bilinear_chains_attain_their_rational_value() -> None:
    text = (
        "{version: 1, claim: none, statement: error, operators: 4, uniform: {jac: 2, hess: 1},"
        " coefficients: {}}"
    )
    claim = loads_claim(text)
    made = point_claim(claim.chains[4], "error", False, {})
    assert made is not None
    instance = bilinear(claim, made, [Fraction(1), Fraction(2), Fraction(3)])
    assert instance is not None
    shown = proof(made, instance)
    assert shown is not None
    # ỹ = (1, 4, 11) c and w = 2: u_2, u_3, u_4 move by 4 ỹ_1, 2 ỹ_2, ỹ_3, where 11 c = 2/10
    c = Fraction(2, 110)
    assert shown.attained == pytest.approx(float(c**2 * (4**2 + 8**2 + 11**2)), rel=1e-15)
    assert shown.moments["forward"] == tuple((c * x) ** 2 for x in (1, 2, 3))


# --- where to look -----------------------------------------------------------------------------


@pytest.mark.parametrize("zero_mean", [False, True])
def test_the_worst_levels_have_the_largest_ratio(zero_mean: bool) -> None:
    rng = np.random.default_rng(0)
    text = (
        "{version: 1, claim: c, statement: bias, operators: 4, uniform: {jac: 1/2, lip: 2, hess: 1,"
        " third: 1}, coefficients: {forward_mean: 3, forward_fourth: [1, 2, 3], backward_mean: 1},"
        f" assumptions: {{zero_mean: {str(zero_mean).lower()}}}}}"
    )
    made = point_claim(loads_claim(text).chains[4], "bias", zero_mean, {})
    best, x = made.worst()
    assert best == made.ratio(x)
    for _ in range(300):
        assert made.ratio(rng.exponential(size=made.dimension)) <= best
    # a_i = ½ is a Lipschitz constant, so that ℓ_i = 2 changes nothing
    less = point_claim(loads_claim(text.replace("lip: 2, ", "")).chains[4], "bias", zero_mean, {})
    assert best == pytest.approx(less.ratio(x))


# --- an adversary without an instance ----------------------------------------------------------


def test_an_adversary_that_finds_no_instance_leaves_a_note(monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UnsupportedError("no instance")

    monkeypatch.setattr(sys.modules["boundcalc.verify.adversary"], "search", fail)
    monkeypatch.setattr(attack, "_structured", lambda *_: iter(()))
    outcome = refute(
        loads_claim(
            "{version: 1, claim: small, statement: error, operators: 2,"
            " uniform: {jac: 1, hess: 1}, coefficients: {forward: 1, backward: 1/2}}"
        )
    )
    assert outcome.verdict == UNDETERMINED
    (note,) = outcome.parts[0].notes
    assert "no instance" in note
