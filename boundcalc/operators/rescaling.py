"""Two layers with a diagonal between them: the best rescaling of the hidden units."""

from __future__ import annotations

from typing import Any

import numpy as np

from boundcalc.operators.rounding import UNIT, Array, raised, rounded_up
from boundcalc.operators.spectral import require_finite, scaled_to_one, spectral_norm

#: With more hidden units than this only the first guess is tried.
SEARCHED = 512

_POWERS = (8.0, 64.0)
_STEPS = 12


def rescaled_norms(W2: Array, W1: Array) -> float:
    """An upper bound of ‖W2 Λ W1‖ for every diagonal Λ with entries in [−1, 1].

    For every positive diagonal D, as diagonal matrices commute,

        ‖W2 Λ W1‖ = ‖W2 D⁻¹ Λ D W1‖ ≤ ‖W2 D⁻¹‖‖D W1‖,

    and the smallest value found is returned, both norms from above; never more than
    ‖W2‖‖W1‖, which is D = I.  What lies between the layers may be any elementwise
    function with slopes in [−1, 1].

    D = diag(eˣ): log ‖W2 e⁻ˣ‖ + log ‖eˣ W1‖ is convex in x, as ‖eˣ W1‖² is the maximum over
    ‖z‖ = 1 of Σ e^{2x_i}(W1 z)_i², and log Σ e^{2x_i}c_i is convex.  It is minimised by L-BFGS,
    with Schatten norms of growing order in place of the spectral norm to make it smooth, from
    the D that makes column i of W2 D⁻¹ as long as row i of D W1.  How close it comes to the
    minimum matters to tightness, not to validity.  A hidden unit with a zero row or column
    passes nothing on and is left out.  About 35 evaluations, each two eigendecompositions of
    the shorter sides: 2 s for 784, 500 and 10 units.

    Parameters
    ----------
    W2, W1
        ``(m, h)`` and ``(h, n)``.

    Examples
    --------
    >>> W1, W2 = np.diag([4.0, 1.0]), np.diag([1.0, 4.0])
    >>> round(rescaled_norms(W2, W1), 6)  # not 16
    4.0
    """
    for name, W in (("the second matrix", W2), ("the first matrix", W1)):
        require_finite(W, f"the entries of {name}")
    used = W2.any(axis=0) & W1.any(axis=1)
    if not used.any():
        return 0.0
    second, up = scaled_to_one(W2[:, used])
    first, low = scaled_to_one(W1[used])
    start = 0.5 * np.log(_lengths(second) / _lengths(first.T))
    options = [np.zeros(len(start)), start]
    if len(start) <= SEARCHED:
        options.append(_searched(second, first, start))
    return raised(min(_value(second, first, x) for x in options), up + low)


def _lengths(columns: Array) -> Array:
    """The norms of the columns, kept away from 0."""
    return np.asarray(np.maximum(np.linalg.norm(columns, axis=0), 1e-150))


def _value(second: Array, first: Array, x: Array) -> float:
    """‖W2 D⁻¹‖‖D W1‖ for D = diag(eˣ) as a float; its rounded quotients and products included."""
    d = np.exp(np.clip(x, -300.0, 300.0))
    norm = 1.0
    for scaled in (second / d, d[:, None] * first):
        # Every entry is rounded once: an error of at most u times it, and u‖·‖_F in norm.
        rounding = 2.0 * UNIT * float(np.linalg.norm(scaled))
        norm = rounded_up(norm * rounded_up(spectral_norm(scaled) + rounding))
    return norm


def _searched(second: Array, first: Array, start: Array) -> Array:
    """An x near the minimum."""
    from scipy.optimize import minimize

    columns = _shorter(second), _shorter(first.T)
    x: Any = start
    for power in _POWERS:

        def value(x: Array, power: float = power) -> tuple[float, Array]:
            outer, outer_slope = _log_schatten(columns[0], -x, power)
            inner, inner_slope = _log_schatten(columns[1], x, power)
            return outer + inner, inner_slope - outer_slope

        x = minimize(value, x, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return np.asarray(x)


def _shorter(matrix: Array) -> Array:
    """A matrix R with RᵀR = MᵀM and no more rows than columns."""
    if len(matrix) <= matrix.shape[1]:
        return matrix
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def _log_schatten(matrix: Array, x: Array, power: float) -> tuple[float, Array]:
    """log ‖M eˣ‖ in the Schatten norm of order 2·power, and its gradient in x.

    With eigenvalues λ_k and eigenvectors u_k of G = M e^{2x} Mᵀ it is log(Σλ_k^power)/(2·power),
    and its gradient Σ_k t_k v_k², where v_k = eˣ Mᵀu_k/√λ_k and t_k = λ_k^power/Σλ^power.
    """
    scaled = matrix * np.exp(np.clip(x, -300.0, 300.0))
    values, vectors = np.linalg.eigh(scaled @ scaled.T)
    relative = np.maximum(values / values[-1], 0.0)
    shares = relative**power
    total = float(shares.sum())
    weights = relative ** (power - 1.0) / (total * values[-1])
    slope = weights @ (vectors.T @ scaled) ** 2
    return 0.5 * float(np.log(values[-1]) + np.log(total) / power), slope
