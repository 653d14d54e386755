"""Certified upper bounds of the norms of linear maps and of their products.

Never an estimate from below such as power iteration gives.  Matrices are listed in the
order in which they are applied: W_1 first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.operators.convolution_norm import convolution_norm
from boundcalc.operators.rescaling import rescaled_norms
from boundcalc.operators.rounding import Array, gamma, raised, rounded_up
from boundcalc.operators.spectral import require_finite, scaled_to_one, spectral_norm

__all__ = [
    "convolution_norm",
    "merged_norms",
    "product_norms",
    "rescaled_norms",
    "run_norm",
    "spectral_norm",
]

_HUGE = 1e300  # stands for an overflow: the parts of a run then bound it


def product_norms(matrices: Sequence[Array]) -> float:
    """The product ‖W_N‖ … ‖W_1‖, an upper bound of ‖W_N ⋯ W_1‖; 1 for no matrix.

    Also of ‖W_N Λ_{N−1} W_{N−1} ⋯ Λ_1 W_1‖ whatever ‖Λ_i‖ ≤ 1 stand in between.

    >>> round(product_norms([np.diag([2.0, 1.0]), np.diag([1.0, 3.0])]), 9)
    6.0
    """
    _require_chain(matrices)
    return _product(spectral_norm(W) for W in matrices)


def merged_norms(matrices: Sequence[Array]) -> float:
    """The product ‖W_2 W_1‖‖W_4 W_3‖ …, an upper bound of ‖W_N ⋯ W_1‖; the last alone if N is odd.

    Never above :func:`product_norms`, as ‖W_2 W_1‖ ≤ ‖W_2‖‖W_1‖.

    >>> round(merged_norms([np.diag([2.0, 1.0]), np.diag([1.0, 3.0])]), 9)
    3.0
    """
    _require_chain(matrices)
    return _product(run_norm(matrices[i : i + 2]) for i in range(0, len(matrices), 2))


def run_norm(matrices: Sequence[Array], radii: Sequence[float] | None = None) -> float:
    """An upper bound of ‖(W_k + E_k) ⋯ (W_1 + E_1)‖ for all ‖E_i‖ ≤ ρ_i.

    Parameters
    ----------
    matrices
        W_1 … W_k.
    radii
        ρ_1 … ρ_k; none moves if left out, and the bound is ‖W_k ⋯ W_1‖ itself.

    Notes
    -----
    Let N_ij ≥ ‖W_j ⋯ W_i‖ (1 for an empty run) and let F_j be the bound for the first j
    factors, F_0 = 1.  Expand the product at the last factor whose E is taken; after it
    stand W's only, before it whole factors:

        (W_j + E_j) ⋯ (W_1 + E_1)
            = W_j ⋯ W_1 + Σ_i W_j ⋯ W_{i+1} E_i (W_{i−1} + E_{i−1}) ⋯ (W_1 + E_1),

    so F_j = N_1j + Σ_{i=1}^{j} N_{i+1,j} ρ_i F_{i−1} is a bound.  Each N_ij is at most the
    product of the N of its parts, so N_ij ≤ ‖W_j‖ ⋯ ‖W_i‖, and by induction
    F_j ≤ Π_{i≤j} (‖W_i‖ + ρ_i): that product obeys the same recurrence with equality when
    N_ij is the product of norms.

    k(k + 1)/2 products and norms.  A product is rounded to ŴP̂ with an error of at most
    γ_n‖W‖_F‖P̂‖_F, which is added, with ‖W‖ times the error of P̂.

    Examples
    --------
    >>> W = [np.diag([2.0, 1.0]), np.diag([1.0, 3.0])]
    >>> round(run_norm(W), 9), round(run_norm(W, [0.0, 0.5]), 9), round(run_norm(W, [1, 1]), 9)
    (3.0, 4.0, 9.0)
    """
    _require_chain(matrices)
    moves = [0.0] * len(matrices) if radii is None else [float(rho) for rho in radii]
    if len(moves) != len(matrices) or not all(0.0 <= rho < math.inf for rho in moves):
        raise SpecError(
            "every matrix of a run has one radius", value=moves, expected="finite numbers ≥ 0"
        )
    runs = _run_norms(matrices)
    bounds = [1.0]
    for j in range(1, len(moves) + 1):
        terms = (runs[i + 1, j] * moves[i - 1] * bounds[i - 1] for i in range(1, j + 1))
        bounds.append(rounded_up(runs[1, j] + sum(terms)))
    apart = _product(runs[i, i] + rho for i, rho in enumerate(moves, 1))
    return min(bounds[-1], apart)


def _run_norms(matrices: Sequence[Array]) -> dict[tuple[int, int], float]:
    """N_ij for 1 ≤ i ≤ j ≤ k, and N = 1 for the empty runs (j + 1, j)."""
    count = len(matrices)
    runs = {(j + 1, j): 1.0 for j in range(count + 1)}
    single = [spectral_norm(W) for W in matrices]
    for i in range(count, 0, -1):
        P, power = scaled_to_one(matrices[i - 1])
        error = 0.0
        runs[i, i] = single[i - 1]
        for j in range(i + 1, count + 1):
            W, more = scaled_to_one(matrices[j - 1])
            product = W @ P
            sizes = float(np.linalg.norm(W) * np.linalg.norm(P))
            longest = raised(single[j - 1], -more)
            error = rounded_up(longest * error + 2.0 * gamma(W.shape[1]) * sizes)
            P, less = scaled_to_one(product)
            error, power = min(raised(error, -less), _HUGE), power + more + less
            whole = raised(rounded_up(spectral_norm(P) + error), power)
            parts = (runs[i, m] * runs[m + 1, j] for m in range(i, j))
            runs[i, j] = min(whole, *parts)
    return runs


def _require_chain(matrices: Sequence[Array]) -> None:
    for number, W in enumerate(matrices, 1):
        require_finite(W, f"the entries of matrix {number}")
    for number, (first, second) in enumerate(pairwise(matrices), 1):
        if second.shape[1] != first.shape[0]:
            raise SpecError(
                "neighbouring matrices do not fit",
                value=f"matrix {number} of shape {first.shape}, matrix {number + 1} of "
                f"shape {second.shape}",
                expected="as many columns in the second as rows in the first",
            )


def _product(factors: Iterable[float]) -> float:
    """Their product, rounded up after every factor."""
    product = 1.0
    for factor in factors:
        product = rounded_up(product * factor)
    return product
