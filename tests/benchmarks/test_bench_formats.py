"""Rounding kernels per element: pytest tests/benchmarks --benchmark-only.

Nothing here asserts a time; a million values in each round, so that milliseconds are
nanoseconds per element.
"""

import numpy as np
import pytest

from boundcalc.perturbations import BitFlip, NumberFormat
from boundcalc.perturbations.formats import FORMATS, round_nearest_even, round_stochastic

SIZE = 1_000_000
FORMS = ["bf16", "fp16", "fp8_e4m3", "int8"]


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(0).standard_normal(SIZE)


@pytest.mark.parametrize("name", FORMS)
def test_nearest(benchmark, values, name):
    out = benchmark(round_nearest_even, values, FORMATS[name])
    assert np.abs(out - values).max() <= 0.5


@pytest.mark.parametrize("name", FORMS)
def test_stochastic(benchmark, values, name):
    rng = np.random.Generator(np.random.SFC64(0))
    out = benchmark(round_stochastic, values, FORMATS[name], rng)
    assert np.abs(out - values).max() <= 1


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("scaling", ["tensor", "block"])
def test_dynamic_scales(benchmark, values, scaling, rounding):
    apply = NumberFormat(format="int8", scaling=scaling, rounding=rounding).apply()
    rng, rows = np.random.Generator(np.random.SFC64(0)), values.reshape(1000, 1000)
    out = benchmark(apply, rng, rows)
    assert np.abs(out - rows).max() <= 1


def test_rare_flips(benchmark, values):
    apply = BitFlip(format="bf16", rate="1/100000").apply()
    rng = np.random.Generator(np.random.SFC64(0))
    out = benchmark(apply, rng, values)
    assert np.mean(out != round_nearest_even(values, FORMATS["bf16"])) < 1e-3
