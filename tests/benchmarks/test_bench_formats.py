"""Rounding kernels per element: pytest tests/benchmarks --benchmark-only.

Nothing here asserts a time; a million values in each round, so that milliseconds are
nanoseconds per element.
"""

import numpy as np
import pytest

from boundcalc.perturbations import TRANSFORMS, BitFlip, NumberFormat
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


# --- peers, in the same run -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn"])
def test_peer_ml_dtypes_nearest_from_float32(benchmark, values, name):
    """It rounds float64 twice, so it is given float32."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    single, form = values.astype(np.float32), getattr(ml_dtypes, name)
    out = benchmark(lambda: single.astype(form).astype(np.float32))
    assert np.abs(out - single).max() <= 0.5


@pytest.mark.parametrize("rounding", ["TiesToEven", "StochasticFast"])
def test_peer_gfloat(benchmark, values, rounding):
    gfloat = pytest.importorskip("gfloat")
    formats = pytest.importorskip("gfloat.formats")
    form, mode = formats.format_info_ocp_e4m3, gfloat.RoundMode[rounding]
    keys = {}
    if rounding != "TiesToEven":
        keys["srbits"] = np.random.default_rng(0).integers(0, 2**8, SIZE)
        keys["srnumbits"] = 8
    out = benchmark(lambda: gfloat.round_ndarray(form, values, mode, sat=True, **keys))
    assert np.abs(out - values).max() <= 0.5 * (1 + bool(keys))


# --- compressors ----------------------------------------------------------------------------

COMPRESSORS = {
    "natural": {},
    "rand_k": {"k": 100},
    "sign": {},
    "sparsify": {"keep": "1/10"},
    "top_k": {"k": 100},
}


@pytest.mark.parametrize("name", COMPRESSORS)
def test_compressors(benchmark, values, name):
    apply = TRANSFORMS[name].model_validate(COMPRESSORS[name]).apply()
    rng, rows = np.random.Generator(np.random.SFC64(0)), values.reshape(1000, 1000)
    out = benchmark(apply, rng, rows)
    assert out.shape == rows.shape
