"""How numbers are printed: correctly rounded, outwards where a bound is meant, never inf or nan."""

from __future__ import annotations

import json
import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import FLOATS, RATIONALS, SYMBOLS, WIDE, Number, Status
from boundcalc.arithmetic.number import as_decimal, format_bound, format_limit, format_number
from boundcalc.errors import BoundcalcError, InexactError, SymbolError

F = Fraction

fractions = st.builds(
    lambda p, q, e: F(p, q) * F(10) ** e,
    st.integers(1, 10**40),
    st.integers(1, 10**40),
    st.integers(-200, 200),
)
digits = st.integers(1, 25)


def significant(text: str) -> int:
    """How many significant digits a text shows, trailing zeros of a whole number left out."""
    return len(text.partition("e")[0].replace("-", "").replace(".", "").strip("0"))


@settings(deadline=None, max_examples=200)
@given(fractions, digits)
def test_nearest(value: F, count: int) -> None:
    # Half a unit in the last of `count` significant digits.
    printed = F(format_number(value, count))
    unit = F(10) ** (as_decimal(value, count).adjusted() - count + 1)
    assert abs(printed - value) <= unit / 2
    assert abs(printed / value - 1) <= F(1, 10 ** (count - 1))


@settings(deadline=None, max_examples=200)
@given(fractions, digits)
def test_bounds_are_rounded_up_and_limits_down(value: F, count: int) -> None:
    above, below = F(format_bound(value, count)), F(format_limit(value, count))
    assert below <= value <= above
    assert above / value - 1 <= F(1, 10 ** (count - 1))
    assert 1 - below / value <= F(1, 10 ** (count - 1))
    for text in (
        format_bound(value, count),
        format_limit(value, count),
        format_number(value, count),
    ):
        assert significant(text) <= count


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 999_999), st.integers(-30, 30))
def test_short_decimals_print_as_themselves(mantissa: int, exponent: int) -> None:
    value = mantissa * F(10) ** exponent
    for show in (format_number, format_bound, format_limit):
        assert F(show(value, 6)) == value
        assert F(show(-value, 6)) == -value


@settings(deadline=None, max_examples=100)
@given(
    st.integers(1, 10**6),
    st.integers(-10, 10),
    st.sampled_from([3, 7, 10, 2]),
    st.integers(150, 2000),
)
@example(2, 0, 10, 100)
@example(999_999, 0, 7, 200)
def test_bounds_hold_for_long_fractions_next_to_a_short_decimal(
    mantissa: int, exponent: int, base: int, power: int
) -> None:
    # k ± tiny: the printed k itself is on the wrong side, however tiny it is.
    value, tiny = mantissa * F(10) ** exponent, F(1, base**power)
    assert F(format_bound(value * (1 + tiny))) > value
    assert F(format_limit(value * (1 - tiny))) < value
    assert significant(format_bound(value * (1 + tiny))) <= 6
    assert F(format_bound(value * (1 - tiny))) == value
    assert F(format_limit(value * (1 + tiny))) == value


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 999_999), st.integers(60, 400))
def test_long_round_numbers_are_not_moved(mantissa: int, exponent: int) -> None:
    for value in (F(mantissa * 10**exponent), F(mantissa, 10**exponent)):
        for show in (format_number, format_bound, format_limit):
            assert F(show(value, 6)) == value


@settings(deadline=None, max_examples=150)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 17))
def test_floats(value: float, count: int) -> None:
    assume(value != 0)
    printed = F(format_number(value, count))
    assert abs(printed / F(value) - 1) <= F(1, 10 ** (count - 1))
    with localcontext(prec=count):
        assert printed == F(+Decimal(value))
    assert float(format_number(value, 17)) == value


@settings(deadline=None, max_examples=100)
@given(st.floats(1e-300, 1e300), st.integers(1, 14))
def test_float_bounds_hold_up_to_rounding_noise(value: float, count: int) -> None:
    noise = F(1, 10**14)
    assert F(format_bound(value, count)) >= F(value) * (1 - noise)
    assert F(format_limit(value, count)) <= F(value) * (1 + noise)


def test_rounding_noise_does_not_raise_a_printed_bound() -> None:
    assert 0.1 + 0.2 > 0.3
    assert format_bound(0.1 + 0.2, 3) == "0.3"
    assert format_limit(1 - 1e-16, 3) == "1"
    assert format_bound(0.3001, 3) == "0.301"
    assert format_bound(0.30000001, 3) == "0.301"
    # an exact number has no noise
    assert format_bound(F(3, 10) + F(1, 10**20), 3) == "0.301"


@settings(deadline=None, max_examples=60)
@given(fractions, digits)
def test_wide_numbers(value: F, count: int) -> None:
    wide = WIDE.number(value)
    printed = F(format_number(wide, count))
    assert abs(printed / value - 1) <= F(1, 10 ** (count - 1)) + F(1, 10**30)


@settings(deadline=None, max_examples=100)
@given(st.integers(10**5, 10**6 - 2), st.integers(-40, 40))
def test_ties_go_to_the_even_digit(kept: int, exponent: int) -> None:
    tie = (kept + F(1, 2)) * F(10) ** exponent
    even = kept + kept % 2
    assert F(format_number(tie, 6)) == even * F(10) ** exponent
    assert F(format_number(-tie, 6)) == -even * F(10) ** exponent
    assert F(format_bound(tie, 6)) == (kept + 1) * F(10) ** exponent
    assert F(format_limit(tie, 6)) == kept * F(10) ** exponent
    assert F(format_bound(-tie, 6)) == -kept * F(10) ** exponent
    assert F(format_limit(-tie, 6)) == -(kept + 1) * F(10) ** exponent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (F(0), "0"),
        (F(22), "22"),
        (F(225, 4), "56.25"),
        (-1.5, "-1.5"),
        (F(1, 3), "0.333333"),
        (F(2, 3), "0.666667"),
        (123456.0, "123456"),
        (999999.4, "999999"),
        (999999.6, "1e+6"),
        (1e6, "1e+6"),
        (1234567, "1.23457e+6"),
        (1e-4, "0.0001"),
        (9.99999e-5, "9.99999e-5"),
        (1.3e-9, "1.3e-9"),
        (5e-324, "4.94066e-324"),
        (F(13) * 10**1087, "1.3e+1088"),
        (F(13, 10**1089), "1.3e-1088"),
        (2.5, "2.5"),
    ],
)
def test_notation(value: Any, text: str) -> None:
    assert format_number(value) == text


def test_more_digits_keep_plain_notation() -> None:
    assert format_number(12345678, 8) == "12345678"
    assert format_number(123456789, 8) == "1.2345679e+8"
    assert (format_bound(F(-1, 3), 3), format_limit(F(-1, 3), 3)) == ("-0.333", "-0.334")
    # half to even
    assert format_number(F(25, 10), 1) == "2"
    assert format_number(F(35, 10), 1) == "4"


@pytest.mark.parametrize("bits", [14_000, 20_000, 70_000])
def test_huge_integers(bits: int) -> None:
    # Beyond the 4300 digits that Python turns into text.
    value = F(2**bits + 1)
    for show in (format_number, format_bound, format_limit):
        for number, sign in ((value, 1), (1 / value, -1)):
            text = show(number)
            mantissa, _, exponent = text.partition("e")
            assert abs(int(exponent) - sign * bits * math.log10(2)) <= 1
            assert 1 <= float(mantissa) < 10
    number = Number(value, Status.PROVED)
    assert number.exact is None
    assert isinstance(number.json(), str)
    assert float(number) == math.inf
    assert float(Number(-value, Status.PROVED)) == -math.inf
    assert float(Number(1 / value, Status.PROVED)) == 0.0
    assert "e-" in str(Number(1 / value, Status.PROVED).json())


@pytest.mark.parametrize("bits", [100, 14_000, 20_000, 70_000])
def test_refusals_of_huge_irrational_numbers_have_a_message(bits: int) -> None:
    value = F(2 ** (2 * (bits // 2) + 1))
    with pytest.raises(InexactError):
        RATIONALS.sqrt(value)
    with pytest.raises(InexactError):
        RATIONALS.sqrt(1 / value)
    with pytest.raises(InexactError):
        RATIONALS.exp(value)
    with pytest.raises(InexactError):
        RATIONALS.log(value)


@settings(deadline=None, max_examples=100)
@given(fractions)
def test_json(value: F) -> None:
    number = Number(value, Status.PROVED)
    written = number.json()
    back = json.loads(json.dumps(written))
    assert back == written
    if isinstance(written, float):
        nearest = float(value)
        assert F(written) >= value
        assert written in (nearest, math.nextafter(nearest, math.inf))
        assert F(Number(value, Status.PROVED, limit=True).json()) <= value
    else:
        assert F(written) >= value
        assert abs(F(written) / value - 1) <= F(1, 10**16)
    assert number.exact == str(value)


def test_json_outside_the_range_of_floats() -> None:
    assert Number(WIDE.number(10) ** 1088, Status.COMPUTED).json() == "1e+1088"
    assert Number(WIDE.number(10) ** -1088, Status.COMPUTED).json() == "1e-1088"
    assert Number(-(WIDE.number(10) ** 1088), Status.COMPUTED).json() == "-1e+1088"
    assert Number(F(10) ** 400, Status.PROVED).json() == "1e+400"
    assert Number(F(0), Status.PROVED).json() == 0.0
    assert Number(1e308, Status.COMPUTED).json() == 1e308


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, WIDE.number(1) * math.inf, WIDE.number(1) * math.nan],
)
def test_what_is_not_finite_is_refused(value: Any) -> None:
    with pytest.raises(BoundcalcError, match="not a finite number"):
        Number(value, Status.COMPUTED)


def test_number_shows_value_and_status() -> None:
    number = Number(F(1, 3), Status.SAMPLED)
    assert number.exact == "1/3"
    assert repr(number) == f"Number({number}, sampled)"
    assert Number(F(225, 4), Status.PROVED) == Number(F(225, 4), Status.PROVED)


@settings(deadline=None, max_examples=60)
@given(fractions)
def test_numbers_are_upper_bounds_unless_they_are_limits(value: F) -> None:
    bound, limit = Number(value, Status.PROVED), Number(value, Status.PROVED, limit=True)
    assert str(bound) == format_bound(value)
    assert str(limit) == format_limit(value)
    up, down = bound.json(), limit.json()
    assert F(down) <= value <= F(up)
    if isinstance(up, float) and isinstance(down, float):
        assert up in (down, math.nextafter(down, math.inf))
        assert (up == down) == (F(up) == value)


def test_exact_text_of_a_number() -> None:
    assert Number(0.5, Status.COMPUTED).exact is None
    assert Number(WIDE.number(1), Status.COMPUTED).exact is None
    assert Number(F(1, 2**4095), Status.PROVED).exact is not None
    assert Number(F(1, 2**4096), Status.PROVED).exact is None


# -- the operations without an operator ------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(fractions, fractions)
def test_kinds_agree_on_the_operations(x: F, y: F) -> None:
    tolerance = F(1, 10**32)

    def exact(wide: Any) -> F:
        sign, mantissa, exponent, _ = wide._mpf_
        return F(int(mantissa)) * F(2) ** int(exponent) * (-1) ** sign

    assert RATIONALS.number(x) == x
    assert RATIONALS.maximum(x, y) == max(x, y)
    assert RATIONALS.minimum(x, y) == min(x, y)
    assert RATIONALS.sqrt(x * x) == x
    wide_x, wide_y = WIDE.number(x), WIDE.number(y)
    assert abs(exact(wide_x) / x - 1) <= tolerance
    assert abs(exact(WIDE.maximum(wide_x, wide_y)) / max(x, y) - 1) <= tolerance
    assert abs(exact(WIDE.minimum(wide_x, wide_y)) / min(x, y) - 1) <= tolerance
    assert abs(exact(WIDE.sqrt(wide_x)) ** 2 / x - 1) <= tolerance
    assert FLOATS.number(x) == float(x)
    assert FLOATS.maximum(float(x), float(y)) == float(max(x, y))
    assert FLOATS.minimum(float(x), float(y)) == float(min(x, y))


def test_irrational_operations() -> None:
    for kind in (WIDE, FLOATS):
        assert float(kind.exp(kind.number(1))) == pytest.approx(math.e, rel=1e-15)
        assert float(kind.log(kind.number(2))) == pytest.approx(math.log(2), rel=1e-15)
        assert float(kind.pi()) == pytest.approx(math.pi, rel=1e-15)
        assert float(kind.sqrt(kind.number(2))) == pytest.approx(math.sqrt(2), rel=1e-15)
        assert float(kind.measured(0.1)) == 0.1
    assert SYMBOLS.log(SYMBOLS.exp(SYMBOLS.number(F(1, 2)))) == SYMBOLS.number(F(1, 2))
    assert SYMBOLS.sqrt(SYMBOLS.number(F(9, 4))) == SYMBOLS.number(F(3, 2))
    assert float(SYMBOLS.pi()) == math.pi
    assert SYMBOLS.maximum(SYMBOLS.number(1), SYMBOLS.number(2)) == 2
    assert SYMBOLS.minimum(SYMBOLS.number(1), SYMBOLS.number(2)) == 1
    assert SYMBOLS.measured(0.5) == 0.5


def test_wide_numbers_have_no_largest_exponent() -> None:
    huge = WIDE.exp(WIDE.number(10**6))
    assert format_number(huge, 3) == "3.03e+434294"
    assert format_number(1 / huge, 3) == "3.3e-434295"
    assert (format_limit(huge, 3), format_bound(huge, 3)) == ("3.03e+434294", "3.04e+434294")
    assert abs(WIDE.log(huge) / 10**6 - 1) < WIDE.number(F(1, 10**30))


def test_exact_arithmetic_refuses_what_is_not_rational() -> None:
    assert RATIONALS.exp(F(0)) == 1
    assert RATIONALS.log(F(1)) == 0
    for refused in (
        lambda: RATIONALS.sqrt(F(2)),
        lambda: RATIONALS.sqrt(F(1, 2)),
        lambda: RATIONALS.sqrt(F(4, 3)),
        lambda: RATIONALS.exp(F(1)),
        lambda: RATIONALS.log(F(2)),
        lambda: RATIONALS.measured(0.5),
        RATIONALS.pi,
    ):
        with pytest.raises(InexactError):
            refused()


@pytest.mark.parametrize("kind", [RATIONALS, WIDE, FLOATS], ids=["rationals", "wide", "floats"])
def test_a_symbol_needs_a_value_outside_formulas(kind: Any) -> None:
    with pytest.raises(SymbolError, match="'gamma'"):
        kind.symbol("gamma")
    assert not kind.exact or kind is RATIONALS


def test_symbols_are_positive() -> None:
    C = SYMBOLS.symbol("C")
    assert SYMBOLS.sqrt(C**2) == C
    assert SYMBOLS.number(F(1, 3)) * 3 == 1
