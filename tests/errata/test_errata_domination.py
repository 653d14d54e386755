"""Rigorous domination of quadratic forms (E3), against LDLᵀ and against the library."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import RATIONALS
from boundcalc.errata import all_constants, lost_factor
from boundcalc.errata.domination import cover, eigenvalue_bounds, fraction, rational
from boundcalc.graph.numbers import ChainConstants, UniformConstants
from boundcalc.theories.perturbed import sites, sums

F = Fraction


def positive_definite(matrix: list[list[F]]) -> bool:
    """By exact LDLᵀ."""
    rows = [list(row) for row in matrix]
    for k in range(len(rows)):
        if rows[k][k] <= 0:
            return False
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    return True


def difference(theta: F, D: list[F], G: list[list[F]]) -> list[list[F]]:
    return [
        [(theta * D[i] if i == j else F(0)) - G[i][j] for j in range(len(D))] for i in range(len(D))
    ]


entries = st.fractions(min_value=0, max_value=5, max_denominator=9)


@settings(deadline=None, max_examples=60)
@given(
    M=st.lists(st.lists(entries, min_size=3, max_size=3), min_size=1, max_size=4),
    D=st.lists(st.fractions(F(1, 9), 7, max_denominator=9), min_size=3, max_size=3),
)
def test_bounds_enclose_the_eigenvalue(M: list[list[F]], D: list[F]) -> None:
    G = [[sum((r[i] * r[j] for r in M), F(0)) for j in range(3)] for i in range(3)]
    low, high = eigenvalue_bounds(G, D)
    root = np.sqrt(np.array(D, dtype=float))
    true = np.linalg.eigvalsh(np.array(G, dtype=float) / np.outer(root, root))[-1]
    assert float(low) <= true * (1 + 1e-12) + 1e-15
    assert float(high) >= true * (1 - 1e-12) - 1e-15
    # Rigorously: θD − G is positive definite above the upper bound, and not below the lower one.
    assert positive_definite(difference(high + F(1, 10**12), D, G))
    assert low == 0 or not positive_definite(difference(low * F(999, 1000), D, G))


def library(N: int, C: F, lip: F, hess: F) -> tuple[list[list[F]], list[F]]:
    columns = sums.coefficients(
        UniformConstants(N, C, lip, hess, hess, hess), RATIONALS, corrected=False
    )
    c, l, h = ((F(0), *[x] * N) for x in (C, lip, hess))  # noqa: E741
    G = sites.gram_matrix(ChainConstants(c, c, l, h, h, h, h), RATIONALS)
    return G, [*columns.error_forward[1:N], *columns.error_backward[2:]]


@pytest.mark.parametrize("N", [2, 3, 6])
@pytest.mark.parametrize("C", [F(1, 10), F(1), F(3)])
def test_the_largest_eigenvalue_by_exact_elimination(N: int, C: F) -> None:
    G, D = library(N, C, F(1, 8), F(5))
    low, high = lost_factor.eigenvalue_at(N, C, F(1, 8))  # L_∇f = 1: it cancels
    assert positive_definite(difference(high * F(1001, 1000), D, G))
    assert not positive_definite(difference(low * F(999, 1000), D, G))
    assert positive_definite(difference(F(1), D, G))


def test_the_worst_point_is_at_one_and_an_eighth() -> None:
    low, high = lost_factor.eigenvalue_at(24, F(1), F(1, 8))
    assert F(70007, 100000) < low <= high < F(70008, 100000)


@settings(deadline=None, max_examples=40)
@given(
    data=st.data(), N=st.integers(2, 6), C=st.sampled_from([F(1, 7), F(3, 5), F(1), F(5, 4), F(6)])
)
def test_step_one_is_the_sharp_bound_and_implies_the_printed_one(data, N: int, C: F) -> None:
    # ζ² of the library, from s and ϵ, is the left side of step 1 at L = 1 and Λ = 0 (s = e).
    G, _ = library(N, C, F(0), F(1))
    draw = st.lists(st.fractions(0, 3, max_denominator=8), min_size=N - 1, max_size=N - 1)
    s, eps = data.draw(draw), data.draw(draw)
    z = [*s, *eps]
    zeta = sum((z[i] * z[j] * G[i][j] for i in range(len(z)) for j in range(len(z))), F(0))
    eta = [e / C ** (N - 1 - k) for k, e in enumerate(eps, 1)]
    left = F(0)
    for i in range(1, N + 1):
        row = sum(s[max(i - 1, 1) - 1 :], F(0)) + sum(eta[i - 1 :], F(0))
        left += C ** (2 * (N - i)) * row**2
    assert left == zeta
    # The same from the rows that the intervals use, in p = C² or 1/C².
    large = C > 1
    p = 1 / C**2 if large else C**2
    rows = all_constants.left_rows(N, p, large=large)
    below = all_constants.right_entries(N, p, large=large)
    x = [*s, *eta]
    X = [
        sum((t for t, r in zip(x, rows, strict=True) if len(r) >= i), F(0)) for i in range(1, N + 1)
    ]
    Cv2 = max(F(1), C ** (2 * N))
    scale = [F(1)] * len(x)
    for k in range(1, N):
        if large:
            scale[k - 1] = C ** (2 * N) * C ** (2 * k)  # divided by C^{2N}, times q^k
            scale[N - 1 + k - 1] = C ** (2 * N) / C**2
        else:
            scale[N - 1 + k - 1] = C ** (2 * (N - k))
    image = [sum((c * X[i] for i, c in enumerate(row)), F(0)) for row in rows]
    assert sum((f * t * g for f, t, g in zip(scale, x, image, strict=True)), F(0)) == left
    S = [sum(((3 * C**2) ** k for k in range(j + 1)), F(0)) for j in range(N)]
    right = [2 * Cv2 * S[j] for j in range(1, N)]
    right += [(S[k] - 1) * C ** (2 * (N - k - 1)) for k in range(1, N)]
    assert [f * d for f, d in zip(scale, below, strict=True)] == right
    assert left <= sum((d * t**2 for d, t in zip(right, x, strict=True)), F(0))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("N", [2, 5])
def test_the_bound_on_an_interval_holds_at_points_inside(N: int, large: bool) -> None:
    bound = all_constants.quotient_on(N, F(3, 4), F(7, 8), large=large)
    for p in (F(3, 4), F(4, 5), F(7, 8)):
        assert all_constants.quotient_on(N, p, p, large=large) <= bound * F(1000001, 1000000)


@pytest.mark.parametrize("large", [False, True])
def test_on_an_interval_the_left_is_taken_at_one_end_and_the_right_at_the_other(large) -> None:
    low, high = F(1, 4), F(3, 4)
    bound = all_constants.quotient_on(4, low, high, large=large)
    rows = all_constants.left_rows(4, high, large=large)
    below = all_constants.right_entries(4, low, large=large)
    matrix = [
        [float(sum(row[: len(other)], F(0)) / d) for other in rows]
        for row, d in zip(rows, below, strict=True)
    ]
    mixed = np.abs(np.linalg.eigvals(np.array(matrix))).max()
    assert float(bound) == pytest.approx(mixed, rel=1e-6)
    assert bound > all_constants.quotient_on(4, high, high, large=large)


def test_more_than_is_true_is_not_shown() -> None:
    # The largest quotient at N = 3 is 0.7152…, at C = 1.
    assert all_constants.step_one(3, F(71, 100)) is None
    found = all_constants.step_one(3, F(72, 100))
    assert found is not None
    assert F(715, 1000) < found[0] <= F(72, 100)


def test_intervals_cover_without_gaps() -> None:
    seen: list[tuple[F, F]] = []

    def bounded(a: F, b: F) -> F:
        seen.append((a, b))
        return b - a

    found = cover(bounded, F(0), F(1), F(1, 5), 100)
    assert found == (F(1, 8), 8)
    kept = sorted((a, b) for a, b in seen if b - a <= F(1, 5))
    assert kept[0][0] == 0
    assert kept[-1][1] == 1
    assert all(x[1] == y[0] for x, y in pairwise(kept))


def test_rationals_go_to_flint_and_back() -> None:
    assert fraction(rational(F(-7, 3))) == F(-7, 3)


def test_third_erratum_on_short_chains() -> None:
    found = lost_factor.lost_factor(lengths=(2, 3), covered=(2, 3))
    assert all(check.holds for check in found.checks)
    values = {f.name: f.number.value for f in found.findings}
    assert values["points"] == 2 * 5 * 5
    assert values["and it is at least"] <= values["largest eigenvalue at the points"] < F(7, 10)
    assert F(715, 1000) < values["quotient of step 1 for all constants"] <= F(17, 20)
