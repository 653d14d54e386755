"""Exact moments: against integrals, against Jensen, and against draws."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import sympy
import sympy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import FLOATS, RATIONALS, SYMBOLS
from boundcalc.errors import SpecError
from boundcalc.perturbations import (
    Constant,
    Distribution,
    Gaussian,
    TwoPoint,
    Uniform,
    VectorMoments,
    thinned,
    vector_moments,
)
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.grammar import parse

DRAWS = 20_000

numbers = st.fractions(-3, 3, max_denominator=12)
sizes = st.fractions(0, 3, max_denominator=12)
ordered = st.tuples(numbers, numbers).filter(lambda ends: ends[0] < ends[1])
# Away from 0 and 1, so that every sample holds many of both events.
chances = st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=12)

distributions = st.one_of(
    st.builds(Gaussian, std=sizes, center=numbers),
    st.builds(Uniform, half_width=sizes),
    ordered.map(lambda ends: Uniform(low=ends[0], high=ends[1])),
    st.builds(TwoPoint, magnitude=sizes),
    st.builds(lambda ends, p: TwoPoint(low=ends[0], high=ends[1], p_high=p), ordered, chances),
    st.builds(Constant, value=numbers),
)


def rational(expression: Expression) -> Fraction:
    value = expression.evaluate(RATIONALS)
    assert type(value) is Fraction
    return value


# --- against integrals -----------------------------------------------------------------

X = sympy.Symbol("x", real=True)
LOW, HIGH, A, C, P = (SYMBOLS.symbol(name) for name in ("low", "high", "a", "c", "p"))


def integral(density: sympy.Expr, low: sympy.Expr, high: sympy.Expr, k: int) -> sympy.Expr:
    return sympy.integrate(X**k * density, (X, low, high))


INTEGRALS: list[tuple[Distribution, Callable[[int], sympy.Expr]]] = [
    (Uniform(half_width="a"), lambda k: integral(1 / (2 * A), -A, A, k)),
    (Uniform(low="low", high="high"), lambda k: integral(1 / (HIGH - LOW), LOW, HIGH, k)),
    (Uniform(low="-low", high="high"), lambda k: integral(1 / (HIGH + LOW), -LOW, HIGH, k)),
    (Gaussian(std="a", center="c"), lambda k: sympy.stats.E(sympy.stats.Normal("z", C, A) ** k)),
    (Gaussian(std="a"), lambda k: sympy.stats.E(sympy.stats.Normal("z", 0, A) ** k)),
    (TwoPoint(magnitude="a"), lambda k: (A**k + (-A) ** k) / 2),
    (
        TwoPoint(low="-low", high="high", p_high="p"),
        lambda k: sympy.stats.E(
            sympy.stats.FiniteRV("z", {HIGH: P, -LOW: 1 - P}, check=False) ** k
        ),
    ),
    (Constant(value="c"), lambda k: C**k),
]


@pytest.mark.parametrize(("distribution", "moment"), INTEGRALS)
def test_moments_are_the_integrals(
    distribution: Distribution, moment: Callable[[int], sympy.Expr]
) -> None:
    moments = distribution.moments()
    for k, ours in ((1, moments.mean), (2, moments.second), (4, moments.fourth)):
        assert sympy.simplify(ours.evaluate(SYMBOLS) - moment(k)) == 0


@settings(deadline=None)
@given(ordered)
def test_uniform_moments_are_the_power_sums(ends: tuple[Fraction, Fraction]) -> None:
    low, high = ends
    moments = Uniform(low=low, high=high).moments()
    assert rational(moments.second) == sum(low**k * high ** (2 - k) for k in range(3)) / 3
    assert rational(moments.fourth) == sum(low**k * high ** (4 - k) for k in range(5)) / 5


def test_values_by_hand() -> None:
    moments = Gaussian(std=2).moments()
    assert [rational(m) for m in (moments.mean, moments.second, moments.fourth)] == [0, 4, 48]
    moments = TwoPoint(low=-1, high=3, p_high="1/4").moments()
    assert [rational(m) for m in (moments.mean, moments.second, moments.fourth)] == [0, 3, 21]


def test_far_interval_keeps_its_accuracy_in_floats() -> None:
    moments = Uniform(low="-1", high="1 + 1/10**8").moments()
    exactly = rational(moments.mean)
    assert moments.mean.evaluate(FLOATS) == pytest.approx(float(exactly), rel=1e-7)
    assert moments.fourth.evaluate(FLOATS) == pytest.approx(float(rational(moments.fourth)))


# --- inequalities that hold for every law ------------------------------------------------


@settings(deadline=None)
@given(distributions, st.integers(1, 50), st.none() | st.fractions(0, 1, max_denominator=20))
def test_jensen(distribution: Distribution, size: int, p: Fraction | None) -> None:
    component = distribution.moments()
    assert rational(component.mean) ** 2 <= rational(component.second)
    assert rational(component.second) ** 2 <= rational(component.fourth)
    vector = vector_moments(component, size, None if p is None else exact(p))
    assert rational(vector.mean_squared) <= rational(vector.second)
    assert rational(vector.second) ** 2 <= rational(vector.fourth)


@settings(deadline=None)
@given(numbers, st.integers(1, 50))
def test_jensen_is_tight_for_constants(value: Fraction, size: int) -> None:
    vector = vector_moments(Constant(value=value).moments(), size)
    assert rational(vector.mean_squared) == rational(vector.second) == size * value**2
    assert rational(vector.fourth) == (size * value**2) ** 2


# --- the vector --------------------------------------------------------------------------


@settings(deadline=None)
@given(ordered, chances, st.integers(1, 5), chances)
def test_vector_moments_are_those_of_all_outcomes(
    ends: tuple[Fraction, Fraction], p_high: Fraction, size: int, p: Fraction
) -> None:
    # The literal twin: sum over all 2^n outcomes of a two-point vector.
    law = {ends[1]: p_high, ends[0]: 1 - p_high}
    outcomes: list[tuple[tuple[Fraction, ...], Fraction]] = [((), p)]
    for _ in range(size):
        outcomes = [((*v, x), q * law[x]) for v, q in outcomes for x in law]
    norms = [(sum((x * x for x in v), Fraction(0)), q) for v, q in outcomes]
    mean = [sum(q * v[i] for v, q in outcomes) for i in range(size)]

    component = TwoPoint(low=ends[0], high=ends[1], p_high=p_high).moments()
    vector = vector_moments(component, size, exact(p))
    assert rational(vector.mean_squared) == sum(m * m for m in mean)
    assert rational(vector.second) == sum(q * norm for norm, q in norms)
    assert rational(vector.fourth) == sum(q * norm**2 for norm, q in norms)


def test_no_probability_is_probability_one() -> None:
    component = Gaussian(std="1/2", center=1).moments()

    def values(vector: VectorMoments) -> list[Fraction]:
        return [rational(m) for m in (vector.mean_squared, vector.second, vector.fourth)]

    assert values(vector_moments(component, 3)) == values(vector_moments(component, 3, exact(1)))


@pytest.mark.parametrize("p", ["-1/10", "11/10", 2])
def test_no_probability(p: str | int) -> None:
    with pytest.raises(SpecError, match="not a probability"):
        vector_moments(Constant(value=1).moments(), 1, parse(p))
    with pytest.raises(SpecError, match="not a probability"):
        thinned(Constant(value=1).sampler({}), float(Fraction(p)))


def test_no_component() -> None:
    with pytest.raises(SpecError, match="size ≥ 1"):
        vector_moments(Constant(value=1).moments(), 0)


def test_probability_may_be_a_symbol() -> None:
    vector = vector_moments(Constant(value="c").moments(), 2, parse("p"))
    assert vector.mean_squared.evaluate(SYMBOLS) == 2 * C**2 * P**2
    assert vector.fourth.evaluate(SYMBOLS) == 4 * C**4 * P


# --- against draws -----------------------------------------------------------------------


def assert_within_six_errors(draws: np.ndarray, expected: Fraction) -> None:
    error = draws.std() / np.sqrt(draws.size)
    scale = max(float(np.abs(draws).max()), abs(float(expected)))
    assert abs(draws.mean() - float(expected)) <= 6 * error + 1e-12 * scale


@settings(derandomize=True, deadline=None, max_examples=60)
@given(distributions, st.integers(0, 2**32))
def test_draws_have_the_moments(distribution: Distribution, seed: int) -> None:
    draws = np.empty(DRAWS)
    distribution.sampler({})(np.random.Generator(np.random.SFC64(seed)), draws)
    moments = distribution.moments()
    assert_within_six_errors(draws, rational(moments.mean))
    assert_within_six_errors(draws**2, rational(moments.second))
    assert_within_six_errors(draws**4, rational(moments.fourth))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(distributions, st.integers(1, 6), st.none() | chances, st.integers(0, 2**32))
def test_vectors_have_the_moments(
    distribution: Distribution, size: int, p: Fraction | None, seed: int
) -> None:
    sampler = distribution.sampler({})
    if p is not None:
        sampler = thinned(sampler, float(p))
    draws = np.empty((4, DRAWS // 4, size))
    sampler(np.random.Generator(np.random.SFC64(seed)), draws)
    moments = vector_moments(distribution.moments(), size, None if p is None else exact(p))
    squares = (draws**2).sum(axis=-1)
    assert_within_six_errors(squares, rational(moments.second))
    assert_within_six_errors(squares**2, rational(moments.fourth))
    # ‖E δ‖² is n times the square of each component's mean.
    mean = rational(distribution.moments().mean) * (1 if p is None else p)
    assert rational(moments.mean_squared) == size * mean**2
    for component in range(size):
        assert_within_six_errors(draws[..., component], mean)


def test_components_and_samples_are_independent() -> None:
    rng = np.random.Generator(np.random.SFC64(7))
    draws = np.empty((3, 20_000, 2))
    thinned(Gaussian(std=1).sampler({}), 0.5)(rng, draws)
    correlations = np.corrcoef(np.concatenate([draws[..., 0], draws[..., 1]]))
    assert np.abs(correlations - np.eye(6)).max() < 6 / np.sqrt(20_000)
    # One event for all components of a vector, different ones across replicas.
    acts = draws[..., 0] != 0
    assert np.array_equal(acts, draws[..., 1] != 0)
    assert np.abs(np.corrcoef(acts) - np.eye(3)).max() < 6 / np.sqrt(20_000)
