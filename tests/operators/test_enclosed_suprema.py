"""Suprema and images of activations are proved bounds, tight, and every table is complete.

The derivatives here come from power series of φ in ball arithmetic, not from the formulas
of the package.
"""

import math
from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boundcalc.operators import gelu, sigmoid, silu, sine, softplus, tanh
from boundcalc.operators.balls import at_least, at_most, ball, working
from boundcalc.operators.rounding import upper
from boundcalc.operators.suprema import meets, nearest_ends

BITS = 320


def sigma(x):
    return (1 + (-x).exp()).inv()


def cubic(x):
    c = flint.arb(flint.fmpq(44715, 1000000))
    return 2 * (2 / flint.arb.pi()).sqrt() * (x + c * x * x * x)


PHI = {
    "tanh": lambda x: 2 * sigma(2 * x) - 1,
    "sigmoid": sigma,
    "softplus": lambda x: (1 + x.exp()).log(),
    "sine": lambda x: x.sin(),
    "silu": lambda x: x * sigma(x),
    "gelu": lambda x: x * (-x / flint.arb(2).sqrt()).erfc() / 2,
    "gelu tanh": lambda x: x * sigma(cubic(x)),
}
SUPREMA = {
    "tanh": tanh._SUPREMA,
    "sigmoid": sigmoid.SIGMOID_SUPREMA,
    "softplus": softplus.SOFTPLUS_SUPREMA,
    "sine": sine._SUPREMA,
    "silu": silu._SUPREMA,
    "gelu": gelu._EXACT,
    "gelu tanh": gelu._TANH,
}
OPERATORS = {
    "tanh": tanh.Tanh(),
    "sigmoid": sigmoid.Sigmoid(),
    "softplus": softplus.Softplus(),
    "sine": sine.Sine(),
    "silu": silu.SiLU(),
    "gelu": gelu.GELU(),
    "gelu tanh": gelu.GELU(approximation="tanh"),
}
NAMES = pytest.mark.parametrize("name", PHI)
ORDERS = pytest.mark.parametrize("k", [1, 2, 3])


def derivative(name, k, t):
    """φ^(k)(t), enclosed; with more bits next to 0, where terms of the series cancel."""
    tiny = isinstance(t, float) and 0 < abs(t) < 1e-40
    with flint.ctx.workprec(BITS + 2400 * tiny):
        series = PHI[name](flint.arb_series([flint.arb(t), 1], k + 1))
        return series[k] * math.factorial(k)


def critical(supremum):
    return (*supremum.peaks, *supremum.others)


def value(expression):
    """A bound as a float from above."""
    return upper(expression)


# The tables.


@NAMES
@ORDERS
def test_critical_points_are_right_to_half_a_place(name, k):
    for c in critical(SUPREMA[name][k - 1]):
        below, above = math.nextafter(c, -math.inf), math.nextafter(c, math.inf)
        if c == 0:
            assert derivative(name, k + 1, 0.0).contains(0)
            below, above = -1e-9, 1e-9
        assert derivative(name, k + 1, below) * derivative(name, k + 1, above) < 0


@NAMES
@ORDERS
def test_bounds_are_the_values_at_peaks(name, k):
    supremum = SUPREMA[name][k - 1]
    for peak in supremum.peaks:
        size = abs(derivative(name, k, peak))
        assert size.lower() <= value(supremum.bound)
        assert value(supremum.bound) <= size.upper() * (1 + 3e-15)
    for other in supremum.others:
        assert abs(derivative(name, k, other)) < value(supremum.bound) / 2


@NAMES
def test_turning_points_are_right_to_half_a_place(name):
    for c in OPERATORS[name].turning_points():
        below, above = math.nextafter(c, -math.inf), math.nextafter(c, math.inf)
        assert derivative(name, 1, below) < 0 < derivative(name, 1, above)


@ORDERS
def test_there_are_no_other_critical_points_of_tanh_and_the_sigmoid(k):
    # With s = tanh t derivatives are polynomials in s, and those of σ are these at t/2.
    s = sympy.Symbol("s")
    f = s
    for _ in range(k + 1):
        f = sympy.expand(sympy.diff(f, s) * (1 - s**2))
    inside = sympy.Poly(sympy.cancel(f / (1 - s**2)), s)
    count = inside.count_roots(-1, 1)  # by Sturm's theorem
    assert count == inside.count_roots(sympy.Rational(-99, 100), sympy.Rational(99, 100))
    assert count == len(critical(SUPREMA["tanh"][k - 1]))
    assert count == len(critical(SUPREMA["sigmoid"][k - 1]))


@NAMES
@ORDERS
def test_no_derivative_turns_between_the_critical_points(name, k):
    # On [-6, 6]; what happens further out is proved here and in test_gated_activations.
    supremum = SUPREMA[name][k - 1]
    points = critical(supremum)
    if supremum.period is not None:
        shifts = range(-3, 4)
        points = [p + j * supremum.period for p in points for j in shifts]
    ends = [-6.0, *sorted(x for p in points for x in (p - 1e-2, p + 1e-2)), 6.0]
    for low, high in zip(ends[::2], ends[1::2], strict=True):
        if low < high and not (high <= -6 or low >= 6):
            assert keeps_its_sign(name, k + 1, max(low, -6.0), min(high, 6.0))
    for p in points:
        if -6 <= p <= 6:
            assert keeps_its_sign(name, k + 2, p - 1e-2, p + 1e-2)


def keeps_its_sign(name, k, low, high):
    """Whether φ^(k) has no zero in an interval, which is halved until that is plain."""
    stack = [(low, high, 0)]
    while stack:
        a, b, depth = stack.pop()
        middle = (a + b) / 2
        x = flint.arb(middle, (b - a) / 2 * 1.01)
        if derivative(name, k, x) != 0:
            continue
        if depth > 22:
            return False
        stack += [(a, middle, depth + 1), (middle, b, depth + 1)]
    return True


# Suprema.


def dense_sup(name, k, low, high):
    """A ball below sup |φ^(k)| over [low, high], within 1e-9 of it: ends, grid, critical points."""
    supremum = SUPREMA[name][k - 1]
    points = list(critical(supremum))
    if supremum.period is not None:
        turn = round((low - points[0]) / supremum.period)
        points = [points[0] + supremum.period * (turn + j) for j in (-1, 0, 1, 2)]
    inside = [p for p in points if low <= p <= high]
    grid = [min(low + (high - low) * j / 16, high) for j in range(17)]
    return max((abs(derivative(name, k, t)) for t in {low, high, *grid, *inside}), key=float)


ends = st.floats(-40, 40) | st.floats(-3, 3) | st.floats(-1e-300, 1e-300)


@NAMES
@ORDERS
@settings(deadline=None, max_examples=25)
@given(first=ends, second=ends)
def test_suprema_are_above_a_dense_maximum_and_tight(name, k, first, second):
    low, high = sorted([first, second])
    found = value(SUPREMA[name][k - 1].over(low, high))
    sup = dense_sup(name, k, low, high)
    assert sup.lower() <= found
    assert found <= sup.upper() * (1 + 1e-9) + 1e-323


@NAMES
@ORDERS
@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
def test_ends_next_to_critical_points(name, k, steps):
    supremum = SUPREMA[name][k - 1]
    for c in critical(supremum):
        end = moved(c, steps)
        for low, high in ((end, end), (end, end + 0.25), (end - 0.25, end)):
            found = value(supremum.over(low, high))
            sup = dense_sup(name, k, low, high)
            assert sup.lower() <= found <= sup.upper() * (1 + 1e-9)


def moved(x, steps):
    for _ in range(abs(steps)):
        x = math.nextafter(x, math.copysign(math.inf, steps))
    return x


@NAMES
@ORDERS
@pytest.mark.parametrize(
    ("low", "high"),
    [
        (700.0, 1e300),
        (-1.7e308, -1e300),
        (5e-324, 5e-324),
        (-5e-324, 5e-324),
        (1e22, 1e22),
        (-math.inf, -50.0),
        (50.0, math.inf),
        (-math.inf, math.inf),
        (0.0, 0.0),
    ],
)
def test_extreme_intervals(name, k, low, high):
    supremum = SUPREMA[name][k - 1]
    found = value(supremum.over(low, high))
    assert 0 <= found <= value(supremum.bound)
    for t in (low, high, 0.5 * low + 0.5 * high):
        if math.isfinite(t) and abs(t) < 1e4:
            assert abs(derivative(name, k, t)).lower() <= found
    if supremum.period is None and high <= -50:
        assert found < 1e-15
    if supremum.period is None and low >= 50 and k > 1:
        assert found < 1e-15


@NAMES
@ORDERS
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_of_many_intervals_the_largest_counts(name, k, seed):
    supremum = SUPREMA[name][k - 1]
    rng = np.random.default_rng(seed)
    low = rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 6, (5, 4))
    high = low + rng.choice([0.0, 1e-3, 0.4], low.shape)
    found = value(supremum.over(low, high))
    each = [value(supremum.over(a, b)) for a, b in zip(low.ravel(), high.ravel(), strict=True)]
    assert max(each) <= found <= max(each) * (1 + 1e-12)


def test_nothing_of_the_platforms_elementary_functions_enters(monkeypatch):
    def refused(*_):
        raise AssertionError

    for function in ("tanh", "cos", "sin", "log", "logaddexp"):
        monkeypatch.setattr(np, function, refused)
    for function in ("exp", "tanh", "cos", "sin", "log1p", "erfc"):
        monkeypatch.setattr(math, function, refused)
    for name, suprema in SUPREMA.items():
        for supremum in suprema:
            assert value(supremum.over(0.3, 0.4)) > 0
        low, high = OPERATORS[name].image(0.3, 0.4)
        assert low < high


# The sine.


@settings(deadline=None, max_examples=60)
@given(t=st.floats(-1e18, 1e18), width=st.sampled_from([0.0, 1e-9, 0.5, 3.0]))
@example(t=1e22, width=0.0)
@example(t=6381956970095103 * 2.0**797, width=0.0)  # next to a multiple of π/2
def test_the_sine_far_out(t, width):
    low, high = t, t + width
    with flint.ctx.workprec(1400):
        for end in (low, high):
            x = flint.arb(end)
            assert abs(x.cos()).lower() <= value(SUPREMA["sine"][0].over(low, high))
            assert abs(x.sin()).lower() <= value(SUPREMA["sine"][1].over(low, high))
            least, most = OPERATORS["sine"].image(low, high)
            assert least <= x.sin().upper()
            assert x.sin().lower() <= most
        if width == 0.0:
            x = flint.arb(t)
            near = 1 + 1e-9 + 1e-14 * abs(t) / abs(x.cos())
            assert value(SUPREMA["sine"][0].over(t, t)) <= (abs(x.cos()) * near).upper()


@settings(deadline=None, max_examples=100)
@given(k=st.integers(-(10**12), 10**12), steps=st.integers(-3, 3))
def test_a_multiple_of_the_period_is_never_missed(k, steps):
    with flint.ctx.workprec(BITS):
        near = float(k * flint.arb.pi())
        end = moved(near, steps)
        low, high = min(end, near), max(end, near)
        true = k * flint.arb.pi()
        if low <= true <= high:
            assert meets(np.array([low]), np.array([high]), 0.0, math.pi)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), scale=st.sampled_from([1.0, 1e3, 1e9]))
def test_the_end_nearest_to_a_peak_is_kept(seed, scale):
    t = scale * np.random.default_rng(seed).standard_normal(30)
    kept = nearest_ends(t[:15], t[15:], 0.0, math.pi)
    with flint.ctx.workprec(BITS):
        best = max(t, key=lambda x: float(abs(flint.arb(float(x)).cos())))
    assert float(best) in kept


# Images.


@NAMES
@settings(deadline=None, max_examples=25)
@given(first=ends, second=ends)
def test_images_hold_the_values_and_are_tight(name, first, second):
    low, high = sorted([first, second])
    least, most = OPERATORS[name].image(low, high)
    points = {low, high, *(min(low + (high - low) * j / 16, high) for j in range(17))}
    points |= {t for t in OPERATORS[name].turning_points() if low <= t <= high}
    if name == "sine":
        turns = range(math.floor(low / math.pi) - 1, math.ceil(high / math.pi) + 1)
        points |= {t for j in turns if low <= (t := (j + 0.5) * math.pi) <= high}
    with flint.ctx.workprec(BITS + 2400):
        values = [PHI[name](flint.arb_series([flint.arb(t)], 1))[0] for t in points]
    assert least <= min(x.upper() for x in values)
    assert most >= max(x.lower() for x in values)
    size = max(abs(float(x)) for x in values)
    # Ends of denormal size are a float or two further out.
    assert least >= min(x.lower() for x in values) - 1e-9 * size - 3 * 5e-324
    assert most <= max(x.upper() for x in values) + 1e-9 * size + 3 * 5e-324


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("tanh", (-1.0, 1.0)),
        ("sigmoid", (0.0, 1.0)),
        ("softplus", (0.0, math.inf)),
        ("sine", (-1.0, 1.0)),
        ("silu", (-0.278464542761073795, math.inf)),
        ("gelu", (-0.169971207479903686, math.inf)),
    ],
)
def test_images_of_everything(name, image):
    found = OPERATORS[name].image(-math.inf, math.inf)
    assert found[1] == image[1]
    assert image[0] - 3e-16 <= found[0] <= image[0]


def test_floats_around_a_ball():
    with working():
        third = ball(1.0) / 3
        assert at_least(third) < Fraction(1, 3) < at_most(third)
        assert at_most(third) == math.nextafter(at_least(third), 1)
        assert at_least(-third) == -at_most(third)
    assert at_most(ball(0.5)) == at_least(ball(0.5)) == 0.5
    assert at_most(ball(1.0) / 0) == math.inf
