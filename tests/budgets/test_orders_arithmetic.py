"""The number kind of orders against the orders themselves, and its corner cases."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.budgets.orders import Order, Orders
from boundcalc.budgets.orders.order import CONSTANT, HORIZON, LOGARITHM, NOTHING
from boundcalc.budgets.orders.polynomial import ONE, Monomial, Polynomial, largest
from boundcalc.budgets.orders.quantity import Quantity, as_quantity, known, unknown
from boundcalc.errors import SpecError

F = Fraction

UNKNOWNS = ("x", "y", "z")

exponents = st.sampled_from([F(p, q) for q in (1, 2, 3) for p in range(-3, 4)])
orders = st.builds(Order, exponents, exponents)
points = st.fixed_dictionaries(dict.fromkeys(UNKNOWNS, orders))

#: Expressions of three levels: what is divided by is a sum or a minimum more often than not.
leaves = st.sampled_from(UNKNOWNS) | orders
operations = st.sampled_from(["+", "*", "/", "min", "max"])
pairs = st.tuples(operations, leaves, leaves)
quotients = st.tuples(operations, pairs, pairs)
trees = st.tuples(operations, quotients, pairs | st.tuples(st.just("sqrt"), pairs))


def in_kind(tree: Any, kind: Orders) -> Quantity:
    if isinstance(tree, Order):
        return kind.order(tree)
    if isinstance(tree, str):
        return kind.unknown(tree)
    operation, *parts = tree
    values = [in_kind(part, kind) for part in parts]
    if operation == "sqrt":
        return kind.sqrt(values[0])
    x, y = values
    return {
        "+": lambda: x + y,
        "*": lambda: x * y,
        "/": lambda: x / y,
        "min": lambda: kind.minimum(x, y),
        "max": lambda: kind.maximum(x, y),
    }[operation]()


def at_point(tree: Any, point: dict[str, Order]) -> Order:
    """The same with every order known: a sum is the larger, a product adds exponents."""
    if isinstance(tree, Order):
        return tree
    if isinstance(tree, str):
        return point[tree]
    operation, *parts = tree
    values = [at_point(part, point) for part in parts]
    if operation == "sqrt":
        return values[0] ** F(1, 2)
    x, y = values
    return {"+": max(x, y), "*": x * y, "/": x / y, "min": min(x, y), "max": max(x, y)}[operation]


@given(trees, points)
def test_normal_form_has_the_order_of_the_expression(tree, point):
    assert in_kind(tree, Orders()).given(point).order() == at_point(tree, point)


@given(st.lists(st.tuples(orders, st.tuples(*[st.integers(0, 3)] * 3)), max_size=6), points)
def test_monomials_that_are_left_out_are_never_the_largest(parts, point):
    monomials = [
        Monomial(order, tuple((n, F(d)) for n, d in zip(UNKNOWNS, degrees, strict=True) if d))
        for order, degrees in parts
    ]
    kept = largest(monomials)
    assert set(kept) <= set(monomials)

    def value(x: Monomial) -> Order:
        return Quantity((Polynomial((x,)),)).given(point).order()

    assert max(map(value, kept), default=NOTHING) == max(map(value, monomials), default=NOTHING)


def test_products_of_levels_are_left_out_beside_their_squares():
    e, n = unknown("e"), unknown("n")
    assert str((e**2 + n) ** 2) == "e^4 + n^2"
    assert str((e + n) * (e + n) + e * e) == "e^2 + n^2"
    # nothing is left out that can be the largest
    assert str(e + e**2) == "e + e^2"
    assert str(e * n + e**2) == "e n + e^2"


@given(orders)
def test_an_order_survives_being_written_and_read(order):
    assert Order.read(str(order)) == order
    assert Order.read(str(order).replace("(", "").replace(")", "")) == order


@given(orders, orders, st.sampled_from([F(1, 4), F(2, 3), F(3)]))
def test_orders_are_an_ordered_field_of_exponents(x, y, k):
    assert (x * y) / y == x
    assert (x**k) ** (1 / k) == x
    assert (x < y) == (x**k < y**k)
    assert x > NOTHING
    assert x * NOTHING == NOTHING == NOTHING**k
    assert x ** F(0) == NOTHING**0 == CONSTANT


@given(orders)
def test_symbols_are_the_same_function(order):
    T = sympy.Symbol("T", positive=True)
    found = order.symbol()
    expected = F(10**6) ** 0 * 1e6 ** float(order.power) * 13.815510557964274 ** float(order.log)
    assert float(found.subs(T, 10**6)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "power", "log"),
    [
        ("1", 0, 0),
        (" T ", 1, 0),
        ("1/T", -1, 0),
        ("T^-1/2", F(-1, 2), 0),
        ("ln T", 0, 1),
        ("ln^2 T/T", -1, 2),
        ("ln T / T^(1/2)", F(-1, 2), 1),
        ("T^(-1/4) * ln^(1/4) T", F(-1, 4), F(1, 4)),
    ],
)
def test_reading(text, power, log):
    assert Order.read(text) == Order(F(power), F(log))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "2",
        "T^",
        "T^(1",
        "T^0.5",
        "x",
        "ln",
        "* ln T",
        "/T",
        "T^1/0",
        "T^1234567",
        "T" * 200,
        "1" + " " * 10**6 + "T",
        "T T",
        "-T",
        "T^(1/2)^2",
        "inf",
        "nan",
    ],
)
def test_what_is_no_order_is_refused(text):
    with pytest.raises(SpecError, match="not an order of growth"):
        Order.read(text)


def test_text_latex_and_json():
    order = Order(F(-1, 8), F(1, 3))
    assert order.json() == {
        "power": "-1/8",
        "log": "1/3",
        "text": "T^(-1/8) ln^(1/3) T",
    }
    assert order.latex() == r"T^{-1/8} \ln^{1/3} T"
    assert [str(x) for x in (CONSTANT, HORIZON, LOGARITHM, NOTHING)] == ["1", "T", "ln T", "0"]
    assert [x.latex() for x in (CONSTANT, LOGARITHM)] == ["1", r"\ln T"]
    assert NOTHING.json() == {"power": None, "log": None, "text": "0"}
    assert NOTHING.symbol() == 0


def test_zero_divides_nothing():
    with pytest.raises(ZeroDivisionError):
        CONSTANT / NOTHING
    with pytest.raises(ZeroDivisionError):
        NOTHING ** F(-1, 2)
    with pytest.raises(ZeroDivisionError):
        known(CONSTANT) / as_quantity(0)
    with pytest.raises(ZeroDivisionError):
        (1 / unknown("x")).given({"x": NOTHING})


def test_constants_are_of_order_one_or_zero():
    kind = Orders()
    assert kind.number(F(7, 3)) == kind.measured(0.1) == kind.pi() == kind.symbol("C")
    assert kind.number(0) == 0
    assert kind.number(1) != 0
    assert kind.number(1) != 1  # the order of a number says only whether it is 0
    assert kind.number(-2) == -kind.number(1)
    assert (2 * unknown("x") + 0) == unknown("x") / 3
    assert sum([unknown("x"), unknown("x")]) == unknown("x")


def test_differences_are_bounded_by_what_is_subtracted_from():
    step = known(Order(F(-1, 2)))
    assert 1 - step == 1 + 0 * step
    assert (unknown("x") + 1) - unknown("x") == unknown("x") + 1
    with pytest.raises(TypeError, match="difference"):
        step - 1
    with pytest.raises(TypeError, match="both signs"):
        step + (-step)
    with pytest.raises(TypeError, match="negative"):
        Orders().sqrt(-step)
    with pytest.raises(TypeError):
        step.least(-step)


def test_unknown_orders_have_no_order_yet():
    with pytest.raises(TypeError, match="depends on x"):
        unknown("x").order()
    with pytest.raises(TypeError, match="depends on x"):
        assert unknown("x") < 1


@pytest.mark.parametrize(
    ("exponent", "expected", "critical", "slow"),
    [
        (Order(F(-1, 2)), "1", False, False),
        (CONSTANT, "1", False, False),
        (Order(F(0), F(1, 2)), "1", False, True),
        (LOGARITHM, "0", True, False),
        (Order(F(0), F(3, 2)), "0", False, False),
        (Order(F(1, 100), F(-5)), "0", False, False),
    ],
)
def test_exponentials_decay_or_do_not(exponent, expected, critical, slow):
    kind = Orders()
    assert str(kind.exp(-kind.order(exponent))) == expected
    assert (kind.critical, kind.slow) == (critical, slow)


def test_other_functions():
    kind = Orders()
    x, T, small = kind.unknown("x"), kind.horizon, kind.order(Order(F(-1, 2)))
    assert str(kind.expm1(-x)) == "-min(1, x)"
    assert kind.expm1(small) == kind.log1p(small) == small
    assert kind.log1p(-small) == -small
    assert kind.exp(kind.number(0)) == kind.exp(small) == kind.exp(-x) == kind.number(1)
    assert kind.log(T) == kind.log(kind.sqrt(T)) == kind.order(LOGARITHM)
    with pytest.raises(OverflowError):
        kind.exp(T)
    with pytest.raises(OverflowError):
        kind.exp(x)
    for bad in (kind.number(1), kind.order(LOGARITHM), small, -T):
        with pytest.raises(ValueError, match="no order"):
            kind.log(bad)
    for function in (kind.log1p, kind.expm1):
        with pytest.raises(ValueError, match="not known"):
            function(T)


def test_quantities_print_their_alternatives():
    x = unknown("x")
    assert repr(x.least(1)) == "min(1, x)"
    assert str(x ** F(1, 2) / known(HORIZON)) == "T^(-1) x^(1/2)"
    assert str(as_quantity(0)) == "0"
    assert str(x**0) == "1"
    assert x ** F(-1) == 1 / x
    assert x.least(x * x).unknowns == {"x"}
    assert ONE.dominates(Monomial(Order(F(-1))))


def test_alternatives_that_are_never_smaller_are_left_out():
    x = unknown("x")
    assert x.least(x + 1) == x
    assert x.least(as_quantity(0)) == 0
    assert str(x.least(x * x)) == "min(x, x^2)"
    # x ≤ max(1, x²)
    assert (x + 1).least(x * x + 1) == x + 1
