"""Compressors: moments against enumeration of all outcomes, and what attains them."""

from fractions import Fraction

import pytest
import sympy
from compressors import Vector, ball, exact_moments, outcomes, rationals, squared
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from boundcalc.errors import SpecError
from boundcalc.perturbations import TRANSFORMS, Natural, RandK, Reach, Sign, Sparsify, TopK
from boundcalc.perturbations.compression import Compressor, largest_fourth_powers, root_above
from boundcalc.spec.loading import library_object

numbers = st.fractions(-3, 3, max_denominator=8)
vectors = st.integers(1, 4).flatmap(lambda n: st.tuples(*[numbers] * n))


def compressors(n: int) -> list[Compressor]:
    ks = range(1, n + 1)
    return [
        *(RandK(k=k) for k in ks),
        *(RandK(k=k, scaled=False) for k in ks),
        *(TopK(k=k) for k in ks),
        *(Sparsify(keep=p) for p in ("1/7", "2/3", 1)),
        Sparsify(keep="1/3", scaled=False),
        Sign(),
        Natural(),
    ]


def reach_of(y: Vector) -> Reach:
    """A box around y, with the least rational ball of a kind that holds it."""
    box = max(abs(v) for v in y)
    radius = Fraction(root_above(squared(y)))
    return Reach((len(y),), radius, -box, box)


# --- the enumeration is never above the bound ---------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(vectors)
def test_moments_dominate_every_vector(y: Vector) -> None:
    for transform in compressors(len(y)):
        bounds = rationals(transform.moments(reach_of(y)))
        for found, bound in zip(exact_moments(transform, y), bounds, strict=True):
            assert found <= bound


@settings(deadline=None, max_examples=20)
@given(vectors)
def test_contractions_hold_for_every_vector(y: Vector) -> None:
    n, length = len(y), squared(y)
    for transform in compressors(n):
        _, second, fourth = exact_moments(transform, y)
        assert second <= transform.contraction(n) * length
        assert fourth <= transform.contraction_fourth(n) * length**2


@settings(deadline=None, max_examples=20)
@given(vectors)
def test_largest_holds_for_every_draw(y: Vector) -> None:
    for transform in compressors(len(y)):
        largest = transform.largest(reach_of(y))
        for chance, sent in outcomes(transform, y):
            if not chance:
                continue
            delta = [s - v for s, v in zip(sent, y, strict=True)]
            assert max(abs(d) for d in delta) <= Fraction(largest.component)
            assert squared(tuple(delta)) <= Fraction(largest.norm) ** 2


@settings(deadline=None, max_examples=15)
@given(vectors)
def test_mean_factor_and_orthogonality(y: Vector) -> None:
    n = len(y)
    for transform in compressors(n):
        drawn = list(outcomes(transform, y))
        factor = transform.mean_factor(n)
        if factor is not None:
            mean = [sum(p * sent[j] for p, sent in drawn) for j in range(n)]
            assert mean == [factor * v for v in y]
        masks = isinstance(transform, TopK) or getattr(transform, "scaled", True) is False
        assert transform.masks(n) or not masks
        if transform.masks(n):
            assert all(s in (0, v) for _, sent in drawn for s, v in zip(sent, y, strict=True))
        if transform.orthogonal(n):
            for _, sent in drawn:
                assert sum(s * (s - v) for s, v in zip(sent, y, strict=True)) == 0


# --- and it attains the bound -------------------------------------------------------------------

# Vectors with rational norm that are a vertex: equal entries but one, others 0.
VERTICES = [
    ((3,), 3, None),
    ((3, 0), 3, None),
    ((3, 0, 0, 0), 3, None),
    ((2, 2, 1), 3, 2),
    ((2, 2, 1, 0, 0), 3, 2),
    ((1, 1, 1, 1), 2, 1),
    ((1, 1, 1, 1, 0, 0), 2, 1),
    ((4, 4, 2, 0), 6, 4),
]


@pytest.mark.parametrize(("entries", "radius", "box"), VERTICES)
def test_bounds_of_random_masks_are_attained(
    entries: tuple[int, ...], radius: int, box: int | None
) -> None:
    y = tuple(map(Fraction, entries))
    reach = ball(len(y), radius, box)
    for transform in compressors(len(y)):
        if isinstance(transform, RandK | Sparsify):
            assert rationals(transform.moments(reach)) == exact_moments(transform, y)


@pytest.mark.parametrize(("entries", "radius", "box"), VERTICES)
def test_largest_of_random_masks_is_attained(
    entries: tuple[int, ...], radius: int, box: int | None
) -> None:
    y = tuple(map(Fraction, entries))
    reach = ball(len(y), radius, box)
    for transform in compressors(len(y)):
        if not isinstance(transform, RandK | Sparsify):
            continue
        deltas = [
            tuple(s - v for s, v in zip(sent, y, strict=True))
            for chance, sent in outcomes(transform, y)
            if chance
        ]
        largest = transform.largest(reach)
        assert largest.norm**2 == pytest.approx(float(max(squared(d) for d in deltas)), rel=1e-9)
        assert largest.component == pytest.approx(
            float(max(abs(v) for d in deltas for v in d)), rel=1e-9
        )


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 1), (5, 2), (4, 4)])
def test_equal_components_attain_the_bound_of_top_k(n: int, k: int) -> None:
    y = (Fraction(3),) * n
    assert rationals(TopK(k=k).moments(Reach((n,), None, Fraction(-3), Fraction(3)))) == (
        exact_moments(TopK(k=k), y)
    )
    largest = TopK(k=k).largest(Reach((n,), None, Fraction(-3), Fraction(3)))
    assert largest.component == pytest.approx(3 if k < n else 0)
    assert largest.norm**2 == pytest.approx(9 * (n - k))


def test_a_dropped_component_is_not_alone() -> None:
    # (2, 2, 2, 2) has norm 4: with k = 3, one component of size 4/√4 is dropped at most.
    assert TopK(k=3).largest(ball(4, 4)).component == pytest.approx(2)


@pytest.mark.parametrize(
    ("entries", "reach", "second"),
    [
        ((2, 2, 0, 0), Reach((4,), None, Fraction(-2), Fraction(2)), 4),  # nM²/4
        ((2, 0, 0, 0), ball(4, 2), 3),  # (1 − 1/n) r²
        ((2, 2, 2, 2, 0, 0, 0, 0, 0), ball(9, 4, 2), 16 - Fraction(64, 9)),  # s − s²/(nM²)
        ((3,), ball(1, 3), 0),
    ],
)
def test_bound_of_signs_is_attained(entries, reach, second) -> None:  # type: ignore[no-untyped-def]
    y = tuple(map(Fraction, entries))
    assert exact_moments(Sign(), y)[1] == second
    assert rationals(Sign().moments(reach))[1] == second


def test_natural_attains_an_eighth() -> None:
    y = (Fraction(4, 3),) * 3
    reach = Reach((3,), None, Fraction(-4, 3), Fraction(4, 3))
    assert exact_moments(Natural(), y)[:2] == (0, squared(y) / 8)
    assert rationals(Natural().moments(reach))[:2] == (0, squared(y) / 8)


def test_natural_fourth_moment_of_one_component() -> None:
    t = sympy.Symbol("t")
    fourth = t**4 * (1 - t) + t * (1 - t) ** 4
    bound = sympy.Poly(sympy.Rational(Natural().contraction_fourth(1)) * (1 + t) ** 4 - fourth, t)
    assert bound.count_roots(0, 1) == 0
    assert bound.eval(0) > 0
    # and it is not far from the largest value
    assert sympy.N(fourth.subs(t, 0.12427) / 1.12427**4) > 0.0458


# --- exact values -------------------------------------------------------------------------------


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_rand_k_has_omega_d_over_k_minus_1(pair: tuple[int, int]) -> None:
    n, k = pair
    assert RandK(k=k).contraction(n) == Fraction(n, k) - 1
    assert RandK(k=k, scaled=False).contraction(n) == 1 - Fraction(k, n)
    assert rationals(RandK(k=k).moments(ball(n, 1)))[:2] == (0, Fraction(n, k) - 1)
    assert Sparsify(keep=Fraction(k, n)).contraction(n) == Fraction(n, k) - 1


@settings(deadline=None)
@given(st.integers(2, 30), st.data())
def test_more_components_kept_is_never_worse(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n - 1))
    r = data.draw(st.fractions(Fraction(1, 4), 4, max_denominator=6))
    box = data.draw(st.none() | st.fractions(Fraction(1, 4), 4, max_denominator=6))
    reach = ball(n, r, box)
    pairs: list[tuple[Compressor, Compressor]] = [
        (RandK(k=k), RandK(k=k + 1)),
        (RandK(k=k, scaled=False), RandK(k=k + 1, scaled=False)),
        (TopK(k=k), TopK(k=k + 1)),
        (Sparsify(keep=Fraction(k, n)), Sparsify(keep=Fraction(k + 1, n))),
    ]
    for less, more in pairs:
        worse, better = rationals(less.moments(reach)), rationals(more.moments(reach))
        assert all(b <= w for b, w in zip(better, worse, strict=True))
        assert less.bits(n) <= more.bits(n) <= 33 * n


@settings(deadline=None, max_examples=20)
@given(vectors, st.fractions(1, 3, max_denominator=4))
def test_a_larger_reach_has_larger_moments(y: Vector, factor: Fraction) -> None:
    small = reach_of(y)
    assert small.radius is not None
    assert small.high is not None
    large = ball(small.size, small.radius * factor, small.high)
    for transform in compressors(len(y)):
        mean, second, fourth = rationals(transform.moments(small))
        bounds = rationals(transform.moments(large))
        assert all(a <= b for a, b in zip((mean, second, fourth), bounds, strict=True))
        assert mean <= second  # Jensen, for the bounds as well
        assert second**2 <= fourth


def test_keeping_everything_changes_nothing() -> None:
    for transform in (RandK(k=3), RandK(k=3, scaled=False), TopK(k=3), Sparsify(keep=1)):
        assert rationals(transform.moments(ball(3, 2))) == (0, 0, 0)
        assert transform.largest(ball(3, 2)).norm == 0
        assert transform.largest(ball(3, 2)).component == 0


def test_values_that_are_all_zero() -> None:
    for transform in compressors(3):
        assert rationals(transform.moments(ball(3, 0))) == (0, 0, 0)
        assert transform.largest(ball(3, 0)).norm == 0


def test_bits() -> None:
    assert RandK(k=3).bits(1000) == 3 * 32 + 3 * 10
    assert TopK(k=500).bits(1000) == 500 * 32 + 1000  # a mask is shorter than 500 indices
    assert Sparsify(keep="1/10").bits(1000) == 100 * 32 + 1000
    assert Sparsify(keep="1/1000").bits(1000) == 32 + 10
    assert Sign().bits(1000) == 1032
    assert Natural().bits(1000) == 9000
    assert RandK(k=1).bits(1) == 32  # which one needs no saying


@given(st.fractions(0, 9, max_denominator=7), st.fractions(Fraction(1, 7), 3, max_denominator=7))
def test_largest_sum_of_squares_is_a_vertex(total: Fraction, cap: Fraction) -> None:
    entries, rest = [], total
    while rest > 0:
        entries.append(min(cap, rest))
        rest -= entries[-1]
    assert largest_fourth_powers(total, cap) == sum(v * v for v in entries)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [RandK(k=4), TopK(k=4)])
def test_more_components_than_there_are(transform: Compressor) -> None:
    for ask in (transform.contraction, transform.bits):
        with pytest.raises(SpecError, match="more components are kept than there are"):
            ask(3)
    for question in (transform.moments, transform.largest):
        with pytest.raises(SpecError, match="k = 4, of 3"):
            question(ball(3, 1))


@pytest.mark.parametrize("transform", compressors(2), ids=repr)
def test_an_unknown_range_is_refused_with_the_fix(transform: Compressor) -> None:
    for question in (transform.moments, transform.largest):
        with pytest.raises(SpecError, match=r"reach: \{radius: NUMBER\}"):
            question(Reach((2,), None, None, None))


@pytest.mark.parametrize(
    "parameters",
    [
        {"model": "rand_k"},
        {"model": "rand_k", "k": 0},
        {"model": "rand_k", "k": 1.5},
        {"model": "rand_k", "k": True},
        {"model": "rand_k", "k": 2, "scaled": "no"},
        {"model": "top_k", "k": -1},
        {"model": "top_k", "k": 1, "scaled": False},
        {"model": "sparsify", "keep": 0},
        {"model": "sparsify", "keep": "3/2"},
        {"model": "sparsify", "keep": "sqrt(2)/2"},
        {"model": "sparsify", "keep": "p"},
        {"model": "sparsify", "keep": "1/3**60"},
        {"model": "sign", "k": 1},
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, object]) -> None:
    given_ = dict(parameters)
    model = TRANSFORMS[str(given_.pop("model"))]
    with pytest.raises(SpecError, match=r"perturbations\[0\]"):
        library_object(model, given_, "perturbations[0]")


def test_a_field_is_refused_by_the_class_as_well() -> None:
    with pytest.raises(ValidationError):
        RandK(k=0)
