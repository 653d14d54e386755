"""The C optimizers against the NumPy ones, step by step."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate.compiled.harness import library, needs_compiler

from boundcalc.simulate.optimizers import OPTIMIZERS, clip
from boundcalc.simulate.optimizers.adam import Adam
from boundcalc.simulate.optimizers.heavy_ball import HeavyBall
from boundcalc.simulate.optimizers.momentum import Momentum
from boundcalc.simulate.optimizers.nesterov import Nesterov
from boundcalc.simulate.optimizers.unified_momentum import UnifiedMomentum

pytestmark = needs_compiler

METHODS = {
    "sgd": OPTIMIZERS["sgd"](),
    "momentum": Momentum(0.7),
    "heavy_ball": HeavyBall(0.95),
    "nesterov": Nesterov(0.7),
    "nesterov at 0": Nesterov(0.0),
    "unified momentum": UnifiedMomentum(0.7, 1.6),
    "unified momentum at 0": UnifiedMomentum(0.7, 0.0),
    "adam": Adam(),
    "adam without averages": Adam(0.0, 0.0, 1e-8),
    "adam with long averages": Adam(0.99999, 0.9999999, 1e-3),
}

_SOURCE = """
#define REAL {real}
#include "optimizers.h"
void step(int code, const double *parameters, double step_size, double clip, int64_t t, int k,
          real *w, real *gradient, real *states, size_t stride) {{
  optimizer_step(code, parameters, step_size, clip, t, k, w, gradient, states, stride);
}}
"""


def steps_in_c(method, start, gradients, step_size, limit, real="double"):
    """The weights after every step, replica by replica, states of all replicas side by side."""
    kind = {"double": np.float64, "float": np.float32}[real]
    step = library(_SOURCE.format(real=real)).step
    w = np.array(start, kind)
    replicas, k = w.shape
    states = np.zeros((max(method.states, 1), replicas, k), kind)
    parameters = np.array([*method.parameters, np.nan])
    path = []
    for t, gradient in enumerate(np.array(gradients, kind)):
        for r in range(replicas):
            row = gradient[r].copy()
            step(
                ctypes.c_int(method.code),
                ctypes.c_void_p(parameters.ctypes.data),
                ctypes.c_double(step_size),
                ctypes.c_double(0.0 if limit is None else limit),
                ctypes.c_int64(t),
                ctypes.c_int(k),
                ctypes.c_void_p(w[r].ctypes.data),
                ctypes.c_void_p(row.ctypes.data),
                ctypes.c_void_p(states[0, r].ctypes.data),
                ctypes.c_size_t(replicas * k),
            )
        path.append(w.copy())
    return np.array(path)


def steps_in_numpy(method, start, gradients, step_size, limit, kind=np.float64):
    w, path = np.array(start, kind), []
    states = np.zeros((method.states, *w.shape), kind)
    for t, gradient in enumerate(np.array(gradients, kind)):
        if limit is not None:
            clip(gradient, limit)
        with np.errstate(all="ignore"):
            method.update(w, gradient, states, t, step_size)
        path.append(w.copy())
    return np.array(path)


@pytest.mark.parametrize("limit", [None, 1.5])
@pytest.mark.parametrize("name", METHODS)
def test_both_take_the_same_steps(name, limit):
    rng = np.random.default_rng(1)
    start, gradients = rng.normal(size=(3, 7)), rng.normal(size=(50, 3, 7))
    found = steps_in_c(METHODS[name], start, gradients, 0.05, limit)
    expected = steps_in_numpy(METHODS[name], start, gradients, 0.05, limit)
    assert (np.diff(found, axis=0) != 0).all()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", METHODS)
def test_both_take_the_same_steps_in_single_precision(name):
    rng = np.random.default_rng(2)
    start, gradients = rng.normal(size=(2, 19)), rng.normal(size=(30, 2, 19))
    found = steps_in_c(METHODS[name], start, gradients, 0.05, 2.0, "float")
    assert found.dtype == np.float32
    expected = steps_in_numpy(METHODS[name], start, gradients, 0.05, 2.0, np.float32)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(METHODS)),
    st.lists(st.floats(-1e300, 1e300), min_size=3, max_size=3),
    st.floats(1e-6, 1e6),
)
def test_both_clip_alike_at_any_size(name, values, limit):
    start, gradients = np.zeros((1, 3)), np.array([[values]])
    found = steps_in_c(METHODS[name], start, gradients, 0.5, limit)
    expected = steps_in_numpy(METHODS[name], start, gradients, 0.5, limit)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("limit", [None, 1.0])
def test_both_see_what_is_not_finite(name, bad, limit):
    gradients = np.array([[[1.0, bad, 2.0]], [[1.0, 1.0, 1.0]]])
    found = steps_in_c(METHODS[name], np.zeros((1, 3)), gradients, 0.5, limit)
    expected = steps_in_numpy(METHODS[name], np.zeros((1, 3)), gradients, 0.5, limit)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    if bad != 1e200:
        assert not np.isfinite(found[:, 0, 1]).any()
