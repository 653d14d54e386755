"""Theorems 4.17 and 4.18: sums index by index, exact enumeration, sharpness, number kinds."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import POSITIVE, chains, constant_chain, lengths, levels, perturbed_chains
from theories import polynomial_graphs as polynomials
from theories.literal_superposition import Literal

from boundcalc.arithmetic import FLOATS, INTERVALS, RATIONALS, WIDE, Arithmetic
from boundcalc.graph import ChainConstants, Levels
from boundcalc.graph.numbers import Run
from boundcalc.theories.perturbed import graph_sites, sharp, superposition
from boundcalc.theories.perturbed.refinements import MEAN_CAP, SATURATION, Choice
from boundcalc.theories.perturbed.single_site import site_rows
from boundcalc.theories.perturbed.superposition import superposed

F = Fraction
TINY = F(1, 2**60)
#: Seeded, so that a failure can be run again.
RANDOM = st.randoms(use_true_random=True)


def rows_of(c: Any, x: Levels, kind: Arithmetic = RATIONALS, *, centred: bool = False) -> Any:
    """The rows with everything that the general recurrences give, saturated and capped."""
    choice = Choice(kind, (SATURATION, MEAN_CAP))
    second = sharp.centred(c, x, kind, forward=centred, backward=False, choice=choice)
    mu = sharp.means(c, x, second, kind, capped=True, choice=choice).mu
    return superposed(c, x, second.s, mu, second.V, second.R, kind)


@settings(deadline=None, max_examples=60)
@given(perturbed_chains())
def test_the_recurrences_are_the_sums(case: tuple[ChainConstants, Levels]) -> None:
    c, x = case
    choice = Choice(RATIONALS, (SATURATION,))
    second = sharp.centred(c, x, RATIONALS, forward=False, backward=False, choice=choice)
    mu = sharp.means(c, x, second, RATIONALS, capped=True).mu
    found = superposed(c, x, second.s, mu, second.V, second.R, RATIONALS)
    assert list(found[1:]) == Literal(c).best(x, second.s, mu, second.R)


@st.composite
def tiny_noise(draw: Any) -> tuple[ChainConstants, Levels]:
    """Perturbations so small that no cap is active; means of the order of their squares."""
    c = draw(chains(draw(lengths()), POSITIVE))
    x = draw(levels(c.size, pool=POSITIVE))
    return c, replace(x, e=tuple(TINY * e for e in x.e), m=tuple(TINY**2 * m for m in x.m))


@settings(deadline=None, max_examples=60)
@given(tiny_noise())
def test_small_perturbations_add_up(case: tuple[ChainConstants, Levels]) -> None:
    # (4l) = (4j): the same numbers operator by operator and site by site.
    c, x = case
    assert list(rows_of(c, x)[1:]) == Literal(c).plain(x)


@pytest.mark.parametrize("centred", [False, True])
@settings(deadline=None, max_examples=60)
@given(case=perturbed_chains())
def test_never_above_the_unrefined_means(
    centred: bool, case: tuple[ChainConstants, Levels]
) -> None:
    c, x = case
    silent = (F(0),) * (c.size + 1)
    x = replace(x, eps=silent, n=silent, m=silent if centred else x.m)
    plain = Literal(c).plain(x)
    wide = Levels(*(tuple(WIDE.number(v) for v in row) for row in (x.e, x.m, x.q, x.eps, x.n)))
    second = sharp.centred(c, wide, WIDE, forward=centred, backward=False)
    old = sharp.means(c, wide, second, WIDE, capped=False).gradient
    mu = sharp.means(c, wide, second, WIDE, capped=False).mu
    new = superposed(c, wide, second.s, mu, second.V, second.R, WIDE)
    for i in range(1, c.size + 1):
        assert WIDE.number(plain[i - 1]) ** 2 <= old[i] * (1 + WIDE.number(F(1, 10**28)))
        assert new[i] <= WIDE.number(plain[i - 1]) * (1 + WIDE.number(F(1, 10**28)))


@pytest.mark.parametrize("chain", [True, False])
@settings(deadline=None, max_examples=50)
@given(rnd=RANDOM)
def test_no_polynomial_graph_beats_it(chain: bool, rnd: random.Random) -> None:
    # Every outcome of perturbations that depend on all before them, in exact arithmetic.
    N, noise = rnd.randint(2, 5), F(1, rnd.choice([1, 1, 3, 10, 100]))
    graph = polynomials.random_graph(rnd, N, noise, chain=chain)
    leaves, mean = polynomials.random_noise(rnd, N, noise, centred=bool(rnd.randrange(3)))
    c = graph.constants()
    x = polynomials.levels_of(leaves, mean, edges=1 + max(map(max, c.edges[1:])))
    rows, errors = rows_of(c, x), polynomials.mean_errors(graph, leaves)
    for v in range(1, N + 1):
        assert errors[v] <= rows[v]


@pytest.mark.parametrize("chain", [True, False])
@settings(deadline=None, max_examples=40)
@given(rnd=RANDOM)
def test_no_graph_with_a_kink_beats_it(chain: bool, rnd: random.Random) -> None:
    N, noise = rnd.randint(2, 5), F(1, rnd.choice([1, 3, 10]))
    kinks = frozenset([rnd.randint(2, N)])
    graph = polynomials.random_graph(rnd, N, noise, chain=chain, kinks=kinks)
    leaves, mean = polynomials.random_noise(rnd, N, noise, centred=bool(rnd.randrange(3)))
    c = graph.constants()
    x = polynomials.levels_of(leaves, mean, edges=1 + max(map(max, c.edges[1:])))
    rows, errors = rows_of(c, x), polynomials.mean_errors(graph, leaves)
    for v in range(1, N + 1):
        assert rows[v] is None or errors[v] <= rows[v]


def test_what_a_kink_leaves() -> None:
    # Operator 3 of 5 has a kink: its Jacobian jumps by 1.
    N, kink = 5, 3
    c = constant_chain(N).graph
    c = replace(
        c,
        A=tuple(((None,),) if v == kink else row for v, row in enumerate(c.A)),
        A3=tuple((None,) if v == kink else row for v, row in enumerate(c.A3)),
        J=tuple((F(1),) if v == kink else row for v, row in enumerate(c.J)),
    )
    e = tuple(F(k in (1, 4), 100) for k in range(N + 1))
    none = (F(0),) * (N + 1)
    found = rows_of(c, Levels(e, none, none, none, none))
    # The gradient of weight 2 is no smooth function of the state that δ_1 moves; those behind
    # the kink are Lipschitz, and what δ_1 does to the adjoint of weight 1 has a bound of its own.
    assert [row is None for row in found[1:]] == [False, True, False, False, False]
    # δ_4 alone comes after the kink, so that every weight has the smooth bound.
    alone = Levels(tuple(F(k == 4, 100) for k in range(N + 1)), none, none, none, none)
    assert rows_of(c, alone)[1:] == rows_of(constant_chain(N), alone)[1:]


def test_a_kink_before_an_operator() -> None:
    # y_2 = max(y_1, 0) + δ_2 at y_1 = 0, u_3 = y_2: the kink turns ±e into a mean of e/2.
    zero, one = F(0), F(1)
    graph = polynomials.PolynomialGraph(
        inputs=((), (0,), (1,), (2,)),
        weights=((), (one,), (one,), (one,)),
        p=[[], [zero], [zero, one], [zero]],
        q=[[], [zero], [zero], [zero, one]],
        kinks=frozenset([2]),
        x=zero,
        radius=[zero, F(1, 100), F(2), F(2)],
    )
    first, second = F(1, 100), F(1)
    leaves = [(F(1, 4), [zero, a * first, b * second]) for a in (-1, 1) for b in (-1, 1)]
    none = (zero,) * 4
    x = Levels((zero, first, second, zero), none, none, none, none)
    rows = rows_of(graph.constants(), x)
    assert polynomials.mean_errors(graph, leaves)[3] == first / 2
    # The size of δ_1 is left of its mean; δ_2, after the kink, still has none.
    assert rows[3] == first


@settings(deadline=None, max_examples=60)
@given(tiny_noise())
def test_a_chain_as_a_graph(case: tuple[ChainConstants, Levels]) -> None:
    # One pass for each site is the same sum; there ℓ = a, as means pass on by Jacobians.
    c, x = case
    c = replace(c, l=c.a)
    V = sharp.adjoint_norms(c, RATIONALS)
    each = [site_rows(c.graph, x, k, V, RATIONALS) for k in range(1, c.size)]
    assert [sum(column, F(0)) for column in zip(*each, strict=True)][1:] == Literal(c).plain(x)


def test_one_large_site_saturates() -> None:
    # Two adjoints, or two gradients, of norm 1 are at most 2 apart: f′ = −1 after f′ = 1.
    one, none = (F(0), F(1), F(1)), (F(0),) * 3
    x = Levels((F(0), F(100), F(0)), none, none, none, none)
    assert site_rows(constant_chain(2).graph, x, 1, one, RATIONALS)[1:] == (F(2), F(2))


@settings(deadline=None, max_examples=40)
@given(rnd=RANDOM, kink=st.booleans())
def test_one_site_is_concave(rnd: random.Random, kink: bool) -> None:
    # In (e², m): what Theorem 4.17 needs to average over the past.
    N = rnd.randint(2, 6)
    kinks = frozenset([rnd.randint(2, N)] if kink else [])
    g = polynomials.random_graph(rnd, N, F(1), chain=False, kinks=kinks).constants()
    g = graph_sites.converted(g)
    V, none, k = sharp.adjoint_norms(g, FLOATS), (0.0,) * 40, rnd.randint(1, N - 1)

    def rows(square: float, mean: float) -> Any:
        e, m = (*none[:k], square**0.5, *none[k + 1 :]), (*none[:k], mean, *none[k + 1 :])
        return site_rows(g, Levels(e, m, none, none, none), k, V, FLOATS)

    ends = [(rnd.choice([0.0, 0.02, 0.1, 4.0]), rnd.random()) for _ in range(2)]
    pairs = [(square, share * square**0.5) for square, share in ends]
    middle = rows(*(sum(column) / 2 for column in zip(*pairs, strict=True)))
    first, second = (rows(*pair) for pair in pairs)
    for x, y, z in zip(middle, first, second, strict=True):
        assert (y + z) / 2 <= x * (1 + 1e-12)


@pytest.mark.parametrize(
    ("N", "C", "A", "J"),
    [(2, 1, 1, 1), (3, 1, 1, 0), (4, F(1, 2), 1, 2), (5, 1, 2, 1), (6, F(3, 2), 1, 1)],
)
def test_it_is_attained(N: int, C: Any, A: Any, J: Any) -> None:
    # Proposition 4.19: f(y, w) = C y + A y²/2 + J y³/6 + w (C + A y + J y²/2) at 0.
    tau = F(1, 10**6)
    e = [F(0), *(tau * F(1 + k * k % 7, 7) for k in range(1, N)), F(0)]
    p, q = [F(0), F(C), F(A), F(J)], [F(C), F(A), F(J)]
    radius = [F(0)]
    for k in range(1, N + 1):
        radius.append(polynomials.largest(p, radius[-1]) + e[k])
    graph = polynomials.PolynomialGraph(
        inputs=((), *((v - 1,) for v in range(1, N + 1))),
        weights=((), *((F(1),) for _ in range(N))),
        p=[[], *[p] * N],
        q=[[], *[q] * N],
        kinks=frozenset(),
        x=F(0),
        radius=radius,
    )
    leaves: polynomials.Leaves = [(F(1), [F(0)])]
    for k in range(1, N):
        leaves = [(w / 2, [*past, sign * e[k]]) for w, past in leaves for sign in (1, -1)]
    none = (F(0),) * (N + 1)
    rows = rows_of(graph.constants(), Levels(tuple(e), none, none, none, none))
    errors = polynomials.mean_errors(graph, leaves)
    for found, bound in zip(errors[1:], rows[1:], strict=True):
        assert bound * (1 - F(1, 10**4)) <= found <= bound


@pytest.mark.parametrize(
    ("N", "squared"),
    [(2, F(1, 2)), (3, F(81, 4)), (5, F(4873, 4)), (10, F(213609))],
)
def test_values(N: int, squared: Fraction) -> None:
    # All constants 1, e_j = 1, with the caps out of the way: β² scales with the fourth power.
    e = (F(0), *[TINY] * N)
    none = (F(0),) * (N + 1)
    rows = rows_of(constant_chain(N), Levels(e, none, none, none, none))
    assert sum(row**2 for row in rows) == squared * TINY**4


def test_the_example_of_the_product_term() -> None:
    # N = 3, all constants 1, A′ = B′ = 0, e = (1e-4, 0.1): Theorem 4.2 has 2.0e-10.
    none, e = (F(0),) * 4, (F(0), F(1, 10**4), F(1, 10), F(0))
    c = replace(constant_chain(3), A3=none, B3=none)
    rows = rows_of(c, Levels(e, none, none, none, none))
    assert sum(row**2 for row in rows) == F(19, 4) * F(1, 10**16)
    # The dependent noise of section 4.9: a bias of 0.01 needs m_2 = 0.1 or independence.
    assert rows[1] == F(3, 2) * e[1] ** 2


def converted(values: Any, kind: Arithmetic) -> Any:
    names = values.__dataclass_fields__
    columns = {
        name: tuple(map(kind.number, row)) if isinstance(row, tuple) else row
        for name, row in ((name, getattr(values, name)) for name in names)
    }
    return type(values)(**columns)


@settings(deadline=None, max_examples=40)
@given(case=perturbed_chains(), graph=st.booleans())
def test_number_kinds_agree(case: tuple[ChainConstants, Levels], graph: bool) -> None:
    c, x = case
    exact = rows_of(c, x) if not graph else _summed(c, x, RATIONALS)
    for kind in (INTERVALS, WIDE, FLOATS):
        ck, xk = converted(c, kind), converted(x, kind)
        found = rows_of(ck, xk, kind) if not graph else _summed(ck, xk, kind)
        for value, expected in zip(found, exact, strict=True):
            if kind is INTERVALS:
                low, high = (F(m) * F(2) ** k for m, k in (value.lower, value.upper))
                assert low <= expected <= high
            else:
                # Both are sums of nonnegative terms: no cancellation.
                near = F(str(value)) if kind is WIDE else F(float(value))
                assert abs(near - expected) <= expected / 10**12


def _summed(c: ChainConstants, x: Levels, kind: Arithmetic) -> Any:
    V = sharp.adjoint_norms(c, kind)
    each = [site_rows(c.graph, x, k, V, kind) for k in range(1, c.size)]
    return [sum(column, kind.number(0)) for column in zip(*each, strict=True)]


def test_many_parameter_sets_at_once() -> None:
    rng = np.random.default_rng(3)
    N, count = 5, 7
    columns = [(0.0, *rng.uniform(0.1, 2.0, size=(N, count))) for _ in range(7)]
    none = (0.0,) * (N + 1)
    e = (0.0, *rng.uniform(0.0, 2.0, size=(N, count)))
    m = tuple(x / 3 for x in e)
    found = rows_of(ChainConstants(*columns), Levels(e, m, none, none, none), FLOATS)

    def entry(row: Any, k: int) -> Any:
        return (0.0, *(float(x[k]) for x in row[1:]))

    for k in range(count):
        c = ChainConstants(*(entry(column, k) for column in columns))
        x = Levels(entry(e, k), entry(m, k), none, none, none)
        single = rows_of(c, x, FLOATS)
        assert np.allclose([row[k] for row in found[1:]], single[1:], rtol=1e-13, atol=0.0)


def test_runs_go_site_by_site() -> None:
    # Operators 2 and 3 are affine and their product has norm ½, not 1.
    c = replace(
        constant_chain(4),
        A=(F(0), F(1), F(0), F(0), F(1)),
        A3=(F(0), F(1), F(0), F(0), F(1)),
    )
    e, none = (F(0), TINY, F(0), F(0), F(0)), (F(0),) * 5
    x = Levels(e, none, none, none, none)
    short = replace(c.graph, runs=(Run((2, 3), F(1, 2), affine=True),))
    assert rows_of(short, x)[1] < rows_of(c, x)[1]


def test_a_large_graph_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # A residual connection passes operator 2 by.
    chain = constant_chain(4).graph
    one, pair = (F(1),) * 2, (2, 1)
    slots = {name: (*getattr(chain, name)[:3], one, *getattr(chain, name)[4:]) for name in "alB"}
    c = replace(
        chain,
        inputs=((), (0,), (1,), pair, (3,)),
        edges=((), (1,), (2,), (3, 5), (4,)),
        A=(*chain.A[:3], (one, one), chain.A[4]),
        J=(*chain.J[:3], (None, None), chain.J[4]),
        A3=(*chain.A3[:3], one, chain.A3[4]),
        **slots,
    )
    assert not superposition.is_chain(c)
    e, none = (F(0), *[F(1, 10)] * 3, F(0)), (F(0),) * 6
    x = Levels(e, none[:5], none[:5], none, none)
    assert None not in rows_of(c, x)
    monkeypatch.setattr(superposition, "MAX_PAIRS", 4 * 3 - 1)
    assert rows_of(c, x) == (None,) * 5
    # A chain costs O(N) and is never too large.
    assert None not in rows_of(chain, x)
