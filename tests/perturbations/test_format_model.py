"""The transform number_format: keys, overflow, groups, bits, the registry."""

from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SimulationError, SpecError
from boundcalc.perturbations import TRANSFORMS, BitFlip, Dependence, NumberFormat, Reach
from boundcalc.perturbations.formats import FORMATS, round_nearest_even

UNIFORM = {"format": "uniform", "bits": 4, "low": -1, "high": 1}


def rng(seed=0):
    return np.random.Generator(np.random.SFC64(seed))


def test_the_registry_has_both():
    assert TRANSFORMS["number_format"] is NumberFormat
    assert TRANSFORMS["bit_flip"] is BitFlip
    assert NumberFormat.dependence is Dependence.CONDITIONAL


# --- keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"format": "bf61"}, "no number format has that name"),
        ({"format": "bf16", "scaling": "channel"}, "needs `channels`"),
        ({"format": "bf16", "channels": 3}, "has no use for `channels`"),
        ({"format": "bf16", "scaling": "tensor", "block": 3}, "has no use for `block`"),
        ({"format": "bf16", "scaling": "tensor", "scale": 2}, "has no use for `scale`"),
        ({"format": "bf16", "scaling": "block", "overflow": "error"}, "no use for `overflow`"),
        ({"format": "bf16", "scale_kind": "real"}, "no use for `scale_kind`"),
        ({"format": "int8", "subnormals": "flush"}, "no use for `subnormals`"),
        ({"format": "int8", "bits": 8}, "no use for `bits`"),
        ({"format": "uniform", "bits": 8}, "needs `high`, `low`"),
        ({**UNIFORM, "scale": 2}, "has no use for `scale`"),
        ({**UNIFORM, "scaling": "tensor"}, "has no use for `scaling`"),
        ({**UNIFORM, "subnormals": "keep"}, "has no use for `subnormals`"),
        ({**UNIFORM, "bits": 0}, "greater than or equal to 1"),
        ({**UNIFORM, "bits": 17}, "less than or equal to 16"),
        ({**UNIFORM, "low": 1}, "is empty"),
        ({**UNIFORM, "low": "a"}, "not a known rational number"),
        ({**UNIFORM, "low": 10000, "high": "10000.0001", "bits": 16}, "too close"),
        ({"format": "bf16", "scale": 0}, "zero"),
        ({"format": "bf16", "scale": "a"}, "not a known rational number"),
        ({"format": "bf16", "scale": "sqrt(2)"}, "not a known rational number"),
        ({"format": "bf16", "rounding": "up"}, "'nearest' or 'stochastic'"),
        ({"format": "bf16", "typo": 1}, "Extra inputs"),
        ({"format": "bf16", "scaling": "block", "block": 0}, "greater than or equal to 1"),
    ],
)
def test_keys_that_do_not_go_together(keys, problem):
    with pytest.raises(ValidationError, match=problem):
        NumberFormat(**keys)


def test_scale_kinds_by_default():
    assert NumberFormat(format="int8", scaling="tensor").kind == "real"
    assert NumberFormat(format="int8", scaling="block").kind == "power_of_two"
    assert NumberFormat(format="fp8_e4m3", scaling="tensor").kind == "power_of_two"
    chosen = NumberFormat(format="fp8_e4m3", scaling="tensor", scale_kind="real")
    assert chosen.kind == "real"


@pytest.mark.parametrize(
    ("keys", "size", "bits"),
    [
        ({"format": "bf16"}, 10, 160),
        ({"format": "tf32"}, 10, 190),
        (UNIFORM, 10, 40),
        ({"format": "int8", "scaling": "tensor"}, 10, 80 + 32),
        ({"format": "int4", "scaling": "block"}, 70, 280 + 3 * 8),
        ({"format": "fp4_e2m1", "scaling": "channel", "channels": 5}, 10, 40 + 5 * 8),
        ({"format": "int8", "scaling": "block", "block": 4, "scale_kind": "real"}, 8, 64 + 64),
    ],
)
def test_bits_with_scales(keys, size, bits):
    assert NumberFormat(**keys).bits(size) == bits


# --- the sampler ---------------------------------------------------------------------------


def test_a_static_scale_is_held_with_24_bits():
    x = np.linspace(-1, 1, 1001)
    out = NumberFormat(format="int8", scale="1/127").apply()(rng(), x[None])
    scale = float(np.nextafter(np.float32(1 / 127), np.float32(1)))  # rounded up: 1 fits
    assert np.array_equal(out[0], round_nearest_even(x, FORMATS["int8"], scale))
    assert out[0, -1] == 127 * scale >= 1


@pytest.mark.parametrize("x", [448.0001, -1e9, np.inf, -np.inf])
def test_what_does_not_fit_is_refused_when_it_comes(x):
    with pytest.raises(SimulationError, match="does not fit the format fp8_e4m3"):
        NumberFormat(format="fp8_e4m3").apply()(rng(), np.array([[1.0, x]]))
    with pytest.raises(SimulationError, match="does not fit the format uniform"):
        NumberFormat(**UNIFORM).apply()(rng(), np.array([[1.0, x]]))
    held = NumberFormat(format="fp8_e4m3", overflow="saturate").apply()(rng(), np.array([x]))
    assert held[0] == np.sign(x) * 448


@pytest.mark.parametrize("keys", [{"scaling": "tensor"}, {"scaling": "block", "block": 3}, {}])
def test_nan_is_never_lost(keys):
    for rounding in ("nearest", "stochastic"):
        transform = NumberFormat(format="int8", rounding=rounding, **keys)
        assert np.isnan(transform.apply()(rng(), np.array([1.0, np.nan, 2.0]))[1])
    if keys:
        for rounding in ("nearest", "stochastic"):
            transform = NumberFormat(format="int8", rounding=rounding, **keys)
            assert np.isnan(transform.apply()(rng(), np.array([1.0, np.inf, 2.0]))).all()


@pytest.mark.parametrize("size", [1, 5, 6, 7, 64])
@pytest.mark.parametrize("kind", ["real", "power_of_two"])
def test_blocks_are_rounded_apart(size, kind):
    x = np.exp(np.random.default_rng(1).normal(0, 3, (4, 3, size)))
    keys = {"format": "int4", "scale_kind": kind}
    whole = NumberFormat(scaling="block", block=3, **keys).apply()(rng(), x)
    one = NumberFormat(scaling="tensor", **keys).apply()
    for start in range(0, size, 3):
        part = x[..., start : start + 3]
        assert np.array_equal(whole[..., start : start + 3], one(rng(), part))


def test_channels_are_equal_parts_in_c_order():
    x = np.random.default_rng(2).normal(0, 1, (5, 12)) * np.repeat([1.0, 100.0, 0.01], 4)
    transform = NumberFormat(format="int8", scaling="channel", channels=3)
    parts = NumberFormat(format="int8", scaling="block", block=4, scale_kind="real")
    assert np.array_equal(transform.apply()(rng(), x), parts.apply()(rng(), x))
    assert np.abs(transform.apply()(rng(), x) / x - 1).max() < 0.6
    with pytest.raises(SpecError, match="do not divide"):
        transform.moments(Reach((10,), Fraction(1), None, None))
    with pytest.raises(SpecError, match="do not divide"):
        transform.apply()(rng(), x[:, :10])


def test_the_largest_of_a_group_is_kept_with_powers_of_two():
    """OCP's rule would clip 1.9 · 2^k in fp8_e4m3 to 1.75 · 2^k."""
    x = np.array([[1.9, 0.1], [-3.8, 0.0], [448.0, 1.0]])
    out = NumberFormat(format="fp8_e4m3", scaling="block").apply()(rng(), x)
    assert np.abs(out - x).max() <= 3.8 / 17
    assert out[2].tolist() == [448.0, 1.0]


def test_tiny_groups_and_zeros_are_left_alone():
    x = np.array([[0.0, 0.0], [1e-200, 3e-200], [5e-324, -5e-324]])
    for rounding in ("nearest", "stochastic"):
        out = NumberFormat(format="int4", scaling="tensor", rounding=rounding).apply()(rng(), x)
        assert np.array_equal(out, x)


def test_large_and_small_groups_scale_alike():
    x = np.random.default_rng(3).normal(size=(20, 8))
    apply = NumberFormat(format="fp6_e3m2", scaling="tensor").apply()
    for k in (-500, -40, 30, 500):
        assert np.array_equal(apply(rng(), np.ldexp(x, k)), np.ldexp(apply(rng(), x), k))


def test_stochastic_draws_are_independent_of_each_other():
    x = np.full((4000, 2), 0.5)
    out = NumberFormat(format="int8", rounding="stochastic").apply()(rng(7), x)
    assert abs(np.corrcoef(out.T)[0, 1]) < 5 / np.sqrt(4000)
    again = NumberFormat(format="int8", rounding="stochastic").apply()(rng(7), x)
    assert np.array_equal(out, again)


def test_moments_are_those_of_the_scaled_problem():
    """Powers of two scale everything: E‖δ‖² by 4^k, E‖δ‖⁴ by 16^k."""
    plain = NumberFormat(format="fp8_e5m2", rounding="stochastic")
    scaled = NumberFormat(format="fp8_e5m2", rounding="stochastic", scale=8)
    one = plain.moments(Reach((3,), Fraction(5), None, None))
    eight = scaled.moments(Reach((3,), Fraction(40), None, None))
    assert eight.second.evaluate(RATIONALS) == 64 * one.second.evaluate(RATIONALS)
    assert eight.fourth.evaluate(RATIONALS) == 4096 * one.fourth.evaluate(RATIONALS)
