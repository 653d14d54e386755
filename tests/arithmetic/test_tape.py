from __future__ import annotations

from fractions import Fraction
from math import exp, isclose, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import FLOATS, RATIONALS, WIDE
from boundcalc.arithmetic.doubles import DOUBLES
from boundcalc.arithmetic.program import Program, program
from boundcalc.arithmetic.tape import Operation, Tape
from boundcalc.errors import SymbolError


def everything(kind, x, y):
    """A calculation with every operation, over any number kind."""
    a = kind.sqrt(x**2 * y + 3) / (1 + y) - x / 2
    b = kind.minimum(a, x * y) + kind.maximum(2 - y, x**3)
    c = kind.exp(-x) * kind.log(y + 4) + kind.log1p(x) * kind.expm1(y / 5) + 1 / (x + y)
    return b * c - kind.number(Fraction(1, 3)) * x + 0 * y + kind.maximum(kind.number(1), x * 1)


def taped(kind=DOUBLES):
    tape = Tape(kind)
    return program(tape, everything(tape, tape.input(), tape.input()))


@given(x=st.floats(0.1, 3), y=st.floats(0.1, 3))
def test_a_program_gives_what_the_calculation_gives(x, y):
    found = taped().value([x, y], DOUBLES)
    assert isclose(found, everything(DOUBLES, x, y), rel_tol=1e-12)


@settings(max_examples=25)
@given(x=st.floats(0.1, 3), y=st.floats(0.1, 3))
def test_gradients_agree_with_differences(x, y):
    made = taped(WIDE)
    point = [WIDE.measured(x), WIDE.measured(y)]
    value, slopes = made.gradient(point, WIDE)
    step = WIDE.number(Fraction(1, 10**12))
    for k in range(2):
        ends = []
        for sign in (1, -1):
            moved = list(point)
            moved[k] = moved[k] + sign * step
            ends.append(made.value(moved, WIDE))
        difference = (ends[0] - ends[1]) / (2 * step)
        # Across a kink of the minimum a difference is no derivative.
        sides = {made.frozen(p, WIDE) == made.frozen(point, WIDE) for p in _around(point, step)}
        if sides == {True}:
            assert abs(difference - slopes[k]) <= 1e-9 * (1 + abs(value) + abs(slopes[k]))


def _around(point, step):
    x, y = point
    return [[x + i * step, y + j * step] for i in (-1, 0, 1) for j in (-1, 0, 1)]


def test_rational_gradients_are_exact():
    tape = Tape(RATIONALS)
    x, y = tape.input(), tape.input()
    made = program(tape, (x * y + 2) ** 3 / 5 - x**-2 + tape.sqrt(x**2))
    X, Y = Fraction(2, 3), Fraction(7, 5)
    value, slopes = made.gradient([X, Y], RATIONALS)
    assert value == (X * Y + 2) ** 3 / 5 - X**-2 + X
    assert slopes == [3 * (X * Y + 2) ** 2 * Y / 5 + 2 * X**-3 + 1, 3 * (X * Y + 2) ** 2 * X / 5]


def test_arrays_are_many_points():
    made = taped()
    xs, ys = np.array([0.3, 1.7, 2.5]), np.array([2.0, 0.4, 1.1])
    found = made.value([xs, ys], FLOATS)
    assert found == pytest.approx([everything(DOUBLES, *p) for p in zip(xs, ys, strict=True)])


def test_kept_results_are_all_there_and_others_go():
    made = taped()
    kept = made.values([0.3, 2.0], DOUBLES)
    gone = made.values([0.3, 2.0], DOUBLES, keep=False)
    assert None not in kept
    assert gone[-1] == kept[-1]
    assert gone.count(None) == len(made) - 1


def test_frozen_sides_agree_at_the_point_and_bound_minima_from_above():
    tape = Tape(DOUBLES)
    x = tape.input()
    made = program(tape, tape.minimum(x**2, 2 * x) + tape.minimum(x, tape.number(1)))
    low = made.frozen([0.5], DOUBLES)
    assert not low.branches
    assert low.value([0.5], DOUBLES) == made.value([0.5], DOUBLES) == 0.75
    for point in (0.1, 1.0, 1.5, 5.0):
        assert low.value([point], DOUBLES) >= made.value([point], DOUBLES)
    assert low.value([3.0], DOUBLES) == 12.0
    assert made.value([3.0], DOUBLES) == 7.0
    assert made.frozen([3.0], DOUBLES).value([3.0], DOUBLES) == 7.0


def test_a_maximum_takes_the_larger_side():
    tape = Tape(DOUBLES)
    x = tape.input()
    made = program(tape, tape.maximum(x, x**2))
    assert made.gradient([3.0], DOUBLES) == (9.0, [6.0])
    assert made.gradient([0.5], DOUBLES) == (0.5, [1.0])


def test_what_is_zero_or_known_is_not_written_down():
    tape = Tape(RATIONALS)
    x = tape.input()
    assert x * Fraction(0) == 0
    assert (x + Fraction(0)) is x
    assert (x * Fraction(1)) is x
    assert x**0 == 1
    assert (x * x) is (x * x)
    assert tape.sqrt(x**2).index == x.index
    assert (tape.sqrt(x + 1) ** 2).index == (x + 1).index
    assert x != 0
    assert tape.minimum(Fraction(0), x * x) == 0
    assert tape.minimum(x * x, Fraction(0)) == 0
    assert tape.maximum(Fraction(0), x * x) is (x * x)
    assert tape.maximum(x * x, Fraction(0)) is (x * x)


def test_equal_constants_of_two_objects_stay_apart_only_in_the_tape():
    tape = Tape(RATIONALS)
    x = tape.input()
    made = program(tape, (x + Fraction(1, 3)) * (x + Fraction(1, 3)))
    assert made.value([Fraction(1)], RATIONALS) == Fraction(16, 9)


def test_constants_alone_need_no_tape():
    tape = Tape(RATIONALS)
    assert tape.minimum(Fraction(1), Fraction(2)) == 1
    assert tape.maximum(Fraction(1), Fraction(2)) == 2
    assert tape.sqrt(Fraction(4)) == 2
    assert tape.exp(Fraction(0)) == 1
    made = program(tape, Fraction(5))
    assert made.value([], RATIONALS) == 5


def test_inputs_that_are_not_needed_have_no_slope():
    tape = Tape(RATIONALS)
    x, y = tape.input(), tape.input()
    made = program(tape, x + 1)
    assert made.inputs == (0, None)
    assert made.gradient([Fraction(2), Fraction(3)], RATIONALS) == (
        Fraction(3),
        [Fraction(1), Fraction(0)],
    )
    assert y is not x


def test_conversion_replaces_every_constant():
    tape = Tape(RATIONALS)
    x = tape.input()
    made = program(tape, tape.minimum(x * Fraction(1, 4) + Fraction(1, 2), Fraction(3)))
    floats = made.converted(float)
    kinds = {type(row[2]) for row in floats.instructions if row[0] in (3, 5)}
    assert kinds == {float}
    assert [row[1] for row in floats.instructions if row[0] == Operation.CONSTANT] == [3.0]
    assert isinstance(floats, Program)
    assert floats.value([2.0], DOUBLES) == 1.0


def test_a_symbol_has_no_place_on_a_tape():
    with pytest.raises(SymbolError):
        Tape(RATIONALS).symbol("C")


def test_doubles_are_python_floats():
    assert DOUBLES.exp(1.0) == exp(1.0)
    assert DOUBLES.log(2.0) == log(2.0)
    assert DOUBLES.sqrt(2.0) == sqrt(2.0)
    assert DOUBLES.maximum(1.0, 2.0) == 2.0
    assert type(DOUBLES.number(Fraction(1, 3))) is float
