"""Pieces of graphs, their composition, and sums of geometric sequences."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy
from graph_paths import perturbed_graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from repeated_specs import rational
from strategies import SIZES, rows
from test_graph_recurrences import chained

from boundcalc.arithmetic import RATIONALS
from boundcalc.graph import GraphConstants, Levels
from boundcalc.graph.numbers import Run
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.geometric import Geometric, divided_power, h, monomial
from boundcalc.theories.perturbed.pieces import Piece, piece

F = Fraction


@settings(deadline=None, max_examples=100)
@given(perturbed_graphs(kinks=True))
def test_a_whole_graph_is_a_piece(case: tuple[GraphConstants, Levels]) -> None:
    g, x = case
    found = piece(g, x.e, x.eps, RATIONALS, moving=False)
    assert found.error(F(0), F(1), F(0)) == sharp.general(g, x, RATIONALS).total()


@settings(deadline=None, max_examples=60)
@given(rows(5), rows(5))
def test_a_run_in_a_piece(e: tuple[F, ...], eps: tuple[F, ...]) -> None:
    zero = (F(0),) * 6
    x = Levels((F(0), *e), zero, zero, (F(0), *eps), zero)
    for norm in (7, 12, 13):
        g = chained((0, 2, 3, 2, 5), (1, 1, 1, 1, 1), runs=(Run((2, 3, 4), F(norm), True),))
        found = piece(g, x.e, x.eps, RATIONALS, moving=False)
        assert found.error(F(0), F(1), F(0)) == sharp.general(g, x, RATIONALS).total()


def pieces() -> st.SearchStrategy[Piece]:
    def made(numbers: tuple[F, ...]) -> Piece:
        vectors = (numbers[6:10], numbers[10:14])
        Q = tuple(tuple(sum(v[i] * v[j] for v in vectors) for j in range(4)) for i in range(4))
        return Piece(*numbers[:6], Q)

    return rows(14).map(made)


@settings(deadline=None, max_examples=40)
@given(pieces(), pieces(), pieces(), st.integers(0, 9))
def test_pieces_are_a_monoid(x: Piece, y: Piece, z: Piece, count: int) -> None:
    assert x.then(y).then(z) == x.then(y.then(z))
    nothing = Piece.nothing(RATIONALS)
    assert x.then(nothing) == x == nothing.then(x)
    expected = nothing
    for _ in range(count):
        expected = expected.then(x)
    assert x.repeated(count, RATIONALS) == expected


# -- sums of geometric sequences -------------------------------------------------------------------


def homogeneous(M: int, nodes: tuple[F, ...]) -> F:
    """h_M by its definition: all products of degree M − r + 1."""
    degree = M - len(nodes) + 1
    if not nodes[1:]:
        return nodes[0] ** M
    return sum((nodes[0] ** k * homogeneous(M - k - 1, nodes[1:]) for k in range(degree + 1)), F(0))


@settings(deadline=None)
@given(st.integers(0, 9), st.lists(st.sampled_from(SIZES), min_size=1, max_size=4))
def test_divided_power(M: int, nodes: list[F]) -> None:
    expected = homogeneous(M, tuple(nodes))
    assert divided_power(M, tuple(nodes)) == expected
    arguments = [rational(x) for x in nodes]
    assert h(M, *arguments).doit() == rational(expected)
    count = sympy.Symbol("M")
    if 0 not in nodes:
        assert h(count, *arguments).doit().subs(count, M) == rational(expected)


sequences = st.lists(
    st.tuples(
        st.sampled_from(["", "x", "y", "xy"]),
        st.lists(st.sampled_from(["", "x", "y", "xy", "xx"]), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=2,
).map(lambda terms: sum((Geometric.of([monomial(*n) for n in nodes], *f) for f, nodes in terms),
                        Geometric({})))  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(sequences, sequences, *[st.sampled_from([F(0), F(1), F(2), F(1, 2)])] * 2)
def test_sequences_are_closed(p: Geometric, q: Geometric, x: F, y: F) -> None:
    letters = {"x": rational(x), "y": rational(y)}

    def entry(sequence: Geometric, M: int) -> Any:
        return sequence.expression(M, letters).doit()

    for M in range(5):
        assert entry(p + q, M) == entry(p, M) + entry(q, M)
        assert entry(p * q, M) == entry(p, M) * entry(q, M)
        sums = sum(entry(p, k) * entry(q, M - 1 - k) for k in range(M))
        assert entry(p.convolved(q), M) == sums
