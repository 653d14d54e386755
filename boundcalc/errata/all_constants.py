"""The printed error bound against the sharp one, for all constants at once (E3).

For a chain of N operators with a_i = b_i = C, ℓ_i = Λ and A_i = B_i = L, docs/theory.md,
Theorem 4.1, reads ζ² = Σ_i (L C^{N−i} Σ_{j≥i−1} s_j + Σ_{k≥i} C^{k−i+1} ϵ_{k+1})².  L stands at
every s_j and cancels against L² in (21); with ϵ_{k+1} = C^{N−k−1} η_k each term of row i has
the factor C^{N−i}.  So two steps give (13) with the coefficients (21):

1.  Σ_i C^{2(N−i)} (Σ_{j≥i−1} s_j + Σ_{k≥i} η_k)² ≤ Σ_j 2 C_v² S_j s_j² + Σ_k (S_k − 1) C^{2(N−k−1)} η_k².
    Divide the rows of both quadratic forms so that they are polynomials with nonnegative
    coefficients in p = C² (if C ≤ 1), or in p = 1/C² (if C ≥ 1).  On an interval of p the
    left is then largest at one end and the right smallest at the other, and intervals that
    cover [0, 1] cover all C > 0.
2.  s_j² ≤ Σ_i 2 (2Λ²)^{j−i} e_i² for s_j = Σ_{i≤j} Λ^{j−i} e_i, by Cauchy–Schwarz, since
    Σ_i Λ^{2(j−i)} / (2 (2Λ²)^{j−i}) = 1 − 2^{−j} for every Λ.  So 2 S_j s_j² becomes (21).
"""  # noqa: E501 - one formula

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

from boundcalc.errata.domination import (
    collatz,
    cover,
    fraction,
    nearest_float,
    perron_vector,
    rational,
)

_INTERVALS = 400


def step_one(N: int, limit: Fraction) -> tuple[Fraction, int] | None:
    """Step 1 with ``limit`` times its right side, for all C > 0.

    Returns
    -------
    The largest bound on the quotient and the number of intervals; None if it was not shown.

    >>> quotient, intervals = step_one(2, Fraction(3, 4))
    >>> Fraction(1, 2) <= quotient <= Fraction(3, 4)
    True
    """
    worst, used = Fraction(0), 0
    for large in (False, True):

        def bounded(a: Fraction, b: Fraction, large: bool = large) -> Fraction:
            return quotient_on(N, a, b, large=large)

        found = cover(bounded, Fraction(0), Fraction(1), limit, _INTERVALS)
        if found is None:
            return None
        worst, used = max(worst, found[0]), used + found[1]
    return worst, used


def quotient_on(N: int, low: Fraction, high: Fraction, *, large: bool) -> Fraction:
    """A bound on left over right of step 1, for all p from ``low`` to ``high``.

    Parameters
    ----------
    large
        Whether p = 1/C² and C ≥ 1; else p = C² and C ≤ 1.
    """
    rows = left_rows(N, rational(high), large=large)
    below = right_entries(N, rational(low), large=large)
    reach = [len(row) for row in rows]
    partial = [[0.0, *accumulate(map(nearest_float, row))] for row in rows]
    matrix = [
        [sums[min(len(row), other)] / nearest_float(d) for other in reach]
        for row, sums, d in zip(rows, partial, below, strict=True)
    ]
    x = perron_vector(matrix)
    # X_i: the sum of the variables in row i of the left side
    zero = rational(0)
    X = [sum((t for t, r in zip(x, reach, strict=True) if r >= i), zero) for i in range(1, N + 1)]
    image = [sum((c * X[i] for i, c in enumerate(row)), zero) for row in rows]
    return fraction(collatz(image, below, x))


def left_rows(N: int, p: Any, *, large: bool) -> list[list[Any]]:
    """Coefficients of X_1, X_2, … in the derivative of the left side by each variable.

    s_j is in rows 1..j+1 and η_k in rows 1..k; order s_1..s_{N−1}, η_1..η_{N−1}.
    """
    if large:  # divided by C^{2N}; times p^j and 1/p
        s = [[p ** (i + j) for i in range(1, j + 2)] for j in range(1, N)]
        eta = [[p ** (i - 1) for i in range(1, k + 1)] for k in range(1, N)]
    else:  # those of η_k divided by p^{N−k}
        s = [[p ** (N - i) for i in range(1, j + 2)] for j in range(1, N)]
        eta = [[p ** (k - i) for i in range(1, k + 1)] for k in range(1, N)]
    return s + eta


def right_entries(N: int, p: Any, *, large: bool) -> list[Any]:
    """The diagonal of the right side, rows divided and multiplied as in :func:`left_rows`."""

    def powers(first: int, last: int, exponent: Sequence[int]) -> Any:
        terms = zip(range(first, last + 1), exponent, strict=True)
        return sum((p**power * 3**k for k, power in terms), 0 * p)

    if large:
        s = [2 * powers(0, j, range(j, -1, -1)) for j in range(1, N)]
        eta = [powers(1, k, range(k - 1, -1, -1)) for k in range(1, N)]
    else:
        s = [2 * powers(0, j, range(j + 1)) for j in range(1, N)]
        eta = [powers(1, k, range(k)) for k in range(1, N)]
    return s + eta


def step_two(j: int, lip: Fraction) -> Fraction:
    """Σ_{i=1}^{j} Λ^{2(j−i)} / (2 (2Λ²)^{j−i}), which must not exceed 1.

    >>> step_two(3, Fraction(5, 7))
    Fraction(7, 8)
    """
    terms = (lip ** (2 * n) / (2 * (2 * lip**2) ** n) for n in range(j))
    return sum(terms, Fraction(0))
