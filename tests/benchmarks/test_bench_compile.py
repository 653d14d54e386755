"""Loading, building and compiling: pytest tests/benchmarks --benchmark-only.

Nothing here asserts a time; docs/benchmarks.md has the numbers of one machine.
"""

from fractions import Fraction

import numpy as np
import pytest
from bench_specs import repeated, trained, written_out

import boundcalc as bc
from boundcalc.arithmetic import FLOATS, INTERVALS, RATIONALS, WIDE
from boundcalc.graph import ChainConstants, Levels, UniformConstants
from boundcalc.rates import rates
from boundcalc.theories.perturbed import sharp, sites, sums


def chain(size, kind):
    """All constants of a chain, the same at every operator."""

    def column(value):
        return (kind.number(0), *[kind.number(value)] * size)

    return ChainConstants(
        *(column(Fraction(value)) for value in (1, 1, 1, "1/4", "1/4", "1/9", "1/9"))
    )


def uniform(size, kind):
    values = (Fraction(value) for value in (1, 1, "1/4", "1/4", "1/9"))
    return UniformConstants(size, *(kind.number(value) for value in values))


def in_context(function, kind):
    """The function with FLINT's precision set once, as the library runs it."""
    if kind is not INTERVALS:
        return function

    def run(*arguments, **options):
        with kind.working():
            return function(*arguments, **options)

    return run


@pytest.mark.benchmark(group="load 1 000 operators")
@pytest.mark.parametrize("text", [repeated, written_out])
def test_load(benchmark, text):
    spec = benchmark(bc.loads, text(1000))
    assert len(spec.graph.operators) in (1, 1000)


@pytest.mark.benchmark(group="build 1 000 operators")
@pytest.mark.parametrize("text", [repeated, written_out])
def test_build(benchmark, text):
    assert benchmark(bc.build, bc.loads(text(1000))).size == 1000


KINDS = pytest.mark.parametrize("kind", [INTERVALS, WIDE], ids=["intervals", "wide"])


@pytest.mark.benchmark(group="coefficients: sharp")
@KINDS
@pytest.mark.parametrize("size", [100, 1_000, 10_000, 100_000])
def test_sharp_coefficients(benchmark, size, kind):
    found = benchmark.pedantic(
        in_context(sites.site_coefficients, kind),
        (chain(size, kind), kind),
        rounds=max(1, 3000 // size),
        warmup_rounds=int(size < 100_000),
    )
    assert len(found.error_forward) == size + 1


@pytest.mark.benchmark(group="coefficients: published")
@KINDS
@pytest.mark.parametrize("size", [100, 1_000, 10_000, 100_000])
def test_published_coefficients(benchmark, size, kind):
    found = benchmark.pedantic(
        in_context(sums.coefficients, kind),
        (uniform(size, kind), kind),
        {"corrected": False},
        rounds=max(1, 3000 // size),
        warmup_rounds=int(size < 100_000),
    )
    assert len(found.error_forward) == size + 1


@pytest.mark.benchmark(group="published coefficients of 64 operators")
def test_published_as_printed_with_nested_loops(benchmark):
    """The peer: (21) and (33a) as they stand in print, one sum inside another."""

    def literal():
        jac, lip, hess, third = Fraction(1), Fraction(1), Fraction(1, 4), Fraction(1, 9)
        n = 64
        s = [sum((3 * jac**2) ** k for k in range(j + 1)) for j in range(n)]
        error = [
            4 * hess**2 * sum(s[j] * (2 * lip**2) ** (j - i) for j in range(i, n))
            for i in range(1, n)
        ]
        bias = [
            8 * third**2 * sum(s[j] * (4 * jac**2) ** (j - i) for j in range(i, n))
            for i in range(1, n)
        ]
        return error, bias

    error, _ = benchmark(literal)
    found = sums.coefficients(uniform(64, RATIONALS), RATIONALS, corrected=False)
    assert tuple(error) == found.error_forward[1:-1]


@pytest.mark.benchmark(group="published coefficients of 64 operators")
def test_published_exact(benchmark):
    found = benchmark(sums.coefficients, uniform(64, RATIONALS), RATIONALS, corrected=False)
    assert found.error_forward[1] > 0


@pytest.mark.benchmark(group="exact sharp coefficients of 64 operators")
def test_sharp_exact(benchmark):
    found = benchmark(sites.site_coefficients, chain(64, RATIONALS), RATIONALS)
    assert isinstance(found.error_forward[1], Fraction)


@pytest.mark.benchmark(group="Gram matrix of 128 sites")
@pytest.mark.parametrize("kind", [RATIONALS, WIDE], ids=["exact", "wide"])
def test_gram(benchmark, kind):
    matrix = benchmark(sites.gram_matrix, chain(65, kind), kind)
    assert len(matrix) == 128


@pytest.mark.benchmark(group="rates, both regimes, three families")
@pytest.mark.parametrize(
    ("horizon", "schedule"),
    [(10**9, ""), (10**4, ", every: 10"), (10**6, ", every: 10")],
    ids=["1e9 constant", "1e4 every 10", "1e6 every 10"],
)
def test_rates(benchmark, horizon, schedule):
    graph = bc.build(bc.loads(trained(horizon, schedule)))
    found = benchmark.pedantic(rates, (graph,), rounds=3)
    assert found.pl["sharp"].bound.value > 0


SETS = 10_000


def parameter_sets(size):
    """Constants and levels of many chains of one length at once, and one by one."""
    rng = np.random.default_rng(0)
    drawn = [[rng.random(SETS) for _ in range(size)] for _ in range(9)]
    zero = np.zeros(SETS)
    columns = [(zero, *column) for column in drawn]
    none = (zero,) * (size + 1)
    together = ChainConstants(*columns[:7]), Levels(columns[7], none, none, columns[8], none)

    def single(k):
        floats = [tuple(float(values[k]) for values in column) for column in columns]
        nothing = (0.0,) * (size + 1)
        return (
            ChainConstants(*floats[:7]),
            Levels(floats[7], nothing, nothing, floats[8], nothing),
        )

    return together, [single(k) for k in range(SETS)]


@pytest.mark.benchmark(group="sharp bounds of 10 000 parameter sets, N = 10")
@pytest.mark.parametrize("how", ["vectorised", "loop"])
def test_many_parameter_sets(benchmark, how):
    together, singles = parameter_sets(10)

    def vectorised():
        return sharp.general(*together, FLOATS).total()

    def loop():
        return [sharp.general(*single, FLOATS).total() for single in singles]

    found = benchmark.pedantic(vectorised if how == "vectorised" else loop, rounds=3)
    np.testing.assert_allclose(found, vectorised(), rtol=1e-12)


@pytest.mark.benchmark(group="first-order error of one number, N = 100")
def test_uncertainties_as_a_peer(benchmark):
    """Another package's linear propagation through the same chain, where it is installed."""
    uncertainties = pytest.importorskip("uncertainties")
    umath = pytest.importorskip("uncertainties.umath")

    def forward():
        y = uncertainties.ufloat(0.5, 0.0)
        for _ in range(100):
            y = umath.sin(y + 0.5) + uncertainties.ufloat(0.0, 0.1)
        return y.std_dev

    assert benchmark(forward) > 0
