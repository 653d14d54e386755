"""Softmax and the cumulants that bound its derivatives."""

import math

import numpy as np
import pytest
from adversary import form_norm, hessians, jacobians, thirds
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from visits import number

from boundcalc.operators.attention_constants import UNIT, JointCumulants, Values
from boundcalc.operators.base import Region
from boundcalc.operators.cumulants import cumulants, peak
from boundcalc.operators.softmax import Softmax, softmax
from boundcalc.spec.expressions import measured
from boundcalc.spec.grammar import parse

seeds = st.integers(0, 2**32)


def probabilities(rng, n):
    """A law on n points: spread out, nearly on one or two points, or nearly uniform."""
    p = softmax(rng.choice([0.1, 1.0, 3.0, 10.0]) * rng.standard_normal(n))
    p[p < 1e-12] = 0.0
    return p / p.sum()


def joint_cumulant(p, *vectors):
    centred = [x - p @ x for x in vectors]
    moment = float(p @ np.prod(centred, axis=0))
    if len(vectors) < 4:
        return moment
    x, y, z, w = centred
    pairs = ((x, y, z, w), (x, z, y, w), (x, w, y, z))
    return moment - sum(float((p @ (a * b)) * (p @ (c * d))) for a, b, c, d in pairs)


def test_global_bounds_are_attained_by_two_points():
    u = np.array([1.0, -1.0]) / np.sqrt(2)
    bounds = [number(bound) for bound in cumulants(1.0)]
    skew = 0.5 - 1 / np.sqrt(12)
    for order, q in ((2, 0.5), (3, skew), (4, 0.5)):
        found = joint_cumulant(np.array([q, 1 - q]), *[u] * order)
        assert abs(found) == pytest.approx(bounds[order - 2], rel=1e-12)
    assert [str(bound) for bound in cumulants(1.0)] == ["1/2", "sqrt(6)/9", "1/2"]


@settings(deadline=None, max_examples=60)
@given(seed=seeds, n=st.integers(2, 9))
def test_cumulants_of_unit_vectors_hold(seed, n):
    rng = np.random.default_rng(seed)
    p = probabilities(rng, n)
    bounds = [number(bound) for bound in cumulants(float(p.max()))]
    forms = [np.diag(p) - np.outer(p, p)]
    for k in (3, 4) if n < 6 else (3,):
        shape = (n,) * k
        entries = [joint_cumulant(p, *(np.eye(n)[i] for i in index)) for index in np.ndindex(shape)]
        forms.append(np.array(entries).reshape(shape))
    for form, bound in zip(forms, bounds, strict=False):
        assert form_norm(rng, form[None])[0] <= bound * (1 + 1e-9)


@settings(deadline=None, max_examples=200)
@given(seed=seeds, n=st.integers(2, 9))
def test_joint_cumulants_hold(seed, n):
    rng = np.random.default_rng(seed)
    p = probabilities(rng, n)
    kappa = JointCumulants(float(p.max()))
    vectors, values = [], []
    for _ in range(4):
        x = rng.standard_normal(n) if rng.random() < 0.5 else rng.choice([-1.0, 1.0], n)
        x = x + rng.choice([0.0, 0.0, 3.0])
        if rng.random() < 0.3:
            x = x / np.linalg.norm(x)
        vectors.append(x)
        values.append(
            Values.of(measured(np.linalg.norm(x) + 1e-12), measured(np.ptp(x) / 2 + 1e-12))
        )
    for count, bound in ((2, kappa.second), (3, kappa.third), (4, kappa.fourth)):
        found = abs(joint_cumulant(p, *vectors[:count]))
        assert found <= number(bound(*values[:count])) * (1 + 1e-9)


def test_bounds_by_ranges_are_attained():
    # Signs with xyz = 1, independent in pairs: κ₃ = 1 = half³, above √6/9 of any two points.
    p = np.full(4, 1 / 4)
    x, y = np.array([1.0, 1, -1, -1]), np.array([1.0, -1, 1, -1])
    wide = Values.of(parse(1000), parse(1))
    assert joint_cumulant(p, x, y, x * y) == 1.0
    assert number(JointCumulants(1.0).third(wide, wide, wide)) == 1.0
    assert joint_cumulant(p, x, x) == number(JointCumulants(1.0).second(wide, wide)) == 1.0
    # No more than 10/3 is known of four; signs have −2.
    assert joint_cumulant(p, x, x, x, x) == -2.0
    assert number(JointCumulants(1.0).fourth(wide, wide, wide, wide)) == pytest.approx(10 / 3)


def test_small_weights_make_small_cumulants():
    # Of a unit vector in a row of 1000 equal weights: about 1/1000, as x = e₁ shows.
    p = np.full(1000, 1e-3)
    e = np.eye(1000)[0]
    kappa = JointCumulants(1e-3)
    for count, bound in ((2, kappa.second), (3, kappa.third), (4, kappa.fourth)):
        found = joint_cumulant(p, *[e] * count)
        assert found <= number(bound(*[UNIT] * count)) <= 1.01 * found


@settings(deadline=None, max_examples=50)
@given(seed=seeds, n=st.integers(1, 6), size=st.sampled_from([0.0, 0.1, 1.0, 5.0]))
def test_no_weight_exceeds_the_peak(seed, n, size):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((50, n))
    ball = size * z / np.linalg.norm(z, axis=1, keepdims=True)
    # Computed weights are right to a few units in the last place.
    assert softmax(ball).max() <= peak(n, size, math.inf) * (1 + 1e-15)
    box = rng.choice([0.0, size], (50, n))
    assert softmax(box).max() <= peak(n, math.inf, size) * (1 + 1e-15)
    if n > 1:
        # The point that attains it: one up, the others equal and down.
        best = np.full(n, -1 / (n - 1))
        best[0] = 1.0
        best *= size / np.linalg.norm(best)
        assert softmax(best)[0] == pytest.approx(peak(n, size, math.inf), rel=1e-11)
        assert softmax(size * np.eye(n)[0])[0] == pytest.approx(peak(n, math.inf, size))


@pytest.mark.parametrize("temperature", ["1/2", "1", "3"])
def test_constants_of_a_row_of_two_are_attained(temperature):
    operator = Softmax(temperature=temperature).shaped(((1, 2),))
    constants = operator.constants(Region(), None, reads=False)
    tau = number(operator.temperature)
    u = np.array([1.0, -1.0]) / np.sqrt(2)
    skew = 0.5 - 1 / np.sqrt(12)
    tilted = tau * np.log(skew / (1 - skew)) / np.sqrt(2) * u
    y = np.stack([0 * u, tilted])
    jac = jacobians(operator, y)[0]
    assert abs(u @ jac @ u) == pytest.approx(number(constants.jac_input), rel=1e-12)
    assert np.linalg.norm(jac, ord=2) == pytest.approx(number(constants.lip_input), rel=1e-12)
    hess = hessians(operator, y)[1]
    assert abs(hess @ u @ u @ u) == pytest.approx(number(constants.hess_input), rel=1e-6)
    third = thirds(operator, y)[0]
    assert abs(third @ u @ u @ u @ u) == pytest.approx(number(constants.third_input), rel=1e-4)


def test_a_long_row_in_a_box_has_small_constants():
    operator = Softmax().shaped(((1000,),))
    region = Region(low=0.0, high=1.0)
    constants = operator.constants(region, None, reads=False)
    largest = 1 / (1 + 999 * math.exp(-1))
    assert number(constants.jac_input) == pytest.approx(largest)
    domain = operator.output_domain(region, None)
    assert (domain.low, domain.high) == (0.0, pytest.approx(largest))
    y = np.eye(1000)[:1]
    assert np.linalg.norm(jacobians(operator, y)[0], ord=2) >= 0.98 * largest
    everywhere = operator.output_domain(Region(), None)
    assert (everywhere.low, everywhere.high, number(everywhere.radius)) == (0.0, 1.0, 1.0)


def test_temperature_is_positive_and_may_be_a_symbol():
    with pytest.raises(ValidationError):
        Softmax(temperature=0)
    operator = Softmax(temperature="tau").shaped(((3,),))
    region = Region(input=parse(1))
    assert operator.constants(region, None, reads=False).third_input.symbols == {"tau"}
    assert number(operator.output_domain(region, None).radius) == 1.0
