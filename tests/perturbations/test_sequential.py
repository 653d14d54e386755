"""The draws of a sample depend on no later sample: drawing in parts is drawing at once."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.perturbations import (
    BitFlip,
    Constant,
    Gaussian,
    Natural,
    NumberFormat,
    RandK,
    Sign,
    Sparsify,
    TopK,
    TwoPoint,
    Uniform,
    thinned,
)
from boundcalc.perturbations.formats.flip_draws import Rare, drawn_flips, rare_flips
from boundcalc.perturbations.formats.settling import happens, is_below, tape

TRANSFORMS = [
    Natural(),
    Sign(),
    TopK(k=2),
    RandK(k=2),
    Sparsify(keep="1/3"),
    Sparsify(keep="1/4"),
    NumberFormat(format="bf16", rounding="stochastic"),
    NumberFormat(format="int4", rounding="stochastic", scaling="tensor"),
    NumberFormat(format="int4", rounding="stochastic", scaling="block", block=3),
    NumberFormat(format="uniform", bits=3, low=-9, high=8, rounding="stochastic"),
    BitFlip(format="fp8_e4m3", rate="1/5"),
    BitFlip(format="int8", rate="1/300"),
    BitFlip(format="bf16", rate="1/20000"),
]


class Coarse:
    """Uniform numbers of few values, so that nothing is decided by the first 53 bits."""

    def __init__(self, seed, values=(0.0, 0.25, 0.5, 0.75)):
        self.inner, self.values = np.random.default_rng(seed), np.array(values)

    def random(self, size=None, out=None):
        if out is not None:
            # NumPy's own generators draw an array as they draw one by one.
            out[...] = self.values[self.inner.integers(len(self.values), size=out.shape)]
            return out
        return self.values[self.inner.integers(len(self.values), size=size)]

    def integers(self, low, high, size, dtype):
        return self.inner.integers(low, high, size, dtype=dtype)


def parts_of(rows, cuts):
    ends = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    return [rows[a:b] for a, b in itertools.pairwise(ends)]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 1000), max_size=5))
def test_transforms_in_parts_and_at_once(transform, seed, cuts):
    rows = np.random.default_rng(seed).uniform(-7, 7, (70, 5))
    rows[:, 0] = np.round(rows[:, 0] * 4) / 4
    for make in (np.random.default_rng, Coarse):
        if make is Coarse and isinstance(transform, RandK):
            continue  # below: nearly every vector has a tie
        apply, whole, parts = transform.apply(), make(seed), make(seed)
        at_once = apply(whole, rows)
        found = [apply(parts, part) for part in parts_of(rows, cuts)]
        assert np.array_equal(np.concatenate(found), at_once, equal_nan=True)
        assert whole.random() == parts.random()  # as many numbers were drawn


@pytest.mark.parametrize("k", [1, 2])
def test_vectors_with_ties_take_the_next_numbers(k):
    values = np.arange(8) / 8
    whole, parts = Coarse(3, values), Coarse(3, values)
    at_once = RandK(k=k).draw(whole, (200, 3))
    found = np.concatenate([RandK(k=k).draw(parts, (m, 3)) for m in (1, 150, 49)])
    assert (at_once == found).all()
    one = Coarse(3, values)  # the literal twin
    for mask in at_once:
        keys = one.random(3)
        while len(set(np.sort(keys)[k - 1 : k + 1])) < 2:
            keys = one.random(3)
        assert (mask == (keys <= np.sort(keys)[k - 1])).all()


@pytest.mark.parametrize(
    "law",
    [Constant(value=1), Gaussian(std=1), TwoPoint(magnitude=1), Uniform(half_width=1)],
    ids=repr,
)
@pytest.mark.parametrize("probability", [None, 0.3])
def test_distributions_in_parts_and_at_once(law, probability):
    fill = law.sampler({})
    make = [np.random.default_rng(s) for s in (1, 1, 2, 2)]
    whole, rows = np.empty((50, 3)), [np.empty((m, 3)) for m in (0, 1, 30, 19)]
    if probability is None:
        fill(make[0], whole)
        for part in rows:
            fill(make[1], part)
    else:
        acting = thinned(fill, probability)
        acting(make[0], whole, make[2])
        for part in rows:
            acting(make[1], part, make[3])
        assert (whole.any(axis=1) == (np.random.default_rng(2).random(50) < probability)).all()
    assert (np.concatenate(rows) == whole).all()


def test_events_have_a_generator_of_their_own():
    """What is drawn for those that act is what a sampler without events draws."""
    fill = Uniform(half_width=1).sampler({})
    out, dense = np.empty((2, 40, 3)), np.empty((80, 3))
    thinned(fill, 0.4)(np.random.default_rng(5), out, np.random.default_rng(6))
    acts = np.random.default_rng(6).random(80) < 0.4
    fill(np.random.default_rng(5), dense[: acts.sum()])
    assert (out.reshape(80, 3)[acts] == dense[: acts.sum()]).all()
    assert not out.reshape(80, 3)[~acts].any()


# --- events of an exact probability -----------------------------------------------------------


@pytest.mark.parametrize("chance", [Fraction(1, 4) + Fraction(1, 2**54), Fraction(1, 3)])
def test_events_are_decided_one_by_one(chance):
    values = (0.0, 0.25, int(chance * 2**53) / 2**53, 0.75)
    together, alone = Coarse(1, values), Coarse(1, values)
    found = happens(together, 500, chance)
    further = tape(np.empty(0), alone)
    literal = [is_below(chance, next(further), further) for _ in range(500)]
    assert found.tolist() == literal
    assert together.random() == alone.random()


# --- rare flips -------------------------------------------------------------------------------


def literal_flips(rng, vectors, law):
    """Vector by vector, bit by bit, with nothing drawn ahead."""
    found = []
    for vector in range(vectors):
        bit = -1
        while True:
            digits = [rng.random()]
            if digits[0] >= law.some:
                break
            while digits[-1] == 0.0:
                digits.append(rng.random())
            digits.append(rng.random())
            u = float(sum(Fraction(d) / 2 ** (53 * k) for k, d in enumerate(digits)))
            bit += 1 + int(np.log1p(-u) / law.log_stay)
            if bit >= law.bits:
                break
            found.append(vector * law.bits + bit)
    return found


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([1e-25, 1e-4, 0.003]), st.integers(1, 400))
def test_rare_flips_are_the_literal_ones(seed, rate, bits):
    law = Rare.of(Fraction(rate), bits)
    for values in (None, (0.0, 0.5, law.some / 2, law.some * 0.999, law.some)):
        make = np.random.default_rng if values is None else lambda s, v=values: Coarse(s, v)
        one, other = make(seed), make(seed)
        assert rare_flips(one, 40, law) == literal_flips(other, 40, law)
        assert one.random() == other.random()


@pytest.mark.parametrize("rate", [Fraction(1, 300), Fraction(1, 5000)])
def test_the_number_of_flips_has_the_binomial_law(rate):
    """Of one vector: mean, variance and the chance of none, within five standard errors."""
    bits, vectors = 200, 40_000
    found = np.array(rare_flips(np.random.default_rng(9), vectors, Rare.of(rate, bits)))
    counts = np.bincount(found // bits, minlength=vectors)
    p, mean = float(rate), bits * float(rate)
    assert abs(counts.mean() - mean) <= 5 * np.sqrt(mean / vectors)
    assert abs(counts.var() - mean * (1 - p)) <= 5 * mean * np.sqrt((2 + 1 / mean) / vectors)
    none = (1 - p) ** bits
    assert abs((counts == 0).mean() - none) <= 5 * np.sqrt(none * (1 - none) / vectors)
    places = np.bincount(found % bits, minlength=bits)  # every bit alike
    assert ((places - places.mean()) ** 2).sum() / places.mean() < bits + 5 * np.sqrt(2 * bits)


class ZeroFirst:
    """The number that is drawn ahead for the one vector is 0."""

    def __init__(self, seed):
        self.inner = np.random.default_rng(seed)

    def random(self, size=None):
        return self.inner.random() if size is None else np.zeros(size)


def test_the_smallest_rates_are_not_those_of_multiples_of_a_unit():
    """P(a flip | the first 53 bits are zero) = 2⁵³r, which is neither 0 nor 1."""
    law, chance, runs = Rare.of(Fraction(1, 10**17), 1), 2**53 / 1e17, 4000
    hits = sum(len(rare_flips(ZeroFirst(seed), 1, law)) for seed in range(runs))
    assert abs(hits - runs * chance) <= 5 * np.sqrt(runs * chance)


def test_no_flips_draw_nothing():
    rng = np.random.default_rng(1)
    at, masks = drawn_flips(rng, 5, 4, (0, 1), Fraction(0))
    assert len(at) == len(masks) == 0
    assert rng.random() == np.random.default_rng(1).random()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from(["bf16", "int8"]))
def test_stochastic_rounding_is_the_literal_one(seed, name):
    """One value after the other, with doubt at every second one."""
    transform = NumberFormat(format=name, rounding="stochastic")
    x = np.random.default_rng(seed).integers(-8, 9, 60) / 4
    x *= np.where(np.arange(60) % 2, 1.0, 1 + 2.0**-52)
    coarse, alone = Coarse(seed), Coarse(seed)
    at_once = transform.apply()(coarse, x[None])
    literal = [float(transform.apply()(alone, x[k : k + 1])[0]) for k in range(60)]
    assert at_once[0].tolist() == literal
    assert coarse.random() == alone.random()
