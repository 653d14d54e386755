"""The sharp statements: limits, exact second moments, and their place among the others."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import stale_literal as literal
from hypothesis import given, settings
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.arithmetic import INTERVALS, RATIONALS
from boundcalc.theories.registry import build_for
from boundcalc.theories.staleness import momentum_sharp, sharp
from boundcalc.theories.staleness.rate import evaluated
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.staleness.shapes import CORRECTED, MOMENTUM, MOMENTUM_SHARP, SGD, SHARP
from boundcalc.theories.staleness.theory import THEORY

CONSTANTS = (
    "constants: {{jac_input: {a}, jac_weight: {b}, hess_input: {A}, hess_mixed: {B}, "
    "third_input: 0, third_mixed: 0}}"
)


def problem(
    delays: list[int],
    operators: str,
    *,
    smooth: Any = 1,
    step: Any = "1/100",
    horizon: int = 100,
    gap: Any = 1,
    sigma: Any = 1,
    optimizer: str = "sgd",
    paper: str = "",
) -> Problem:
    K = len(delays)
    p = [0] * K if not any(delays) else [1] * (K - 1) + [0]
    spec = bc.loads(f"""
version: 1
name: sharp
theory: staleness
staleness: {{queues: {{p: {p}, m: {delays}}}{paper}}}
graph: {{operators: [{operators}]}}
loss: {{smoothness: "{smooth}", initial_gap: "{gap}", gradient_noise: "{sigma}"}}
training: {{step_size: "{step}", horizon: {horizon}, optimizer: {optimizer}}}
""")
    return Problem(build_for(spec), THEORY.own(spec))


def shifts(K: int, curvature: Any = 1) -> str:
    """K operators y + w and, in the last block, λy²/2: f(x) = λ(Σ x_k)²/2."""
    one = CONSTANTS.format(a=1, b=1, A=0, B=0)
    loss = CONSTANTS.format(a=100, b=0, A=curvature, B=0)
    blocks = ", ".join(f"{{id: f{k}, {one}}}" for k in range(K))
    return f"{blocks}, {{id: loss, {loss}}}"


def limit(made: Problem) -> Any:
    return made.number(sharp.limit).value


@pytest.mark.parametrize("tau", range(1, 51))
def test_delayed_gradient_descent_is_stable_below_the_limit(tau: int) -> None:
    """x_{t+1} = x_t − ηλx_{t−τ} is stable below 2 sin(π/(4τ+2))/λ; λ = 3."""
    made = problem([tau], shifts(1, 3), smooth=3)
    found = limit(made)
    square = INTERVALS.number(1 + 4 * tau**2)
    formula = 2 / (3 * (1 + INTERVALS.sqrt(square)))
    assert (found - formula).contains(0)
    assert (found / formula - 1).contains(0)
    edge = _sine(INTERVALS.pi() / (4 * tau + 2)) * 2 / 3
    for shape in (SGD, CORRECTED, SHARP, MOMENTUM, MOMENTUM_SHARP):
        largest = evaluated(made, shape).step_size_limit.value
        assert largest < edge
    if tau == 1:
        assert found > Fraction(2, 3) / Fraction(324, 100)


def _sine(x: Any) -> Any:
    """sin x ≥ x − x³/6 for 0 ≤ x ≤ 1: a lower bound is what the comparison needs."""
    return x - x**3 / 6


def test_limit_of_one_delay_is_exact() -> None:
    # 1/(1 + √5)·2 = 0.618…, the golden section; the edge of stability is 1.
    made = problem([1], shifts(1), smooth=1)
    assert float(limit(made)) == pytest.approx((math.sqrt(5) - 1) / 2, rel=1e-12)


def test_without_delays_it_is_the_classical_statement() -> None:
    made = problem([0, 0], shifts(2), smooth=2, step="1/8", horizon=100, gap=3, sigma=5)
    found = evaluated(made, SHARP)
    assert limit(made) == Fraction(1, 2)
    # 2Δ₀/(Nα) + Lασ²
    assert found.bound.value == Fraction(2 * 3 * 8, 100) + Fraction(2 * 25, 8)
    assert evaluated(problem([0, 0], shifts(2), smooth=2, step="1/2"), SHARP).bound is not None
    assert evaluated(problem([0, 0], shifts(2), smooth=2, step="51/100"), SHARP).bound is None
    heavy = "{type: heavy_ball, momentum: 0}"
    again = problem([0, 0], shifts(2), smooth=2, step="1/8", gap=3, sigma=5, optimizer=heavy)
    assert evaluated(again, MOMENTUM_SHARP).bound.value == found.bound.value


def test_coefficients_of_shifts_by_hand() -> None:
    """N is a matrix of ones: G = K·11ᵀ, and Q = K·Σ m_i², for m = (4, 2): 40."""
    made = problem([4, 2], shifts(2), smooth=2)
    Q = float(made.number(lambda s: s.Q))
    assert 40 * (1 - 1e-15) <= Q <= 40 * (1 + 1e-6)


@pytest.mark.parametrize(
    ("step", "wide"), [("1/1000", False), ("1/40", False), ("1/11", True), ("1/12", False)]
)
def test_the_noise_of_a_delay_by_hand(step: str, wide: bool) -> None:
    """f = 3x²/2 with delay 3: κ = 9, Q = 81, L = 3; θ is all that the step leaves."""
    alpha, sigma = Fraction(step), Fraction(5, 2)
    made = problem([3], shifts(1, 3), smooth=3, step=step, horizon=70, gap=2, sigma=sigma)
    theta = (1 - 3 * alpha) / (81 * alpha**2) - 1
    window = min(Fraction(9), 3 + Fraction(2) / (2 * theta))
    assert (window == 9) == wide
    found = evaluated(made, SHARP)
    assert found.terms["staleness"].value == alpha**2 * sigma**2 * 9 * window
    assert found.terms["sampling"].value == 3 * alpha * sigma**2
    assert found.terms["optimisation"].value == 4 / (70 * alpha)


@pytest.mark.parametrize("delays", [[1], [3], [2, 0], [3, 1], [4, 2, 0]])
@pytest.mark.parametrize("share", [Fraction(1, 10), Fraction(1, 2), Fraction(999, 1000)])
def test_exact_second_moments_stay_below_the_bound(delays: list[int], share: Fraction) -> None:
    """f = (Σ x_k)²/2: smoothness K; the exact average of E‖∇f‖² for noise in every block."""
    K, horizon = len(delays), 10
    start, variances = [Fraction(2)] * K, [Fraction(1, 4)] * K
    gap, sigma2 = Fraction((2 * K) ** 2, 2), sum(variances)
    made = problem(delays, shifts(K), smooth=K, horizon=horizon, gap=gap, sigma=f"sqrt({sigma2})")
    step = Fraction(float(limit(made))) * share
    bound = evaluated(made.at(step), SHARP)
    actual = literal.average_square(delays, start, step, variances, horizon)
    assert bound.bound is not None
    assert actual <= Fraction(float(bound.bound))
    assert actual > Fraction(float(bound.bound)) / 60  # of the right size


@pytest.mark.parametrize("delays", [[2], [3, 1]])
@pytest.mark.parametrize(("beta", "s"), [("1/2", "0"), ("1/2", "1"), ("3/4", "3"), ("0", "1/2")])
def test_exact_second_moments_of_momentum(delays: list[int], beta: str, s: str) -> None:
    K, horizon = len(delays), 16
    start, variances = [Fraction(1)] * K, [Fraction(1, 2)] * K
    optimizer = f'{{type: unified_momentum, momentum: "{beta}", s: "{s}"}}'
    made = problem(
        delays, shifts(K), smooth=K, horizon=horizon, gap=Fraction(K**2, 2),
        sigma=f"sqrt({sum(variances)})", optimizer=optimizer,
    )  # fmt: skip
    top = float(made.number(momentum_sharp.limit))
    for share in (0.1, 0.5, 0.999):
        step = Fraction(top * share)
        bound = evaluated(made.at(step), MOMENTUM_SHARP)
        actual = literal.average_square(
            delays, start, step, variances, horizon, Fraction(beta), Fraction(s)
        )
        assert bound.bound is not None
        assert actual <= Fraction(float(bound.bound))


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_how_far_weights_move_in_a_window(m: int) -> None:
    """E‖Σ(𝒢+ξ)‖² ≤ (1+θ)mΣE𝒢² + (m+(m−1)/(2θ))σ², and ≤ mΣE𝒢² + m²σ², where 𝒢 follows ξ.

    Signs ξ = ±1, all combinations; 𝒢_j any linear function of the signs before it.
    """
    followed = []
    for w in (0, 1, 3, -2):
        squares, total = Fraction(0), Fraction(0)
        outcomes = list(product((-1, 1), repeat=m))
        for signs in outcomes:
            g = [1 + w * sum(signs[:j], 0) for j in range(m)]
            total += sum(a + b for a, b in zip(g, signs, strict=True)) ** 2
            squares += sum(a**2 for a in g)
        total, squares = total / len(outcomes), squares / len(outcomes)
        assert total <= m * squares + m**2
        for theta in (Fraction(1, 8), Fraction(1, 2), Fraction(1), Fraction(4)):
            assert total <= (1 + theta) * m * squares + m + (m - 1) / (2 * theta)
        followed.append(total > m * squares + m)
    # Cross terms are there: with variances alone beside 𝒢 it would not hold.
    assert any(followed) == (m > 1)


@st.composite
def settings_of(draw: st.DrawFn) -> tuple[list[int], str, str]:
    K = draw(st.integers(1, 4))
    last = draw(st.integers(0, 2))
    delays = [last]
    for _ in range(K - 1):
        delays.insert(0, delays[0] + draw(st.integers(2, 4)))
    one = st.fractions(Fraction(1, 4), 2, max_denominator=4)
    rows = [f"{{id: f{k}, {CONSTANTS.format(**{x: draw(one) for x in 'abAB'})}}}" for k in range(K)]
    return delays, ", ".join(rows), str(draw(st.fractions(Fraction(1, 4), 4, max_denominator=4)))


@given(settings_of(), st.sampled_from(["", ", lipschitz: 3, error_gradient: 2"]))
@settings(max_examples=25)
def test_sharp_is_below_corrected_below_published(
    case: tuple[list[int], str, str], paper: str
) -> None:
    delays, operators, smooth = case
    if paper:
        smooth = "3"
    made = problem(delays, operators, smooth=smooth, paper=paper)
    top = evaluated(made, SGD).step_size_limit
    assert float(top) <= float(evaluated(made, SHARP).step_size_limit) * (1 + 1e-12)
    for share in (Fraction(1, 1000), Fraction(1, 2), Fraction(999, 1000)):
        at = made.at(Fraction(float(top)) * share)
        first, second, third = (evaluated(at, shape).bound for shape in (SHARP, CORRECTED, SGD))
        assert float(first) <= float(second) * (1 + 1e-12)
        assert float(second) <= float(third) * (1 + 1e-12)


@given(
    settings_of(),
    st.fractions(0, Fraction(9, 10), max_denominator=10),
    st.fractions(0, 5, max_denominator=4),
)
@settings(max_examples=25)
def test_sharp_momentum_is_below_published(
    case: tuple[list[int], str, str], beta: Fraction, s: Fraction
) -> None:
    delays, operators, smooth = case
    optimizer = f'{{type: unified_momentum, momentum: "{beta}", s: "{s}"}}'
    made = problem(delays, operators, smooth=smooth, optimizer=optimizer)
    top = evaluated(made, MOMENTUM).step_size_limit
    assert float(top) <= float(evaluated(made, MOMENTUM_SHARP).step_size_limit) * (1 + 1e-12)
    at = made.at(Fraction(float(top)) * Fraction(999, 1000))
    first, second = (evaluated(at, shape).bound for shape in (MOMENTUM_SHARP, MOMENTUM))
    assert float(first) <= float(second) * (1 + 1e-12)


@given(settings_of(), st.integers(0, 3))
@settings(max_examples=30)
def test_more_delay_never_helps(case: tuple[list[int], str, str], more: int) -> None:
    delays, operators, smooth = case
    made = problem(delays, operators, smooth=smooth)
    later = made.delayed([m + more if m else m for m in made.delays])
    # The weights of the separable bound are found in floating point, to about 1e-7.
    assert float(limit(later)) <= float(limit(made)) * (1 + 1e-6)
    step = Fraction(float(limit(later))) * Fraction(9, 10)
    first, second = (evaluated(x.at(step), SHARP).bound for x in (made, later))
    assert float(first) <= float(second) * (1 + 1e-6)


def test_weights_may_be_read_from_the_paper_alone() -> None:
    free = "{id: f1, type: dense, units: 2}, {id: f2, type: dense, units: 1}"
    made = problem([2, 0], free, paper=", lipschitz: 2, error_gradient: 3", smooth=2)
    assert made.chain_refusal is not None
    name, weights, t = made.coupling
    assert name == "lemma 1"
    assert (weights[0] > 0, weights[1]) == (True, 0)
    # Block 0 alone moves: L²(1 + t + (1 + 1/t)M²)m², least at t = M: L²(1 + M)²m².
    Q = made.number(lambda s: s.Q).value
    assert 4 * (1 + t + (1 + 1 / t) * 9) * 4 == Q
    assert 4 * 16 * 4 <= Q < Fraction(1, 2) * 4 * 9 * 2 * 3 * 1 * 4 * Fraction(6, 5)
    assert made.setting(RATIONALS).largest(("lemma 2", (Fraction(1), Fraction(0)), t)) >= Q


@pytest.mark.parametrize(("beta", "s"), [("1/2", "0"), ("1/2", "1"), ("1/4", "3"), ("0", "2")])
def test_momentum_by_hand(beta: str, s: str) -> None:
    """f = 3x²/2 with delay 2, Q = 36: what a gradient moves in all, and what is remembered."""
    optimizer = f'{{type: unified_momentum, momentum: "{beta}", s: "{s}"}}'
    made = problem(
        [2], shifts(1, 3), smooth=3, step="1/500", horizon=50, gap=2, sigma=4, optimizer=optimizer
    )
    b, speed = Fraction(beta), Fraction(s)
    # x moves by α(1 + βs)g at once, then by αφβ^r g in each of the steps after.
    phi = abs(1 - (1 - b) * speed)
    reach = 1 + b * speed + phi * b / (1 - b)
    found, alpha = evaluated(made, MOMENTUM_SHARP), Fraction(1, 500)
    assert found.constants["W"].value == reach
    assert found.terms["optimisation"].value == 2 * (1 - b) * 2 / (50 * alpha)
    eta = alpha / (1 - b)
    assert found.terms["sampling"].value == 3 * eta * 16 * (1 + b * phi / (1 - b))
    assert found.terms["staleness"].value == alpha**2 * reach**2 * 36 * 16
    slope = 3 / (1 - b) * (1 + 2 * b * phi / (1 - b))
    root = float(found.step_size_limit)
    assert 1 - float(slope) * root - root**2 * float(reach) ** 2 * 36 == pytest.approx(0, abs=1e-12)


def test_one_block_and_lemma_2() -> None:
    made = problem(
        [3], "{id: f1, type: dense, units: 1}", paper=", lipschitz: 2, error_gradient: 1"
    )
    # κ = L² at K = 1, M = 1.
    assert made.number(lambda s: s.Q).value == 4 * 9
    assert made.setting(RATIONALS).Q == 36
