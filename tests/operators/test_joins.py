"""Joins and shapes: exact constants, domains, and refusals."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from visits import number

from boundcalc.errors import SpecError
from boundcalc.operators.add import Add
from boundcalc.operators.base import ONE, ZERO, Domain, Region
from boundcalc.operators.concat import Concat
from boundcalc.operators.identity import Identity
from boundcalc.operators.inner import Inner
from boundcalc.operators.joining import (
    product_of_intervals,
    sum_of_intervals,
)
from boundcalc.operators.multiply import Multiply
from boundcalc.operators.rounding import above, below
from boundcalc.operators.select import Select
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse


def nothing(samples=1):
    return np.zeros((1, 0)), np.zeros((1, samples))


def constants_of(operator, *domains):
    return operator.input_constants(Region(parts=domains), None)


def test_a_residual_block_adds_with_constants_one():
    constants = constants_of(Add().shaped(((2, 3), (2, 3))), Domain(), Domain())
    assert [slot.jac_input for slot in constants.slots] == [ONE, ONE]
    assert [slot.lip_input for slot in constants.slots] == [ONE, ONE]
    assert all(slot.hess_input == () and slot.third_input == ZERO for slot in constants.slots)
    assert Add().shaped(((2, 3), (2, 3))).output_shape == (2, 3)


def test_factors_count_by_their_size():
    operator = Add(factors=("-3/2", "C", "-sqrt(2)")).shaped(((1,), (1,), (1,)))
    slots = constants_of(operator, Domain(), Domain(), Domain()).slots
    assert number(slots[0].jac_input) == 1.5
    for value in (parse("-2"), parse("2")):
        assert number(slots[1].jac_input.substitute({"C": value})) == 2.0
    assert number(slots[2].jac_input) == pytest.approx(math.sqrt(2))


def test_boxes_and_balls_of_sums_are_exact():
    operator = Add(factors=(1, -2)).shaped(((1, 2), (1, 2)))
    parts = (Domain(exact(3), -1.0, 2.0), Domain(exact(5), 0.0, 1.0))
    domain = operator.output_domain(Region(parts=parts), None)
    assert (domain.low, domain.high) == (-3.0, 2.0)
    # The boxes cut the balls: 2√2 and √2, the second counted twice.
    assert number(domain.radius) == pytest.approx(4 * math.sqrt(2))
    one_sided = (Domain(low=0.0), Domain(low=0.0, high=1.0))
    open_domain = operator.output_domain(Region(parts=one_sided), None)
    assert (open_domain.radius, open_domain.low, open_domain.high) == (None, -2.0, math.inf)


@pytest.mark.parametrize(
    ("operator", "shapes", "problem", "value", "expected"),
    [
        (Add(), ((2, 3), (3, 2)), "equal shapes", "input 1 has the shape (2, 3), input 2 (3, 2)",
         "the same shape"),
        (Add(factors=(1, 2, 3)), ((2,), (2,)), "one factor for each", "3 factors, 2 inputs",
         "2 factors"),
        (Concat(axis=1), ((2,), (2,)), "axis that its inputs have", "axis 1 of the shape (2,)",
         "from 0 to 0"),
        (Concat(axis=-3), ((2, 2),), "axis that its inputs have", "axis -3 of the shape (2, 2)",
         "from 0 to 1"),
        (Concat(axis=1), ((2, 1), (3, 1)), "differ on its axis alone",
         "input 1 has the shape (2, 1), input 2 (3, 1)", "equal sizes"),
        (Concat(), ((2, 1), (2,)), "differ on its axis alone",
         "input 1 has the shape (2, 1), input 2 (2,)", "equal sizes"),
        (Multiply(), ((2,), (3,)), "two inputs of equal shapes", "(2,), (3,)", "the same shape"),
        (Inner(), ((2,), (2,), (2,)), "two inputs of equal shapes", "(2,), (2,), (2,)",
         "two inputs"),
        (Identity(axes=(1, 0)), ((4,),), "permutes all axes", "axes (1, 0) for an input of shape "
         "(4,)", "1 axes"),
        (Identity(shape=(2, 3)), ((4,),), "number of components", "shape (2, 3) for an input of "
         "shape (4,)", "4 components"),
        (Identity(), ((4,), (4,)), "reads one input", "2 inputs", "one input"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(operator, shapes, problem, value, expected):
    with pytest.raises(SpecError, match=problem) as caught:
        operator.shaped(shapes)
    assert caught.value.value == value
    assert expected in (caught.value.expected or "")
    assert caught.value.fix


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (4, None), (5, 6)])
def test_components_that_are_not_there_are_refused(start, stop):
    with pytest.raises(SpecError, match="components that its input has") as caught:
        Select(start=start, stop=stop).output_size(4)
    assert caught.value.expected == "components from 0 to 3"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Select(start=-1),
        lambda: Select(start=3, stop=3),
        lambda: Select(step=0),
        lambda: Identity(axes=(0, 0)),
        lambda: Identity(axes=(1, 2)),
        lambda: Identity(shape=(0, 3)),
        lambda: Identity(shape=()),
        lambda: Add(factors=()),
        lambda: Add(factors=("1/0x",)),
        lambda: Concat(axis=8),
        lambda: Concat(axis="0"),
    ],
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(ValidationError):
        make()


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
    st.integers(-3, 2),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
)
def test_concat_is_numpys(shape, axis, sizes):
    axis = max(-len(shape), min(axis, len(shape) - 1))
    shapes = tuple(tuple(size if i == axis % len(shape) else n for i, n in enumerate(shape))
                   for size in sizes)  # fmt: skip
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(shape) for shape in shapes]
    operator = Concat(axis=axis).shaped(shapes)
    y = np.concatenate([part.ravel() for part in parts])[None, None]
    joint = np.concatenate(parts, axis=axis)
    assert operator.output_shape == joint.shape
    np.testing.assert_array_equal(operator.forward(y, *nothing())[0, 0], joint.ravel())
    back = operator.vjp(y, *nothing(), joint.reshape(1, 1, -1))[0]
    np.testing.assert_array_equal(back, y)


@given(st.permutations(range(3)), st.booleans())
def test_identity_permutes_axes_as_numpy_does(axes, reshaped):
    y = np.arange(24.0).reshape(2, 3, 4)
    operator = Identity(axes=tuple(axes), shape=(4, 6) if reshaped else None).shaped(((2, 3, 4),))
    turned = y.transpose(axes)
    assert operator.output_shape == ((4, 6) if reshaped else turned.shape)
    output = operator.forward(y.reshape(1, 1, -1), *nothing())
    np.testing.assert_array_equal(output.ravel(), turned.ravel())
    back = operator.vjp(y.reshape(1, 1, -1), *nothing(), output)[0]
    np.testing.assert_array_equal(back.ravel(), y.ravel())


def test_a_joint_ball_is_kept_by_concat():
    operator = Concat().shaped(((1,), (1,)))
    parts = (Domain(exact(3)), Domain(exact(4)))
    assert number(operator.output_domain(Region(parts=parts), None).radius) == 5.0
    assert number(operator.output_domain(Region(input=exact(4), parts=parts), None).radius) == 4.0
    assert operator.output_domain(Region(input=parse("R")), None).radius.symbols == {"R"}


def test_products_have_the_constants_of_the_other_input():
    operator = Multiply().shaped(((2,), (2,)))
    first, second = constants_of(operator, Domain(exact(3)), Domain(exact(9), -1.0, 2.0)).slots
    assert (first.jac_input, first.lip_input) == (exact(2), exact(2))
    assert (second.jac_input, second.lip_input) == (exact(3), exact(3))
    assert first.hess_input == (ZERO, ONE)
    assert second.hess_input == (ONE, ZERO)
    parts = (Domain(exact(3)), Domain(exact(9), -1.0, 2.0))
    domain = operator.output_domain(Region(parts=parts), None)
    assert (number(domain.radius), domain.low, domain.high) == pytest.approx((6.0, -6.0, 6.0))
    # Attained: one component at its largest.
    y = np.array([[[3.0, 0.0, 2.0, 0.0]]])
    back = operator.vjp(y, *nothing(), np.array([[[1.0, 0.0]]]))[0]
    np.testing.assert_array_equal(back[0, 0], [2.0, 0.0, 3.0, 0.0])
    symbolic = constants_of(operator, Domain(parse("R")), Domain(parse("S"))).slots
    assert [str(slot.jac_input) for slot in symbolic] == ["S", "R"]


def test_a_square_written_as_a_product_has_its_derivative():
    # y ⊙ y: the two slots add to 2 sup |y_i|, and to A = 2.
    operator = Multiply().shaped(((1,), (1,)))
    slots = constants_of(operator, Domain(exact(3)), Domain(exact(3))).slots
    assert sum(number(slot.jac_input) for slot in slots) == 6.0
    assert sum(number(x) for slot in slots for x in slot.hess_input) == 2.0


def test_the_box_of_all_inputs_holds_each():
    operator = Multiply().shaped(((2,), (2,)))
    region = Region(low=-1.0, high=2.0, parts=(Domain(low=-5.0, high=1.0), Domain(low=0.0)))
    slots = operator.input_constants(region, None).slots
    assert [slot.jac_input for slot in slots] == [exact(2), exact(1)]
    domain = operator.output_domain(region, None)
    assert (domain.low, domain.high) == (-2.0, 2.0)


def test_inner_products_are_bounded_by_cauchy_schwarz():
    operator = Inner().shaped(((2,), (2,)))
    first, second = constants_of(operator, Domain(exact(3)), Domain(exact(5))).slots
    assert (first.jac_input, second.jac_input) == (exact(5), exact(3))
    assert (first.hess_input, second.hess_input) == ((ZERO, ONE), (ONE, ZERO))
    parts = (Domain(exact(3), 0.0, 1.0), Domain(exact(5), -1.0, 2.0))
    domain = operator.output_domain(Region(parts=parts), None)
    assert (domain.low, domain.high) == (-2.0, 4.0)
    assert number(domain.radius) == pytest.approx(math.sqrt(2) * math.sqrt(8))


@pytest.mark.parametrize("kind", [Multiply, Inner])
@pytest.mark.parametrize("missing", [0, 1])
def test_an_unbounded_input_is_named(kind, missing):
    domains = [Domain(exact(1))] * 2
    domains[missing] = Domain()
    operator = kind().shaped(((2,), (2,)))
    with pytest.raises(SpecError, match=f"needs a bound on its input {missing + 1}"):
        constants_of(operator, *domains)
    assert operator.output_domain(Region(parts=tuple(domains)), None).radius is None
    # One ball for all of them will do.
    region = Region(input=exact(4), parts=tuple(domains))
    assert number(operator.input_constants(region, None).slots[1 - missing].jac_input) == 4.0


ends = st.floats(-100, 100) | st.sampled_from([-math.inf, math.inf, 0.0])
finite = st.floats(-1e300, 1e300)


@given(st.fractions())
def test_floats_around_a_fraction(value):
    low, high = below(value), above(value)
    assert Fraction(low) <= value <= Fraction(high)
    assert high <= np.nextafter(np.nextafter(low, np.inf), np.inf)


def test_floats_around_huge_fractions():
    assert below(Fraction(10) ** 400) == np.finfo(float).max
    assert above(Fraction(10) ** 400) == math.inf
    assert below(-(Fraction(10) ** 400)) == -math.inf


@given(st.tuples(ends, ends), st.tuples(ends, ends), st.floats(0, 1), st.floats(0, 1))
def test_interval_arithmetic_holds_every_result(first, second, s, t):
    first, second = sorted(first), sorted(second)
    x, y = (
        float(np.clip(np.clip(low, -1e6, 1e6) * (1 - u) + np.clip(high, -1e6, 1e6) * u, low, high))
        for (low, high), u in ((first, s), (second, t))
    )
    if math.isinf(x) or math.isinf(y):
        return
    low, high = product_of_intervals(tuple(first), tuple(second))
    assert low <= Fraction(x) * Fraction(y) <= high
    low, high = sum_of_intervals([tuple(first), tuple(second)])
    assert low <= Fraction(x) + Fraction(y) <= high
