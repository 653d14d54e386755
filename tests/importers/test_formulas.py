"""Formulas: the normal form means the same, and nothing else is recognised."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.importers.formulas import (
    X,
    add,
    constant,
    described,
    function,
    like,
    multiply,
    power,
    replaced,
    scaled,
    size,
    subtrees,
)
from boundcalc.importers.recognise import KNOWN, recognised

POINTS = np.array([[-2.0, -0.3, 0.7, 1.9]])
FUNCTIONS = {
    "erf": np.vectorize(math.erf),
    "tanh": np.tanh,
    "exp": np.exp,
    "sigmoid": lambda t: 1 / (1 + np.exp(-t)),
    "mean": lambda t: np.broadcast_to(np.mean(t, axis=-1, keepdims=True), POINTS.shape),
}


def value(tree):
    """What a tree is at the points: its literal meaning."""
    match tree:
        case ("x",):
            return POINTS
        case ("+", c, terms):
            return c + sum((k * value(t) for k, t in terms), np.zeros_like(POINTS))
        case ("*", factors):
            return math.prod((value(t) ** float(p) for t, p in factors), start=np.ones(1))
        case ("f", name, inner):
            return FUNCTIONS[name](value(inner))
    raise AssertionError(tree)


numbers = st.sampled_from([-2.0, -0.5, 0.25, 1.0, 3.0])
builds = st.recursive(
    st.one_of(st.just(("x",)), st.tuples(st.just("c"), numbers)),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["add", "multiply"]), inner, inner),
        st.tuples(st.just("power"), inner, st.sampled_from([2, 3])),
        st.tuples(st.just("scaled"), inner, numbers),
        st.tuples(st.sampled_from(["tanh", "erf", "sigmoid"]), inner),
    ),
    max_leaves=6,
)


def made(build):
    """The tree that the algebra makes, and the value that its steps have."""
    match build:
        case ("x",):
            return X, POINTS
        case ("c", number):
            return constant(number), np.full_like(POINTS, number)
        case ("add", a, b):
            (x, u), (y, v) = made(a), made(b)
            return add(x, y), u + v
        case ("multiply", a, b):
            (x, u), (y, v) = made(a), made(b)
            return multiply(x, y), u * v
        case ("power", a, n):
            x, u = made(a)
            return power(x, Fraction(n)), u**n
        case ("scaled", a, number):
            x, u = made(a)
            return scaled(number, x), number * u
        case (name, a):
            x, u = made(a)
            return function(name, x), FUNCTIONS[name](u)
    raise AssertionError(build)


@given(builds)
@settings(max_examples=150, deadline=None)
def test_the_normal_form_has_the_value_of_its_steps(build):
    tree, expected = made(build)
    assert np.allclose(value(tree), expected, rtol=1e-9, atol=1e-9)
    assert size(tree) >= 1
    assert described(tree)


@given(builds, builds)
@settings(max_examples=100, deadline=None)
def test_sums_and_products_do_not_depend_on_order(first, second):
    (x, _), (y, _) = made(first), made(second)
    assert like(add(x, y), add(y, x))
    assert like(multiply(x, y), multiply(y, x))


@given(builds)
@settings(max_examples=100, deadline=None)
def test_a_part_replaced_by_the_variable_leaves_a_formula_in_that_part(build):
    tree, _ = made(build)
    for part in subtrees(tree):
        rest = replaced(tree, part)
        if rest is not None:
            inner = value(part)
            assert np.allclose(value_at(rest, inner), value(tree), rtol=1e-9, atol=1e-9)


def value_at(tree, points):
    """What a tree is at other points."""
    global POINTS
    kept, POINTS = POINTS, points
    try:
        return value(tree)
    finally:
        POINTS = kept


@pytest.mark.parametrize("number", range(len(KNOWN)))
def test_a_known_formula_is_recognised_and_one_with_another_constant_is_not(number):
    tree, kind, parameters = KNOWN[number]
    assert recognised(tree) == (kind, parameters)
    assert recognised(scaled(1.001, tree)) is None
    assert recognised(add(tree, constant(0.001))) is None
    assert recognised(multiply(tree, function("tanh", X))) is None


def gelu(root=0.5**0.5, half=0.5, one=1.0):
    erf = function("erf", scaled(root, X))
    return scaled(half, multiply(X, add(constant(one), erf)))


def test_constants_count_to_five_digits():
    assert recognised(gelu(root=0.7071068)) == ("gelu", {"approximation": "none"})
    for wrong in (gelu(root=0.7072), gelu(half=0.5001), gelu(one=1.0001), gelu(one=-1.0)):
        assert recognised(wrong) is None


def normalised(u, eps=1e-3, exponent=Fraction(-1, 2), inner=None):
    square = function("mean", power(u if inner is None else inner, Fraction(2)))
    return multiply(u, power(add(constant(eps), square), exponent))


CENTRED = add(X, scaled(-1.0, function("mean", X)))


def test_normalisations_are_recognised_with_their_eps():
    assert recognised(normalised(X)) == ("rms_norm", {"eps": 1e-3})
    assert recognised(normalised(CENTRED)) == ("layer_norm", {"eps": 1e-3})
    assert recognised(normalised(scaled(-1.0, CENTRED), inner=CENTRED)) is None
    for wrong in (
        normalised(X, exponent=Fraction(1, 2)),
        normalised(X, exponent=Fraction(-1)),
        normalised(X, eps=0.0),
        normalised(X, eps=-1.0),
        normalised(X, inner=CENTRED),
        normalised(CENTRED, inner=X),
        normalised(add(X, scaled(-0.9, function("mean", X)))),
    ):
        assert recognised(wrong) is None


def test_a_root_of_a_square_is_not_the_number():
    assert power(power(X, Fraction(2)), Fraction(1, 2)) != X
    root = power(add(X, constant(3.0)), Fraction(1, 2))
    assert like(power(root, Fraction(2)), add(X, constant(3.0)))


def test_a_formula_that_divides_by_zero_is_an_error():
    with pytest.raises(ZeroDivisionError):
        power(constant(0.0), Fraction(-1))
