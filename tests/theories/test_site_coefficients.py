"""Theorem 4.5, Lemmas 5.2 and 5.3: the Gram matrix from unit vectors, single sites one by one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import (
    chains,
    constant_chain,
    lengths,
    perturbed_chains,
    positive_sizes,
    rows,
    sizes,
)
from theories import literal

from boundcalc import build, coefficients, loads
from boundcalc.arithmetic import RATIONALS
from boundcalc.graph import ChainConstants, Levels
from boundcalc.theories.perturbed import sites

F = Fraction

Matrix = list[list[F]]


def profile(size: int, z: tuple[F, ...] | list[F]) -> Levels:
    """z = (e_1, …, e_{N−1}, ϵ_2, …, ϵ_N) as levels without means."""
    none = (F(0),) * (size + 1)
    e = (F(0), *z[: size - 1], F(0))
    eps = (F(0), F(0), *z[size - 1 :])
    return Levels(e=e, m=none, q=none, eps=eps, n=none)


def literal_matrix(c: ChainConstants) -> Matrix:
    """M, one column for each unit vector."""
    count = 2 * (c.size - 1)
    columns = []
    for k in range(count):
        unit = [F(int(j == k)) for j in range(count)]
        # the error of a site is a square: its exact root is b_i r_i + B_i V_i s_{i−1}
        found = literal.sharp(c, profile(c.size, unit)).error
        columns.append([RATIONALS.sqrt(found[i]) for i in range(1, c.size + 1)])
    return [list(row) for row in zip(*columns, strict=True)]


def literal_gram(c: ChainConstants) -> Matrix:
    M = literal_matrix(c)
    count = 2 * (c.size - 1)
    return [[sum(row[j] * row[k] for row in M) for k in range(count)] for j in range(count)]


def form(G: Matrix, z: list[F]) -> F:
    return sum((G[j][k] * z[j] * z[k] for j in range(len(z)) for k in range(len(z))), F(0))


@st.composite
def chains_with_profiles(draw: Any) -> Any:
    size = draw(lengths(2, 6))
    c = draw(chains(size))
    both = draw(rows(4 * size - 4))
    return c, list(both[::2]), list(both[1::2])


@settings(deadline=None, max_examples=60)
@given(lengths(2, 7).flatmap(chains))
def test_gram_matrix(c: ChainConstants) -> None:
    assert sites.gram_matrix(c, RATIONALS) == literal_gram(c)


@settings(deadline=None, max_examples=60)
@given(chains_with_profiles())
def test_form_is_the_error_bound(case: tuple[ChainConstants, list[F], list[F]]) -> None:
    c, z, _ = case
    G = sites.gram_matrix(c, RATIONALS)
    assert form(G, z) == literal.sharp(c, profile(c.size, z)).zeta2


@settings(deadline=None, max_examples=50)
@given(lengths(2, 7).flatmap(chains))
def test_diagonal(c: ChainConstants) -> None:
    N, G = c.size, literal_gram(c)
    found = sites.site_coefficients(c, RATIONALS)
    assert found.error_forward[1:N] == tuple(G[j][j] for j in range(N - 1))
    assert found.error_backward[2:] == tuple(G[j][j] for j in range(N - 1, 2 * N - 2))
    assert found.error_forward[N] == found.error_backward[1] == 0
    assert len(found.error_forward) == len(found.error_backward) == N + 1


@settings(deadline=None, max_examples=60)
@given(chains_with_profiles())
def test_separable_bound(case: tuple[ChainConstants, list[F], list[F]]) -> None:
    c, z, y = case
    N, G = c.size, literal_gram(c)
    x = profile(N, z)
    forward, backward = sites.separable_coefficients(c, x.e, x.eps, RATIONALS)
    D = [*forward[1:N], *backward[2:]]
    # (c) D_j = (Gz)_j/z_j, and none where the profile is zero
    for j, entry in enumerate(D):
        if z[j] == 0:
            assert entry is None
        else:
            assert entry == sum(G[j][k] * z[k] for k in range(len(z))) / z[j]
    # equality at the profile
    value = sum((d * t**2 for d, t in zip(D, z, strict=True) if d is not None), F(0))
    assert value == form(G, z)
    # (b) a bound at every other point of the same support
    y = [F(0) if d is None else t for d, t in zip(D, y, strict=True)]
    bound = sum((d * t**2 for d, t in zip(D, y, strict=True) if d is not None), F(0))
    assert bound >= form(G, y)


@settings(deadline=None, max_examples=40)
@given(perturbed_chains())
def test_separable_coefficients_ignore_idle_sites(case: tuple[ChainConstants, Levels]) -> None:
    c, x = case
    N = c.size
    quiet = profile(N, [*x.e[1:N], *x.eps[2:]])
    found = sites.separable_coefficients(c, x.e, x.eps, RATIONALS)
    assert found == sites.separable_coefficients(c, quiet.e, quiet.eps, RATIONALS)


@settings(deadline=None, max_examples=60)
@given(lengths(2, 7).flatmap(chains), positive_sizes())
def test_bias_of_a_single_site(c: ChainConstants, size: F) -> None:
    N = c.size
    none = (F(0),) * (N + 1)
    quiet = Levels(e=none, m=none, q=none, eps=none, n=none)
    found = sites.site_coefficients(c, RATIONALS)

    def at(j: int) -> tuple[F, ...]:
        return tuple(size if k == j else F(0) for k in range(N + 1))

    for j in range(1, N):
        mean = literal.sharp(c, replace(quiet, m=at(j))).beta2
        assert mean == found.bias_forward_mean[j] * size**2
        curvature = literal.sharp(c, replace(quiet, e=at(j))).beta2
        assert curvature == found.bias_forward_fourth[j] * size**4
        backward = literal.sharp(c, replace(quiet, n=at(j + 1))).beta2
        assert backward == found.bias_backward_mean[j + 1] * size**2
    assert found.bias_forward_mean[N] == found.bias_forward_fourth[N] == 0
    assert found.bias_backward_mean[1] == 0


@settings(deadline=None, max_examples=60)
@given(lengths(2, 6).flatmap(chains))
def test_mean_coefficient_is_the_error_coefficient_with_jacobians(c: ChainConstants) -> None:
    # Lemma 5.3, second item: ℓ replaced by a.
    found = sites.site_coefficients(c, RATIONALS).bias_forward_mean
    assert found == sites.site_coefficients(replace(c, l=c.a), RATIONALS).error_forward


def test_bias_coefficients_must_not_be_added() -> None:
    # The caution after Lemma 5.3.
    found = sites.site_coefficients(constant_chain(3), RATIONALS)
    assert found.bias_forward_fourth[1:3] == (F(27, 2), F(3, 4))


@settings(deadline=None, max_examples=60)
@given(chains_with_profiles(), sizes(), sizes())
def test_second_derivatives_are_not_needed_for_the_error(
    case: tuple[ChainConstants, list[F], list[F]], x: F, y: F
) -> None:
    c, _, _ = case
    assume(x != y)
    row = (F(0), *[x] * c.size)
    other = replace(c, A3=row, B3=row)
    assert sites.gram_matrix(c, RATIONALS) == sites.gram_matrix(other, RATIONALS)


SPEC = """
version: 1
name: labels
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3}]
perturbations:
  - {at: f1, pass: forward, rms: 1, mean: 1/2}
  - {at: f3, pass: backward, rms: 2, mean: 1}
"""


def test_compiled_coefficients_of_a_graph() -> None:
    graph = build(loads(SPEC))
    found = coefficients(graph, "sharp")
    assert found.gram_labels == ("forward:f1", "forward:f2", "backward:f2", "backward:f3")
    gram = found.gram()
    assert gram is not None
    expected = literal_gram(constant_chain(3))
    assert [[entry.value for entry in row] for row in gram] == expected
    # D_j = (Gz)_j/z_j for z = (1, 0, 0, 2)
    separable = found.separable()
    assert separable is not None
    assert {name: entry.value for name, entry in separable.items()} == {
        "forward:f1": expected[0][0] + 2 * expected[0][3],
        "backward:f3": (expected[3][0] + 2 * expected[3][3]) / 2,
    }
    assert coefficients(graph, "published").gram() is None
    by_id = found.by_id("error_backward")
    assert {name: entry.value for name, entry in by_id.items()} == {
        "f2": expected[2][2],
        "f3": expected[3][3],
    }
    assert list(found.by_id("error_forward")) == ["f1", "f2"]
