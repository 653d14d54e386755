"""Samplers of compressors: against the written-out outcomes, bit for bit and in frequency."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from compressors import ball, outcomes
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from boundcalc.errors import SpecError
from boundcalc.perturbations import Natural, RandK, Sign, Sparsify, TopK
from boundcalc.perturbations.compression import Compressor

DRAWS = 20_000


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


dyadic = st.integers(-40, 40).map(lambda v: v / 8)  # exact in floats, with many ties


@pytest.mark.parametrize(
    "transform",
    [
        RandK(k=1),
        RandK(k=3),
        RandK(k=4),
        RandK(k=2, scaled=False),
        Sparsify(keep="1/3"),
        Sparsify(keep="3/4"),
        Sparsify(keep=1),
        Sparsify(keep="1/2", scaled=False),
        Natural(),
    ],
    ids=repr,
)
def test_frequencies_are_the_probabilities(transform: Compressor) -> None:
    y = (Fraction(3), Fraction(-5, 4), Fraction(1), Fraction(7, 2))
    expected: Counter[tuple[float, ...]] = Counter()
    for chance, sent in outcomes(transform, y):
        # Rounded, as the scale n/k of a sampler is one float.
        expected[tuple(round(float(v), 9) for v in sent)] += chance  # type: ignore[assignment]
    drawn = transform.apply()(rng(), np.tile([float(v) for v in y], (DRAWS, 1)))
    found = Counter(tuple(row) for row in drawn.round(9).tolist())
    assert set(found) <= set(expected)
    for value, chance in expected.items():
        spread = math.sqrt(float(chance * (1 - chance)) / DRAWS)
        assert found[value] / DRAWS == pytest.approx(float(chance), abs=5 * spread)


def test_rand_k_draws_vectors_independently_along_the_last_axis() -> None:
    drawn = RandK(k=2).apply()(rng(), np.ones((40, 50, 6)))
    assert set(np.unique(drawn)) == {0.0, 3.0}
    assert (np.count_nonzero(drawn, axis=-1) == 2).all()
    assert len({row.tobytes() for row in drawn.reshape(-1, 6)}) == math.comb(6, 2)


def test_ties_of_the_random_numbers_are_drawn_again() -> None:
    class Coarse:
        """Keys with four values only: most vectors have a tie at the bound."""

        def __init__(self) -> None:
            self.inner = rng()
            self.asked: list[tuple[int, ...]] = []

        def random(self, shape: tuple[int, ...]) -> np.ndarray:
            self.asked.append(shape)
            return self.inner.integers(0, 4, shape) / 4

    coarse = Coarse()
    masks = RandK(k=2).draw(coarse, (DRAWS, 4))  # type: ignore[arg-type]
    assert len(coarse.asked) > 5
    counts = Counter(tuple(row) for row in masks.tolist())
    sets = [m for m in itertools.product((True, False), repeat=4) if sum(m) == 2]
    assert set(counts) == set(sets)
    for mask in sets:
        assert counts[mask] / DRAWS == pytest.approx(1 / 6, abs=5 * math.sqrt(5 / 36 / DRAWS))


@settings(deadline=None)
@given(st.integers(1, 7).flatmap(lambda n: arrays(np.float64, (3, n), elements=dyadic)), st.data())
def test_top_k_is_the_sorted_one(values: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, values.shape[-1]))
    before = values.copy()
    found = TopK(k=k).apply()(rng(), values)
    for row, sent in zip(values, found, strict=True):
        [(_, expected)] = outcomes(TopK(k=k), tuple(Fraction(v) for v in row.tolist()))
        assert sent.tolist() == [float(v) for v in expected]
    assert (values == before).all()
    assert found is not values


@settings(deadline=None)
@given(st.sampled_from([1, 2, 4, 8]).flatmap(lambda n: arrays(np.float64, (3, n), elements=dyadic)))
def test_sign_is_the_written_out_one(values: np.ndarray) -> None:
    found = Sign().apply()(rng(), values)
    for row, sent in zip(values, found, strict=True):
        [(_, expected)] = outcomes(Sign(), tuple(Fraction(v) for v in row.tolist()))
        assert sent.tolist() == [float(v) for v in expected]


def test_sign_of_zeros() -> None:
    found = Sign().apply()(rng(), np.array([-0.0, 0.0, -2.0, 2.0]))
    assert found.tolist() == [1.0, 1.0, -1.0, 1.0]
    assert Sign().apply()(rng(), np.array([-0.0, 0.0])).tolist() == [0.0, 0.0]


def test_natural_at_the_ends_of_the_floats() -> None:
    tiny, normal = 5e-324, 2.0**-1022
    values = np.array([0.0, -0.0, tiny, 3 * tiny, normal, -1.5 * normal, 2.0**1023])
    found = np.stack([Natural().apply()(rng(seed), values) for seed in range(40)])
    assert (found[:, [0, 1, 2, 4, 6]] == values[[0, 1, 2, 4, 6]]).all()
    assert np.signbit(found[:, 1]).all()
    assert set(found[:, 3]) == {2 * tiny, 4 * tiny}
    assert set(found[:, 5]) == {-normal, -2 * normal}


def test_natural_in_every_memory_layout() -> None:
    values = rng().standard_normal((6, 8, 5))
    for view in (values[:, ::2], values.transpose(1, 0, 2), values[..., 0], values[::-1]):
        found = Natural().apply()(rng(), view)
        assert found.shape == view.shape
        assert (np.frexp(found)[0] == np.copysign(0.5, view)).all()
        assert ((np.abs(found) > np.abs(view) / 2) & (np.abs(found) < 2 * np.abs(view))).all()


@pytest.mark.parametrize(
    "transform", [RandK(k=1), Sparsify(keep="1/9"), TopK(k=1), Sign(), Natural()], ids=repr
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_visible(transform: Compressor, bad: float) -> None:
    values = np.array([[1.0, bad, 3.0, 4.0]] * 8)
    with np.errstate(invalid="ignore"):
        found = transform.apply()(rng(), values)
    assert not np.isfinite(found).all(axis=-1).any()


@pytest.mark.parametrize("n", [1, 3, 17, 400])
def test_draws_stay_below_the_largest(n: int) -> None:
    values = rng(n).standard_normal((200, n))
    values[0] = 0.0
    values[1, 1:] = 0.0
    box = Fraction(float(np.abs(values).max()))
    radius = Fraction(float(np.linalg.norm(values, axis=-1).max()) * (1 + 1e-12))
    transforms = [RandK(k=1), RandK(k=n), TopK(k=(n + 1) // 2), Sign(), Natural()]
    for transform in [*transforms, Sparsify(keep="1/10"), Sparsify(keep="999/1000")]:
        delta = transform.apply()(rng(), values) - values
        largest = transform.largest(ball(n, radius, box))
        assert np.abs(delta).max() <= largest.component
        assert np.linalg.norm(delta, axis=-1).max() <= largest.norm * (1 + 1e-12)


def test_probabilities_with_large_denominators() -> None:
    share = Fraction(2**61 + 1, 2**62)
    kept = Sparsify(keep=share).draw(rng(), (DRAWS,))
    assert kept.mean() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(DRAWS))


def test_a_vector_that_is_too_short() -> None:
    for transform in (RandK(k=3), TopK(k=3)):
        with pytest.raises(SpecError, match="k = 3, of 2"):
            transform.apply()(rng(), np.ones((4, 2)))


def test_nothing_is_drawn_where_nothing_is_random() -> None:
    for transform in (TopK(k=2), Sign(), RandK(k=3)):
        generator = rng()
        before = generator.bit_generator.state
        transform.apply()(generator, np.ones((2, 3)))
        assert generator.bit_generator.state == before
