"""Moments of the rounding error: exact suprema, and bounds that dominate exact enumeration."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.perturbations import NumberFormat, Reach
from boundcalc.perturbations.formats import FORMATS, FloatFormat
from boundcalc.perturbations.formats.bounds import Ball, Groups, dynamic_sums
from boundcalc.perturbations.formats.codes import decoded
from boundcalc.perturbations.formats.exact import floor_log2, power
from boundcalc.perturbations.formats.laws import by_spacing, by_step, law
from boundcalc.perturbations.formats.scales import scales

FLOATS = [form for form in FORMATS.values() if isinstance(form, FloatFormat)]
SMALL = [name for name in FORMATS if FORMATS[name].bits <= 8]


def numbers(name):
    """All nonnegative finite numbers of a small format, exact."""
    form = FORMATS[name]
    codes = decoded(np.arange(2 ** (form.bits - 1)), form)
    return [Fraction(v) for v in np.sort(codes[np.isfinite(codes)])]


def one(y, grid, stochastic):
    """E δ, E δ², E δ⁴ and max |δ| of one component on a sorted grid, exact; clipped outside."""
    sign = -1 if y < 0 else 1
    size = abs(y)
    if size >= grid[-1]:
        delta = sign * (grid[-1] - size)
        return delta, delta**2, delta**4, abs(delta)
    high = next(v for v in grid if v >= size)
    low = high if high == size else grid[grid.index(high) - 1]
    if low == high:
        return (Fraction(0),) * 4
    if not stochastic:
        delta = sign * (low - size if size - low <= high - size else high - size)
        return delta, delta**2, delta**4, abs(delta)
    p, h = (size - low) / (high - low), high - low
    third = p**3 + (1 - p) ** 3
    return Fraction(0), p * (1 - p) * h**2, p * (1 - p) * third * h**4, max(p, 1 - p) * h


def vector(ys, grid, stochastic):
    parts = [one(y, grid, stochastic) for y in ys]
    mean = sum(p[0] ** 2 for p in parts)
    second = sum(p[1] for p in parts)
    fourth = second**2 + sum(p[2] - p[1] ** 2 for p in parts)
    return mean, second, fourth, max(p[3] for p in parts), sum(p[3] ** 2 for p in parts)


def exact_moments(transform, reach):
    found = transform.moments(reach)
    return [item.evaluate(RATIONALS) for item in (found.mean_squared, found.second, found.fourth)]


def assert_dominates(transform, reach, ys, grid, stochastic):
    mean, second, fourth = exact_moments(transform, reach)
    largest = transform.largest(reach)
    true = vector(ys, grid, stochastic)
    assert true[0] <= mean
    assert true[1] <= second
    assert true[2] <= fourth
    assert float(true[3]) <= largest.component
    assert true[4] <= Fraction(largest.norm) ** 2
    assert mean <= second
    assert second**2 <= fourth


# --- suprema -------------------------------------------------------------------------------


def test_the_number_of_bf16():
    found = law(FORMATS["bf16"], stochastic=True).relative.second
    u = Fraction(1, 128)
    assert found == u**2 / (4 * (1 + u))
    assert f"{float(found):.6g}" == "1.51405e-05"


@pytest.mark.parametrize("u", [Fraction(1), Fraction(1, 2), Fraction(1, 8), Fraction(1, 128)])
def test_relative_suprema_are_reached_and_never_passed(u):
    stochastic, near = by_spacing(u, stochastic=True), by_spacing(u, stochastic=False)
    best = [Fraction(0)] * 4
    for cell in {0, int(1 / u) // 2, int(1 / u) - 1}:  # the first is the worst
        low = 1 + cell * u
        for k in range(401):
            p = Fraction(k, 400)
            y, q = low + p * u, p * (1 - p)
            ratios = (
                q * u**2 / y**2,
                q * (1 - 4 * q) * u**4 / y**4,
                min(p, 1 - p) * u / y,
                max(p, 1 - p) * u / y if 0 < k < 400 else Fraction(0),
            )
            best = [max(pair) for pair in zip(best, ratios, strict=True)]
    bounds = [stochastic.second, stochastic.excess, near.size, stochastic.size]
    for found, bound, close in zip(best, bounds, (1e-4, 1e-3, 1e-4, 6e-3), strict=True):
        assert found <= bound
        assert bound <= found * (1 + Fraction(close))
    assert near.second == near.mean == near.size**2
    assert (near.excess, stochastic.mean) == (0, 0)


def test_the_second_moment_is_reached_exactly_at_its_point():
    u = Fraction(1, 8)
    p = 1 / (2 + u)  # y = 2 lo (lo + h)/(2 lo + h) with lo = 1
    assert p * (1 - p) * u**2 / (1 + p * u) ** 2 == by_spacing(u, True).second


def test_suprema_over_a_step():
    """E δ⁴ itself is at most h⁴/12, at p(1 − p) = 1/6; its excess h⁴/16, at 1/8."""
    qs = [Fraction(k, 1000) * (1 - Fraction(k, 1000)) for k in range(1001)]
    found = by_step(Fraction(1), stochastic=True)
    assert max(q for q in qs) == found.second == Fraction(1, 4)
    excess = max(q * (1 - 4 * q) for q in qs)
    assert excess <= found.excess <= excess + Fraction(1, 10**5)
    fourth = max(q * (1 - 3 * q) for q in qs)
    assert fourth <= Fraction(1, 12) <= fourth + Fraction(1, 10**5)
    assert found.size == 1
    near = by_step(Fraction(1), stochastic=False)
    assert (near.mean, near.second, near.size) == (Fraction(1, 4), Fraction(1, 4), Fraction(1, 2))


@pytest.mark.parametrize("name", SMALL)
def test_stochastic_moments_at_every_gap(name):
    """For one component in a reach that ends in the middle of a gap: exact there, or above."""
    grid = numbers(name)
    transform = NumberFormat(format=name, rounding="stochastic")
    for low, high in itertools.pairwise(grid):
        middle = (low + high) / 2
        reach = Reach((1,), None, -middle, middle)
        mean, second, fourth = exact_moments(transform, reach)
        true = one(middle, grid, stochastic=True)
        assert mean == 0
        assert true[1] <= second == (high - low) ** 2 / 4
        assert true[2] <= fourth <= (high - low) ** 4 / 8


@pytest.mark.parametrize("name", SMALL)
def test_nearest_is_exact_for_one_component(name):
    grid = numbers(name)
    transform = NumberFormat(format=name)
    for low, high in itertools.pairwise(grid):
        middle = (low + high) / 2
        mean, second, fourth = exact_moments(transform, Reach((1,), middle, None, None))
        assert mean == second == (high - low) ** 2 / 4
        assert fourth == second**2


# --- fixed scales --------------------------------------------------------------------------


def dense(grid, top, count, rng):
    """Values around the numbers and middles of a grid, and in between."""
    picks = [Fraction(rng.choice(len(grid))) for _ in range(count)]
    found = []
    for k in picks:
        at = grid[int(k)]
        step = grid[min(int(k) + 1, len(grid) - 1)] - at
        found.append(min(top, at + step * Fraction(int(rng.integers(0, 9)), 8)))
    return found


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("name", SMALL)
def test_bounds_hold_for_vectors_in_balls_and_boxes(name, rounding):
    rng = np.random.default_rng(1)
    scale = Fraction(1, 4)
    grid = [v * scale for v in numbers(name)]
    transform = NumberFormat(format=name, rounding=rounding, scale="1/4")
    for _ in range(60):
        size = int(rng.integers(1, 5))
        top = grid[int(rng.integers(1, len(grid)))]
        ys = dense(grid, top, size, rng)
        squared = sum(y**2 for y in ys)
        radius = Fraction(math.isqrt(math.ceil(squared * 4**30)) + 1, 2**30)
        for reach in (
            Reach((size,), None, -max(ys), max(ys)),
            Reach((size,), min(radius, grid[-1]), None, None),
            Reach((size,), radius, -max(ys), max(ys)),
        ):
            if reach.squared >= squared:
                assert_dominates(transform, reach, ys, grid, rounding == "stochastic")


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("name", ["fp4_e2m1", "fp8_e4m3", "int4"])
def test_clipping_counts_as_bias(name, rounding):
    rng = np.random.default_rng(2)
    grid = numbers(name)
    top = grid[-1]
    transform = NumberFormat(format=name, rounding=rounding, overflow="saturate")
    for _ in range(60):
        size = int(rng.integers(1, 4))
        ys = [top * Fraction(int(rng.integers(0, 300)), 100) for _ in range(size)]
        squared = sum(y**2 for y in ys)
        radius = Fraction(math.isqrt(math.ceil(squared * 4**30)) + 1, 2**30)
        for reach in (
            Reach((size,), None, -max(ys), max(ys)),
            Reach((size,), radius, None, None),
        ):
            assert_dominates(transform, reach, ys, grid, rounding == "stochastic")
    alone = exact_moments(transform, Reach((1,), 2 * top, None, None))
    assert top**2 <= alone[0]


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_flushing_counts(rounding):
    form = FORMATS["fp8_e4m3"]
    grid, small = numbers("fp8_e4m3"), form.normal
    transform = NumberFormat(format="fp8_e4m3", rounding=rounding, subnormals="flush")
    for k in range(1, 64):
        y = small * Fraction(k, 64)
        reach = Reach((1,), y, None, None)
        mean, second, fourth = exact_moments(transform, reach)
        high = next(v for v in grid if v >= y)
        low = max(v for v in grid if v <= y)
        p = (y - low) / (high - low) if high > low else Fraction(0)
        if rounding == "nearest":
            p = Fraction(1) if p > Fraction(1, 2) else Fraction(0)
        up = p if high == small else Fraction(0)  # everything below it becomes zero
        assert (up * small - y) ** 2 <= mean
        assert up * (small - y) ** 2 + (1 - up) * y**2 <= second
        assert up * (small - y) ** 4 + (1 - up) * y**4 <= fourth


def test_wide_formats_hold_at_their_worst_points():
    for name in ("bf16", "fp16", "fp32", "tf32"):
        u = FORMATS[name].spacing
        near = NumberFormat(format=name)
        reach = Reach((3,), Fraction(10), None, None)
        mean, second, _ = exact_moments(near, reach)
        y = 8 * (1 + u / 2)
        assert (y - 8) ** 2 <= mean == second <= (u / (2 + u)) ** 2 * 100 + power(-20) * u**2


@settings(max_examples=40, deadline=None)
@given(
    bits=st.integers(1, 5),
    low=st.fractions(-3, 2, max_denominator=20),
    width=st.fractions(Fraction(1, 10), 3, max_denominator=20),
    at=st.lists(
        st.fractions(-Fraction(1, 2), Fraction(3, 2), max_denominator=64), min_size=1, max_size=3
    ),
    stochastic=st.booleans(),
)
def test_uniform_levels(bits, low, width, at, stochastic):
    transform = NumberFormat(
        format="uniform",
        bits=bits,
        low=str(low),
        high=str(low + width),
        rounding="stochastic" if stochastic else "nearest",
        overflow="saturate",
    )
    lattice = transform._levels()
    shifted = [lattice.step * k for k in range(lattice.count)]
    ys = [low + t * width for t in at]
    reach = Reach((len(ys),), None, min(ys), max(ys))
    mean, second, fourth = exact_moments(transform, reach)
    parts = []
    for y in ys:
        inside = max(y, lattice.low)
        moments = list(one(inside - lattice.low, shifted, stochastic))
        if inside != y:
            moments = [lattice.low - y, (lattice.low - y) ** 2, (lattice.low - y) ** 4]
        parts.append(moments)
    assert sum(p[0] ** 2 for p in parts) <= mean
    assert sum(p[1] for p in parts) <= second
    total = sum(p[1] for p in parts) ** 2 + sum(p[2] - p[1] ** 2 for p in parts)
    assert total <= fourth


# --- scales that follow the values ---------------------------------------------------------


@pytest.mark.parametrize("kind", ["power_of_two", "real"])
@pytest.mark.parametrize("top", [6.0, 7.0, 127.0, 448.0, float(FORMATS["fp32"].largest)])
def test_scales_are_enough_and_not_too_much(kind, top):
    rng = np.random.default_rng(3)
    largest = np.ldexp(rng.uniform(1, 2, 4000), rng.integers(-590, 600, 4000))
    largest[:50] = top * 2.0 ** np.arange(-25, 25)
    short = rng.integers(2**23, 2**24, 500) * 2.0**-20
    largest[50:550] = np.nextafter(short * top, np.inf)  # a quotient just above 24 bits
    slack = Fraction(2) if kind == "power_of_two" else 1 + power(-22)
    for a, s in zip(largest, scales(largest, top, kind), strict=True):
        assert Fraction(a) <= Fraction(s) * Fraction(top)
        assert Fraction(s) * Fraction(top) <= slack * Fraction(a)
        digits = math.frexp(s)[0] * 2**24
        assert digits == int(digits)
        if kind == "power_of_two":
            assert math.frexp(s)[0] == 0.5
            assert Fraction(s) * Fraction(top) < 2 * Fraction(a)


DYNAMIC = [
    {"scaling": "tensor"},
    {"scaling": "channel", "channels": 2},
    {"scaling": "block", "block": 2},
    {"scaling": "block", "block": 3},
]


@pytest.mark.parametrize("keys", DYNAMIC, ids=str)
@pytest.mark.parametrize("kind", ["power_of_two", "real"])
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("name", ["int4", "int8", "fp4_e2m1", "fp8_e4m3", "fp8_e5m2"])
def test_dynamic_bounds_hold(name, rounding, kind, keys):
    rng = np.random.default_rng(4)
    transform = NumberFormat(format=name, rounding=rounding, scale_kind=kind, **keys)
    base, stochastic = numbers(name), rounding == "stochastic"
    size = 4
    alpha = transform.contraction(size)
    length = {"tensor": 4, "channel": 2}.get(keys["scaling"], keys.get("block"))
    for _ in range(25):
        spread = 4.0 ** rng.integers(-6, 3, size)
        ys = [Fraction(v) for v in rng.standard_normal(size) * spread]
        parts, near = [], []
        for start in range(0, size, length):
            group = ys[start : start + length]
            largest = np.array([float(max(abs(y) for y in group))])
            scale = Fraction(scales(largest, float(base[-1]), kind)[0])
            grid = [v * scale for v in base]
            parts += [one(y, grid, stochastic) for y in group]
            near += grid
        squared = sum(y**2 for y in ys)
        second = sum(p[1] for p in parts)
        radius = Fraction(math.isqrt(math.ceil(squared * 4**30)) + 1, 2**30)
        high = max(abs(y) for y in ys)
        assert second <= alpha * squared
        for reach in (
            Reach((2, 2), radius, None, None),
            Reach((4,), None, -high, high),
            Reach((4,), radius, -high, high),
        ):
            bounds = exact_moments(transform, reach)
            assert sum(p[0] ** 2 for p in parts) <= bounds[0]
            assert second <= bounds[1]
            assert second**2 + sum(p[2] - p[1] ** 2 for p in parts) <= bounds[2]
            largest = transform.largest(reach)
            assert float(max(p[3] for p in parts)) <= largest.component
            assert sum(p[3] ** 2 for p in parts) <= Fraction(largest.norm) ** 2
        if not stochastic:
            out = transform.apply()(rng, np.array([float(y) for y in ys]))
            for y, q, part in zip(ys, out, parts, strict=True):
                assert abs(Fraction(q) - y) == part[3]


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("keys", [*DYNAMIC, {"scaling": "none"}], ids=str)
def test_samples_have_the_moments(keys, rounding):
    """Sampled moments of one vector stay below the bounds, and the mean is the value."""
    rng = np.random.default_rng(5)
    transform = NumberFormat(format="fp4_e2m1", rounding=rounding, **keys)
    y = np.array([0.3, -2.2, 4.9, 0.01, 1.1, 3.3])
    draws = transform.apply()(rng, np.broadcast_to(y, (20_000, 6)).copy())
    delta = draws - y
    reach = Reach((6,), None, Fraction(-5), Fraction(5))
    mean, second, fourth = (float(item) for item in exact_moments(transform, reach))
    squares = np.sum(delta**2, axis=1)
    assert squares.mean() <= second
    assert (squares**2).mean() <= fourth
    assert np.sqrt(squares.max()) <= transform.largest(reach).norm
    if rounding == "stochastic":
        assert mean == 0
        error = 5 * np.sqrt(squares.mean() / 20_000)
        assert np.abs(delta.mean(axis=0)).max() <= error
    else:
        assert np.sum(delta.mean(axis=0) ** 2) <= mean


def test_contraction_of_integers():
    """n/(4 top²) for real scales, at most √n/top when rounding is stochastic."""
    near = NumberFormat(format="int8", scaling="tensor")
    slack = (1 + power(-22)) ** 2
    assert near.contraction(100) == Fraction(100, 4 * 127**2) * slack
    many = NumberFormat(format="int8", scaling="tensor", rounding="stochastic").contraction(10**6)
    assert 1000 / 127 <= many <= 1000 / 127 * (1 + 1e-6)
    assert NumberFormat(format="int4", scaling="tensor").contraction(10**6) == 1
    assert NumberFormat(format="bf16").contraction(5) is None


@pytest.mark.parametrize("count", [1, 3])
def test_fourth_moments_of_dynamic_integers(count):
    """Every component but the largest at p(1 − p) = 1/8, where the excess is 1/16 of a step⁴."""
    n, slack = 8, 1 + power(-22)
    found = dynamic_sums(
        law(FORMATS["int4"], stochastic=True),
        FORMATS["int4"],
        Groups(count, n, slack),
        Ball(count * n, Fraction(7), count * n * Fraction(49)),
    )
    true = Fraction(count * (n - 1), 16)
    assert true <= found.excess <= true * Fraction(n, n - 1) * slack**4
    floating = dynamic_sums(
        law(FORMATS["fp4_e2m1"], stochastic=True),
        FORMATS["fp4_e2m1"],
        Groups(count, n, slack),
        Ball(count * n, Fraction(6), Fraction(36 * count)),
    )
    relative = law(FORMATS["fp4_e2m1"], stochastic=True).relative.excess
    true = count * (relative * 6**4 + Fraction(n - 1, 16 * 16))  # steps of 1/2 below 1
    assert true <= floating.excess <= true * slack**4


def test_spacing_of_a_sharp_ball():
    """For floats one large component excludes others: κ r² and the subnormal rest."""
    form = FORMATS["fp8_e4m3"]
    transform = NumberFormat(format="fp8_e4m3", rounding="stochastic")
    _, second, _ = exact_moments(transform, Reach((5,), Fraction(16), None, None))
    u = form.spacing
    assert second == u**2 / (4 * (1 + u)) * 256 + 4 * form.step**2 / 4
    _, small, _ = exact_moments(transform, Reach((4,), form.step / 100, None, None))
    assert small == form.step * 2 * form.step / 100


# --- refusals ------------------------------------------------------------------------------


def test_a_range_that_does_not_fit_is_refused():
    transform = NumberFormat(format="fp8_e4m3")
    with pytest.raises(SpecError, match="does not hold the values") as caught:
        transform.moments(Reach((2,), Fraction(1000), None, None))
    assert "448" in str(caught.value)
    transform.moments(Reach((2,), Fraction(448), None, None))
    with pytest.raises(SpecError, match="does not hold"):
        transform.largest(Reach((2,), None, Fraction(-449), Fraction(0)))


def test_no_range_is_refused():
    for keys in ({}, {"scaling": "tensor"}, {"overflow": "saturate"}):
        with pytest.raises(SpecError, match="needs a range"):
            NumberFormat(format="bf16", **keys).moments(Reach((2,), None, None, Fraction(1)))


def test_uniform_range_is_one_sided():
    transform = NumberFormat(format="uniform", bits=4, low=0, high=15)
    reach = Reach((2,), Fraction(15), Fraction(0), None)
    assert exact_moments(transform, reach)[1] == Fraction(2, 4)
    with pytest.raises(SpecError, match="does not hold"):
        transform.moments(Reach((2,), Fraction(15), None, None))


def test_floor_log2():
    for x in (Fraction(1, 3), Fraction(4), Fraction(2**60 - 1), Fraction(1, 2**40)):
        assert power(floor_log2(x)) <= x < power(floor_log2(x) + 1)
