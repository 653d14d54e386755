"""Whether a quadratic form takes no negative value at vectors ≥ 0.

Floating point only proposes; what is returned as proved was checked with exact rationals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import flint

from boundcalc.verify.claims.forms import Matrix

if TYPE_CHECKING:
    import numpy as np

_PARTS = 64  # of the orthant that are looked at, where entries of both signs meet


def nonnegative(P: Matrix, *, exact: bool = False) -> bool:
    """Whether yᵀPy ≥ 0 for all y ≥ 0 is proved; False says nothing.

    Parameters
    ----------
    P
        A symmetric matrix.
    exact
        Also decide forms that vanish somewhere, by elimination: worth while where P is not
        a bound but the form itself.

    Examples
    --------
    >>> one = flint.fmpq(1)
    >>> nonnegative([[one, -one / 2], [-one / 2, one]])
    True
    >>> nonnegative([[one, -2 * one], [-2 * one, one]])
    False
    >>> nonnegative([[one, -one], [-one, one]], exact=True)
    True
    """
    stack, seen = [P], 0
    while stack:
        part = stack.pop()
        seen += 1
        if _without_gain(part, exact=exact):
            continue
        edge = _longest_gain(part)
        if edge is None or seen + len(stack) >= _PARTS:
            return False
        stack += _halves(part, *edge)
    return True


def _without_gain(P: Matrix, *, exact: bool) -> bool:
    """Whether the form is ≥ 0 even without its positive terms y_j y_k, j ≠ k."""
    zero = flint.fmpq(0)
    keep = []
    for j, row in enumerate(P):
        if row[j] < 0:
            return False
        if row[j] == 0 and any(x < 0 for x in row):
            return False
        if row[j] > 0:
            keep.append(j)
    Z = [[P[j][k] if j == k else min(P[j][k], zero) for k in keep] for j in keep]
    return not Z or _has_weights(Z) or (exact and _eliminated(Z))


def _has_weights(Z: Matrix) -> bool:
    """Whether some t > 0 has Z t ≥ 0; then yᵀZy ≥ 0 (docs/theory.md, Theorem 4.5 (b))."""
    import numpy as np

    scale = [_root(Z[j][j]) for j in range(len(Z))]
    if not all(0 < x < float("inf") for x in scale):
        return False
    K = scaled(Z, scale)
    if not np.isfinite(K).all():
        return False
    try:
        y = np.linalg.solve(K, np.ones(len(Z)))
    except np.linalg.LinAlgError:
        return False
    if not (np.isfinite(y).all() and (y > 0).all()):
        return False
    t = [as_rational(float(value) / s) for value, s in zip(y, scale, strict=True)]
    if not all(x > 0 for x in t):
        return False
    zero = flint.fmpq(0)
    return all(sum((x * y for x, y in zip(row, t, strict=True)), zero) >= 0 for row in Z)


def _eliminated(Z: Matrix) -> bool:
    """Whether Z is positive semidefinite, by symmetric elimination in exact arithmetic."""
    rows = [list(row) for row in Z]
    while rows:
        pivot, first = rows[0][0], rows[0]
        if pivot < 0 or (pivot == 0 and any(x != 0 for x in first)):
            return False
        rest = [
            [
                x if pivot == 0 else x - row[0] * y / pivot
                for x, y in zip(row[1:], first[1:], strict=True)
            ]
            for row in rows[1:]
        ]
        rows = rest
    return True


def _longest_gain(P: Matrix) -> tuple[int, int] | None:
    """The pair j < k with the largest positive entry, by its share of the diagonal."""
    best, pair = 0.0, None
    for j in range(len(P)):
        for k in range(j):
            if P[j][k] > 0 and P[j][j] > 0 and P[k][k] > 0:
                share = as_float(P[j][k] ** 2 / (P[j][j] * P[k][k]))
                if share > best:
                    best, pair = share, (k, j)
    return pair


def _halves(P: Matrix, j: int, k: int) -> list[Matrix]:
    """The form on the cones with e_j, and with e_k, replaced by a mix of both."""
    n = len(P)
    # Weights that make the two contribute alike: c_j² P_jj ≈ c_k² P_kk.
    cj, ck = (as_rational(1 / _root(P[m][m])) for m in (j, k))
    mixed = [cj * P[j][m] + ck * P[k][m] for m in range(n)]
    corner = cj * mixed[j] + ck * mixed[k]
    parts = []
    for gone in (j, k):
        part = [list(row) for row in P]
        for m in range(n):
            part[gone][m] = part[m][gone] = mixed[m]
        part[gone][gone] = corner
        parts.append(part)
    return parts


def margin(P: Matrix, diagonal: Sequence[flint.fmpq]) -> float:
    """How far a form is from being proved, in floating point: at least 0 where it is close.

    The least eigenvalue of P_jk/√(F_jj F_kk) without positive entries off the diagonal.
    """
    import numpy as np

    keep = [j for j, row in enumerate(P) if any(x != 0 for x in row)]
    scale = [_root(diagonal[j]) for j in keep]
    if not all(0 < x < float("inf") for x in scale):
        return -1e9 if keep else 0.0
    K = scaled([[P[j][k] for k in keep] for j in keep], scale)
    if not keep or not np.isfinite(K).all():
        return -1e9 if keep else 0.0
    K = np.where(np.eye(len(K)) > 0, K, np.minimum(K, 0.0))
    return float(np.linalg.eigvalsh(K)[0])


def scaled(P: Matrix, scale: Sequence[float]) -> np.ndarray[Any, Any]:
    """P_jk/(c_j c_k) in floating point."""
    import numpy as np

    return np.array(
        [
            [as_float(x) / c / d for x, d in zip(row, scale, strict=True)]
            for row, c in zip(P, scale, strict=True)
        ]
    )


def as_float(value: flint.fmpq) -> float:
    """The nearest float, infinite where there is none."""
    try:
        return int(value.p) / int(value.q)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def as_rational(value: float) -> flint.fmpq:
    """A float as a rational with a short mantissa: proposals need no more."""
    top, bottom = value.as_integer_ratio()
    shift = max(0, abs(top).bit_length() - 30)
    return flint.fmpq((top >> shift) << shift, bottom)


def _root(value: flint.fmpq) -> float:
    found = as_float(value)
    return found**0.5 if found >= 0 else float("nan")
