"""Splines: exact suprema, and parameters that make none."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from boundcalc.operators import Region, Spline
from boundcalc.operators.pieces import Pieces
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse

quarters = st.integers(-12, 12).map(lambda k: Fraction(k, 4))
columns = st.lists(st.tuples(st.integers(1, 8), quarters), min_size=3, max_size=6)


@st.composite
def pieces(draw):
    steps = draw(columns)
    knots = np.cumsum([Fraction(step, 4) for step, _ in steps]) - draw(quarters)
    inner = [height for _, height in steps[1:-1]]
    return Pieces(tuple(knots), (Fraction(0), *inner, Fraction(0)), draw(quarters))


@settings(deadline=None, max_examples=40)
@given(made=pieces())
def test_suprema_are_attained_on_a_grid(made):
    low, high = float(made.knots[0]) - 1, float(made.knots[-1]) + 1
    t = np.linspace(low, high, 2001)
    step = t[1] - t[0]
    once = made.once(t)
    assert np.abs(once).max() == pytest.approx(float(made.reach), abs=2e-2)
    assert np.abs(once).max() <= float(made.reach) + 1e-9
    value = made.value(t)
    assert np.abs(value).max() <= float(made.height) + 1e-12
    assert np.abs(np.diff(value)).max() / step == pytest.approx(float(made.steepest), abs=1e-6)
    # Integrals by the trapezoidal rule.
    assert np.diff(once) == pytest.approx((value[1:] + value[:-1]) / 2 * step, abs=1e-3)
    twice = made.twice(t)
    assert np.diff(twice) == pytest.approx((once[1:] + once[:-1]) / 2 * step, abs=1e-3)
    assert made.twice(np.zeros(1))[0] == pytest.approx(0, abs=1e-9)


def test_constants_with_a_weight_that_moves():
    spline = Spline(
        knots=[0, 1, 2], second=[0, 1, 0], weight_knots=[0, 2, 4], weight_first=[0, 3, 0]
    )
    constants = spline.constants(Region(weight=parse("1/2")), None, reads=False)
    # sup |s′| = sup |s″| = sup |s‴| = 1; sup |m| = 6, sup |m′| = 3, sup |m″| = 3/2
    found = [
        float(eval_exact(getattr(constants, name)))
        for name in (
            "jac_input",
            "lip_input",
            "hess_input",
            "jac_weight",
            "hess_mixed",
            "third_mixed",
        )
    ]
    assert found == [2.5, 2.5, 1.75, 6, 3, 1.5]
    assert constants.third_input is None
    still = spline.constants(Region(weight=exact(0)), None, reads=False)
    assert eval_exact(still.third_input) == 1


def eval_exact(expression):
    from boundcalc.arithmetic import RATIONALS

    return expression.evaluate(RATIONALS)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"knots": [0, 1], "second": [0]}, "has 2 numbers"),
        ({"knots": [0, 0, 1], "second": [0, 1, 0]}, "do not increase"),
        ({"knots": [0, 1], "second": [0, 1]}, "does not begin and end with 0"),
        ({"weight_knots": [1, 0], "weight_first": [0, 0]}, "do not increase"),
        ({"slope": "C"}, "not made of rational numbers"),
        ({"knots": ["sqrt(2)", 3], "second": [0, 0]}, "not made of rational numbers"),
    ],
)
def test_parameters_that_make_no_spline_are_refused(parameters, said):
    with pytest.raises(ValidationError, match=said):
        Spline(**parameters)
