"""Intervals contain the true value, stay narrow, and never guess in a comparison."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE, Number, Status
from boundcalc.arithmetic.balls import Ball, UndecidedError
from boundcalc.arithmetic.best import PRECISIONS, converted, enclosed, in_best_kind, kind_of, widest
from boundcalc.arithmetic.intervals import Intervals
from boundcalc.arithmetic.number import as_decimal
from boundcalc.errors import BoundcalcError, InexactError, SymbolError
from boundcalc.graph import Levels
from boundcalc.graph.numbers import ChainConstants
from boundcalc.theories.perturbed import sharp, sites

F = Fraction
LOW = Intervals(53)

rationals = st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**9)
positive = st.fractions(min_value=F(1, 10**9), max_value=10**9, max_denominator=10**9)

NAMES = ("a", "b", "l", "A", "B", "A3", "B3")


def chain(rng: random.Random, N: int, low: int, high: int) -> tuple[ChainConstants, Levels]:
    """A random chain with rational constants, some of them zero, and levels in order."""

    def column() -> tuple[F, ...]:
        return (
            F(0),
            *(F(rng.randint(low, high), 97) if rng.random() < 0.9 else F(0) for _ in range(N)),
        )

    constants = {name: column() for name in NAMES}
    e, eps = column(), column()
    biased = rng.random() < 0.5
    m, n = ([x * F(rng.randint(0, 3), 3) * biased for x in sizes] for sizes in (e, eps))
    return ChainConstants(**constants), Levels(e, tuple(m), (None,) * (N + 1), eps, tuple(n))


def in_kind(c: ChainConstants, x: Levels, kind: Any) -> tuple[ChainConstants, Levels]:
    def moved(column: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(None if value is None else kind.number(value) for value in column)

    constants = {name: moved(getattr(c, name)) for name in NAMES}
    levels = {name: moved(getattr(x, name)) for name in ("e", "m", "q", "eps", "n")}
    return ChainConstants(**constants), Levels(**levels)


def bounds(c: ChainConstants, x: Levels, kind: Any, *, centred: bool = False) -> list[Any]:
    second = sharp.centred(c, x, kind, forward=centred, backward=centred)
    capped = sharp.means(c, x, second, kind, capped=True).total()
    return [second.total(), sharp.means(c, x, second, kind, capped=False).total(), capped]


def check_chains(count: int, kind: Intervals) -> None:
    rng = random.Random(7)  # noqa: S311 - a test's chains
    for _ in range(count):
        c, x = chain(rng, rng.randint(2, 6), 0, 200)
        exact = bounds(c, x, RATIONALS)
        with kind.working():
            found = bounds(*in_kind(c, x, kind), kind)
        for ball, value in zip(found, exact, strict=True):
            assert ball.contains(value)
            assert value == 0 or ball.relative_width < 2.0 ** (12 - kind.bits)
            printed = Number(ball, Status.PROVED)
            assert F(as_decimal(ball, 6, "ROUND_CEILING")) >= value
            assert F(printed.json()) >= value


@pytest.mark.parametrize("kind", [INTERVALS, LOW], ids=["128", "53"])
def test_enclosures_contain_the_exact_value(kind: Intervals) -> None:
    check_chains(150, kind)


@pytest.mark.long
def test_enclosures_contain_the_exact_value_of_10_000_chains() -> None:
    check_chains(10_000, INTERVALS)
    check_chains(2_000, LOW)


@pytest.mark.parametrize("centred", [False, True])
def test_a_thousand_operators_are_narrow_and_agree_with_floats(centred: bool) -> None:
    rng = random.Random(3)  # noqa: S311 - as above
    c, x = chain(rng, 1000, 60, 120)
    with INTERVALS.working():
        found = bounds(*in_kind(c, x, INTERVALS), INTERVALS, centred=centred)
    near = bounds(*in_kind(c, x, WIDE), WIDE, centred=centred)
    for ball, value in zip(found, near, strict=True):
        assert ball.relative_width < 1e-30
        assert abs(converted(ball, WIDE) / value - 1) < 1e-25
    with INTERVALS.working():
        columns = sites.site_coefficients(in_kind(c, x, INTERVALS)[0], INTERVALS)
    assert 0 < widest(columns) < 1e-30


@settings(deadline=None, max_examples=200)
@given(rationals, rationals, positive, st.integers(-5, 5))
def test_operations(x: F, y: F, z: F, power: int) -> None:
    for kind in (INTERVALS, LOW):
        a, b, c = kind.number(x), kind.number(y), kind.number(z)
        assert (a + b).contains(x + y)
        assert (a - b).contains(x - y)
        assert (a * b).contains(x * y)
        assert (a / c).contains(x / z)
        assert (-a).contains(-x)
        assert (-a).relative_width <= a.relative_width
        assert (c**power).contains(z**power)
        assert (kind.sqrt(c) ** 2).contains(z)
        assert kind.sqrt(c * c).contains(z)
        assert kind.maximum(a, b).contains(max(x, y))
        assert kind.minimum(a, b).contains(min(x, y))
        # numbers of other kinds on both sides
        for made, true in (
            (a + y, x + y), (y + a, x + y), (a - y, x - y), (y - a, y - x), (a * y, x * y),
            (y * a, x * y), (a / z, x / z), (y / c, y / z), (a + 2, x + 2), (3 - a, 3 - x),
            (2 * a, 2 * x), (a / 2, x / 2), (7 / c, 7 / z),
        ):  # fmt: skip
            assert made.contains(true)
        assert sum([a, b]).contains(x + y)


@settings(deadline=None, max_examples=100)
@given(st.fractions(min_value=-20, max_value=20, max_denominator=10**6))
def test_functions(x: F) -> None:
    high = mpmath.MPContext()
    high.prec = 400
    point = high.mpf(x.numerator) / x.denominator

    def inside(ball: Ball, value: Any) -> bool:
        ends = [high.ldexp(high.mpf(p), s) for p, s in (ball.lower, ball.upper)]
        return bool(ends[0] <= value <= ends[1])

    for kind in (INTERVALS, LOW):
        ball = kind.number(x)
        assert inside(kind.exp(ball), high.exp(point))
        assert inside(kind.expm1(ball), high.expm1(point))
        assert inside(kind.pi(), +high.pi)
        if x > 0:
            assert inside(kind.log(ball), high.log(point))
        if x > -1:
            assert inside(kind.log1p(ball), high.log1p(point))


def test_a_root_is_clipped_where_rounding_dips_below_zero() -> None:
    third = INTERVALS.number(F(1, 3))
    dip = third - third
    assert dip.lower < (0, 0)
    root = INTERVALS.sqrt(dip)
    assert root.contains(0)
    assert root.finite
    # all that may be there is kept: √(radius)
    assert (root * root).upper >= dip.upper or root.contains(F(1, 10**21))
    with pytest.raises(UndecidedError):
        INTERVALS.sqrt(INTERVALS.number(-1))


def test_comparisons_never_guess() -> None:
    third = INTERVALS.number(F(1, 3))
    zero, perhaps = INTERVALS.number(0), INTERVALS.number(F(1, 3)) - F(1, 3)
    assert third > 0
    assert not third < 0
    assert third >= zero
    assert third != 0
    assert third < F(1, 3) + F(1, 10**30)
    assert zero == 0
    assert not zero != 0  # noqa: SIM202 - the same
    assert zero <= 0
    # What is perhaps zero is not zero: a weaker theorem is licensed.
    assert perhaps != 0
    assert not perhaps == 0  # noqa: SIM201 - both operators are tested
    undecided: list[Callable[[], object]] = [
        lambda: perhaps > 0, lambda: perhaps < 0, lambda: perhaps <= 0, lambda: perhaps >= 0,
        lambda: third < F(1, 3), lambda: third <= third, lambda: bool(perhaps),
        lambda: 1 / perhaps, lambda: third / perhaps, lambda: perhaps**-1,
        lambda: INTERVALS.log(perhaps), lambda: INTERVALS.log1p(perhaps - 1),
    ]  # fmt: skip
    for compare in undecided:
        with pytest.raises(UndecidedError):
            compare()
    for divide in (lambda: third / 0, lambda: 1 / zero, lambda: zero**-1):
        with pytest.raises(ZeroDivisionError):
            divide()
    for wrong in (lambda: third + 0.5, lambda: third * WIDE.pi(), lambda: third**0.5):
        with pytest.raises(TypeError):
            wrong()


def test_levels_that_are_perhaps_zero_license_no_stronger_theorem() -> None:
    perhaps = INTERVALS.number(F(1, 3)) - F(1, 3)
    zero, one = INTERVALS.number(0), INTERVALS.number(1)
    sizes, silent = (zero, one, one, zero), (zero,) * 4
    assert Levels(sizes, silent, (None,) * 4, sizes, silent).forward_centred
    assert Levels(sizes, silent, (None,) * 4, sizes, silent).backward_centred
    means = (zero, perhaps, zero, zero)
    assert not Levels(sizes, means, (None,) * 4, sizes, silent).forward_centred
    last = (zero, zero, zero, perhaps)
    assert not Levels(sizes, silent, (None,) * 4, sizes, last).backward_centred


def test_what_has_no_enclosure_is_refused() -> None:
    with pytest.raises(InexactError):
        INTERVALS.measured(0.5)
    with pytest.raises(SymbolError):
        INTERVALS.symbol("C")
    with pytest.raises(BoundcalcError, match="not a finite number"):
        Number(INTERVALS.exp(INTERVALS.number(10) ** 400), Status.PROVED)


def test_the_precision_of_the_process_is_left_alone() -> None:
    before = flint.ctx.prec
    for bits in (53, 128, 2048):
        kind = Intervals(bits)
        with kind.working():
            assert flint.ctx.prec == bits
        with pytest.raises(UndecidedError), kind.working():
            bool(kind.number(F(1, 3)) < F(1, 3))
        assert flint.ctx.prec == before
        # An operation outside such a context works at its own precision all the same.
        assert (kind.number(1) / 3 + 1).relative_width < max(2.0 ** (3 - bits), 1e-323)
        assert flint.ctx.prec == before


def test_exponents_have_no_limit() -> None:
    huge = INTERVALS.number(10) ** (10**7) / 3
    assert str(Number(huge, Status.PROVED)) == "3.33334e+9999999"
    assert str(Number(huge, Status.PROVED, limit=True)) == "3.33333e+9999999"
    assert Number(1 / huge, Status.PROVED).json() == "3.0000000000000001e-10000000"
    assert float(Number(huge, Status.PROVED)) == math.inf
    assert float(Number(-huge, Status.PROVED)) == -math.inf
    assert float(Number(1 / huge, Status.PROVED)) == 0.0


@settings(deadline=None, max_examples=150)
@given(positive, st.integers(-400, 400), st.sampled_from([INTERVALS, LOW]))
def test_printed_ends_are_bounds(value: F, exponent: int, kind: Intervals) -> None:
    value *= F(10) ** exponent
    ball = kind.number(value)
    bound, limit = Number(ball, Status.PROVED), Number(ball, Status.PROVED, limit=True)
    assert F(str(bound)) >= value >= F(str(limit))
    up, down = bound.json(), limit.json()
    assert json.loads(json.dumps([up, down])) == [up, down]
    assert F(up) >= value >= F(down)
    if F(down) > F(1, 10**290) or isinstance(up, str):
        assert F(up) / F(down) - 1 < F(1, 10**15)
    assert bound.relative_width == ball.relative_width
    assert bound.exact is None
    assert (
        float(bound) == pytest.approx(float(value), rel=1e-14) if 1e-300 < value < 1e300 else True
    )


def test_relative_width() -> None:
    assert INTERVALS.number(3).relative_width == 0
    assert INTERVALS.between(F(1), F(2)).relative_width == pytest.approx(1, rel=1e-6)
    assert INTERVALS.between(F(1), F(2)).relative_width >= 1
    assert INTERVALS.between(F(-1), F(2)).relative_width == math.inf
    assert Number(F(1, 3), Status.PROVED).relative_width == 0
    assert Number(WIDE.pi(), Status.COMPUTED).relative_width is None
    assert widest([{"a": F(1)}, (None, INTERVALS.between(F(1), F(2)))]) >= 1


def test_wide_enclosures_are_tried_again_with_more_bits() -> None:
    tried = []

    def cancelling(kind: Any) -> Any:
        tried.append(kind.name)
        big = kind.number(10) ** 60
        return kind.sqrt(big**2 + kind.pi()) - big

    found = enclosed(cancelling)
    assert tried == ["intervals", "intervals of 512 bits"]
    assert found.relative_width < 1e-30
    assert len(PRECISIONS) == 3


def test_undecided_comparisons_are_tried_with_more_bits_then_given_up() -> None:
    def close(kind: Any) -> Any:
        return kind.number(1 if kind.sqrt(kind.number(2)) ** 2 < 2 + F(1, 10**60) else 0)

    assert enclosed(close) == 1
    with pytest.raises(UndecidedError):
        enclosed(lambda kind: kind.number(int(kind.sqrt(kind.number(2)) ** 2 <= 2)))
    # in_best_kind falls back to floating point, and says that it is no proof
    root = in_best_kind(lambda kind: int(kind.sqrt(kind.number(2)) ** 2 >= 2), 100)
    assert root[1] is False


def test_numbers_meet_in_the_best_kind_that_holds_them() -> None:
    assert kind_of([1, F(1, 2)]) is RATIONALS
    assert kind_of([1, INTERVALS.pi()]) is INTERVALS
    assert kind_of([INTERVALS.pi(), WIDE.pi(), 1]) is WIDE
    assert kind_of([0.5]) is WIDE
    assert abs(converted(INTERVALS.pi(), WIDE) - WIDE.pi()) < 1e-33
    assert converted(INTERVALS.number(F(-3, 4)), WIDE) == F(-3, 4)
    for value in (INTERVALS.pi(), WIDE.pi()):
        with pytest.raises(InexactError):
            converted(value, RATIONALS)
    with pytest.raises(InexactError):
        converted(WIDE.pi(), INTERVALS)
    with pytest.raises(InexactError):
        converted(0.5, INTERVALS)


@pytest.mark.parametrize("power", range(7))
def test_powers_of_a_number_that_may_be_zero(power):
    tiny = INTERVALS.between(Fraction(-1, 10**300), Fraction(1, 10**300)) ** power
    assert tiny.finite
    assert tiny.contains(0**power)
    assert (INTERVALS.number(3) ** power).contains(3**power)
