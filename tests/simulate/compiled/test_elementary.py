"""The C functions of one number against mpmath at 60 digits, and where NumPy's limits are."""

import ctypes

import mpmath
import numpy as np
import pytest
from simulate.compiled.harness import library, needs_compiler

pytestmark = needs_compiler

#: Name → C expression of x.
EXPRESSIONS = {
    "exp": "real_exp(x)",
    "exp_of_negative": "exp_of_negative(x)",
    "power": "({ real less; exp_and_expm1(x, &less); })",
    "expm1": "({ real less; exp_and_expm1(x, &less); less; })",
    "log": "real_log(x)",
    "log1p": "real_log1p(x)",
    "log1p_of_share": "log1p_of_share(x)",
    "sin": "({ real cosine; sine_and_cosine(x, &cosine); })",
    "cos": "({ real cosine; sine_and_cosine(x, &cosine); cosine; })",
    "gaussian_tail": "({ real density; gaussian_tail(x, &density); })",
    "density": "({ real density; gaussian_tail(x, &density); density; })",
}

#: Name → the exact function.
EXACT = {
    "exp": mpmath.exp,
    "exp_of_negative": mpmath.exp,
    "power": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "log1p_of_share": mpmath.log1p,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "gaussian_tail": lambda x: mpmath.erfc(x / mpmath.sqrt(2)) / 2,
    "density": lambda x: mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi),
}

#: Name → largest error in units of the last place, and ranges for double, then for float.
RANGES = {
    "exp": (1.2, [(-745.2, -708), (-40, 40), (-1e-5, 1e-5), (709, 709.78)], [(-103, 88.7)]),
    "exp_of_negative": (1.2, [(-745.2, -708), (-708, 0), (-1e-5, 0)], [(-103, -87), (-87, 0)]),
    "power": (1.2, [(-745.2, -708), (-40, 0)], [(-103, -87), (-40, 0)]),
    "expm1": (1.5, [(-50, 0), (-1, 0), (-1e-5, 0)], [(-50, 0), (-1, 0), (-1e-3, 0)]),
    "log": (1.2, [(1e-310, 1e-307), (0.5, 2), (0.99, 1.01), (0, 1e300)], [(1e-40, 2), (0.9, 1.1)]),
    "log1p": (1.5, [(-0.999, 1), (-1e-5, 1e-5), (0, 1e17), (0, 1e300)], [(-0.99, 9), (0, 1e30)]),
    "log1p_of_share": (1.7, [(0, 1), (0, 1e-5), (0.41, 0.42)], [(0, 1), (0.41, 0.42)]),
    "sin": (2.2, [(-1, 1), (-1e-5, 1e-5), (-40, 40), (-1.6e6, 1.6e6)], [(-4, 4), (-1600, 1600)]),
    "cos": (2.2, [(-1, 1), (-40, 40), (-1.6e6, 1.6e6)], [(-4, 4), (-1600, 1600)]),
    "gaussian_tail": (6.0, [(0, 2), (0, 10), (10, 38.4)], [(0, 2), (2, 12.9)]),
    "density": (2.5, [(0, 2), (0, 10), (10, 38.4)], [(0, 2), (2, 12.9)]),
}

_SOURCE = """
#define REAL {real}
#define LANES 64
#include "circular.h"
#include "gaussian.h"
{functions}
"""
_FUNCTION = """
void {name}_all(int lanes, const real *restrict from, real *restrict to) {{
  FOR_LANES(b) {{
    const real x = from[b];
    to[b] = {expression};
  }}
}}
"""


def applied(name, real, x):
    functions = "".join(
        _FUNCTION.format(name=each, expression=text) for each, text in EXPRESSIONS.items()
    )
    loaded = library(_SOURCE.format(real=real, functions=functions))
    x = np.ascontiguousarray(x, dtype=np.float32 if real == "float" else np.float64)
    found = np.empty_like(x)
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (x, found))
    getattr(loaded, f"{name}_all")(ctypes.c_int(len(x)), *pointers)
    return x, found


@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize("name", list(RANGES))
def test_functions_are_right_to_the_last_places(name, real):
    most, *ranges = RANGES[name]
    rng = np.random.default_rng(7)
    for low, high in ranges[real == "float"]:
        x, found = applied(name, real, rng.uniform(low, high, 300))
        with mpmath.workdps(60):
            for t, value in zip(x, found, strict=True):
                exact = EXACT[name](mpmath.mpf(float(t)))
                unit = mpmath.mpf(float(np.spacing(abs(value))))
                assert abs(mpmath.mpf(float(value)) - exact) <= most * unit, (t, value, exact)


@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize(
    ("name", "function", "points"),
    [
        ("exp", np.exp, [0, -0.0, np.inf, -np.inf, np.nan, 1e4, -1e4, 1e-320, 1e-45]),
        ("exp_of_negative", np.exp, [0, -0.0, -np.inf, np.nan, -1e4, -1e-320]),
        ("power", np.exp, [0, -0.0, -np.inf, np.nan, -1e4]),
        ("expm1", np.expm1, [0, -0.0, -np.inf, np.nan, -1e4, -1e-320]),
        ("log", np.log, [0, -0.0, 1, np.inf, -np.inf, np.nan, -1]),
        ("log1p", np.log1p, [0, -0.0, np.inf, -np.inf, np.nan, -1, -2, 1e-320]),
        ("log1p_of_share", np.log1p, [0, np.nan, 1e-320]),
    ],
)
def test_functions_at_their_limits(name, function, points, real):
    with np.errstate(all="ignore"):
        x, found = applied(name, real, points)
        expected = function(x)
    np.testing.assert_array_max_ulp(found[np.isfinite(expected)], expected[np.isfinite(expected)])
    odd = ~np.isfinite(expected)
    np.testing.assert_array_equal(found[odd], expected[odd])


@pytest.mark.parametrize(("real", "dtype"), [("double", np.float64), ("float", np.float32)])
def test_exp_overflows_and_vanishes_where_it_should(real, dtype):
    limits = np.finfo(dtype)
    high = dtype(mpmath.log(mpmath.mpf(float(limits.max))))
    low = dtype(mpmath.log(mpmath.mpf(float(limits.smallest_subnormal)) / 2))
    near = [np.nextafter(t, dtype(end)) for t in (high, low) for end in (-np.inf, np.inf)]
    x, found = applied("exp", real, [high, low, *near])
    for t, value in zip(x, found, strict=True):
        exact = mpmath.exp(mpmath.mpf(float(t)))
        assert np.isinf(value) == (exact > float(limits.max))
        assert (value == 0) == (exact < mpmath.mpf(float(limits.smallest_subnormal)) / 2)


def test_numbers_next_to_multiples_of_a_quarter_turn():
    n = np.arange(-1_000_000, 1_000_000, 3001)
    x, sines = applied("sin", "double", n * (np.pi / 2))
    _, cosines = applied("cos", "double", x)
    np.testing.assert_allclose(sines, np.sin(x), rtol=1e-15)
    np.testing.assert_allclose(cosines, np.cos(x), rtol=1e-15)
