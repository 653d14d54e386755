"""Steps against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.theories.distributed.measures import (
    measures_of,
    normalised_gradient,
    sign_gain,
    sign_weights,
    squared_gradient,
    step_weights,
    weighted_gradient,
)
from boundcalc.theories.distributed.noise_sampling import Noise
from boundcalc.theories.distributed.schedules import Steps

# Squares of smaller numbers are 0 in floating point, and so are norms.
SIZES = st.just(0.0) | st.floats(1e-100, 50)
NORMS = np.array([0.0, 1.0, 6.0])
QUIET = Noise("gaussian", np.zeros(2), np.zeros(2))


@pytest.mark.parametrize("step", [0, 3, 99])
def test_every_schedule_is_its_formula(step: int) -> None:
    root = math.sqrt(step + 1)
    assert Steps("constant", 0.3).at(step, NORMS).tolist() == [0.3] * 3
    np.testing.assert_allclose(Steps("inverse_sqrt", 0.3).at(step, NORMS), 0.3 / root, rtol=1e-15)
    inverse = Steps("inverse_norm", 0.3, offset=2.0).at(step, NORMS)
    np.testing.assert_allclose(inverse, [0.3 / 2, 0.3 / 3, 0.3 / 8], rtol=1e-15)
    # η is 7 here, and has no say in a prescribed step.
    whole = Steps("normalised", 7.0, numerator=0.5, L0=4.0, L1=2.0)
    np.testing.assert_allclose(whole.at(step, NORMS), [0.5 / 4, 0.5 / 6, 0.5 / 16], rtol=1e-15)
    falling = Steps("normalised", 7.0, numerator=0.5, L0=4.0, L1=2.0, decay=True)
    np.testing.assert_allclose(falling.at(step, NORMS), whole.at(step, NORMS) / root, rtol=1e-15)


@pytest.mark.parametrize("kind", ["constant", "inverse_sqrt"])
def test_steps_that_are_known_in_advance_are_those_taken(kind: str) -> None:
    steps = Steps(kind, 0.7)  # type: ignore[arg-type]
    known = steps.known(20)
    assert known is not None
    assert [float(steps.at(k, NORMS)[1]) for k in range(20)] == known.tolist()


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 10))
def test_normalised_steps_never_exceed_what_the_curvature_admits(
    a: float, more: float, L1: float
) -> None:
    steps = Steps("normalised", 1.0, numerator=1.0, L0=2.0, L1=L1)
    one, two = steps.at(5, np.array([a, a + more]))
    assert two <= one <= 0.5
    assert one * (2.0 + L1 * a) == pytest.approx(1.0, rel=1e-12)


def test_left_sides_are_their_formulas() -> None:
    gradient = np.array([[3.0, -4.0], [0.0, 0.0]])
    assert squared_gradient(gradient).tolist() == [25.0, 0.0]
    assert normalised_gradient(gradient, 5.0, 1.0).tolist() == [2.5, 0.0]
    normalised = Steps("normalised", 1.0, L0=2.0, L1=0.6)
    assert weighted_gradient(gradient, normalised).tolist() == [5.0, 0.0]
    inverse = Steps("inverse_norm", 1.0, offset=5.0, L0=9.0, L1=9.0)
    assert weighted_gradient(gradient, inverse).tolist() == [2.5, 0.0]
    assert weighted_gradient(gradient, Steps("constant", 0.1)).tolist() == [25.0, 0.0]


@given(
    st.lists(SIZES.map(lambda x: -x) | SIZES, min_size=2, max_size=2),
    st.lists(SIZES, min_size=3, max_size=3),
    SIZES,
)
def test_sign_gain_against_loops(gradient: list[float], sigma0: list[float], sigma1: float) -> None:
    noise = Noise("affine", np.array(sigma0), np.full(3, sigma1))
    norm = math.hypot(*gradient)
    total = 0.0
    for s0 in sigma0:
        scale = math.hypot(s0, sigma1 * norm)
        for part in map(abs, gradient):
            total += part * (1.0 if scale == 0 else min(part / scale, 1.0))
    found = sign_gain(np.array([gradient]), noise)[0]
    assert found == pytest.approx(total / 3, rel=1e-12, abs=1e-300)
    assert found <= sum(map(abs, gradient)) * (1 + 1e-12)


def test_random_times_have_the_statements_probabilities() -> None:
    steps = np.array([0.4, 0.2])
    weights = sign_weights(steps, c=0.5, psi=1.5, dimension=2, L1=0.5)
    assert weights is not None
    raw = [0.5 * g - 0.5 * 1.5 * 2 * 0.5 * g * g for g in (0.4, 0.2)]
    np.testing.assert_allclose(weights, np.array(raw) / sum(raw), rtol=1e-14)
    assert sign_weights(np.array([0.4, 0.2]), c=0.1, psi=1.5, dimension=2, L1=0.5) is None
    falling = step_weights(Steps("normalised", 1.0, decay=True), 4)
    np.testing.assert_allclose(falling * (1 / falling[0]), 1 / np.sqrt([1, 2, 3, 4]), rtol=1e-14)
    assert falling.sum() == pytest.approx(1.0, rel=1e-14)


def test_a_bound_on_the_gradient_stops_only_steps_that_are_fixed_in_advance() -> None:
    fixed = measures_of("dsgd", QUIET, Steps("constant", 0.1), 3, stop=7.0)
    free = measures_of("dsgd", QUIET, Steps("normalised", 0.1), 3, stop=7.0)
    sign = measures_of("dsignsgd", QUIET, Steps("constant", 0.1), 3, stop=7.0)
    assert fixed["left_side"].stop == 7.0
    assert free["left_side"].stop == sign["left_side"].stop == math.inf
