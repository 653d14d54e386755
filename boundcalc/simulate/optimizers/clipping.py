"""Gradient clipping by norm."""

from __future__ import annotations

import numpy as np

from boundcalc.operators.base import Array


def clip(gradient: Array, limit: float) -> None:
    """g ← g · min{1, c/‖g‖} for each replica, in place; O(R·k).

    R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks,
    ICML 2013, Algorithm 1.  Norms neither overflow nor underflow.  A gradient that is not finite
    has no direction and is left as it is, so that its replica is recorded as diverged.

    Parameters
    ----------
    gradient
        ``(R, k)``.
    limit
        c > 0.

    Examples
    --------
    >>> g = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [np.inf, 1.0]])
    >>> clip(g, 1.0)
    >>> g.round(12)
    array([[0.6, 0.8],
           [0.3, 0.4],
           [0. , 0. ],
           [inf, 1. ]])
    """
    largest = np.abs(gradient).max(axis=1, keepdims=True, initial=0.0)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        scale = np.where(largest > 0, largest, 1.0).astype(gradient.dtype)
        unit = gradient / scale
        norm = np.sqrt(np.sum(unit**2, axis=1, keepdims=True))  # in [1, √k]
        above = norm > limit / scale  # false where the norm is NaN, as that of an infinite g
        np.multiply(unit, limit / norm, out=gradient, where=above)
