"""Compressors and directions against their definitions, exactly where that is possible."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from boundcalc.theories.distributed.algorithms import Algorithm, KeepOrDrop, RandK, clipped

VECTORS = arrays(np.float64, (3, 2, 4), elements=st.floats(-1e3, 1e3))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_rand_k_over_all_orders_is_unbiased_with_omega_d_over_k_minus_one(k: int) -> None:
    x = [Fraction(3), Fraction(-5), Fraction(7), Fraction(2)]
    orders = list(itertools.permutations((0.1, 0.3, 0.6, 0.8)))
    uniforms = np.array(orders)[:, None, :]
    vectors = np.tile(np.array([float(v) for v in x]), (len(orders), 1, 1))
    sent = RandK(k).apply(vectors, uniforms)[:, 0]
    assert ((sent != 0).sum(axis=1) == k).all()
    # All numbers are small integers times 4/k: float sums would be exact but for 4/3.
    np.testing.assert_allclose(sent.mean(axis=0), [float(v) for v in x], rtol=1e-14)
    omega = Fraction(4, k) - 1
    error = ((sent - vectors[:, 0]) ** 2).sum(axis=1).mean()
    assert error == pytest.approx(float(omega * sum(v * v for v in x)), rel=1e-14, abs=1e-12)


def test_rand_k_keeps_every_set_equally_often() -> None:
    rng = np.random.default_rng(5)
    sent = RandK(2).apply(np.ones((6000, 1, 4)), rng.random((6000, 1, 4)))[:, 0]
    sets = [tuple(np.flatnonzero(row)) for row in sent]
    counts = np.array([sets.count(pair) for pair in itertools.combinations(range(4), 2)])
    # χ² with 5 degrees of freedom: 25.7 has probability 1e-4, and the seed is fixed.
    assert counts.sum() == 6000
    assert ((counts - 1000) ** 2 / 1000).sum() < 25.7


def test_keep_or_drop_is_unbiased_with_every_agents_own_omega() -> None:
    omega = np.array([0.0, 1.0, 3.0])
    # Midpoints of quarters: each u stands for a quarter of its probability.
    uniforms = np.tile(((np.arange(4) + 0.5) / 4)[:, None, None], (1, 3, 2))
    vectors = np.tile(np.array([2.0, -6.0]), (4, 3, 1))
    sent = KeepOrDrop(omega).apply(vectors, uniforms)
    assert sent.mean(axis=0).tolist() == [[2.0, -6.0]] * 3
    error = ((sent - vectors) ** 2).sum(axis=2).mean(axis=0)
    assert error.tolist() == (omega * 40.0).tolist()


def test_no_compression_sends_all_to_the_last_bit() -> None:
    vectors = np.random.default_rng(1).standard_normal((2, 3, 4))
    uniforms = np.random.default_rng(2).random((2, 3, 4))
    assert (RandK(4).apply(vectors, uniforms) == vectors).all()
    assert (KeepOrDrop(np.zeros(3)).apply(vectors, uniforms) == vectors).all()


def test_largest_length_of_a_compressed_vector_is_one_plus_omega_times_its_own() -> None:
    """What Theorem 12.5 supposes of a compressor where L1 > 0."""
    vectors = np.random.default_rng(3).standard_normal((500, 2, 6))
    uniforms = np.random.default_rng(4).random((500, 2, 6))
    length = np.linalg.norm(vectors, axis=-1)
    for compressor, most in ((RandK(2), 3.0), (KeepOrDrop(np.full(2, 4.0)), 5.0)):
        sent = np.linalg.norm(compressor.apply(vectors, uniforms), axis=-1)
        assert (sent <= most * length * (1 + 1e-12)).all()


def test_signs_are_averaged_and_no_majority_is_taken() -> None:
    gradients = np.array([[[5.0], [0.1], [-9.0], [0.0]]])
    assert Algorithm("dsignsgd").direction(gradients, None).tolist() == [[0.25]]


def test_clipping_of_agents_comes_before_compression_and_sign_ignores_it() -> None:
    gradients = np.array([[[30.0, 40.0]]])
    chosen = Algorithm("dcsgd", KeepOrDrop(np.array([1.0])), agent_clip=5.0)
    sent = chosen.direction(gradients, np.array([[[0.1, 0.9]]]))
    np.testing.assert_allclose(sent, [[6.0, 0.0]], rtol=1e-15)
    signs = Algorithm("dsignsgd", agent_clip=5.0).direction(gradients, None)
    assert signs.tolist() == [[1.0, 1.0]]


def test_normalised_and_clipped_act_on_the_average() -> None:
    gradients = np.array([[[6.0, 0.0], [0.0, 8.0]], [[0.0, 0.0], [0.0, 0.0]]])
    unit = Algorithm("normalised").direction(gradients, None)
    np.testing.assert_allclose(unit, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-15)
    cut = Algorithm("clipped", server_clip=2.5).direction(gradients, None)
    np.testing.assert_allclose(cut, [[1.5, 2.0], [0.0, 0.0]], rtol=1e-15)
    whole = Algorithm("clipped", server_clip=50.0).direction(gradients, None)
    assert whole.tolist() == [[3.0, 4.0], [0.0, 0.0]]


@settings(max_examples=60, deadline=None)
@given(VECTORS, st.floats(1e-3, 1e3))
def test_clipping_shortens_and_keeps_the_direction(vectors: np.ndarray, norm: float) -> None:
    short = clipped(vectors, norm)
    length, before = (np.linalg.norm(v, axis=-1) for v in (short, vectors))
    assert (length <= norm * (1 + 1e-12)).all()
    np.testing.assert_allclose(length, np.minimum(before, norm), rtol=1e-12, atol=1e-300)
    inner = (short * vectors).sum(axis=-1)
    np.testing.assert_allclose(inner, length * before, rtol=1e-9, atol=1e-200)


@settings(max_examples=60, deadline=None)
@given(VECTORS)
def test_averages_against_loops(vectors: np.ndarray) -> None:
    mean = Algorithm("dsgd").direction(vectors, None)
    sign = Algorithm("dsignsgd").direction(vectors, None)
    for r in range(3):
        for j in range(4):
            one, two = float(vectors[r, 0, j]), float(vectors[r, 1, j])
            assert mean[r, j] == (one + two) / 2
            assert sign[r, j] == (_sign(one) + _sign(two)) / 2


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)
