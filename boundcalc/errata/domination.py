"""Is zᵀGz ≤ θ zᵀDz for all z, for a nonnegative matrix G and a positive diagonal D?

The smallest such θ is the largest eigenvalue λ of D⁻¹G (docs/theory.md, Theorem 4.5 (d)).
By Collatz and Wielandt λ ≤ max_i (Gx)_i/(D_i x_i) for every x > 0, with equality at the
Perron vector; and λ ≥ xᵀGx/xᵀDx.  A floating-point Perron vector, read as exact fractions,
therefore encloses λ rigorously, whatever the rounding errors of its computation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

Matrix: TypeAlias = Sequence[Sequence[Fraction]]
Vector: TypeAlias = Sequence[Fraction]
#: FLINT's rationals, ten times as fast as those of the standard library.
Rationals: TypeAlias = Sequence[Any]

_BITS = 60  # of the fractions that stand for floats
_FLOOR = 1e-9  # of the largest entry, so that a reducible G has a positive vector too


def eigenvalue_bounds(G: Matrix, D: Vector) -> tuple[Fraction, Fraction]:
    """Rational numbers that enclose λ_max(D^{-1/2} G D^{-1/2}).

    Parameters
    ----------
    G
        Symmetric with nonnegative entries.
    D
        Positive.

    >>> one = Fraction(1)
    >>> low, high = eigenvalue_bounds([[one, one], [one, one]], [Fraction(4), Fraction(4)])
    >>> low <= Fraction(1, 2) <= high < Fraction(51, 100)
    True
    """
    rows, below = [[rational(g) for g in row] for row in G], [rational(d) for d in D]
    roots = [rational(_root(d)) for d in D]
    scaled = [
        [nearest_float(g / (p * q)) for g, q in zip(row, roots, strict=True)]
        for row, p in zip(rows, roots, strict=True)
    ]
    x = [y / root for y, root in zip(perron_vector(scaled), roots, strict=True)]
    image = [sum((g * t for g, t in zip(row, x, strict=True)), rational(0)) for row in rows]
    # xᵀGx/xᵀDx
    above = sum((g * t for g, t in zip(image, x, strict=True)), rational(0))
    under = sum((d * t * t for d, t in zip(below, x, strict=True)), rational(0))
    return fraction(above / under), fraction(collatz(image, below, x))


def collatz(image: Rationals, D: Rationals, x: Rationals) -> Any:
    """max_i (Gx)_i/(D_i x_i), an upper bound on λ."""
    return max(g / (d * t) for g, d, t in zip(image, D, x, strict=True))


def perron_vector(matrix: Sequence[Sequence[float]]) -> list[Any]:
    """A positive vector near the eigenvector of the largest eigenvalue, as exact fractions."""
    import numpy as np

    P = np.array(matrix)
    values, vectors = np.linalg.eig(P)
    x = np.abs(vectors[:, values.real.argmax()].real)
    # A few steps from it leave no entry at zero that the eigenvector has positive.
    for _ in range(4):
        x = P @ x + x
        x = x / x.max()
    return [rational(Fraction(max(float(t), _FLOOR))) for t in x]


def rational(x: Fraction | int) -> Any:
    """The number as FLINT's rational."""
    from flint import fmpq

    return fmpq(x.numerator, x.denominator)


def fraction(x: Any) -> Fraction:
    """FLINT's rational as a fraction."""
    return Fraction(int(x.p), int(x.q))


def nearest_float(x: Any) -> float:
    """FLINT's rational as a float."""
    return int(x.p) / int(x.q)


def cover(
    bounded: Callable[[Fraction, Fraction], Fraction],
    low: Fraction,
    high: Fraction,
    limit: Fraction,
    boxes: int,
) -> tuple[Fraction, int] | None:
    """Cut [low, high] into intervals on each of which ``bounded`` is at most ``limit``.

    Returns
    -------
    The largest bound and the number of intervals; None if ``boxes`` intervals are not enough.

    >>> cover(lambda a, b: b * b - a, Fraction(0), Fraction(1), Fraction(1, 4), 64)[1] > 1
    True
    """
    waiting, worst, used = [(low, high)], Fraction(0), 0
    while waiting:
        a, b = waiting.pop()
        value = bounded(a, b)
        if value <= limit:
            worst, used = max(worst, value), used + 1
        elif used + len(waiting) < boxes:
            middle = (a + b) / 2
            waiting += [(middle, b), (a, middle)]
        else:
            return None
    return worst, used


def _root(x: Fraction) -> Fraction:
    """The square root to 60 bits."""
    shift = max(0, _BITS - (x.numerator.bit_length() - x.denominator.bit_length()) // 2)
    return Fraction(isqrt((x.numerator << 2 * shift) // x.denominator), 1 << shift)
