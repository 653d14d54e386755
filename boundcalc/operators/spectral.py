"""Spectral norms from above: an eigenvalue is proposed, a Cholesky factorisation proves it.

Rounding is accounted for by the standard model of floating point [H02, sections 2.2 and
3.5]: a product of matrices with inner dimension q, summed in any order, satisfies
|fl(AB) − AB| ≤ γ_q |A||B|, where γ_q = qu/(1 − qu) and u = 2⁻⁵³; for complex numbers
with γ_4q, as one complex product has a relative error of at most √2·γ_2.

Lemma.  Let M be p × q, Ĝ = fl(MM*) (its lower triangle, mirrored), τ > 0 and
Ĥ = fl(τI − Ĝ).  If the Cholesky factorisation of Ĥ in floating point runs to completion,

    ‖M‖² ≤ τ(1 + u + pγ/(1 − γ)) + γ_q ‖M‖_F²,    γ = γ_{p+2}.

Proof.  By [H02, theorem 10.3] the computed factor satisfies R̂*R̂ = Ĥ + Δ with
|Δ| ≤ γ|R̂*||R̂| (γ_{p+1} there; one rounding more, as a BLAS may multiply by a rounded
reciprocal where the theorem divides).  Column i of R̂ has ‖r_i‖² ≤ ĥ_ii + γ‖r_i‖², so
‖Δ‖ ≤ γ‖R̂‖_F² ≤ γ tr Ĥ/(1 − γ), and Ĥ ⪰ −‖Δ‖I since R̂*R̂ ⪰ 0 (the argument of
[R06]).  As ĝ_ii ≥ 0, each ĥ_ii ≤ τ, so tr Ĥ ≤ pτ, and forming the diagonal costs at most
uτ.  Finally ‖Ĝ − MM*‖ ≤ γ_q ‖|M||M|ᵀ‖ ≤ γ_q ‖M‖_F².  Hence
MM* = τI − (τI − Ĝ) − (Ĝ − MM*) ⪯ (τ + uτ + ‖Δ‖ + γ_q‖M‖_F²)I.  ∎

So nothing rests on the accuracy of the proposed τ: one that is too small is refused, and
raised.  The excess over ‖M‖ is about 3p²u/2 relative: 7e-10 for p = 2048.  Matrices are
scaled by a power of two to entries of size 1, so what underflows, at most (p + q)p²·2⁻¹⁰²²,
is far below the 1e-12 by which results are rounded up.

Gram iteration (Delattre et al., ICML 2023, arXiv:2305.16173) is an alternative, but takes k
products of p × p matrices to come within the factor p^(2⁻ᵏ⁻¹): 1.004 for p = 2000, k = 10.

[H02] N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM 2002.
[R06] S. M. Rump, *Verification of positive definiteness*, BIT 46 (2006) 433-452.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.errors import DataError
from boundcalc.operators.rounding import UNIT, Array, gamma, raised, rounded_up

#: Real or complex entries.
AnyArray: TypeAlias = npt.NDArray[Any]

#: Up to this smaller side all eigenvalues are computed, above it one of them by Lanczos.
DIRECT = 512

#: A matrix whose smaller side is longer is cut into slabs of at most this side.
LIMIT = 8192

_FLOOR = 2.0**-200

_found: dict[bytes, float] = {}
_REMEMBERED = 4096


def spectral_norm(matrix: Array) -> float:
    """An upper bound of ‖W‖ = σ_max(W), proved by the lemma above.

    Tight to about 3p²·2⁻⁵⁴ + 1e-12 relative, p the smaller side, up to p = 8192: one product
    WWᵀ, an eigenvalue, and one factorisation, O(p²q) time and O(p²) memory (1 s for
    2048 × 2048 on two cores, 3 s for 4096).  Above, the smaller side is cut into slabs W_i
    and ‖W‖² ≤ Σ‖W_i‖² is returned: still an upper bound, at most √slabs times ‖W‖.  The
    same contents are measured once.

    Raises
    ------
    DataError
        If an entry is not finite.

    Examples
    --------
    >>> spectral_norm(np.array([[3.0, 0.0], [0.0, -4.0]])) >= 4
    True
    >>> round(spectral_norm(np.ones((3, 3))), 9)
    3.0
    """
    return once(matrix, "matrix", _spectral_norm)


def _spectral_norm(matrix: Array) -> float:
    require_finite(matrix)
    if not matrix.any():
        return 0.0
    if min(matrix.shape) > LIMIT:
        wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        slabs = np.array_split(wide, -(-len(wide) // LIMIT))
        return rounded_up(math.hypot(*(_spectral_norm(slab) for slab in slabs)))
    scaled, power = scaled_to_one(matrix)
    return raised(largest_norm([scaled[None]]), power)


def largest_norm(stacks: Iterable[AnyArray]) -> float:
    """An upper bound of ‖M‖ over all matrices M of all stacks ``(S, p, q)``.

    Entries should be of size 1 or less, and results below 2⁻¹⁰⁰ are not told apart.  A
    matrix with ‖M‖_F² ≤ τ is skipped, as ‖M‖ ≤ ‖M‖_F; the others are factorised with
    the τ reached so far, and only those that raise it are proposed a new one.

    >>> round(largest_norm([np.array([[[0.5]], [[0.25]]])]), 9)
    0.5
    """
    tau, products, factors = _FLOOR, 0.0, 0.0
    for stack in stacks:
        wide = stack if stack.shape[1] <= stack.shape[2] else stack.swapaxes(1, 2)
        p, q = wide.shape[1:]
        scale = 4 if np.iscomplexobj(wide) else 1
        squares = np.linalg.norm(wide, axis=(1, 2)) ** 2 * (1.0 + gamma(4 * p * q + 8))
        for s in np.argsort(-squares):
            if squares[s] <= tau:
                break
            tau = _proved(wide[s] @ wide[s].conj().T, tau, 2.0 * scale * (p + 2) ** 2 * UNIT)
            products = max(products, gamma(scale * q) * float(squares[s]))
            one = gamma(scale * (p + 2))
            factors = max(factors, UNIT + p * one / (1.0 - one))
    return rounded_up(math.sqrt(tau * (1.0 + factors) + products))


def _proved(gram: AnyArray, tau: float, margin: float) -> float:
    """A number ≥ τ with which the factorisation of the lemma runs to completion."""
    if tau > _FLOOR and _completes(gram, tau):
        return tau
    top = max(tau, _top_eigenvalue(gram))
    while not _completes(gram, top * (1.0 + margin)):
        margin *= 16.0
    return top * (1.0 + margin)


def _completes(gram: AnyArray, tau: float) -> bool:
    shifted = -gram
    shifted.flat[:: len(gram) + 1] += tau
    try:
        np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return False
    return True


def _top_eigenvalue(gram: AnyArray) -> float:
    """The largest eigenvalue, approximately: a proposal, never a bound."""
    if len(gram) > DIRECT:
        from scipy.sparse.linalg import ArpackNoConvergence, eigsh

        start = np.random.default_rng(0).standard_normal(len(gram)).astype(gram.dtype)
        try:
            return float(
                eigsh(gram, k=1, which="LA", v0=start, tol=1e-9, return_eigenvectors=False)[0]
            )
        except ArpackNoConvergence:
            pass
    return float(np.linalg.eigvalsh(gram)[-1])


def require_finite(values: Array, what: str = "weights") -> None:
    """Raise DataError, naming the first entry that is not finite."""
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        index = tuple(int(i) for i in np.unravel_index(int(wrong[0]), values.shape))
        raise DataError(
            f"{what} that are not finite have no norm",
            where="".join(f"[{i}]" for i in index),
            value=float(values[index]),
            expected="finite numbers",
            fix=f"look where the {what} come from: {wrong.size} of {values.size} are not finite",
        )


def scaled_to_one(values: Array) -> tuple[Array, int]:
    """(s, e) with values = s·2ᵉ and the largest entry of s in [1/2, 1).

    >>> scaled_to_one(np.array([-8.0, 2.0]))
    (array([-0.5  ,  0.125]), 4)
    """
    power = math.frexp(float(np.abs(values).max(initial=0.0)))[1]
    return np.ldexp(values, -power), power


def once(values: Array, key: str, measure: Callable[[Array], float]) -> float:
    """measure(values), remembered by the contents of the array and ``key``."""
    digest = blake2b(f"{key} {values.shape} {values.dtype}".encode(), digest_size=32)
    digest.update(np.ascontiguousarray(values).data)
    name = digest.digest()
    if name not in _found:
        if len(_found) >= _REMEMBERED:
            _found.clear()
        _found[name] = measure(values)
    return _found[name]
