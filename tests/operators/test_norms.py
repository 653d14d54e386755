"""Bounds of norms: never below the norm, and how close."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.errors import DataError, SpecError
from boundcalc.operators import rescaling, spectral
from boundcalc.operators.norms import (
    convolution_norm,
    merged_norms,
    product_norms,
    rescaled_norms,
    run_norm,
    spectral_norm,
)

seeds = st.integers(0, 2**32)


def svd(matrix):
    return float(np.linalg.norm(matrix, 2))


@st.composite
def matrices(draw, largest=6):
    """Gaussian, of low rank, with equal singular values, or with entries of all sizes."""
    rng = np.random.default_rng(draw(seeds))
    m, n = rng.integers(1, largest + 1, 2)
    W = rng.standard_normal((m, n))
    kind = draw(st.sampled_from(["full", "rank one", "orthogonal", "spread", "zeros"]))
    if kind == "rank one":
        W = np.outer(W[:, 0], W[0])
    elif kind == "orthogonal":
        W = np.linalg.qr(rng.standard_normal((max(m, n), max(m, n))))[0][:m, :n]
    elif kind == "spread":
        W *= 10.0 ** rng.uniform(-12, 3, W.shape)
    elif kind == "zeros":
        W *= rng.random(W.shape) < 0.3
    return W * 2.0 ** draw(st.integers(-400, 400))


@settings(deadline=None, max_examples=60)
@given(W=matrices())
def test_never_below_the_norm_in_forty_digits(W):
    with mpmath.workdps(60):
        exact = max(mpmath.svd_r(mpmath.matrix(W.tolist()), compute_uv=False))
        bound = mpmath.mpf(spectral_norm(W))
        assert exact <= bound <= exact * (1 + mpmath.mpf("1.02e-12"))


@pytest.mark.parametrize("shape", [(1, 400), (30, 20), (200, 300)])
def test_close_to_the_svd(shape):
    W = np.random.default_rng(1).standard_normal(shape)
    bound, size = spectral_norm(W), min(shape)
    assert svd(W) <= bound <= svd(W) * (1 + 2e-12 + size**2 * 2.0**-52)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1 - 1e-9, 1.0, 1.01])
def test_a_wrong_proposal_is_refused(monkeypatch, factor):
    top = spectral._top_eigenvalue
    monkeypatch.setattr(spectral, "_top_eigenvalue", lambda gram: factor * top(gram) + 1e-30)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        stack = rng.uniform(-1, 1, (3, *rng.integers(1, 8, 2)))
        assert max(map(svd, stack)) <= spectral.largest_norm([stack])


def test_lanczos_proposes_for_large_matrices(monkeypatch):
    W = np.random.default_rng(2).standard_normal((60, 80))
    monkeypatch.setattr(spectral, "DIRECT", 10)
    assert svd(W) <= spectral_norm(W) <= svd(W) * (1 + 1e-11)


def test_slabs_of_very_large_matrices(monkeypatch):
    W = np.random.default_rng(3).standard_normal((23, 31))
    monkeypatch.setattr(spectral, "LIMIT", 10)
    for matrix in (W, W.T.copy()):
        assert svd(W) <= spectral._spectral_norm(matrix) <= np.sqrt(3) * svd(W)
    identity = np.eye(23)
    assert spectral._spectral_norm(identity) == pytest.approx(np.sqrt(3), rel=1e-11)


@settings(deadline=None, max_examples=30)
@given(seed=seeds, complex_too=st.booleans())
def test_the_largest_of_stacks(seed, complex_too):
    rng = np.random.default_rng(seed)
    stacks = [rng.uniform(-1, 1, (4, *rng.integers(1, 5, 2))) for _ in range(3)]
    if complex_too:
        stacks = [stack + 1j * rng.uniform(-1, 1, stack.shape) for stack in stacks]
    exact = max(svd(matrix) for stack in stacks for matrix in stack)
    assert exact <= spectral.largest_norm(iter(stacks)) <= exact * (1 + 1e-11)


def test_norms_that_are_known():
    assert spectral_norm(np.zeros((3, 2))) == 0.0
    assert spectral_norm(np.zeros((0, 2))) == 0.0
    for n in (1, 7, 50):
        assert n <= spectral_norm(np.ones((n, n))) <= n * (1 + 3e-12)
    assert spectral_norm(np.full((2, 2), 1e308)) == np.inf
    tiny = spectral_norm(np.full((1, 1), 5e-324))
    assert 5e-324 <= tiny <= 1e-323
    assert spectral_norm(np.full((1, 2), 5e-324)) == 1e-323  # √2 is rounded up


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("norm", [spectral_norm, lambda W: rescaled_norms(W, np.eye(3))])
def test_weights_that_are_not_finite_are_named(norm, bad):
    W = np.ones((2, 3))
    W[1, 2] = bad
    with pytest.raises(DataError, match=r"^\[1\]\[2\]: .* have no norm") as caught:
        norm(W)
    assert "1 of 6" in str(caught.value)
    with pytest.raises(DataError, match=r"^\[0\]\[0\]\[0\]\[1\]"):
        convolution_norm(np.array([[[[1.0, bad]]]]), 2, 2)


def test_the_same_contents_are_measured_once(monkeypatch):
    W = np.random.default_rng(4).standard_normal((3, 4))
    first = spectral_norm(W)
    monkeypatch.setattr(spectral, "largest_norm", lambda stacks: 1 / 0)
    assert spectral_norm(W.copy()) == first
    with pytest.raises(ZeroDivisionError):
        spectral_norm(W.T)
    W[0, 0] += 1
    with pytest.raises(ZeroDivisionError):
        spectral_norm(W)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(spectral, "_found", {})
    monkeypatch.setattr(spectral, "_REMEMBERED", 5)
    for value in range(20):
        assert spectral_norm(np.array([[float(value)]])) == pytest.approx(value, rel=1e-11)
        assert len(spectral._found) <= 5


# Products.


def network(*widths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((m, n)) for n, m in itertools.pairwise(widths)]


def test_products_and_merged_products_of_a_network_agree_with_numpy():
    W1, W2, W3, W4 = chain = network(2, 10, 30, 20, 2)
    apart = svd(W1) * svd(W2) * svd(W3) * svd(W4)
    merged = svd(W2 @ W1) * svd(W4 @ W3)
    assert product_norms(chain) == pytest.approx(apart, rel=1e-10)
    assert merged_norms(chain) == pytest.approx(merged, rel=1e-10)
    assert run_norm(chain) == pytest.approx(svd(W4 @ W3 @ W2 @ W1), rel=1e-10)
    assert run_norm(chain) < merged_norms(chain) < product_norms(chain)
    assert merged_norms(chain[:3]) == pytest.approx(svd(W2 @ W1) * svd(W3), rel=1e-10)
    assert product_norms([]) == merged_norms([]) == run_norm([]) == 1.0


@settings(deadline=None, max_examples=40)
@given(seed=seeds, shift=st.integers(-300, 300))
def test_products_are_in_order_and_no_product_exceeds_them(seed, shift):
    rng = np.random.default_rng(seed)
    chain = network(*rng.integers(1, 5, rng.integers(2, 7)), seed=seed)
    chain[0] = chain[0] * 2.0**shift
    exact = svd(np.linalg.multi_dot([*chain[::-1], np.eye(chain[0].shape[1])]))
    assert exact <= run_norm(chain) * (1 + 1e-14)
    assert run_norm(chain) <= merged_norms(chain) * (1 + 1e-11)
    assert merged_norms(chain) <= product_norms(chain) * (1 + 1e-11)


def moved_norm(chain, radii, rng, starts=4, rounds=30):
    """The largest norm of the product found by turning one E_i at a time to where it adds most."""
    best = 0.0
    for _ in range(starts):
        moves = [rng.standard_normal(W.shape) for W in chain]
        moves = [rho * E / svd(E) for rho, E in zip(radii, moves, strict=True)]
        for i in itertools.islice(itertools.cycle(range(len(chain))), rounds):
            factors = [W + E for W, E in zip(chain, moves, strict=True)]
            before = np.eye(chain[0].shape[1])
            for factor in factors[:i]:
                before = factor @ before
            after = np.eye(chain[i].shape[0])
            for factor in factors[i + 1 :]:
                after = factor @ after
            u, s, vt = np.linalg.svd(after @ factors[i] @ before)
            best = max(best, s[0])
            left, right = after.T @ u[:, 0], before @ vt[0]
            sizes = np.linalg.norm(left) * np.linalg.norm(right)
            moves[i] = radii[i] * np.outer(left, right) / max(sizes, 1e-300)
    return best


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_a_run_of_moving_matrices_stays_below_its_bound(seed):
    rng = np.random.default_rng(seed)
    chain = network(*rng.integers(1, 5, rng.integers(2, 5)), seed=seed)
    radii = rng.choice([0.0, 0.1, 1.0, 3.0], len(chain))
    bound = run_norm(chain, radii)
    assert moved_norm(chain, radii, rng) <= bound * (1 + 1e-12)
    apart = np.prod([svd(W) + rho for W, rho in zip(chain, radii, strict=True)])
    assert bound <= apart * (1 + 1e-10)


def test_runs_whose_bound_is_attained():
    rng = np.random.default_rng(5)
    W = rng.standard_normal((3, 4))
    assert run_norm([W], [0.25]) == pytest.approx(svd(W) + 0.25, rel=1e-11)
    # Only the first matrix moves: ‖W2 W1‖ + ‖W2‖ρ, and E aligned with both attains it.
    chain = [np.diag([2.0, 1.0]), np.diag([3.0, 1.0])]
    assert run_norm(chain, [0.5, 0.0]) == pytest.approx(6 + 1.5, rel=1e-11)
    assert moved_norm(chain, [0.5, 0.0], rng) == pytest.approx(7.5, rel=1e-9)


def test_a_run_is_tighter_than_its_factors():
    turned = [np.diag([2.0, 1.0]), np.diag([1.0, 2.0]), np.diag([2.0, 1.0])]
    assert run_norm(turned, [0.1] * 3) < 0.65 * 2.1**3


def test_runs_of_collapsing_and_of_huge_products():
    nilpotent = np.array([[0.0, 1.0], [0.0, 0.0]])
    assert run_norm([nilpotent, nilpotent, nilpotent]) < 1e-12
    rng = np.random.default_rng(6)
    W = rng.standard_normal((3, 3)) * 1e-90
    assert 0 < run_norm([W] * 3) <= svd(W) ** 3 * (1 + 1e-10)
    assert run_norm([np.eye(2) * 1e200, np.eye(2) * 1e200]) == np.inf


def test_what_a_product_loses_to_rounding_is_added():
    x = 1 + 2.0**-30
    row, column = np.array([[x, x * x]]), np.array([[x], [-1.0]])
    true = abs(Fraction(x) ** 2 - Fraction(x * x))  # 2⁻⁶⁰, which floats may lose
    assert true > 0
    assert Fraction(run_norm([column, row])) >= true
    assert run_norm([column, row]) < 1e-14


def test_chains_that_do_not_fit_are_refused():
    chain = [np.ones((3, 2)), np.ones((2, 4))]
    for norm in (product_norms, merged_norms, run_norm):
        with pytest.raises(SpecError, match=r"\(3, 2\).*\(2, 4\)"):
            norm(chain)
    for radii in ([1.0], [1.0, -1.0], [np.inf, 0.0]):
        with pytest.raises(SpecError, match="one radius"):
            run_norm([np.eye(2)] * 2, radii)
    with pytest.raises(DataError, match="matrix 2"):
        product_norms([np.eye(1), np.array([[np.nan]])])


# Two layers with a diagonal between.


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_no_diagonal_exceeds_the_rescaled_bound(seed):
    rng = np.random.default_rng(seed)
    m, h, n = rng.integers(1, 6, 3)
    W2 = rng.standard_normal((m, h)) * 10.0 ** rng.uniform(-2, 2, h)
    W1 = rng.standard_normal((h, n)) * 10.0 ** rng.uniform(-2, 2, (h, 1))
    W1[rng.random(h) < 0.2] = 0.0
    bound = rescaled_norms(W2, W1)
    corners = itertools.product((-1.0, 1.0), repeat=h)
    reached = max(svd(W2 * np.array(signs) @ W1) for signs in corners)
    assert reached <= bound * (1 + 1e-13)
    assert bound <= svd(W2) * svd(W1) * (1 + 1e-11) + 1e-300
    inner = rng.uniform(-1, 1, h)
    assert svd(W2 * inner @ W1) <= bound * (1 + 1e-13)


def test_a_planted_rescaling_is_undone():
    rng = np.random.default_rng(7)
    Q = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    d = np.exp(rng.standard_normal(6))
    assert rescaled_norms(Q / d, d[:, None] * Q.T) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("sizes", [(2, 8, 3), (5, 10, 5), (1, 6, 4)])
def test_the_best_rescaling_is_close_to_the_worst_diagonal(sizes):
    m, h, n = sizes
    shares = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        W2, W1 = rng.standard_normal((m, h)), rng.standard_normal((h, n))
        corners = itertools.product((-1.0, 1.0), repeat=h)
        reached = max(svd(W2 * np.array(signs) @ W1) for signs in corners)
        found = rescaled_norms(W2, W1)
        assert found <= 1.08 * reached
        shares.append(found / (svd(W2) * svd(W1)))
    assert np.mean(shares) < 0.9


def test_the_smoothed_norm_has_the_gradient_it_states():
    rng = np.random.default_rng(9)
    M, x = rng.standard_normal((3, 5)), rng.standard_normal(5)
    value, slope = rescaling._log_schatten(M, x, 8.0)
    singular = np.linalg.svd(M * np.exp(x), compute_uv=False)
    assert value == pytest.approx(np.log(np.sum(singular**16)) / 16)
    for i, step in enumerate(1e-6 * np.eye(5)):
        ends = (rescaling._log_schatten(M, x + sign * step, 8.0)[0] for sign in (1, -1))
        assert slope[i] == pytest.approx(-np.subtract(*reversed([*ends])) / 2e-6, rel=1e-5)


def test_many_hidden_units_take_the_first_guess(monkeypatch):
    rng = np.random.default_rng(10)
    d = np.exp(rng.standard_normal(8))
    W2, W1 = rng.standard_normal((4, 8)) / d, rng.standard_normal((8, 4)) * d[:, None]
    searched = rescaled_norms(W2, W1)
    monkeypatch.setattr(rescaling, "SEARCHED", 7)
    assert searched <= rescaled_norms(W2, W1) <= svd(W2) * svd(W1) * (1 + 1e-11)


def test_hidden_units_that_pass_nothing_on():
    assert rescaled_norms(np.array([[1.0, 0.0]]), np.array([[0.0], [5.0]])) == 0.0
    assert rescaled_norms(np.array([[1.0, 0.0]]), np.array([[2.0], [5.0]])) == pytest.approx(2.0)
