"""Losses: their labels, their constants on intervals, and their limits."""

import numpy as np
import pytest
from case import Case
from claims import claims
from hypothesis import given, settings
from hypothesis import strategies as st
from operator_cases import CASES
from pydantic import ValidationError
from visits import number

from boundcalc.errors import DataError, SpecError
from boundcalc.operators.base import Data, Region
from boundcalc.operators.cross_entropy import CrossEntropyLoss
from boundcalc.operators.huber import HuberLoss
from boundcalc.operators.logistic import LogisticLoss
from boundcalc.operators.quadratic import Quadratic
from boundcalc.operators.squared import SquaredLoss
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse


def labelled(*labels):
    return Data(np.zeros((len(labels), 1)), np.array(labels))


def test_squared_needs_the_largest_label():
    data = labelled(2.0, -7.0, 0.5)
    constants = SquaredLoss().constants(Region(input=parse("1/2")), data, reads=False)
    assert number(constants.jac_input) == 7.5
    halves = Data(data.features, data.labels / 2)
    measured = SquaredLoss().constants(Region(input=parse("1/2")), halves, reads=False)
    assert number(measured.jac_input) == 4.0
    for region in (Region(input=parse(1)), Region(low=0.0, high=1.0)):
        with pytest.raises(SpecError, match="jac_input of a `squared` operator needs the labels"):
            SquaredLoss().constants(region, None, reads=False)


def test_squared_on_an_interval():
    # After a sigmoid, with labels 0 and 1, the residual is at most 1.
    unit = Region(input=exact(1), low=0.0, high=1.0)
    constants = SquaredLoss().constants(unit, labelled(0.0, 1.0), reads=False)
    assert constants.jac_input == exact(1)
    domain = SquaredLoss().output_domain(unit, labelled(0.0, 1.0))
    assert (domain.low, domain.high) == (0.0, pytest.approx(0.5))
    beside = Region(low=2.0, high=3.0)
    constants = SquaredLoss().constants(beside, labelled(0.25, 1.0), reads=False)
    assert number(constants.jac_input) == pytest.approx(2.75)
    beyond = SquaredLoss().constants(beside, labelled(6.0), reads=False)
    assert beyond.jac_input == exact(4)


def test_huber_is_squared_near_and_linear_far_out():
    data = labelled(1.0, -1.0)
    near = HuberLoss(delta=4).constants(Region(input=exact(3)), data, reads=False)
    assert near == SquaredLoss().constants(Region(input=exact(3)), data, reads=False)
    far = HuberLoss(delta="7/2").constants(Region(input=exact(3)), data, reads=False)
    assert (str(far.jac_input), far.hess_input, far.third_input) == ("7/2", exact(1), None)
    for residual, region in (("min((R + 1), d)", Region(parse("R"))), ("d", Region())):
        symbolic = HuberLoss(delta="d").constants(region, data, reads=False)
        assert (str(symbolic.jac_input), symbolic.third_input) == (residual, None)
    assert (
        HuberLoss(delta="sqrt(2)")
        .constants(Region(input=parse("sqrt(2)-1")), data, reads=False)
        .third_input
        is None
    )  # equal but for rounding: not certain


def test_huber_is_linear_beside_its_kinks():
    region, data = Region(low=2.0, high=5.0), labelled(0.5, 7.0)
    far = HuberLoss(delta=1).constants(region, data, reads=False)
    assert (far.hess_input, far.third_input) == (exact(0), exact(0))
    near = HuberLoss(delta=2).constants(region, data, reads=False)
    assert (near.hess_input, near.third_input) == (exact(1), None)


def test_hubers_range():
    domain = HuberLoss(delta=2).output_domain(Region(input=exact(4)), labelled(1.0))
    assert (domain.low, domain.high) == (0.0, pytest.approx(2 * 5 - 2))
    assert HuberLoss().output_domain(Region(), None).high == np.inf


@pytest.mark.parametrize("delta", [0, "-1", "log(1)"])
def test_hubers_delta_is_positive(delta):
    with pytest.raises(ValidationError, match=r"not a positive number|a negative number"):
        HuberLoss(delta=delta)


@pytest.mark.parametrize("loss", [LogisticLoss(), SquaredLoss(), HuberLoss()], ids=str)
def test_losses_take_one_number(loss):
    with pytest.raises(SpecError, match="takes one number"):
        loss.output_size(2)


def test_logistic_uses_the_labels_that_occur():
    region = Region(low=1.0, high=2.0)
    sure = LogisticLoss().constants(region, labelled(1.0), reads=False)
    assert number(sure.jac_input) == pytest.approx(1 / (1 + np.e))
    both = LogisticLoss().constants(region, labelled(1.0, -1.0), reads=False)
    assert number(both.jac_input) == pytest.approx(1 / (1 + np.exp(-2.0)))
    domain = LogisticLoss().output_domain(region, labelled(1.0))
    assert (domain.low, domain.high) == (
        pytest.approx(np.log1p(np.exp(-2.0))),
        pytest.approx(np.log1p(np.exp(-1.0))),
    )


def test_quadratics_range():
    region = Region(input=exact(2), weight=exact(1))
    domain = Quadratic().output_domain(region, None)
    assert (domain.low, domain.high) == (pytest.approx(-1.0), pytest.approx(3.0))
    assert Quadratic().output_domain(Region(weight=exact(1)), None).low == pytest.approx(-1.0)


# Cross-entropy

CROSS_ENTROPIES = [case for case in CASES if isinstance(case.operator, CrossEntropyLoss)]


@pytest.mark.parametrize("bad", [3.0, -1.0, 0.5, np.nan, np.inf])
def test_labels_are_classes(bad):
    loss, labels = CrossEntropyLoss(), np.array([0.0, 2.0, bad])
    loss.shaped(((3,),)).check_labels(labels[:2])
    with pytest.raises(DataError, match="is no class"):
        loss.shaped(((3,),)).check_labels(labels)
    for run in (loss.forward, lambda *batch: loss.vjp(*batch, np.ones((1, 3, 1)))):
        with pytest.raises(DataError, match="from 0 to 2, since there are 3 logits"):
            run(np.zeros((1, 3, 3)), np.zeros((1, 0)), labels[None])


def test_classes_may_be_checked_before_their_number_is_known():
    CrossEntropyLoss().check_labels(np.array([0.0, 1e6]))
    with pytest.raises(DataError, match="is no class"):
        CrossEntropyLoss().check_labels(np.array([0.0, -1.0]))


@pytest.mark.parametrize("shape", [(1,), (2, 3), ()])
def test_logits_are_one_vector(shape):
    with pytest.raises(SpecError, match="logit"):
        CrossEntropyLoss().shaped((shape,))


def test_small_losses_and_gradients_keep_their_digits():
    y, label = np.array([[[50.0, 0.0, 0.0]]]), np.zeros((1, 1))
    batch = (y, np.zeros((1, 0)), label)
    assert CrossEntropyLoss().forward(*batch).item() == pytest.approx(2 * np.exp(-50), rel=1e-14)
    back = CrossEntropyLoss().vjp(*batch, np.ones((1, 1, 1)))[0].ravel()
    expected = np.exp(-50) * np.array([-2.0, 1.0, 1.0])
    np.testing.assert_allclose(back, expected, rtol=1e-14)


def seen(case, region, points):
    constants = case.operator.constants(region, case.data, reads=False)
    found = claims(case, constants, points, np.random.default_rng(0))
    return {claim.name: float(claim.found.max()) / claim.bound for claim in found if claim.bound}


def pair(first, second, label=0.0):
    from visits import Points

    y, other = np.array([first]), np.array([second])
    return Points(y, other, np.zeros((1, 0)), np.array([label]))


def test_cross_entropys_global_constants_are_attained():
    two = Case(CrossEntropyLoss().shaped(((2,),)), 2, labels=(0.0, 1.0))
    # p = (1/2, 1/2), and where p(1 − p)(1 − 2p) is largest; a pair along (1, −1).
    for p, name in ((1 / 2, "hess_input"), (1 / 2 + 1 / np.sqrt(12), "third_input")):
        half = np.log(p / (1 - p)) / 2
        points = pair([half, -half], [half + 1e-3, -half - 1e-3])
        assert seen(two, Region(), points)[name] >= 0.999
    wrong = pair([-20.0, 20.0], [-19.0, 19.0])
    assert seen(two, Region(), wrong)["jac_input"] >= 0.999
    assert seen(two, Region(), wrong)["lip_input"] >= 0.999


@settings(deadline=None, max_examples=40)
@given(count=st.integers(2, 8), radius=st.floats(0.01, 8), seed=st.integers(0, 2**32))
def test_the_probabilities_bounds_hold_on_a_ball(count, radius, seed):
    rng = np.random.default_rng(seed)
    loss = CrossEntropyLoss().shaped(((count,),))
    constants = loss.constants(Region(input=parse(radius)), None, reads=False)
    y = rng.standard_normal((500, count))
    y[: 2 * count] = np.concatenate([np.eye(count) - 1 / count, 1 / count - np.eye(count)])
    y *= radius / np.linalg.norm(y, axis=1, keepdims=True)
    p = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
    hessians = np.einsum("pi,ij->pij", p, np.eye(count)) - np.einsum("pi,pj->pij", p, p)
    gradients = np.linalg.norm(p[:, None] - np.eye(count), axis=2)
    assert gradients.max() <= number(constants.jac_input) <= np.sqrt(2) + 1e-12
    assert np.linalg.norm(hessians, ord=2, axis=(1, 2)).max() <= number(constants.hess_input)
    # A vertex of the simplex, seen from its centre, has the largest probability.
    domain = loss.output_domain(Region(input=parse(radius)), None)
    assert domain.low == pytest.approx(-np.log(p.max()), rel=1e-9)
    assert -np.log(p.min()) <= domain.high


def test_a_small_ball_has_small_constants():
    loss = CrossEntropyLoss().shaped(((10,),))
    constants = loss.constants(Region(input=parse("1/1000")), None, reads=False)
    # At 0: p = (1/10, …), ‖p − e‖ = √(9/10), and diag(p) − ppᵀ = (I − 11ᵀ/10)/10.
    assert number(constants.jac_input) == pytest.approx(np.sqrt(0.9), rel=2e-3)
    assert number(constants.hess_input) == pytest.approx(0.1, rel=2e-3)
    # With x = e₁ − p at 0, E x³/‖x‖³ = q(1 − q)(1 − 2q)/(1 − q)^(3/2), q = 1/K.
    many = CrossEntropyLoss().shaped(((100,),))
    constants = many.constants(Region(input=parse("1/1000")), None, reads=False)
    assert number(constants.third_input) == pytest.approx(0.01 * 0.98 / 0.99**0.5, rel=0.02)
    unknown = CrossEntropyLoss().constants(Region(input=parse("1/1000")), None, reads=False)
    assert str(unknown.third_input) == "sqrt(6)/9"
