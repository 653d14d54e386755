"""Rounding, bit for bit, against libraries, rational arithmetic and exact probabilities."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.perturbations.formats import (
    FORMATS,
    FloatFormat,
    format_named,
    round_nearest_even,
    round_stochastic,
)
from boundcalc.perturbations.formats.exact import floor_log2, power, root_up
from boundcalc.perturbations.formats.rounding import Grid, rounded
from boundcalc.perturbations.formats.settling import beyond_half, goes_away
from boundcalc.perturbations.formats.uniform import levels

ORACLES = {
    "bf16": "bfloat16",
    "fp8_e5m2": "float8_e5m2",
    "fp8_e4m3": "float8_e4m3fn",
    "fp6_e3m2": "float6_e3m2fn",
    "fp6_e2m3": "float6_e2m3fn",
    "fp4_e2m1": "float4_e2m1fn",
}
GFLOAT = {
    "fp32": "format_info_binary32",
    "fp16": "format_info_binary16",
    "bf16": "format_info_bfloat16",
    "fp8_e5m2": "format_info_ocp_e5m2",
    "fp8_e4m3": "format_info_ocp_e4m3",
    "fp6_e3m2": "format_info_ocp_e3m2",
    "fp6_e2m3": "format_info_ocp_e2m3",
    "fp4_e2m1": "format_info_ocp_e2m1",
}


def samples(form, count, seed=0):
    """float32 values: any bits, the subnormal range, the top, and ties of the format."""
    rng = np.random.default_rng(seed)
    quarter = count // 4
    bits = rng.integers(2**32, size=quarter, dtype=np.uint32).view(np.float32)
    low = rng.standard_normal(quarter) * float(form.normal)
    high = rng.uniform(-1, 1, quarter) * float(form.largest) * 1.1
    exponent = rng.integers(form.smallest - form.precision, form.smallest + 20, size=quarter)
    ties = np.ldexp(rng.integers(2 ** (form.precision + 1), size=quarter) + 0.0, exponent)
    signs = rng.choice([-1.0, 1.0], quarter)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        rest = np.concatenate([low, high, ties * signs]).astype(np.float32)
        every = np.concatenate([bits, rest]).astype(np.float64)
    return every[np.isfinite(every)]


def same_bits(one, other):
    return np.array_equal(
        np.asarray(one, np.float64).view(np.int64), np.asarray(other, np.float64).view(np.int64)
    )


@pytest.mark.parametrize("name", [*ORACLES, "fp16"])
def test_a_million_float32_values_as_the_oracles_have_them(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    form = FORMATS[name]
    dtype = np.float16 if name == "fp16" else getattr(ml_dtypes, ORACLES[name])
    x = samples(form, 1_100_000)
    top = float(form.largest)
    with np.errstate(over="ignore", invalid="ignore"):
        # Saturated: their overflow is an infinity, or NaN where the format has no infinity.
        theirs = np.clip(x, -top, top).astype(np.float32).astype(dtype).astype(np.float64)
        raw = x.astype(np.float32).astype(dtype).astype(np.float64)
    ours = round_nearest_even(x, form)
    assert len(x) >= 1_000_000
    assert same_bits(ours, theirs)
    inside = np.isfinite(raw)
    assert same_bits(ours[inside], raw[inside])
    assert (np.abs(x[~inside]) > top).all()
    assert inside.mean() > 0.5


def test_float32_itself():
    rng = np.random.default_rng(1)
    x = np.ldexp(rng.uniform(-2, 2, 300_000), rng.integers(-160, 127, 300_000))
    theirs = x.astype(np.float32).astype(np.float64)
    assert same_bits(round_nearest_even(x, FORMATS["fp32"]), theirs)


def test_float64_input_is_rounded_once():
    x = np.array([1 + 2.0**-4 + 2.0**-30, 1 + 2.0**-4 - 2.0**-52, -1 - 2.0**-8 - 2.0**-52])
    assert round_nearest_even(x, FORMATS["fp8_e4m3"]).tolist() == [1.125, 1.0, -1.0]
    assert round_nearest_even(x, FORMATS["bf16"])[2] == -1 - 2.0**-7


@pytest.mark.parametrize("name", GFLOAT)
def test_float64_values_as_gfloat_has_them(name):
    gfloat = pytest.importorskip("gfloat")
    from gfloat import formats

    form, theirs = FORMATS[name], getattr(formats, GFLOAT[name])
    x = samples(form, 80_000, seed=2)
    nudge = np.random.default_rng(3).integers(-1, 2, len(x))
    x = np.where(nudge == 0, x, np.nextafter(x, np.copysign(np.inf, nudge)))
    want = gfloat.round_ndarray(theirs, x, sat=True)
    assert same_bits(round_nearest_even(x, form), want)


@pytest.mark.parametrize("name", ["bf16", "fp8_e4m3", "fp8_e5m2", "fp4_e2m1"])
def test_stochastic_rounding_has_gfloats_probabilities(name):
    """gfloat rounds away if its bits are at least 1 − f; all 2⁸ values of them give 2⁸ f."""
    gfloat = pytest.importorskip("gfloat")
    from gfloat import RoundMode, formats

    form, theirs = FORMATS[name], getattr(formats, GFLOAT[name])
    lo = round_nearest_even(np.abs(samples(form, 400, seed=4)), form)
    lo = lo[(lo > 0) & (lo < float(form.largest) / 2)]
    gap = np.array([float(form.step_at(Fraction(v) * (1 + power(-40)))) for v in lo])
    eighths = np.random.default_rng(5).integers(1, 256, len(lo))
    x = lo + gap * (eighths / 256)
    up = np.zeros(len(x))
    for bits in range(256):
        srbits = np.full(len(x), bits)
        out = gfloat.round_ndarray(theirs, x, RoundMode.Stochastic, False, srbits, 8)
        up += out > x
    assert np.array_equal(up / 256, eighths / 256)
    for k in (0, len(x) // 2, len(x) - 1):
        assert probability_up(x[k], form, 1.0) == Fraction(int(eighths[k]), 256)


# --- the literal twin ----------------------------------------------------------------------


def neighbours(x, form, scale=Fraction(1)):
    """The two numbers of a format times a scale around a rational."""
    size = abs(x) / scale
    if isinstance(form, FloatFormat):
        e = max(floor_log2(size), form.smallest) if size else form.smallest
        unit = power(e) * form.spacing
    else:
        unit = Fraction(1)
    low = math.floor(size / unit) * unit
    high = low if low == size else low + unit
    sign = -1 if x < 0 else 1
    return sign * low * scale, sign * high * scale, unit * scale


def literal(x, form, scale=Fraction(1)):
    top = form.largest * scale
    x = max(-top, min(top, Fraction(x)))
    low, high, unit = neighbours(x, form, scale)
    if abs(x - low) != abs(high - x):
        return min((low, high), key=lambda v: abs(v - x))
    return low if int(abs(low) / unit) % 2 == 0 else high


class Fixed:
    """A generator that draws one number again and again, and another one for further bits."""

    def __init__(self, value, integer=0):
        self.value, self.further = value, integer / 2**53

    def random(self, out=None):
        if out is None:
            return self.further
        out.fill(self.value)
        return out


def probability_up(x, form, scale):
    """P(away from the nearest) by bisection over the 2⁵³ draws, as a fraction of them."""
    near = round_nearest_even(np.array([x]), form, scale)[0]
    low, high = 0, 2**53
    while low < high:
        middle = (low + high) // 2
        out = round_stochastic(np.array([x]), form, Fixed(middle / 2**53), scale)[0]
        low, high = (middle + 1, high) if out != near else (low, middle)
    chance = Fraction(low, 2**53)
    return chance if near < x else 1 - chance


values = st.floats(allow_nan=False, allow_infinity=False)
formats = st.sampled_from(sorted(FORMATS))
scales = st.sampled_from([1.0, 0.25, 2.0**-20, 2.0**40, float(np.float32(0.1)), 3.0])


@settings(max_examples=200, deadline=None)
@given(
    name=formats,
    scale=scales,
    code=st.integers(-(2**24), 2**24),
    exponent=st.integers(-180, 140),
    nudge=st.integers(-2, 2),
)
def test_nearest_is_the_literal_twin(name, scale, code, exponent, nudge):
    form = FORMATS[name]
    x = math.ldexp(code, exponent - 24) * scale
    for _ in range(abs(nudge)):
        x = math.nextafter(x, math.copysign(math.inf, nudge))
    found = round_nearest_even(np.array([x]), form, scale)[0]
    assert Fraction(found) == literal(x, form, Fraction(scale))


@settings(max_examples=200, deadline=None)
@given(name=formats, scale=scales, k=st.integers(-300, 300), nudge=st.integers(-3, 3))
def test_ties_of_any_scale_are_settled_exactly(name, scale, k, nudge):
    form = FORMATS[name]
    step = form.step if isinstance(form, FloatFormat) else Fraction(1)
    x = float((k + Fraction(1, 2)) * step * Fraction(scale))
    for _ in range(abs(nudge)):
        x = math.nextafter(x, math.copysign(math.inf, nudge))
    found = round_nearest_even(np.array([x]), form, scale)[0]
    assert Fraction(found) == literal(x, form, Fraction(scale))


@settings(max_examples=200, deadline=None)
@given(name=formats, x=values, y=values)
def test_nearest_is_monotone_odd_and_idempotent(name, x, y):
    form = FORMATS[name]
    one, other, mirrored = round_nearest_even(np.array([x, y, -x]), form)
    assert (one <= other) if x <= y else (one >= other)
    assert mirrored == -one
    assert round_nearest_even(np.array([one]), form)[0] == one


@settings(max_examples=80, deadline=None)
@given(name=formats, scale=scales, code=st.integers(-(2**30), 2**30), shift=st.integers(-40, 12))
def test_stochastic_rounding_moves_up_with_the_exact_probability(name, scale, code, shift):
    form = FORMATS[name]
    unit = form.step if isinstance(form, FloatFormat) else Fraction(1)
    x = float(unit) * scale * math.ldexp(code, shift - 30)
    low, high, gap = neighbours(Fraction(x), form, Fraction(scale))
    if max(abs(low), abs(high)) > form.largest * Fraction(scale):
        return
    if low == high:
        out = round_stochastic(np.array([x]), form, Fixed(0.0), scale)[0]
        assert Fraction(out) == low
        return
    lower = min(low, high)
    exact = (Fraction(x) - lower) / gap
    # The draws that decide are multiples of 2⁻⁵³; what lies between two of them is decided by
    # further bits, which Fixed leaves zero: one unit more at most.
    assert abs(probability_up(x, form, scale) - exact) <= Fraction(1, 2**53)


def test_53_bits_are_exact_for_every_normal_number():
    form = FORMATS["bf16"]
    rng = np.random.default_rng(6)
    for x in np.ldexp(rng.uniform(1, 2, 50), rng.integers(-100, 100, 50)):
        low, _, gap = neighbours(Fraction(x), form)
        assert probability_up(x, form, 1.0) == (Fraction(x) - low) / gap


@pytest.mark.parametrize(
    ("wanted", "integer", "away"),
    [
        (Fraction(1, 2**53) / 2, 0, True),
        (Fraction(1, 2**53) / 2, 2**53 - 1, False),
        (Fraction(1, 2**54) + Fraction(1, 2**80), 2**52, True),
        (Fraction(1, 2**54), 2**52, False),
    ],
)
def test_further_bits_decide_between_two_draws(wanted, integer, away):
    further = itertools.repeat(integer / 2**53)
    assert goes_away(float(wanted), 0.0, 1.0, 0.0, further) is away


@pytest.mark.parametrize(
    ("value", "at", "even", "beyond"),
    [
        (1e-20, -0.5, True, True),
        (1e-20, 0.5, False, False),
        (-1e-20, 0.5, True, True),
        (-1e-20, -0.5, False, False),
        (0.0, 0.5, True, False),
        (0.0, 0.5, False, True),
    ],
)
def test_ties_are_told_from_what_is_near_them(value, at, even, beyond):
    """The difference rounds to ±1/2 in every case."""
    found = beyond_half(np.array([value]), np.array([at]), 1.0, np.array([even]))
    assert found.tolist() == [beyond]


def test_a_tie_of_levels_off_zero():
    grid = Grid(3.0, 0.0, offset=-1.5)  # −1.5, −0.5, 0.5, 1.5: 0 is a tie, and −0.5 is odd
    x = np.array([0.0, 1e-20, -1e-20, 1.0, -1.0])
    assert rounded(x, grid, np.asarray(1.0)).tolist() == [0.5, 0.5, -0.5, 0.5, -1.5]


def test_further_bits_are_drawn_in_the_kernel():
    form, x = FORMATS["int8"], np.full((1,), 2.0**-54)
    assert round_stochastic(x, form, Fixed(0.0, 0)) == 1.0
    assert round_stochastic(x, form, Fixed(0.0, 2**53 - 1)) == 0.0


def test_equal_draws_do_not_move():
    """|e| = U H exactly: the real number behind U is above with probability one."""
    x = np.array([0.25, 1.5, -0.25])
    out = round_stochastic(x, FORMATS["int4"], Fixed(0.25))
    assert out.tolist() == [0.0, 1.0, 0.0]  # 1.5 goes to 2 first, and half-way on from there


# --- saturation, NaN, shapes ---------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nothing_becomes_infinite_and_nan_stays(name):
    form = FORMATS[name]
    top = float(form.largest)
    x = np.array([1e300, -1e300, np.inf, -np.inf, top, -top, np.nan])
    for out in (
        round_nearest_even(x, form),
        round_stochastic(x, form, np.random.default_rng(0)),
    ):
        assert out[:6].tolist() == [top, -top] * 3
        assert np.isnan(out[6])


def test_subnormals_of_float64_round_to_zero_with_their_sign():
    tiny = np.array([5e-324, -5e-324, 0.0, -0.0])
    out = round_nearest_even(tiny, FORMATS["fp32"])
    assert same_bits(out, np.array([0.0, -0.0, 0.0, -0.0]))


@pytest.mark.parametrize("shape", [(0,), (), (1,), (3, 5), (2, 0, 4), (70_000,), (3, 20_001)])
def test_every_shape(shape):
    form = FORMATS["fp8_e4m3"]
    x = np.random.default_rng(0).standard_normal(shape)
    out = round_nearest_even(x, form)
    assert out.shape == shape
    flat = [round_nearest_even(np.array([v]), form)[0] for v in x.reshape(-1)[:300]]
    assert out.reshape(-1)[:300].tolist() == flat
    rng = np.random.default_rng(1)
    assert np.all(np.abs(round_stochastic(x, form, rng) - x) <= np.abs(x) / 8 + 2.0**-9)


def test_arrays_that_are_not_contiguous():
    x = np.random.default_rng(0).standard_normal((40, 30))
    form = FORMATS["bf16"]
    assert np.array_equal(round_nearest_even(x.T[::2], form), round_nearest_even(x, form).T[::2])


def test_the_input_is_left_alone():
    x = np.random.default_rng(0).standard_normal(1000)
    before = x.copy()
    round_stochastic(x, format_named("int8"), np.random.default_rng(0))
    round_nearest_even(x, format_named("fp16"))
    assert np.array_equal(x, before)


# --- uniform levels ------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    bits=st.integers(1, 12),
    low=st.fractions(-4, 4, max_denominator=1000),
    width=st.fractions(Fraction(1, 50), 8, max_denominator=1000),
    at=st.floats(-0.1, 1.1),
    tied=st.booleans(),
)
def test_levels_are_the_literal_twin(bits, low, width, at, tied):
    found = levels(bits, low, low + width)
    assert found.low <= low
    assert low + width <= found.high
    assert found.high - found.low <= width + power(-30)
    x = float(low + Fraction(at) * width)
    if tied:
        k = int(at * (found.count - 1))
        x = float(found.low + (k + Fraction(1, 2)) * found.step)
    out = Fraction(rounded(np.array([x]), found.grid, np.asarray(float(found.step)))[0])
    inside = min(max(Fraction(x), found.low), found.high)
    k = math.floor((inside - found.low) / found.step)
    two = [found.low + j * found.step for j in (k, k + 1) if j < found.count]
    distance = [abs(level - inside) for level in two]
    assert out in two
    assert abs(out - inside) == min(distance)
    if len(two) == 2 and distance[0] == distance[1]:
        assert (out - found.low) / found.step % 2 == 0


def test_levels_round_up_with_the_exact_probability():
    found = levels(3, Fraction(-1), Fraction(2))
    scale = np.asarray(float(found.step))
    for x in (0.1, -0.7, 1.9, 1e-20):
        counts = [
            rounded(np.array([x]), found.grid, scale, Fixed((k + 0.5) / 1000))[0]
            for k in range(1000)
        ]
        assert abs(np.mean(counts) - x) <= float(found.step) / 1000


WIDE = [
    (8, Fraction(-1), Fraction(1)),
    (12, Fraction(-1), Fraction(3)),
    (16, Fraction(-1), Fraction(1)),
    (16, Fraction(-1), Fraction(1, 1000)),
    (16, Fraction(-3, 1000), Fraction(1)),
    (16, Fraction(1, 3), Fraction(2, 3)),
]


def near_ties(found, seed):
    """Ties where float64 is finest and anywhere else, and values up to 3 ulp from them."""
    rng = np.random.default_rng(seed)
    middle = min(max(int(-found.low / found.step), 0), found.count - 2)
    near = range(max(middle - 30, 0), min(middle + 30, found.count - 1))
    for k in [*near, *rng.integers(found.count - 1, size=150)]:
        x = float(found.low + (int(k) + Fraction(1, 2)) * found.step)
        below, above = [x], [x]
        for _ in range(3):
            below.append(math.nextafter(below[-1], -math.inf))
            above.append(math.nextafter(above[-1], math.inf))
        yield from (*below, *above[1:])


@pytest.mark.parametrize(("bits", "low", "high"), WIDE)
def test_ties_of_levels_are_settled_where_the_difference_from_the_lowest_is_rounded(
    bits, low, high
):
    """x − low is rounded to 2⁻⁵³ |low|, which is far more than the distance of x from a tie."""
    found = levels(bits, low, high)
    x = np.array(list(near_ties(found, 10)))
    out = rounded(x, found.grid, np.asarray(float(found.step)))
    for value, result in zip(x, out, strict=True):
        at = (Fraction(value) - found.low) / found.step
        # round() of a Fraction takes ties to even.
        assert Fraction(result) == found.low + round(at) * found.step


@pytest.mark.parametrize(("bits", "low", "high"), WIDE)
def test_levels_far_from_the_lowest_are_left_with_the_exact_probability(bits, low, high):
    found = levels(bits, low, high)
    scale = np.asarray(float(found.step))
    rng = np.random.default_rng(11)
    spread = np.ldexp(rng.uniform(-1, 1, 60), rng.integers(-60, 0, 60))
    values = np.array([*spread, *list(near_ties(found, 12))[:210]])
    values = values[(values >= float(found.low)) & (values <= float(found.high))]
    for x in values:
        start = Fraction(rounded(np.array([x]), found.grid, scale, Fixed(1 - 2.0**-53))[0])
        chance = abs(Fraction(x) - start) / found.step
        assert chance < Fraction(3, 4)
        move = math.copysign(1, Fraction(x) - start) * found.step
        for near in range(-2, 3):
            draw = Fraction(math.floor(chance * 2**53) + near, 2**53)
            if not 0 <= draw < 1:
                continue
            # What 53 bits leave open is settled by further ones: all 0, or all 1.
            all_one = draw + Fraction(1, 2**53) <= chance
            for integer, away in ((0, draw < chance), (2**53 - 1, all_one)):
                fixed = Fixed(float(draw), integer)
                out = Fraction(rounded(np.array([x]), found.grid, scale, fixed)[0])
                assert out == start + Fraction(move) * away


def test_flushed_results():
    grid = Grid.of(FORMATS["fp8_e5m2"], flush=True)
    small = float(FORMATS["fp8_e5m2"].normal)
    x = np.array([small, 0.99 * small, 0.5 * small, -0.5 * small, 2 * small])
    assert rounded(x, grid, np.asarray(1.0)).tolist() == [small, small, 0, 0, 2 * small]


@given(st.fractions(min_value=0, max_value=10**6))
def test_root_up_is_above_and_near(x):
    root = root_up(x)
    assert x <= root**2 <= x * (1 + power(-60))
