"""Flipped bits: exact sums over all patterns, bounds that dominate them, the sampler."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from pydantic import ValidationError

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SimulationError, SpecError
from boundcalc.perturbations import BitFlip, Reach
from boundcalc.perturbations.formats import FORMATS, FloatFormat, round_nearest_even
from boundcalc.perturbations.formats.codes import decoded, encoded, positions
from boundcalc.perturbations.formats.flip_draws import drawn_flips

RATE = Fraction(1, 50)


def held(values, form, nonfinite):
    instead = np.zeros_like(values)
    if nonfinite == "saturate":
        instead = np.copysign(float(form.largest), values)
    return np.where(np.isfinite(values), values, instead)


def exact_component(y, form, bits, rate, nonfinite):
    """E δ, E δ², E δ⁴, max |δ| by all patterns: rational arithmetic, one pattern at a time."""
    start = round_nearest_even(np.array([float(y)]), form)
    code = encoded(start, form)
    sums, most = [Fraction(0)] * 3, Fraction(0)
    for count in range(len(bits) + 1):
        chance = rate**count * (1 - rate) ** (len(bits) - count)
        for chosen in combinations(bits, count):
            mask = sum(1 << bit for bit in chosen)
            out = Fraction(held(decoded(code ^ mask, form), form, nonfinite)[0])
            delta = out - y
            for at, q in enumerate((1, 2, 4)):
                sums[at] += chance * delta**q
            most = max(most, abs(delta))
    return *sums, most


def assert_dominates(transform, reach, ys):
    form, bits = transform.form, transform.listed
    rate = transform.rate.evaluate(RATIONALS)
    parts = [exact_component(y, form, bits, rate, transform.nonfinite) for y in ys]
    found = transform.moments(reach)
    mean, second, fourth = (
        item.evaluate(RATIONALS) for item in (found.mean_squared, found.second, found.fourth)
    )
    total = sum(p[1] for p in parts)
    assert sum(p[0] ** 2 for p in parts) <= mean
    assert total <= second
    assert total**2 + sum(p[2] - p[1] ** 2 for p in parts) <= fourth
    largest = transform.largest(reach)
    assert float(max(p[3] for p in parts)) <= largest.component
    assert sum(p[3] ** 2 for p in parts) <= Fraction(largest.norm) ** 2


def reaches(ys):
    high = max(abs(y) for y in ys)
    squared = sum(y**2 for y in ys)
    radius = Fraction(np.nextafter(np.sqrt(float(squared)), np.inf)) * (1 + Fraction(1, 2**40))
    return [
        Reach((len(ys),), None, -high, high),
        Reach((len(ys),), radius, -high, high),
        Reach((len(ys),), radius, None, None),
    ]


@pytest.mark.parametrize("nonfinite", ["zero", "saturate"])
@pytest.mark.parametrize(
    ("name", "part"),
    [
        (name, part)
        for name in ["fp4_e2m1", "fp6_e3m2", "fp8_e4m3", "fp8_e5m2", "int4", "int8"]
        for part in ["all", "sign", "exponent", "mantissa", [0, 2]]
        # integers have no exponent
        if part != "exponent" or isinstance(FORMATS[name], FloatFormat)
    ],
)
def test_small_formats_against_all_patterns(name, part, nonfinite):
    form = FORMATS[name]
    rng = np.random.default_rng(0)
    transform = BitFlip(format=name, rate=str(RATE), bits=part, nonfinite=nonfinite)
    top = float(form.largest)
    for _ in range(3):
        size = int(rng.integers(1, 3))
        spread = top / 4.0 ** rng.integers(1, 6)
        ys = [Fraction(v) for v in np.clip(rng.standard_normal(size) * spread, -top, top)]
        for reach in reaches(ys):
            if reach.magnitude <= form.largest:
                assert_dominates(transform, reach, ys)


@pytest.mark.parametrize("nonfinite", ["zero", "saturate"])
@pytest.mark.parametrize("name", ["bf16", "fp16", "tf32", "fp32", "int16"])
@pytest.mark.parametrize("rate", [Fraction(1, 3), Fraction(1, 100), Fraction(1, 10**9)])
def test_wide_formats_against_all_patterns_of_some_bits(name, nonfinite, rate):
    form = FORMATS[name]
    rng = np.random.default_rng(1)
    top = float(form.largest)
    for trial in range(4):
        count = int(rng.integers(1, 6))
        low = 0 if trial % 2 else form.bits - 8
        bits = sorted(rng.choice(np.arange(low, form.bits), count, replace=False).tolist())
        transform = BitFlip(format=name, rate=str(rate), bits=bits, nonfinite=nonfinite)
        spread = top / 2 if trial == 0 else 100.0 if trial < 3 else 2e-4
        ys = [Fraction(v) for v in np.clip(rng.standard_normal(2) * spread, -top, top)]
        for reach in reaches(ys):
            if reach.magnitude <= form.largest:
                assert_dominates(transform, reach, ys)


@pytest.mark.parametrize("name", ["bf16", "fp32"])
def test_flips_that_reach_the_special_codes(name):
    """2 − u has the largest digits below 2; its top exponent bit leads to infinities and NaN."""
    form = FORMATS[name]
    bits = positions(form, "exponent")
    for nonfinite in ("zero", "saturate"):
        transform = BitFlip(format=name, rate="1/100", bits=list(bits), nonfinite=nonfinite)
        for y in (Fraction(1), 2 - form.spacing, form.normal, form.step, form.largest, Fraction(0)):
            assert_dominates(transform, Reach((1,), None, -y, y), [y])


@pytest.mark.parametrize("bit", [23, 24, 29, 30])
def test_one_exponent_bit_at_both_ends_of_a_binade(bit):
    form = FORMATS["fp32"]
    for nonfinite in ("zero", "saturate"):
        transform = BitFlip(format="fp32", rate="1/100", bits=[bit], nonfinite=nonfinite)
        for y in (Fraction(1), 2 - form.spacing, Fraction(1, 2), 1 - form.spacing / 2):
            assert_dominates(transform, Reach((1,), None, -y, y), [y])


def test_one_bit_is_exact():
    """A sign that flips with rate r: E D = −2 r v, E D² = 4 r v²; no rounding at these values."""
    transform = BitFlip(format="fp8_e4m3", rate="1/10", bits="sign")
    found = transform.moments(Reach((1,), None, Fraction(-1), Fraction(1)))
    half = Fraction(1, 16)
    second = Fraction(4, 10) + 2 * half * Fraction(2, 10) + half**2
    first = Fraction(2, 10) + half
    for bound, true in ((found.second, second), (found.mean_squared, first**2)):
        value = bound.evaluate(RATIONALS)
        assert true <= value <= true * (1 + Fraction(1, 10**11))
    largest = transform.largest(Reach((4,), None, Fraction(-1), Fraction(1)))
    assert largest.component == pytest.approx(2 + 1 / 16, rel=1e-11)
    assert largest.norm == pytest.approx(2 * (2 + 1 / 16), rel=1e-11)


def test_rare_flips_are_bounded_sharply():
    """As r → 0 the bound is that of single bits; in fp32 rounding is far below it."""
    transform = BitFlip(format="fp32", rate="1/1000000", bits="mantissa")
    y = Fraction(15, 8)
    single = sum(4.0**-k for k in range(1, 24)) * 1e-6
    box = float(transform.moments(Reach((1,), None, -y, y)).second.evaluate(RATIONALS))
    assert 0.9 < single / box <= 1
    # κ‖y‖² with κ the sum relative to the lower end of a cell, not 400 times the box.
    ball = float(transform.moments(Reach((400,), y, None, None)).second.evaluate(RATIONALS))
    assert single * float(y) ** 2 < ball < 1.1 * single * float(y) ** 2


NEAR_ONE = [1 - Fraction(1, 10**k) for k in (9, 13, 17, 29)] + [1 - Fraction(7, 2**55)]


@pytest.mark.parametrize("nonfinite", ["zero", "saturate"])
@pytest.mark.parametrize("rate", NEAR_ONE)
@pytest.mark.parametrize(
    ("name", "part"),
    [("fp8_e5m2", "exponent"), ("fp8_e4m3", "all"), ("int8", "sign"), ("bf16", "exponent")],
)
def test_rates_that_float64_hardly_tells_from_one(name, part, rate, nonfinite):
    """Where all flips together lead to zero or back, those that leave one bit decide."""
    transform = BitFlip(format=name, rate=str(rate), bits=part, nonfinite=nonfinite)
    for y in (Fraction(0), Fraction(1, 2), Fraction(1)):
        high = max(y, Fraction(1, 10**30))
        assert_dominates(transform, Reach((1,), None, -high, high), [y])
        assert_dominates(transform, Reach((1,), high, None, None), [y])


def test_a_rate_near_one_is_not_taken_for_one():
    transform = BitFlip(format="fp8_e5m2", rate=str(1 - Fraction(1, 10**17)), bits="exponent")
    exact = exact_component(
        Fraction(0), transform.form, transform.listed, 1 - Fraction(1, 10**17), "zero"
    )[1]
    found = transform.moments(Reach((1,), Fraction(1, 10**30), None, None)).second
    assert exact <= found.evaluate(RATIONALS) <= exact * Fraction(21, 20)


def test_monotone_in_the_reach():
    transform = BitFlip(format="fp8_e5m2", rate="1/1000")
    found = [
        transform.moments(Reach((3,), Fraction(k, 4), None, None)).second.evaluate(RATIONALS)
        for k in range(1, 40)
    ]
    assert found == sorted(found)


# --- the sampler ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fp8_e4m3", "bf16", "int8", "fp32"])
def test_rate_zero_is_rounding_and_rate_one_flips_all(name):
    form = FORMATS[name]
    x = np.random.default_rng(2).uniform(-7, 7, (50, 7))
    rng = np.random.default_rng(3)
    rounded = round_nearest_even(x, form)
    assert np.array_equal(BitFlip(format=name, rate=0).apply()(rng, x), rounded)
    flipped = BitFlip(format=name, rate=1, bits="sign").apply()(rng, x)
    codes = encoded(rounded, form) ^ (1 << (form.bits - 1))
    assert np.array_equal(flipped, decoded(codes, form))


@pytest.mark.parametrize("rate", [0.3, 0.01, 1e-3])
@pytest.mark.parametrize("bits", ["all", [0, 5]])
def test_every_listed_bit_flips_at_the_rate(rate, bits):
    transform = BitFlip(format="int8", rate=str(rate), bits=bits)
    x = np.tile(np.arange(-60.0, 60.0), (1000, 1))
    out = transform.apply()(np.random.default_rng(4), x)
    changed = encoded(out, FORMATS["int8"]) ^ encoded(x, FORMATS["int8"])
    for bit in range(8):
        mean = np.mean(changed >> bit & 1)
        if bit in transform.listed:
            assert abs(mean - rate) <= 5 * np.sqrt(rate / x.size)
        else:
            assert mean == 0


def test_few_flips_are_in_different_places():
    at, masks = drawn_flips(np.random.default_rng(5), 2, 50, (0, 3), Fraction(2.0**-8 - 1e-9))
    assert len(np.unique(at)) == len(at) == len(masks)
    counts = np.zeros((10, 2))
    for seed in range(1000):
        at, masks = drawn_flips(np.random.default_rng(seed), 2, 5, (0, 3), Fraction(0.003))
        counts[at, 0] += masks & 1
        counts[at, 1] += masks >> 3
    assert np.all(np.abs(counts / 1000 - 0.003) <= 5 * np.sqrt(0.003 / 1000))


class Drawn:
    """A generator whose numbers are given."""

    def __init__(self, value, integer):
        self.value, self.further = value, integer % 2**53 / 2**53

    def random(self, size=None):
        return self.further if size is None else np.full(size, self.value)


@pytest.mark.parametrize("rate", [*NEAR_ONE, Fraction(1, 3), Fraction(1, 2), Fraction(1, 60)])
def test_dense_flips_have_the_exact_probability(rate):
    """The first 53 bits of a uniform number decide, or leave it to the next 53."""
    first = int(rate * 2**53)
    rest = rate * 2**53 - first  # of the numbers whose first bits are these
    second = int(rest * 2**53)
    cases = [(first - 1, 0, True), (first, second - 1, rest > 0), (first, second + 1, False)]
    if first + 1 < 2**53:
        cases.append((first + 1, 0, False))
    for value, integer, flips in cases:
        at, masks = drawn_flips(Drawn(value / 2**53, integer), 1, 1, (4,), rate)
        assert at.tolist() == ([0] if flips else [])
        assert masks.tolist() == ([16] if flips else [])


def test_the_integer_below_all_others_is_kept():
    for nonfinite in ("zero", "saturate"):
        flip = BitFlip(format="int4", rate=1, bits="sign", nonfinite=nonfinite)
        assert flip.apply()(np.random.default_rng(0), np.zeros(2)).tolist() == [-8.0, -8.0]


def test_scale_and_special_results():
    transform = BitFlip(format="fp16", rate=1, bits=[14], scale=4, nonfinite="saturate")
    out = transform.apply()(np.random.default_rng(6), np.array([4.0, -6.0, 0.0]))
    assert out.tolist() == [65504.0 * 4, -65504.0 * 4, 8.0]
    zero = BitFlip(format="fp16", rate=1, bits=[14])
    assert zero.apply()(np.random.default_rng(6), np.array([1.0, 1.5])).tolist() == [0.0, 0.0]


def test_sampled_moments_stay_below():
    transform = BitFlip(format="fp6_e2m3", rate="1/20")
    y = np.array([1.3, -0.2, 4.4])
    out = transform.apply()(np.random.default_rng(7), np.broadcast_to(y, (40_000, 3)).copy())
    squares = np.sum((out - y) ** 2, axis=1)
    found = transform.moments(Reach((3,), None, Fraction(-22, 5), Fraction(22, 5)))
    assert squares.mean() <= float(found.second.evaluate(RATIONALS))
    exact = sum(
        exact_component(Fraction(v), FORMATS["fp6_e2m3"], range(6), Fraction(1, 20), "zero")[1]
        for v in y
    )
    assert abs(squares.mean() - float(exact)) <= 5 * squares.std() / 200


def test_nan_stays_and_what_does_not_fit_is_refused():
    apply = BitFlip(format="fp8_e4m3", rate="1/2").apply()
    out = apply(np.random.default_rng(8), np.array([np.nan, 1.0]))
    assert np.isnan(out[0])
    for x in (449.0, np.inf):
        with pytest.raises(SimulationError, match="does not fit the format fp8_e4m3"):
            apply(np.random.default_rng(8), np.array([x]))


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"rate": "3/2"}, "not a probability"),
        ({"rate": "a"}, "not a known rational number"),
        ({"rate": -1}, "negative"),
        ({"rate": 1e-40}, "too small"),
        ({"rate": str(1 - Fraction(1, 10**40))}, "too close to 1"),
        ({"rate": 0, "bits": [8]}, "not a list of bits"),
        ({"rate": 0, "bits": [-1]}, "not a list of bits"),
        ({"rate": 0, "bits": [1, 1]}, "not a list of bits"),
        ({"rate": 0, "bits": []}, "not a list of bits"),
        ({"rate": 0, "scale": 0}, "zero"),
        ({"rate": 0, "scale": "1" + 40 * "0"}, "out of range"),
        ({"rate": 0, "format": "int8", "bits": "exponent"}, "no exponent bits"),
    ],
)
def test_parameters_that_are_wrong(keys, problem):
    with pytest.raises(ValidationError, match=problem):
        BitFlip(**{"format": "fp8_e4m3", **keys})


def test_reaches_that_are_wrong():
    transform = BitFlip(format="fp8_e4m3", rate=0)
    with pytest.raises(SpecError, match="needs a range"):
        transform.moments(Reach((1,), None, None, None))
    with pytest.raises(SpecError, match="does not hold"):
        transform.largest(Reach((1,), Fraction(449), None, None))


def test_bits_of_a_vector():
    assert BitFlip(format="tf32", rate=0).bits(10) == 190
