from __future__ import annotations

import copy
import math
import operator
import pickle
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.arithmetic import FLOATS, RATIONALS, SYMBOLS, WIDE
from boundcalc.errors import ExpressionError, InexactError, SymbolError
from boundcalc.spec.expressions import (
    Expression,
    exact,
    largest,
    measured,
    rational,
    root,
    smallest,
)
from boundcalc.spec.grammar import DecimalLiteral, parse

VALUES = {"C": Fraction(3, 2), "L": Fraction(1, 7), "x_1": Fraction(-2)}
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "min": min,
    "max": max,
}

# Pairs of text and value: the value is computed beside the text, never from it.
Pair = tuple[str, Fraction]


def binary(pair: tuple[Pair, Pair, str]) -> Pair:
    (left, x), (right, y), operation = pair
    if operation == "/" and y == 0:
        operation = "+"
    text = (
        f"{operation}({left}, {right})"
        if operation in ("min", "max")
        else f"({left}) {operation} ({right})"
    )
    return text, Fraction(OPERATIONS[operation](x, y))


def power(pair: tuple[Pair, int]) -> Pair:
    (base, x), exponent = pair
    exponent = abs(exponent) if x == 0 else exponent
    return f"({base})**{exponent}", x**exponent


leaves = st.one_of(
    st.integers(0, 999).map(lambda n: (str(n), Fraction(n))),
    st.decimals(0, 99, places=3).map(lambda d: (str(d), Fraction(d))),
    st.sampled_from(sorted(VALUES)).map(lambda name: (name, VALUES[name])),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner, st.sampled_from(sorted(OPERATIONS))).map(binary),
        st.tuples(inner, st.integers(-3, 3)).map(power),
        inner.map(lambda pair: (f"-({pair[0]})", -pair[1])),
        inner.map(lambda pair: (f"+({pair[0]})", pair[1])),
        inner.map(lambda pair: (f"sqrt(({pair[0]})**2)", abs(pair[1]))),
    ),
    max_leaves=8,
)


@given(trees)
def test_a_tree_has_the_value_of_direct_evaluation(pair: Pair) -> None:
    text, expected = pair
    assert expected == parse(text).evaluate(RATIONALS, VALUES)


@given(trees)
def test_number_kinds_agree(pair: Pair) -> None:
    text, expected = pair
    expression = parse(text)
    wide = expression.evaluate(WIDE, {k: WIDE.number(v) for k, v in VALUES.items()})
    # Differences may cancel, so errors are measured against the numbers that occur.
    assert float(wide) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
    symbolic = expression.evaluate(SYMBOLS, {k: SYMBOLS.number(v) for k, v in VALUES.items()})
    assert symbolic == SYMBOLS.number(expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sqrt(2)*sqrt(8)", 4.0),
        ("exp(log(3))", 3.0),
        ("pi/4", math.pi / 4),
        ("min(exp(1), 3, pi)", math.e),
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("1/2*3", 1.5),
        ("1 - 2 - 3", -4.0),
        ("2*(\n1 + 1)", 4.0),
    ],
)
def test_values_of_number_kinds(text: str, value: float) -> None:
    expression = parse(text)
    assert value == pytest.approx(expression.evaluate(FLOATS), rel=1e-14)
    assert value == pytest.approx(float(expression.evaluate(WIDE)), rel=1e-14)
    assert value == pytest.approx(float(expression.evaluate(SYMBOLS)), rel=1e-14)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (0.1, Fraction(1, 10)),
        ("0.1", Fraction(1, 10)),
        ("1e-300", Fraction(1, 10**300)),
        ("1e300", Fraction(10**300)),
        ("0.1000000000000000000000000000000000000001", Fraction(1, 10) + Fraction(1, 10**40)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("1.5E+3", Fraction(1500)),
        ("1/3", Fraction(1, 3)),
        (" 7 ", Fraction(7)),
        (10**300, Fraction(10**300)),
        (Fraction(2, 3), Fraction(2, 3)),
        ("9" * 300 + "." + "9" * 60, 10**300 - Fraction(1, 10**60)),
        ("007", Fraction(7)),
        (DecimalLiteral("0.30"), Fraction(3, 10)),
    ],
)
def test_numbers_are_exact(written: str | float | Fraction, value: Fraction) -> None:
    assert value == parse(written).evaluate(RATIONALS)


class Huge(int):
    def __repr__(self) -> str:
        return "huge"


NOT_ONE = "not a number or an expression"
NOT_ALLOWED = "this is not allowed in an expression"
OUT_OF_RANGE = "the number has too many digits or too large an exponent"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("9**9**9", "the exponent is not a small whole number"),
        ("2**65", "the exponent is not a small whole number"),
        ("2**-65", "the exponent is not a small whole number"),
        ("2**0.5", "the exponent is not a small whole number"),
        ("2**C", "the exponent is not a small whole number"),
        ("((2**64)**64)**64", "the powers in this expression are too large"),
        ("((((2*C)**64)**64)**64)**64", "the powers in this expression are too large"),
        ("1e999", OUT_OF_RANGE),
        ("1e-999", OUT_OF_RANGE),
        ("1e99999999999999999999", OUT_OF_RANGE),
        ("9" * 302, OUT_OF_RANGE),
        ("10e300", OUT_OF_RANGE),
        ("0.0001e-299", "the number is out of range"),
        ("0." + "1" * 61, "the number has too many decimals"),
        ("2e300*C", None),
        ("x" * 1001, "the expression is 1001 characters long"),
        ("(" * 300 + "1" + ")" * 300, NOT_ONE),
        ("-" * 999 + "1", None),
        ("1" + "+1" * 400, "the expression is nested too deeply"),
        ("C.real", NOT_ALLOWED),
        ("C.__class__.__mro__", NOT_ALLOWED),
        ("__import__", NOT_ALLOWED),
        ("__import__('os')", 'the character "\'" does not belong in an expression'),
        ("lambda: 1", "the character ':' does not belong in an expression"),
        ("(x := 1)", "the character ':' does not belong in an expression"),
        ("[x for x in C]", "the character '[' does not belong in an expression"),
        ("(x for x in C)", NOT_ALLOWED),
        ("f'{1}'", 'the character "\'" does not belong in an expression'),
        ('"1"', "the character '\"' does not belong in an expression"),
        ("b'1'", 'the character "\'" does not belong in an expression'),
        ("True", NOT_ALLOWED),
        ("None", NOT_ALLOWED),
        ("...", NOT_ALLOWED),
        ("1j", NOT_ALLOWED),
        ("1_000", NOT_ALLOWED),
        ("0x10", NOT_ALLOWED),
        ("0b1", NOT_ALLOWED),
        ("0o7*1", NOT_ALLOWED),
        ("1 if 1 else 2", NOT_ALLOWED),
        ("1 and 2", NOT_ALLOWED),
        ("not 1", NOT_ALLOWED),
        ("1 // 2", NOT_ALLOWED),
        ("1, 2", NOT_ALLOWED),
        ("()", NOT_ALLOWED),
        ("eval(1)", NOT_ALLOWED),
        ("sqrt", NOT_ALLOWED),
        ("max(*C, 1)", NOT_ALLOWED),
        ("yield", NOT_ONE),
        ("await C", NOT_ALLOWED),
        ("2C", NOT_ONE),
        ("1;2", "the character ';' does not belong in an expression"),
        ("2^3", "the character '^' does not belong in an expression"),
        ("5%", "the character '%' does not belong in an expression"),
        ("1 # one", "the character '#' does not belong in an expression"),
        ("１", "the character '１' does not belong in an expression"),
        ("١٢", "the character '١' does not belong in an expression"),
        ("ℂ", "the character 'ℂ' does not belong in an expression"),
        ("2·C", "the character '·' does not belong in an expression"),
        ("1\0", "the character '\\x00' does not belong in an expression"),
        ("x" * 41, NOT_ALLOWED),
        ("_x", NOT_ALLOWED),
        ("", NOT_ONE),
        ("   ", NOT_ONE),
        ("1 +", NOT_ONE),
        ("sqrt()", "sqrt has 0 arguments"),
        ("sqrt(1, 2)", "sqrt has 2 arguments"),
        ("sqrt(x=1)", "the character '=' does not belong in an expression"),
        ("min(1)", "min has 1 argument"),
        ("nan", "not a finite number"),
        ("Infinity", "not a finite number"),
        ("-inf", "not a finite number"),
        (math.nan, "not a finite number"),
        (math.inf, "not a finite number"),
        (True, "not a number"),
        (None, "not a number"),
        (1j, "not a number"),
        (b"1", "not a number"),
        (10**301, "the number is too large"),
        (Huge(10**5000), "the number is too large"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_everything_else_is_refused(text: object, problem: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)  # type: ignore[arg-type]
    if problem is not None:
        assert caught.value.problem == problem
    assert caught.value.expected
    assert len(str(caught.value)) < 600


def test_a_caret_is_explained() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("C^2")
    assert caught.value.fix == "write ** for a power"


@given(st.text(max_size=40) | st.text(alphabet="0123456789.eE+-*/() ,Csqrtminax_", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        expression = parse(text)
        expression.evaluate(FLOATS, dict.fromkeys(expression.symbols, 0.5))
    except ExpressionError as error:
        assert error.problem  # noqa: PT017 - both outcomes are right


@pytest.mark.parametrize(
    "text", ["x" * 10_000_000, "(" * 10_000_000, "9" * 10_000_000, "-" * 10_000_000]
)
def test_ten_megabytes_are_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse(text)
    assert time.perf_counter() - start < 0.1


def test_many_arguments_do_not_nest() -> None:
    assert parse("max(" + ",".join("1" * 400) + ")").evaluate(RATIONALS) == 1
    assert largest(*[exact(n) for n in range(5_000)]).evaluate(RATIONALS) == 4_999
    assert smallest(*[exact(n) for n in range(5)]).evaluate(RATIONALS) == 0
    assert str(largest(parse("C"), exact(1))) == "max(C, 1)"
    assert largest(exact(3)) == exact(3)


@pytest.mark.parametrize("kind", [RATIONALS, WIDE, FLOATS, SYMBOLS], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1/0", "division by zero"),
        ("1/(1 - 1)", "division by zero"),
        ("0**-1", "division by zero"),
        ("sqrt(1 - 2)", "the square root of a negative number"),
        ("log(0)", "the logarithm of a number that is not positive"),
    ],
)
def test_impossible_values_are_refused_in_every_kind(kind: object, text: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text).evaluate(kind)  # type: ignore[arg-type]
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    "text", ["1e300*1e300", "exp(1000)", "(1e300)**2", "sqrt(2)*1e300*1e300*1e300"]
)
def test_overflow_is_refused_in_floats(text: str) -> None:
    with pytest.raises(ExpressionError, match="too large"):
        parse(text).evaluate(FLOATS)


def test_powers_of_symbols_values_are_bounded() -> None:
    expression = parse("((C*1)**64)**64")
    for kind in (RATIONALS, SYMBOLS):
        with pytest.raises(ExpressionError, match="too large"):
            expression.evaluate(kind, {"C": kind.number(Fraction(10**300, 7))})


def test_floats_take_arrays() -> None:
    values = {"C": np.array([1.0, 4.0])}
    assert parse("2*sqrt(C)").evaluate(FLOATS, values).tolist() == [2.0, 4.0]
    with pytest.raises(ExpressionError, match="square root of a negative"):
        parse("sqrt(C)").evaluate(FLOATS, {"C": np.array([1.0, -1.0])})
    with pytest.raises(ExpressionError, match="division by zero"):
        parse("1/C").evaluate(FLOATS, {"C": np.array([1.0, 0.0])})


def test_symbols_need_values_where_numbers_are_wanted() -> None:
    with pytest.raises(SymbolError, match="symbol 'C' has no value"):
        parse("2*C").evaluate(RATIONALS)
    assert parse("C*L + C").symbols == {"C", "L"}


def test_rational_is_none_for_irrational_and_measured_numbers() -> None:
    assert rational(parse("sqrt(2)"), {}) is None
    assert rational(measured(0.5), {}) is None
    assert rational(parse("sqrt(4)"), {}) == 2
    with pytest.raises(InexactError):
        parse("pi").evaluate(RATIONALS)
    with pytest.raises(ExpressionError, match="not finite"):
        measured(math.nan)


@given(trees, trees, st.sampled_from(["+", "-", "*", "/"]))
def test_texts_of_combined_expressions_say_what_they_are(
    one: Pair, two: Pair, operation: str
) -> None:
    if two[1] == 0:
        return
    combined: Expression = OPERATIONS[operation](parse(one[0]), parse(two[0]))
    if len(combined.source) > 1000:
        return
    expected = OPERATIONS[operation](one[1], two[1])
    assert combined.evaluate(RATIONALS, VALUES) == expected
    assert parse(combined.source).evaluate(RATIONALS, VALUES) == expected


def test_texts_keep_only_needed_parentheses() -> None:
    C, half = parse("C"), parse("1/2")
    assert str(half * C) == "(1/2 * C)"
    assert str((C + 1) * half) == "((C + 1) * 1/2)"
    assert str(parse("C + 1") * C) == "((C + 1) * C)"
    assert str(C / half) == "(C / (1/2))"
    assert str(C - exact(-1)) == "(C - (-1))"
    assert str(root(C) ** 2) == "(sqrt(C))**2"
    assert str(parse("(C)*(C)") * C) == "((C)*(C) * C)"


def test_a_decimal_literal_survives_copies() -> None:
    literal = DecimalLiteral("0.10000000000000000000001")
    for twin in (copy.deepcopy(literal), pickle.loads(pickle.dumps(literal))):  # noqa: S301 - our own
        assert twin == literal == 0.1
        assert parse(twin) == parse(literal)
    assert repr(literal) == "0.10000000000000000000001"
    with pytest.raises(ExpressionError, match="too large an exponent"):
        DecimalLiteral("1e999")
