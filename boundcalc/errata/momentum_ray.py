"""A state from which momentum with Top-1 grows geometrically, by interval arithmetic (E10).

One step is linear once it is known which entry Top-1 keeps.  A sequence of choices gives a
matrix P on states (w, m).  If Px = ρx with ρ > 1, and the choices along the orbit of x are
those of the sequence, then the orbit repeats itself, scaled by ρ, for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

#: Entries kept in one period, from 0; found by a search over all sequences up to length 12.
CHOICES = (0, 0, 1, 1, 1, 1)
PERIOD = len(CHOICES)

_BITS = 200
_HALVINGS = 100
_Rows = Sequence[Sequence[Fraction]]


def growth_on_a_ray(hessian: _Rows, step: Fraction, momentum: Fraction) -> Fraction | None:
    """A lower bound on ρ > 1 if the orbit of the eigenvector makes the choices; else None."""
    from flint import arb, arb_mat, ctx, fmpq_mat

    steps = [fmpq_mat(_step_matrix(hessian, step, momentum, kept)) for kept in CHOICES]
    P = fmpq_mat(4, 4, [int(i == j) for i in range(4) for j in range(4)])
    for matrix in steps:
        P = matrix * P
    bracket = _root_above_one(P.charpoly())
    if bracket is None:
        return None
    low, high = bracket
    with ctx.workprec(_BITS):
        rho = arb(_flint(low)).union(arb(_flint(high)))
        # (P − ρI) x = 0 with x_4 = 1: three equations give the rest, the fourth then holds,
        # since ρ is an eigenvalue.
        rows = [[arb(P[i, j]) - (rho if i == j else 0) for j in range(4)] for i in range(4)]
        try:
            head = arb_mat([row[:3] for row in rows[:3]]).solve(
                arb_mat([[-row[3]] for row in rows[:3]])
            )
        except ZeroDivisionError:
            return None
        x = arb_mat([[head[0, 0]], [head[1, 0]], [head[2, 0]], [arb(1)]])
        for matrix, kept in zip(steps, CHOICES, strict=True):
            if not _keeps(hessian, x, kept):
                return None
            x = arb_mat(matrix) * x
    return low


def _keeps(hessian: _Rows, x: Any, kept: int) -> bool:
    """Whether Top-1 certainly keeps that entry of the gradient at the state."""
    g = [_flint(row[0]) * x[0, 0] + _flint(row[1]) * x[1, 0] for row in hessian]
    return bool(abs(g[kept]) > abs(g[1 - kept]))


def _step_matrix(hessian: _Rows, step: Fraction, momentum: Fraction, kept: int) -> list[list[Any]]:
    """(w, m) ↦ (w − γm′, m′) with m′ = βm + the kept entry of the gradient."""
    moved = [[Fraction(0)] * 4 for _ in range(2)]
    for i in range(2):
        moved[i][2 + i] = momentum
        if i == kept:
            moved[i][:2] = hessian[i]
    placed = [
        [Fraction(i == j) - step * entry for j, entry in enumerate(moved[i])] for i in range(2)
    ]
    return [[_flint(entry) for entry in row] for row in placed + moved]


def _root_above_one(polynomial: Any) -> tuple[Fraction, Fraction] | None:
    """A bracket of a simple sign change between 1 and 3, halved until it is narrow."""
    low, high = Fraction(1), Fraction(3)
    below = polynomial(_flint(low)) < 0
    if below == (polynomial(_flint(high)) < 0):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (polynomial(_flint(middle)) < 0) == below:
            low = middle
        else:
            high = middle
    return low, high


def _flint(x: Fraction) -> Any:
    from flint import fmpq

    return fmpq(x.numerator, x.denominator)
