"""Numbers with a wide exponent against rationals."""

from __future__ import annotations

from fractions import Fraction
from math import ldexp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.theories.perturbed import scaled

F = Fraction
FLOATS = st.floats(0, allow_nan=False, allow_infinity=False)
#: Mantissas at both ends of their range, where steps of the exponent happen, and zero.
SCALED = st.builds(
    lambda x, power, k: (ldexp(x, power), k) if x else (0.0, 0),
    st.sampled_from([0.0, 1.0, 1.5, 2.0 - 2.0**-52]) | st.floats(1, 2, exclude_max=True),
    st.sampled_from([-256, -255, -1, 0, 1, 254, 255]) | st.integers(-256, 255),
    st.integers(-3, 3),
)


def near(found: F, expected: F, tolerance: F) -> bool:
    return abs(found - expected) <= tolerance * expected


def value(x: tuple[float, int]) -> F:
    mantissa, exponent = x
    assert mantissa == 0 or 2.0**-256 <= mantissa < 2.0**256
    assert mantissa != 0 or exponent == 0
    return F(mantissa) * F(2) ** (scaled.STEP * exponent)


@given(FLOATS)
def test_floats_are_scaled_exactly(x: float) -> None:
    assert value(scaled.scaled(x)) == F(x)


def check_arithmetic(x: tuple[float, int], y: tuple[float, int]) -> None:
    unit = F(1, 2**53)
    assert near(value(scaled.times(x, y)), value(x) * value(y), unit)
    assert near(value(scaled.plus(x, y)), value(x) + value(y), unit)
    assert value(scaled.less(x, y)) == min(value(x), value(y))
    assert near(value(scaled.root(x)) ** 2, value(x), 3 * unit)
    assert near(value(scaled.joint(x, y, False)), value(x) + value(y), unit)
    assert near(value(scaled.joint(x, y, True)) ** 2, value(x) ** 2 + value(y) ** 2, 5 * unit)


@given(SCALED, SCALED)
def test_arithmetic_of_scaled_numbers(x: tuple[float, int], y: tuple[float, int]) -> None:
    check_arithmetic(x, y)


EXTREMES = [(2.0**-256, 0), (1.0, 0), (2.0**256 - 2.0**203, 0)]


@pytest.mark.parametrize("steps", range(-3, 4))
@pytest.mark.parametrize("x", EXTREMES)
@pytest.mark.parametrize("y", EXTREMES)
def test_where_the_exponent_steps(x: tuple[float, int], y: tuple[float, int], steps: int) -> None:
    y = (y[0], steps)
    check_arithmetic(x, y)
    sums = scaled.Sums([0.0], [0.0], [0])
    for term in (x, y, y, x):
        scaled.accumulate(sums, 0, term)
    assert near(value(scaled.summed(sums, 0)), 2 * value(x) + 2 * value(y), F(2, 2**53))


@settings(max_examples=200)
@given(st.lists(SCALED, max_size=12))
def test_sums_are_compensated(terms: list[tuple[float, int]]) -> None:
    sums = scaled.Sums([0.0], [0.0], [0])
    for term in terms:
        scaled.accumulate(sums, 0, term)
    assert near(value(scaled.summed(sums, 0)), sum(map(value, terms)), F(2, 2**53))


def test_a_long_sum_is_as_exact_as_a_short_one() -> None:
    sums = scaled.Sums([0.0], [0.0], [0])
    for _ in range(20_000):
        scaled.accumulate(sums, 0, (0.1, 0))
    assert scaled.summed(sums, 0) == (2000.0, 0)
