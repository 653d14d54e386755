"""Stale passes against their bounds; L, M and the separable bounds."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
import stale_literal as literal
from hypothesis import given, settings
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS, WIDE
from boundcalc.operators import (
    OPERATORS,
    Bilinear,
    ControlStep,
    Conv1d,
    Conv2d,
    Dense,
    Embedding,
    GradientStep,
    LayerNorm,
    Margin,
    Quadratic,
    RMSNorm,
    Spline,
)
from boundcalc.operators.elementwise import Elementwise
from boundcalc.theories.registry import build_for
from boundcalc.theories.staleness.chain import StaleChain, delays_of, stale_chain
from boundcalc.theories.staleness.coupling import (
    ChainCoupling,
    PaperCoupling,
    SmoothCoupling,
    balanced,
)
from boundcalc.theories.staleness.lipschitz import AFFINE_IN_WEIGHTS, first_lemma, second_lemma
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.staleness.theory import THEORY

FRACTIONS = st.fractions(min_value=0, max_value=3, max_denominator=6)


@st.composite
def stale_chains(draw: st.DrawFn, low: int = 1, high: int = 6) -> StaleChain:
    size = draw(st.integers(low, high))

    def column() -> tuple[Fraction, ...]:
        return (Fraction(0), *(draw(FRACTIONS) for _ in range(size)))

    a, b, l, A, B = (column() for _ in range(5))  # noqa: E741 - the letter of the theory
    V = [Fraction(1)] * (size + 1)
    for j in range(size, 1, -1):
        V[j - 1] = a[j] * V[j]
    return StaleChain(a, b, l, A, B, tuple(V), Fraction(0))


@given(stale_chains(), st.data())
@settings(max_examples=25)
def test_errors_are_the_matrix_of_paths(chain: StaleChain, data: st.DataObject) -> None:
    d = [data.draw(FRACTIONS) for _ in range(chain.size)]
    rows = literal.matrix(chain)
    expected = [sum(n * x for n, x in zip(row, d, strict=True)) for row in rows]
    assert chain.errors([Fraction(0), *d])[1:] == expected


@given(stale_chains(), st.data())
@settings(max_examples=25)
def test_pulled_is_the_adjoint(chain: StaleChain, data: st.DataObject) -> None:
    y = [data.draw(FRACTIONS) for _ in range(chain.size)]
    rows = literal.matrix(chain)
    expected = [sum(row[l] * x for row, x in zip(rows, y, strict=True)) for l in range(chain.size)]  # noqa: E741
    assert chain.pulled([Fraction(0), *y])[1:] == expected


def _random_chain(rng: random.Random) -> list[literal.Scalar]:
    count = rng.randint(1, 5)
    made = [
        rng.choice([literal.sine(rng.uniform(0.3, 2)), literal.product(), literal.shift()])
        for _ in range(count)
    ]
    return [*made, rng.choice([literal.half_square(), literal.sine(rng.uniform(0.5, 2))])]


def test_stale_gradients_stay_below_the_bound_and_come_close() -> None:
    rng = random.Random(7)  # noqa: S311 - settings of a test
    highest = 0.0
    for _ in range(800):
        operators = _random_chain(rng)
        W, data = rng.choice([0.3, 1.0, 2.0]), rng.uniform(-1, 1)
        chain = literal.constants_of(operators, data, W)
        w = [rng.uniform(-W, W) for _ in operators]
        far = rng.choice([0.01, 0.3, 1.0])
        u = [min(W, max(-W, x + far * rng.uniform(-W, W))) for x in w]
        d = [abs(x - y) for x, y in zip(u, w, strict=True)]
        bounds = chain.errors([0.0, *d])[1:]
        stale = literal.stale_gradient(operators, data, u, w)
        current = literal.stale_gradient(operators, data, w, w)
        for found, now, bound in zip(stale, current, bounds, strict=True):
            assert abs(found - now) <= bound * (1 + 1e-12) + 1e-12
            if bound > 1e-6:
                highest = max(highest, abs(found - now) / bound)
        for v, V in zip(literal.passed_back(operators, data, u, w)[1:], chain.V[1:], strict=True):
            assert abs(v) <= V * (1 + 1e-12)
    assert highest > 0.95  # a bound that is far too large would hide an error


def test_weights_that_move_last_change_nothing() -> None:
    # The last operator's forward weights never reach a gradient.
    operators = [literal.shift(), literal.product(), literal.sine(1.0)]
    w = [0.4, 0.7, -0.2]
    assert literal.stale_gradient(operators, 1.0, [0.4, 0.7, 0.9], w) == (
        literal.stale_gradient(operators, 1.0, w, w)
    )
    chain = literal.constants_of(operators, 1.0, 1.0)
    assert chain.errors([0.0, 0.0, 0.0, 5.0]) == [0.0] * 4


@given(stale_chains(2), st.data())
@settings(max_examples=30)
def test_separable_bounds_hold_whatever_the_weights(chain: StaleChain, data: st.DataObject) -> None:
    t = [data.draw(st.fractions(Fraction(1, 8), 4, max_denominator=8)) for _ in range(chain.size)]
    d = [data.draw(FRACTIONS) for _ in range(chain.size)]
    kappa = ChainCoupling(chain).shares(t)
    error = sum(e**2 for e in chain.errors([Fraction(0), *d]))
    assert error <= sum(k * x**2 for k, x in zip(kappa, d, strict=True))


def _dense(coupling: ChainCoupling | SmoothCoupling) -> np.ndarray:
    size = coupling.parts
    eye = np.eye(size)
    return np.array([[float(x) for x in coupling.applied(list(row))] for row in eye])


def test_balanced_weights_reach_the_largest_eigenvalue() -> None:
    rng = random.Random(3)  # noqa: S311 - settings of a test
    for _ in range(30):
        size = rng.randint(2, 7)
        chain = literal.constants_of(
            [literal.sine(rng.uniform(0.5, 1.5)) for _ in range(size)], 1.0, 1.0
        )
        wide = StaleChain(
            *(tuple(WIDE.measured(x) for x in getattr(chain, key)) for key in "ablABV"),
            WIDE.number(0),
        )
        coupling = ChainCoupling(wide)
        weights = [Fraction(rng.randint(0, 5)) for _ in range(size)]
        t = balanced(coupling, weights)
        kappa = coupling.shares([WIDE.number(x) for x in t])
        reached = max(float(k) * float(w) for k, w in zip(kappa, weights, strict=True))
        root = np.sqrt([float(w) for w in weights])
        least = np.linalg.eigvalsh(root[:, None] * _dense(coupling) * root[None])[-1]
        assert least * (1 - 1e-9) <= reached <= least * (1 + 1e-4) + 1e-12
        assert all((x > 0) == (w > 0) for x, w in zip(t, weights, strict=True))


@given(
    st.integers(1, 6),
    FRACTIONS,
    FRACTIONS,
    st.fractions(Fraction(1, 4), 4, max_denominator=4),
    st.data(),
)
def test_smoothness_and_lemma_1_make_a_bound(
    K: int, L: Fraction, M: Fraction, t: Fraction, data: st.DataObject
) -> None:
    d = [data.draw(FRACTIONS) for _ in range(K)]
    moved = SmoothCoupling(L, M, K, t, RATIONALS).applied(d)
    # (√P + √Q)² ≤ (1+t)P + (1+1/t)Q with P = L²‖d‖², Q = L²M²‖Td‖².
    smooth = L**2 * sum(x**2 for x in d)
    lemma = L**2 * M**2 * sum(sum(d[k:], Fraction(0)) ** 2 for k in range(K))
    expected = (1 + t) * smooth + (1 + 1 / t) * lemma
    assert sum(x * y for x, y in zip(d, moved, strict=True)) == expected


@pytest.mark.parametrize("K", range(3, 30))
def test_lemma_2_follows_from_lemma_1_for_three_blocks_and_more(K: int) -> None:
    # ½K(K+1)(k+1) I − (1+t) I − (1+1/t) TᵀT is positive definite at M = 1, exactly.
    t = Fraction(2) if K == 3 else Fraction(1)
    rows = [
        [
            -(1 + 1 / t) * (min(i, j) + 1)
            + (Fraction(K * (K + 1) * (i + 1), 2) - (1 + t) if i == j else 0)
            for j in range(K)
        ]
        for i in range(K)
    ]
    assert all(pivot > 0 for pivot in _pivots(rows))


def _pivots(rows: list[list[Fraction]]) -> list[Fraction]:
    """The pivots of Gaussian elimination: all positive if and only if positive definite."""
    found = []
    rows = [list(row) for row in rows]
    for i, row in enumerate(rows):
        found.append(row[i])
        for below in rows[i + 1 :]:
            factor = below[i] / row[i]
            for j in range(i, len(row)):
                below[j] -= factor * row[j]
    return found


@pytest.mark.parametrize("K", [1, 2])
def test_lemma_2_does_not_follow_for_fewer(K: int) -> None:
    """One moving block: h = x − x²/2, ℓ = h² + h, at 0: f″ = 1 = |h″| = |∂ℓ/∂h| = L = M."""
    d = Fraction(1, 1000)

    def gradient(x: Fraction, u: Fraction) -> Fraction:
        return (1 - x) * (2 * (u - u**2 / 2) + 1)

    # On |x| ≤ d: |f″| ≤ 1 + 7d, |∂ℓ/∂h| ≤ 1 + 3d, h″ = −1.
    L, M = 1 + 7 * d, 1 + 3 * d
    for x in (-d, Fraction(0), d):
        second = 2 * (1 - x) ** 2 - (2 * (x - x**2 / 2) + 1)
        assert abs(second) <= L
        assert abs(2 * (x - x**2 / 2) + 1) <= M
    error = abs(gradient(Fraction(0), d) - gradient(Fraction(0), Fraction(0)))
    printed = PaperCoupling(L, M, K, RATIONALS).applied([d, *[Fraction(0)] * (K - 1)])[0] * d
    assert error**2 > printed


def _spec(extra: str = "", operators: str | None = None, queues: str = "p: [1,0], m: [2,0]") -> str:
    operators = operators or (
        "{id: f1, type: dense, units: 2, region: {weight: 1}}, {id: t, type: tanh},"
        "{id: f2, type: dense, units: 1, bias: false, region: {weight: 1}},"
        "{id: loss, type: square}"
    )
    return f"""
version: 1
name: stale
theory: staleness
staleness: {{queues: {{{queues}}}{extra}}}
graph:
  input: {{shape: [2], radius: 1}}
  operators: [{operators}]
loss: {{smoothness: 4, initial_gap: 1, gradient_noise: 1}}
training: {{step_size: 1/1000, horizon: 1000}}
"""


def _problem(text: str) -> Problem:
    spec = bc.loads(text)
    return Problem(build_for(spec), THEORY.own(spec))


def test_constants_of_a_spec_and_delays_of_its_blocks() -> None:
    problem = _problem(_spec())
    assert [(b.first, b.last) for b in problem.pipeline.blocks] == [(1, 2), (3, 4)]
    assert delays_of(problem.pipeline) == (0, 2, 2, 0, 0)
    chain = stale_chain(problem.graph, WIDE)
    b = [float(x) for x in chain.b]
    assert [b[0], b[2], b[4]] == [0, 0, 0]  # tanh and the square have no weights
    assert b[1] == pytest.approx(math.sqrt(2))
    assert 1 < b[3] < math.sqrt(2)  # |tanh| < 1 in two components
    assert chain.V[4] == 1
    assert all(chain.V[j - 1] == chain.a[j] * chain.V[j] for j in (4, 3, 2))
    assert chain.V[2] == problem.setting(WIDE).M  # what block 1 passes back, above 1


def test_compiled_constants_meet_both_lemmas_on_random_weights() -> None:
    rng = random.Random(11)  # noqa: S311 - settings of a test
    checked = 0
    for _ in range(40):
        operators = [literal.sine(rng.uniform(0.5, 1.5)) for _ in range(rng.randint(1, 4))]
        K, data, W = len(operators), 0.7, 1.0
        chain = literal.constants_of(operators, data, W)
        text = ",".join(
            f"{{id: f{j}, constants: {{jac_input: {chain.a[j + 1]}, jac_weight: {chain.b[j + 1]}, "
            f"hess_input: {chain.A[j + 1]}, hess_mixed: {chain.B[j + 1]}, "
            "third_input: 1, third_mixed: 1}}"
            for j in range(K)
        )
        m = [2 * (K - 1 - k) for k in range(K)]
        p = [1] * (K - 1) + [0]
        problem = _problem(_spec(operators=text, queues=f"p: {p}, m: {m}"))
        L, M = (
            float(x.value) for x in (problem.number(lambda s: s.L), problem.number(lambda s: s.M))
        )
        for _ in range(10):
            w = [rng.uniform(-W, W) for _ in operators]
            u = [x + rng.uniform(-0.5, 0.5) for x in w]
            d = [abs(x - y) for x, y in zip(u, w, strict=True)]
            stale = literal.stale_gradient(operators, data, u, w)
            current = literal.stale_gradient(operators, data, w, w)
            error = sum((x - y) ** 2 for x, y in zip(stale, current, strict=True))
            second = sum(0.5 * L**2 * M**2 * K * (K + 1) * (k + 1) * x**2 for k, x in enumerate(d))
            assert error <= second * (1 + 1e-12)
            checked += 1
    assert checked == 400


def test_lemma_1_holds_with_what_is_compiled() -> None:
    """‖∇_k f(u) − 𝒢_k‖ ≤ LM Σ_{i≥k} d_i with (LM)² from the constants, for sines and products."""
    rng = random.Random(5)  # noqa: S311 - settings of a test
    highest = 0.0
    for _ in range(300):
        operators = [
            rng.choice([literal.sine(rng.uniform(0.5, 1.5)), literal.product()])
            for _ in range(rng.randint(1, 4))
        ]
        W, data = 1.0, 0.8
        chain = literal.constants_of(operators, data, W)
        Y, curvatures = abs(data), []
        for f in operators:
            curvatures.append(f.constants(Y, W)[4])
            Y = f.reach(Y, W)
        squared = _lemma_1(chain, curvatures)
        w = [rng.uniform(-W, W) for _ in operators]
        u = [min(W, max(-W, x + rng.choice([0.02, 1]) * rng.uniform(-1, 1))) for x in w]
        d = [abs(x - y) for x, y in zip(u, w, strict=True)]
        stale = literal.stale_gradient(operators, data, u, w)
        forward = literal.stale_gradient(operators, data, u, u)
        for k, (x, y) in enumerate(zip(stale, forward, strict=True)):
            bound = math.sqrt(squared) * sum(d[k:])
            assert abs(x - y) <= bound * (1 + 1e-12) + 1e-15
            highest = max(highest, abs(x - y) / bound if bound > 1e-6 else 0.0)
    assert highest > 0.9


def _lemma_1(chain: StaleChain, curvatures: list[float]) -> float:
    """The largest Λ_jl², from its formula."""
    size, found = chain.size, 0.0
    for j in range(1, size + 1):
        found = max(found, (curvatures[j - 1] * chain.V[j]) ** 2)
        for l in range(j + 1, size + 1):  # noqa: E741 - as in the formula
            between = math.prod(chain.a[j + 1 : l])
            found = max(found, (chain.b[j] * between * chain.B[l] * chain.V[l]) ** 2)
    return found


def test_first_lemma_is_the_largest_pair_of_blocks() -> None:
    text = _spec(
        operators="{id: f1, type: bilinear, region: {weight: 1/2}},"
        "{id: s1, type: sine, bias: true, scale: 3}, {id: s2, type: sine, bias: true, scale: 2}",
        queues="p: [1,1,0], m: [4,2,0]",
    )
    problem = _problem(text)
    chain = stale_chain(problem.graph, RATIONALS)
    found = first_lemma(problem.graph, problem.pipeline, chain, RATIONALS)
    # b = 1, 3, 2; a_2 = 3; B = ·, 3, 2; V = 6, 2, 1; E = 0, 3, 2.
    own = [0 * 6, 3 * 2, 2 * 1]
    pairs = [1 * 3 * 2, 1 * 3 * 2 * 1, 3 * 2 * 1]  # Λ_12, Λ_13 with a_2 between, Λ_23
    assert found == max(own + pairs) ** 2 == 36
    joined = _problem(text.replace("p: [1,1,0], m: [4,2,0]", "p: [0], m: [3]"))
    together = first_lemma(joined.graph, joined.pipeline, chain, RATIONALS)
    assert together == sum(x**2 for x in own + pairs) == 148


def test_first_lemma_is_unknown_for_constants_alone() -> None:
    constants = (
        "constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1, "
        "third_input: 0, third_mixed: 0}"
    )
    problem = _problem(_spec(operators=f"{{id: f1, {constants}}}, {{id: f2, {constants}}}"))
    chain = stale_chain(problem.graph, RATIONALS)
    assert first_lemma(problem.graph, problem.pipeline, chain, RATIONALS) is None
    assert any("Lemma 1" in note for note in problem.notes())
    problem.number(lambda s: s.L)


@given(stale_chains(2, 5), st.data())
@settings(max_examples=25)
def test_second_lemma_is_met_and_not_by_less(chain: StaleChain, data: st.DataObject) -> None:
    K = chain.size
    p, m = [1] * (K - 1) + [0], [2 * (K - 1 - k) for k in range(K)]
    constants = "constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1, " + (
        "third_input: 0, third_mixed: 0}"
    )
    text = ",".join(f"{{id: f{j}, {constants}}}" for j in range(K))
    pipeline = _problem(_spec(operators=text, queues=f"p: {p}, m: {m}")).pipeline
    t = tuple(data.draw(st.fractions(Fraction(1, 4), 4, max_denominator=4)) for _ in range(K))
    M = data.draw(st.fractions(Fraction(1, 2), 3, max_denominator=4))
    squared = second_lemma(chain, t, pipeline, M, RATIONALS)
    kappa = ChainCoupling(chain).shares(t)
    allowed = [squared * M**2 * K * (K + 1) * (k + 1) / 2 for k in range(K)]
    assert all(x <= y for x, y in zip(kappa, allowed, strict=True))
    assert any(x == y for x, y in zip(kappa, allowed, strict=True))


def test_types_that_are_affine_in_their_weights_are() -> None:
    elementwise = {key for key, kind in OPERATORS.items() if issubclass(kind, Elementwise)}
    without = {
        "add", "attention", "concat", "cross_entropy", "huber", "identity", "inner", "logistic",
        "mean_pool", "multiply", "quadratic_cost", "select", "softmax", "squared",
    }  # fmt: skip
    # Every type of the library is in exactly one of the three.
    assert set(OPERATORS) == AFFINE_IN_WEIGHTS | elementwise | without
    assert not AFFINE_IN_WEIGHTS & (elementwise | without)


LIBRARY = {
    "bilinear": (Bilinear(), (3,)),
    "quadratic": (Quadratic(), (1,)),
    "margin": (Margin(), (3,)),
    "spline": (Spline(weight_value="1"), (1,)),
    "dense": (Dense(units=2), (3,)),
    "conv1d": (Conv1d(channels=2, kernel=2), (1, 5)),
    "conv2d": (Conv2d(channels=2, kernel=2), (1, 3, 3)),
    "layer_norm": (LayerNorm(), (4,)),
    "rms_norm": (RMSNorm(), (4,)),
    "embedding": (Embedding(vocabulary=3, width=2), (2,)),
    "gradient_step": (GradientStep(objective="quadratic", hessian=["1", "2"]), (2,)),
    "control_step": (ControlStep(state_matrix=[["1"]], control_matrix=[["2"]]), (1,)),
}


@pytest.mark.parametrize("name", sorted(AFFINE_IN_WEIGHTS))
def test_second_differences_in_the_weights_vanish(name: str) -> None:
    plain, shape = LIBRARY[name]
    made, n = plain.shaped((shape,)), math.prod(shape)
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, (1, 2, n)).astype(float)
    k = made.weight_size(n)
    low, step = rng.normal(size=(1, k)), rng.normal(size=(1, k))
    values = [made.forward(y, low + t * step, np.ones((1, 2))) for t in (0.0, 1.0, 2.0)]
    np.testing.assert_allclose(values[0] - 2 * values[1] + values[2], 0, atol=1e-12)
    assert np.abs(values[1] - values[0]).max() > 1e-3
