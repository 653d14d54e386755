"""Perturbations in C: the numbers of NumPy's generators, and what NumPy makes of them."""

import ctypes
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate.compiled.harness import needs_compiler
from simulate.compiled.sampler_library import (
    FIXED,
    LANES,
    Twin,
    at,
    generator,
    in_blocks,
    library,
    words,
)
from toy_transforms import Halving, pair

from boundcalc.errors import SpecError
from boundcalc.perturbations import (
    DISTRIBUTIONS,
    TRANSFORMS,
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
from boundcalc.perturbations.formats.settling import goes_away, tape
from boundcalc.simulate.compiled.samplers import (
    DISTRIBUTION_TWINS,
    TRANSFORM_TWINS,
    draw_of,
    law_of,
    transform_of,
)
from boundcalc.simulate.compiled.ziggurat import normal_tables
from boundcalc.simulate.memory import Slot
from boundcalc.simulate.reach import Met
from boundcalc.simulate.transforms import Replacement

pytestmark = needs_compiler


def same(one, other):
    """Bit for bit; any NaN is like any other."""
    one, other = np.ascontiguousarray(one), np.ascontiguousarray(other)
    kind = np.int64 if one.itemsize == 8 else np.int32
    equal = (one.view(kind) == other.view(kind)) | (np.isnan(one) & np.isnan(other))
    return one.dtype == other.dtype and one.shape == other.shape and bool(equal.all())


# --- the numbers themselves ------------------------------------------------------------------


@pytest.mark.parametrize("counts", [(100_003,), (1, 2, 3, 4, 5, 255, 256, 257, 1000), (0, 7)])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_streams_are_numpys(kind, counts):
    tables = (at(normal_tables()),) if kind == "normal" else ()
    twins = [generator(3, k) for k in range(4)]
    one, four = words(twins[0]), words(*twins)
    for count in counts:
        draws = [g.random(count) if kind == "uniform" else g.standard_normal(count) for g in twins]
        out, rows = np.empty(count), np.empty((4, count))
        getattr(library(), f"plain_{kind}")(at(one), *tables, at(out), count)
        getattr(library(), f"plain_{kind}4")(at(four), *tables, at(rows), count)
        assert same(out, draws[0])
        assert same(rows, np.stack(draws))
    assert (four == words(*twins)).all()
    assert (one == four[:4]).all()


@pytest.mark.long
def test_ten_million_normal_numbers():
    out, one, twin = np.empty(10**7), words(generator(8)), generator(8)
    library().plain_normal(at(one), at(normal_tables()), at(out), len(out))
    assert same(out, twin.standard_normal(len(out)))
    assert (one == words(twin)).all()


def chosen(word, others=(0, 0)):
    """A generator whose next word is this one."""
    found = generator(0)
    state = found.bit_generator.state
    state["state"]["state"] = np.array([word, 0, *others], dtype=np.uint64)
    found.bit_generator.state = state
    return found


def test_every_layer_ends_where_numpys_does():
    """At the limit itself, in the wedge, in the tail, and with either sign."""
    rng = np.random.default_rng(1)
    tables = normal_tables()
    for layer in range(256):
        limit = int(tables[1, layer])
        beyond = rng.integers(limit, 2**52, 12).tolist()
        for position in [max(limit - 1, 0), limit, 2**52 - 1, *beyond]:
            word = position << 9 | int(rng.integers(2)) << 8 | layer
            twin = chosen(word, rng.integers(2**64, size=2, dtype=np.uint64))
            state, out = words(twin), np.empty(3)
            library().plain_normal(at(state), at(tables), at(out), 3)
            assert same(out, twin.standard_normal(3))
            assert (state == words(twin)).all()


# --- distributions ---------------------------------------------------------------------------

sizes = st.integers(1, 12) | st.sampled_from([40, 300, 700])
numbers = st.floats(-100, 100).map(lambda x: 0.0 if abs(x) < 1e-9 else x)


@st.composite
def distributions(draw):
    kind = draw(st.sampled_from(sorted(DISTRIBUTIONS)))
    low, high = sorted([draw(numbers), draw(numbers)])
    high = high if high > low else low + 1
    match kind:
        case "constant":
            return Constant(value=low)
        case "gaussian":
            return Gaussian(std=abs(low), center=high)
        case "two_point":
            return TwoPoint(low=low, high=high, p_high=draw(st.sampled_from([0, 0.3, "1/3", 1])))
        case _:
            return draw(
                st.sampled_from([Uniform(low=low, high=high), Uniform(half_width=abs(low))])
            )


@settings(deadline=None, max_examples=60)
@given(
    distributions(),
    sizes,
    st.lists(st.integers(1, LANES), min_size=1, max_size=5),
    st.sampled_from([-1.0, 0.0, 0.37, 1.0]),
    st.sampled_from(["double", "float"]),
)
def test_distributions_are_the_numpy_samplers(law, n, blocks, probability, real):
    twins = [(generator(1, k), generator(2, k)) for k in range(4)]
    found = draw_of(law, {}, probability)
    one = Twin(found, words(twins[0][0]), words(twins[0][1]), real)
    four = Twin(found, words(*(v for v, _ in twins)), words(*(e for _, e in twins)), real)
    sampler = law.sampler({})
    single = np.concatenate([one.drawn(lanes, n) for lanes in blocks])
    together = np.concatenate([four.drawn4(lanes, n) for lanes in blocks], axis=1)
    for k, (values, events) in enumerate(twins):
        # NumPy draws all samples at once.
        out = np.empty((sum(blocks), n))
        if probability < 0:
            sampler(values, out)
        else:
            thinned(sampler, probability)(values, out, events)
        assert same(together[k], out.astype(one.dtype))
        assert k or same(single, out.astype(one.dtype))
    assert (four.values == words(*(v for v, _ in twins))).all()
    assert (four.events == words(*(e for _, e in twins))).all()
    assert (one.values == four.values[:4]).all()


def test_a_number_equal_to_a_probability_is_no_event():
    drawn = generator(1).random(20)
    law = TwoPoint(low=0, high=1, p_high=str(Fraction(drawn[7])))
    found = Twin(draw_of(law, {}), words(generator(1)), words(generator(1))).drawn(20, 1)
    assert same(found[:, 0], (drawn < drawn[7]).astype(float))
    chance = draw_of(Constant(value=1), {}, float(drawn[7]))
    acts = Twin(chance, words(generator(2)), words(generator(1))).drawn(20, 1)
    assert same(acts, found)


# --- transforms ------------------------------------------------------------------------------

FORMATS = ["fp32", "bf16", "fp16", "fp8_e5m2", "fp8_e4m3", "fp4_e2m1", "int16", "int8", "int4"]


@st.composite
def formats(draw):
    keys = {"format": draw(st.sampled_from(FORMATS))}
    keys["rounding"] = draw(st.sampled_from(["nearest", "stochastic"]))
    if not keys["format"].startswith("int"):
        keys["subnormals"] = draw(st.sampled_from(["keep", "flush"]))
    match draw(st.sampled_from(["none", "tensor", "block", "channel", "uniform"])):
        case "none":
            keys |= {"scale": draw(st.sampled_from([1, "1/7", 4])), "overflow": "saturate"}
        case "uniform":
            keys = {"format": "uniform", "rounding": keys["rounding"], "overflow": "saturate"}
            low = draw(st.sampled_from([-2, "-1/3", "1/10"]))
            keys |= {"bits": draw(st.integers(1, 9)), "low": low, "high": draw(st.integers(1, 5))}
        case scaling:
            keys |= {"scaling": scaling}
            keys["scale_kind"] = draw(st.sampled_from(["real", "power_of_two"]))
            if scaling == "block":
                keys["block"] = draw(st.integers(1, 5))
            if scaling == "channel":
                keys["channels"] = 1
    return NumberFormat(**keys)


@st.composite
def flips(draw):
    name = draw(st.sampled_from(FORMATS))
    return BitFlip(
        format=name,
        rate=draw(st.sampled_from([0, 1, "1/3", "1/257", "1/1000", "1/100000", 1e-25])),
        bits=draw(st.sampled_from(["all", "sign", [0, 2, 3]])),
        scale=draw(st.sampled_from([1, "1/3", 64])),
        nonfinite=draw(st.sampled_from(["zero", "saturate"])),
    )


def compressors(n):
    share = st.sampled_from([1, "1/2", "1/3", "0.01"])
    return st.one_of(
        st.just(Natural()),
        st.just(Sign()),
        st.builds(TopK, k=st.integers(1, n)),
        st.builds(RandK, k=st.integers(1, n), scaled=st.booleans()),
        st.builds(Sparsify, keep=share, scaled=st.booleans()),
    )


def rows_for(transform, n, seed):
    """Values with ties, zeros, subnormals and, where they are not refused, no numbers at all."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 90))
    rows = rng.standard_normal((count, n)) * 2.0 ** rng.integers(-4, 2)
    rows = np.where(rng.random(rows.shape) < 0.3, np.round(rows * 4) / 8, rows)
    odd = [0.0, -0.0, 5e-324, -3e-310, 2.0**-650, np.nan]
    if not isinstance(transform, BitFlip):
        odd += [np.inf, -np.inf, 1e300]
    else:
        grid, scale = transform.fixed_grid()
        rows = np.clip(rows, -grid.largest * scale, grid.largest * scale)
    where = rng.random(rows.shape) < 0.04
    rows[where] = rng.choice(odd, int(where.sum()))
    return rows


def both(transform, rows, probability=-1.0, memory=None, cuts=(), passes=2, fixed=False):
    """The same passes by NumPy and in C, from generators in the same states."""
    values, events = generator(11, len(rows)), generator(12, len(rows))
    count, n = rows.shape
    twin = Twin(transform_of(transform, n, memory, probability), words(values), words(events))
    twin.fixed = fixed
    chance = None if probability < 0 else probability
    numpy = Replacement(transform.apply(), chance, memory, Met())
    state, kept = np.zeros((1, count, n)), np.zeros((count, n))
    with np.errstate(invalid="ignore", over="ignore"):
        for step in range(passes):
            given = rows * (1 + step / 8)
            slot = None if memory is None else Slot(state, None)
            wanted = numpy(values, given[None], slot, events)[0]
            found = in_blocks(twin, given, cuts, None if memory is None else kept)
            assert same(found, wanted)
            assert same(kept, state[0])
    assert (twin.values == words(values)).all()
    assert (twin.events == words(events)).all()
    return twin, found


cases = st.integers(1, 11).flatmap(
    lambda n: st.tuples(st.just(n), st.one_of(formats(), flips(), compressors(n)))
)


@settings(deadline=None, max_examples=250)
@given(
    cases,
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 100), max_size=4),
    st.sampled_from([-1.0, -1.0, 0.4]),
    st.sampled_from([None, None, "feedback", "difference"]),
)
def test_transforms_are_the_numpy_ones(case, seed, cuts, probability, memory):
    n, transform = case
    rows = rows_for(transform, n, seed)
    if isinstance(transform, BitFlip):
        memory = None  # sums of what is kept need not fit the format
        both(transform, rows, probability, None, cuts, passes=1)
    else:
        both(transform, rows, probability, memory, cuts)


@pytest.mark.parametrize("n", [7, 8, 9, 15, 64, 127, 128, 129, 136, 300, 1025, 4097])
@pytest.mark.parametrize(
    "transform",
    [
        Sign(),
        Natural(),
        TopK(k=5),
        RandK(k=3),
        Sparsify(keep="1/7"),
        NumberFormat(format="int8", rounding="stochastic", scaling="block", block=32),
        BitFlip(format="bf16", rate="1/2000"),
    ],
    ids=lambda t: t.model,
)
def test_vectors_of_every_length(transform, n):
    rows = np.random.default_rng(n).standard_normal((11, n))
    both(transform, rows, cuts=(3,), passes=1)


@pytest.mark.parametrize(
    ("transform", "memory"),
    [
        (NumberFormat(format="fp8_e4m3", rounding="stochastic", scaling="block", block=2), 1),
        (RandK(k=3), 0),
        (Natural(), 2),
    ],
)
def test_with_sizes_that_are_constants(transform, memory):
    n, sizes = FIXED[transform.model]
    kind = (None, "feedback", "difference")[memory]
    assert transform_of(transform, n, kind).sizes == sizes
    rows = np.random.default_rng(1).standard_normal((200, n))
    for probability in (-1.0, 0.5):
        both(transform, rows, probability, kind, fixed=True)


@pytest.mark.parametrize("memory", [None, "feedback", "difference"])
@pytest.mark.parametrize("transform", [Natural(), RandK(k=2), NumberFormat(format="fp8_e4m3")])
def test_in_single_precision_the_result_is_rounded(transform, memory):
    """Q of the float32 value plus memory, computed in float64 and rounded once."""
    rows = np.random.default_rng(3).standard_normal((40, 6)).astype(np.float32)
    values = generator(5)
    twin = Twin(transform_of(transform, 6, memory), words(values), words(values), "float")
    kept = np.random.default_rng(4).standard_normal((40, 6)).astype(np.float32)
    before = kept.copy()
    found = in_blocks(twin, rows, (), None if memory is None else kept)
    given = {"feedback": rows + before, "difference": rows - before}.get(memory, rows)
    sent = transform.apply()(values, given.astype(np.float64)).astype(np.float32)
    wanted = before + sent if memory == "difference" else sent
    assert same(found, wanted)
    if memory is not None:
        assert same(kept, given - sent if memory == "feedback" else wanted)


# --- what 53 bits do not decide ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["int8", "bf16"])
@pytest.mark.parametrize("seed", range(6))
def test_further_bits_are_drawn_where_they_decide(name, seed):
    """Values that lie between two multiples of 2⁻⁵³ spacings, one of which is drawn for them."""
    transform = NumberFormat(format=name, rounding="stochastic", scale=2**40)
    rng, peek = np.random.default_rng(seed), generator(11, 60)
    rows = np.empty((60, 4))
    spacing = 2.0**40 if name == "int8" else 2.0 ** (40 - 133)
    further = tape(np.empty(0), peek)
    doubts = 0
    for value in np.nditer(rows, op_flags=["readwrite"]):
        u = next(further)
        value[...] = rng.uniform(-0.4, 0.4) * spacing
        if u < 0.25 and rng.random() < 0.5:
            up = rng.integers(1, 4) * 2.0 ** (np.floor(np.log2(u)) - 52)
            value[...] = (u + up) * spacing * rng.choice([-1, 1])
            before = peek.bit_generator.state["state"]["state"][3]
            goes_away(abs(float(value)), 0.0, spacing, u, further)
            doubts += peek.bit_generator.state["state"]["state"][3] != before
    assert doubts > 3
    both(transform, rows, passes=1, cuts=(7, 9, 30))


@pytest.mark.parametrize(("low", "high"), [("-1/3", "1/7"), ("1/10", "3/10"), (-1, "1/3")])
@pytest.mark.parametrize("bits", [2, 7, 12])
def test_ties_of_levels_off_zero_are_settled(low, high, bits):
    transform = NumberFormat(format="uniform", bits=bits, low=low, high=high, overflow="saturate")
    grid, step = transform.fixed_grid()
    ties = grid.offset + (np.arange(2.0**bits) + 0.5) * step
    near = [ties, np.nextafter(ties, 9), np.nextafter(ties, -9), np.linspace(-1e-17, 1e-17, 999)]
    both(transform, np.concatenate(near)[:, None], passes=1)


def test_groups_that_a_power_of_two_fits_exactly():
    for name, top in (("int4", 7.0), ("fp8_e4m3", 448.0), ("bf16", 1.0)):
        sizes = top * 2.0 ** np.arange(-20, 20)
        rows = np.stack([sizes, sizes / 3, np.nextafter(sizes, 0), -sizes / 7], axis=1)
        for kind in ("power_of_two", "real"):
            keys = {"format": name, "scaling": "tensor", "scale_kind": kind}
            both(NumberFormat(**keys), rows, passes=1)
            both(NumberFormat(**keys), rows[:, 1:], passes=1)


@settings(deadline=None, max_examples=300)
@given(
    st.floats(-4, 4),
    st.sampled_from([0.0, 0.5, -1.5, 3.0]),
    st.sampled_from([1.0, 0.1, 3.0, 2.0**-30]),
    st.integers(-3, 3),
    st.integers(0, 2**32),
)
def test_exact_comparisons(x, number, spacing, nudge, seed):
    for value in (x, x * 1e-300, number + x * spacing * 2.0**-53):
        wanted = abs(Fraction(value) - Fraction(number)) / Fraction(spacing)
        first = int(wanted * 2**53) + nudge
        if not 0 <= first < 2**53:
            continue
        twin = generator(seed)
        state = words(twin)
        found = library().goes(
            *(ctypes.c_double(v) for v in (value, number, spacing, first / 2**53)), at(state)
        )
        expected = goes_away(value, number, spacing, first / 2**53, tape(np.empty(0), twin))
        assert bool(found) == expected
        assert (state == words(twin)).all()


@pytest.mark.parametrize("third", [1, 2])
@pytest.mark.parametrize("element", [0, 5, 39])
@pytest.mark.parametrize("model", ["sparsify", "bit_flip"])
def test_events_whose_first_digits_are_drawn(model, element, third):
    """A probability between two multiples of 2⁻⁵³, the lower of which is drawn."""
    rows = np.ones((40, 1))
    drawn = int(generator(11, 40).random(40)[element] * 2**53)
    chance = Fraction(3 * drawn + third, 3 * 2**53)
    transform = (
        Sparsify(keep=str(chance))
        if model == "sparsify"
        else BitFlip(format="int8", rate=str(chance), bits=[1])
    )
    twin, _ = both(transform, rows, passes=1, cuts=(element,))
    assert twin.values[3] == words(generator(11, 40))[3] + 41


def test_ties_of_random_keys_are_passed_over():
    """Two equal words in a row: the next two are taken."""
    for c in (3, 2**63 + 12345):
        twin = generator(0)
        state = twin.bit_generator.state
        state["state"]["state"] = np.array([9 * c + 1 & 2**64 - 1, 0, c, 77], dtype=np.uint64)
        twin.bit_generator.state = state
        found = Twin(transform_of(RandK(k=1), 2), words(twin), words(twin))
        rows = np.ones((6, 2))
        assert same(found.applied(rows), RandK(k=1).apply()(twin, rows))
        assert found.values[3] == 77 + 14
        assert (found.values == words(twin)).all()


def test_the_rarest_flips_are_drawn_to_more_bits():
    """First digits of zero: the next ones count."""
    transform = BitFlip(format="int8", rate=1e-17, bits="all")
    twin = chosen(0, (12345, 0))
    found = Twin(transform_of(transform, 3), words(twin), words(twin))
    rows = np.ones((5, 3))
    assert same(found.applied(rows), transform.apply()(twin, rows))
    assert (found.values == words(twin)).all()
    assert found.values[3] > 5


def test_rare_flips_are_placed_by_two_digits():
    """U = 2⁻⁵³(1 + U'): where the flip is, is up to the second digit."""
    transform, rows, places = BitFlip(format="int8", rate=1e-16), np.ones((2, 100)), set()
    for c in np.random.default_rng(1).integers(2**62, size=12):
        twin = chosen(2048, (c, 0))
        found = Twin(transform_of(transform, 100), words(twin), words(twin)).applied(rows)
        assert same(found, transform.apply()(twin, rows))
        places.add(float(found.sum()))
    assert len(places) > 1


@pytest.mark.parametrize("nonfinite", ["zero", "saturate"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_code_is_reached(name, nonfinite):
    transform = BitFlip(format=name, rate="1/2", nonfinite=nonfinite)
    both(transform, np.random.default_rng(1).uniform(-6, 6, (1500, 2)), passes=1)


# --- values that do not fit, and what has no C function ----------------------------------------


@pytest.mark.parametrize(
    "transform",
    [NumberFormat(format="int8"), BitFlip(format="int8", rate=0)],
    ids=lambda t: t.model,
)
def test_what_does_not_fit_is_reported(transform):
    twin = Twin(transform_of(transform, 2), words(generator(1)), words(generator(2)))
    twin.applied(np.array([[1.0, np.nan], [127.0, -127.0]]))
    assert np.isnan(twin.misfit[0])
    twin.applied(np.array([[1.0, 200.0], [-500.0, 127.0], [300.0, 0.0]]))
    assert twin.misfit[0] == -500.0
    assert "does not fit the format int8" in str(twin.draw.refusal(-500.0))


def test_every_model_of_the_library_has_a_twin():
    assert set(DISTRIBUTION_TWINS) == set(DISTRIBUTIONS.values())
    assert set(TRANSFORM_TWINS) == set(TRANSFORMS.values())


def test_what_has_no_c_function():
    assert transform_of(Halving(), 3) is None
    assert transform_of(Sign(), 10**6) is None
    graph = pair("at: f1, pass: forward, model: halving", "at: f1, pass: forward, model: sign")
    assert "`halving` has no C function" in law_of(graph.perturbations[0], {})
    assert law_of(graph.perturbations[1], {}).sizes == (0,)
    for transform in (TopK(k=4), RandK(k=4), RandK(k=4, scaled=False)):
        with pytest.raises(SpecError, match="more components"):
            transform_of(transform, 3)
    with pytest.raises(SpecError, match="do not divide"):
        transform_of(NumberFormat(format="int8", scaling="channel", channels=2), 3)


def test_laws_of_a_spec_have_their_probability_and_memory():
    graph = pair(
        "at: f1, pass: forward, model: uniform, half_width: 1/2, probability: 1/4",
        "at: f1, pass: forward, model: sign, memory: feedback, reach: {radius: 1}",
    )
    first, second = (law_of(p, {}) for p in graph.perturbations)
    assert first.probability == 0.25
    assert first.parameters.tolist() == [-0.5, 1.0]
    assert (second.probability, second.sizes) == (-1.0, (1,))
