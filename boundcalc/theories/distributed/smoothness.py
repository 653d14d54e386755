"""Which (L0, L1)-smoothness the pairs of points that a run visits are consistent with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array

_CLOSE = 1e-6  # points closer than this are not told apart: differences would be rounding


def smoothness_met(
    one: tuple[Array, Array], two: tuple[Array, Array], L1: float, rows: npt.NDArray[np.bool_]
) -> float:
    """The smallest L0 for which pairs (x, ∇f(x)) do not refute (L0, L1)-smoothness.

    ‖∇²f‖ ≤ L0 + L1‖∇f‖ implies ‖∇f(y) − ∇f(x)‖ ≤ (L0 + L1‖∇f(x)‖)(e^{L1·r} − 1)/L1 with
    r = ‖y − x‖, for either end as x: the first step in the proof of Lemma 12.1
    (docs/theory-distributed.md).

    Parameters
    ----------
    rows
        Which pairs count; those closer than rounding allows never do.

    Examples
    --------
    >>> x, y = np.array([[0.0]]), np.array([[2.0]])
    >>> smoothness_met((x, 3 * x), (y, 3 * y), 0.0, np.array([True]))
    3.0
    """
    gap = np.linalg.norm(two[0] - one[0], axis=1)
    size = 1 + np.maximum(np.linalg.norm(one[0], axis=1), np.linalg.norm(two[0], axis=1))
    rows = rows & (gap > _CLOSE * size)
    if not rows.any():
        return -np.inf
    change = np.linalg.norm(two[1] - one[1], axis=1)[rows]
    smaller = np.minimum(np.linalg.norm(one[1], axis=1), np.linalg.norm(two[1], axis=1))[rows]
    gap = gap[rows]
    with np.errstate(over="ignore"):  # e^{L1·r} may be infinite: then the pair says nothing
        slope = change / gap if L1 == 0 else change * L1 / np.expm1(L1 * gap)
    return float(np.max(slope - L1 * smaller))
