"""Bounds against second moments of quadratics that are computed exactly, without sampling."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from theories.shrinkage.shrinkage_cases import case

from boundcalc.arithmetic import RATIONALS
from boundcalc.theories.shrinkage import descent, pl

unit = st.fractions(Fraction(1, 20), 1, max_denominator=20)


def moments(curvatures, start, q, *, sigma, noise, step, compensated=False):
    """(E‖∇ℓ‖², E[ℓ − ℓ*]) before every step and at the end, for ℓ = Σ λ_i w_i²/2.

    Noise has the same variance in every component: E w_i² ← (1 − aλ_i)² E w_i² + s²(q²σ² + σ_e²)/d.
    """
    second = [x**2 for x in start]
    d = len(curvatures)
    squares, gaps = [], []
    for factor in [*q, None]:
        squares.append(sum(c**2 * x for c, x in zip(curvatures, second, strict=True)))
        gaps.append(sum(c * x for c, x in zip(curvatures, second, strict=True)) / 2)
        if factor is None:
            break
        s = step / factor if compensated else step
        added = s**2 * (factor**2 * sigma**2 + noise**2) / d
        second = [
            (1 - s * factor * c) ** 2 * x + added for c, x in zip(curvatures, second, strict=True)
        ]
    return squares, gaps


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(unit, min_size=1, max_size=4),
    m=unit,
    start=st.fractions(0, 4, max_denominator=5),
    sigma=st.fractions(0, 2, max_denominator=5),
    noise=st.fractions(0, 2, max_denominator=5),
    step=unit,
    compensated=st.booleans(),
    horizon=st.integers(1, 9),
)
def test_bounds_hold_for_every_quadratic(
    values, m, start, sigma, noise, step, compensated, horizon
):
    own = {
        "q": {"pattern": [str(v) for v in values]},
        "quantization_noise": str(noise),
        "compensation": compensated,
    }
    listed = [values[k % len(values)] for k in range(horizon)]
    curvatures, point = (Fraction(1), m), (start, Fraction(1))
    squares, gaps = moments(
        curvatures, point, listed, sigma=sigma, noise=noise, step=step, compensated=compensated
    )
    s = case(own, L=1, m=m, gap=gaps[0], sigma=sigma, step=step, horizon=horizon).at(RATIONALS)
    a = [step if compensated else step * q for q in listed]

    def average(weights):
        return sum(w * x for w, x in zip(weights, squares, strict=False)) / sum(weights)

    assert average(a) <= descent.bound(s)
    assert average([x * (2 - x) for x in a]) <= descent.bound(s, "sharp")
    assert gaps[-1] <= pl.bound(s, "sharp") <= pl.bound(s)
    if not compensated:
        assert min(squares[:-1]) <= descent.bound(s, "least")
        assert average(listed) <= descent.bound(s, "least")


@settings(max_examples=20, deadline=None)
@given(
    values=st.lists(unit, min_size=1, max_size=3),
    step=st.fractions(Fraction(1, 20), Fraction(19, 10), max_denominator=20),
    horizon=st.integers(1, 9),
)
def test_sharp_gap_is_attained_on_one_curvature(values, step, horizon):
    own = {"q": {"pattern": [str(v) for v in values]}, "quantization_noise": "1/3"}
    listed = [values[k % len(values)] for k in range(horizon)]
    exact = moments(
        (Fraction(1),), (Fraction(2),), listed, sigma=Fraction(1), noise=Fraction(1, 3), step=step
    )
    s = case(own, L=1, m=1, gap=2, sigma=1, step=step, horizon=horizon).at(RATIONALS)
    assert pl.bound(s, "sharp") == exact[1][-1]
    # And of the average what is missing is the gap that is left.
    a = [step * q for q in listed]
    weights = [x * (2 - x) for x in a]
    total = sum(w * x for w, x in zip(weights, exact[0], strict=False)) + 2 * exact[1][-1]
    assert descent.bound(s, "sharp") == total / sum(weights)


@pytest.mark.parametrize("step", ["1/10", "1", "2"])
def test_a_step_that_descends_needs_mu_q_at_most_one_over_L(step):
    """With constant q = 1/2 the plain bound holds up to μ = 2/L, above the 1/L of any factors."""
    s = case({"q": "1/2"}, L=1, m=1, gap=2, sigma=1, step=step, horizon=30).at(RATIONALS)
    q, mu = Fraction(1, 2), Fraction(step)
    squares, gaps = moments(
        (Fraction(1),), (Fraction(2),), [q] * 30, sigma=Fraction(1), noise=Fraction(0), step=mu
    )
    assert sum(squares[:-1]) / 30 <= descent.bound(s)
    assert gaps[-1] <= pl.bound(s)
    assert descent.step_too_large(s) is False
