"""Quadratic functions ½yᵀHy + cᵀy, and suprema of their gradient on balls."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.constants import ZERO
from boundcalc.operators.matrices import (
    bound,
    eigenvalue_range,
    euclidean,
    float_rows,
    floats,
    folded,
    fractions,
    maximum,
    summed,
    times,
)
from boundcalc.operators.objectives.base import Objective, Steps
from boundcalc.operators.regions import reach, smaller
from boundcalc.operators.rounding import UNIT, Array, gamma, rounded_up
from boundcalc.operators.spectral import spectral_norm
from boundcalc.spec.expressions import Expression, bounded

#: Numbers as a spec has them: a diagonal, or rows.
Entries: TypeAlias = tuple[Expression, ...] | tuple[tuple[Expression, ...], ...]


class QuadraticForm(Objective):
    """g(y) = ½yᵀHy + cᵀy, H symmetric; ∇g = Hy + c, ∇²g = H.

    - The spectrum of a diagonal H is exact, that of any other an interval within
      rounding;
    - sup ‖∇g‖: see :meth:`steepest`;
    - sup |∂_i g| = ‖h_i‖R + |c_i|, h_i the rows of H, and the Lipschitz constant of ∇g in
      the norm max |·| is max ‖h_i‖: both attained along ±h_i;
    - ∇²g is constant.

    Parameters
    ----------
    matrix
        The diagonal of H, or its rows.  A matrix that is not symmetric counts as
        (H + Hᵀ)/2, which is the same function.
    linear
        c; empty is 0.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> g = QuadraticForm((parse(1), parse("-1/2")), (parse(3), parse(4)))
    >>> g.gradient(np.array([2.0, 2.0]))
    array([5., 3.])
    >>> g.spectrum(None)
    (Fraction(-1, 2), Fraction(1, 1), True)
    """

    def __init__(self, matrix: Entries, linear: tuple[Expression, ...] = ()) -> None:
        self.size = len(matrix)
        self.linear = linear or (ZERO,) * self.size
        self.rows = _symmetrised(matrix)
        self.diagonal = _diagonal(matrix, self.rows)

    @cached_property
    def _matrix(self) -> Array:
        return floats(self.diagonal) if self.diagonal is not None else float_rows(self.rows)

    @cached_property
    def _linear(self) -> Array:
        return floats(self.linear)

    def value(self, y: Array) -> Array:
        """g(y), shape (…)."""
        half = 0.5 * (y * self.curvature(y, y)).sum(axis=-1)
        return np.asarray(half + y @ self._linear)

    def gradient(self, y: Array) -> Array:
        """Hy + c."""
        return np.asarray(self.curvature(y, y) + self._linear)

    def curvature(self, y: Array, u: Array) -> Array:
        """Hu."""
        return np.asarray(u * self._matrix if self.diagonal is not None else u @ self._matrix)

    def symbolic(self, y: tuple[Any, ...]) -> Any:
        """½yᵀHy + cᵀy."""
        from boundcalc.arithmetic import SYMBOLS

        total = sum(c.evaluate(SYMBOLS) * yi for c, yi in zip(self.linear, y, strict=True))
        if self.diagonal is not None:
            pairs = zip(self.diagonal, y, strict=True)
            return total + sum(d.evaluate(SYMBOLS) * yi**2 for d, yi in pairs) / 2
        for row, yi in zip(self.rows, y, strict=True):
            products = (h.evaluate(SYMBOLS) * yj for h, yj in zip(row, y, strict=True))
            total = total + yi * sum(products) / 2
        return total

    def start(self) -> tuple[tuple[Fraction, ...], bool]:
        """The gradient at 0, c."""
        return fractions(self.linear)

    def spectrum(self, radius: Expression | None = None) -> tuple[Fraction, Fraction, bool]:
        """The smallest and largest eigenvalue of H: exact, or within rounding."""
        return self._spectrum

    @cached_property
    def _spectrum(self) -> tuple[Fraction, Fraction, bool]:
        if self.diagonal is not None:
            entries, certain = fractions(self.diagonal)
            return min(entries), max(entries), certain
        low, high = eigenvalue_range(self._matrix)
        return Fraction(low), Fraction(high), False

    def steepest(self, radius: Expression | None) -> Expression | None:
        """sup ‖Hy + c‖ over ‖y‖ ≤ R.

        It is ‖H‖R + ‖c‖ where c lies in the eigenspaces of ±‖H‖, as a y in the same
        direction shows.  Elsewhere the dual of this maximisation is smaller and tight.
        """
        if self.curved(None).node == ZERO.node:
            return euclidean(*self.start())
        if radius is None:
            return None
        simple = summed(times(self.curved(None), radius), euclidean(*self.start()))
        if radius.symbols or self._aligned():
            return simple
        dual = self._dual(reach(radius))
        return smaller(simple, bounded(dual)) if math.isfinite(dual) else simple

    def steepest_component(self, radius: Expression | None) -> Expression | None:
        """The maximum of ‖h_i‖R + |c_i|."""
        if radius is None:
            return self.steepest(None)
        entries, certain = self.start()
        return maximum(
            *(
                summed(times(norm, radius), bound(abs(c), certain))
                for norm, c in zip(self._row_norms, entries, strict=True)
            )
        )

    def curved_component(self, radius: Expression | None) -> Expression:
        """The maximum of ‖h_i‖."""
        return maximum(*self._row_norms)

    def third(self, radius: Expression | None) -> Expression:
        """H is constant: 0."""
        return ZERO

    def fourth(self, radius: Expression | None) -> Expression:
        """H is constant: 0."""
        return ZERO

    def contraction(self, steps: Steps, radius: Expression | None) -> Expression:
        """The supremum of ‖I − WH‖; for one step size that of :class:`Objective`, attained.

        One for each coordinate: max (|1 − c_i d_i| + ρ|d_i|) for a diagonal H, attained;
        else ‖I − diag(c)H‖ + ρ max ‖h_i‖.
        """
        if len(steps.center) == 1 or not any(steps.center):
            return super().contraction(steps, radius)
        if self.diagonal is not None:
            entries, certain = fractions(self.diagonal)
            pairs = zip(steps.center, entries, strict=True)
            return maximum(*(steps.factor(c, d, certain) for c, d in pairs))
        center = np.array([float(c) for c in steps.center])
        kept = np.eye(self.size) - center[:, None] * self._matrix
        # Entries of C H are right to 4u, and those of the difference rounded once more.
        sizes = float(np.linalg.norm(center[:, None] * self._matrix)) + math.sqrt(self.size)
        fixed = bounded(rounded_up(spectral_norm(kept) + 8.0 * UNIT * sizes))
        return summed(fixed, times(steps.radius, self.mixed(steps, radius)))

    @cached_property
    def _row_norms(self) -> tuple[Expression, ...]:
        if self.diagonal is not None:
            entries, certain = fractions(self.diagonal)
            return tuple(bound(abs(d), certain) for d in entries)
        return tuple(euclidean(*fractions(row)) for row in self.rows)

    def _aligned(self) -> bool:
        """Whether c lies in the eigenspaces of ±‖H‖, as far as this is seen without rounding."""
        if self.diagonal is None:
            return not self._linear.any()
        entries, _ = fractions(self.diagonal)
        top = max(abs(d) for d in entries)
        return all(abs(d) == top or c == 0 for d, c in zip(entries, self._linear, strict=True))

    def _dual(self, r: float) -> float:
        """An upper bound of sup ‖Hy + c‖ over ‖y‖ ≤ r, tight within 1e-5; or not finite.

        For t > ‖H‖² and ‖y‖ ≤ r, with k_i and λ_i the parts of c and eigenvalues of H,
        ‖Hy + c‖² ≤ t(r² − ‖y‖²) + ‖Hy + c‖² ≤ tr² + Σ k_i² t/(t − λ_i²):
        the second is the maximum over all y of a concave function.  It is convex in t, and its
        minimum is the supremum: a problem with one quadratic constraint has no
        duality gap (Boyd and Vandenberghe, Convex Optimization, appendix B).

        Computed eigenvectors V and eigenvalues Λ are not trusted.  With E = H − VΛVᵀ and
        k = Vᵀc, whatever these are,

            Hy + c = V(Λz + k) + (c − Vk) + Ey,    z = Vᵀy,  ‖z‖ ≤ ‖V‖r,

        so that ‖Hy + c‖ ≤ ‖V‖·sup_{‖z‖ ≤ ‖V‖r} ‖Λz + k‖ + ‖c − Vk‖ + ‖E‖r.
        """
        c = self._linear
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if self.diagonal is not None:
                return _least_dual(self._matrix, c, r)
            values, V = np.linalg.eigh(self._matrix)
            parts, turned = V.T @ c, V * values
            sizes = np.linalg.norm(turned) * np.linalg.norm(V) + np.linalg.norm(self._matrix)
            slack = 2.0 * gamma(len(V) + 8)
            apart = np.linalg.norm(self._matrix - turned @ V.T) + slack * sizes
            left = np.linalg.norm(c - V @ parts)
            left += slack * (np.linalg.norm(V) * np.linalg.norm(parts) + np.linalg.norm(c))
            stretch = spectral_norm(V)
            inner = _least_dual(values, parts, rounded_up(stretch * r))
            return rounded_up(float(stretch * inner + left + apart * r), terms=V.size)


def _least_dual(values: Array, parts: Array, r: float) -> float:
    """The square root of the minimum of tr² + Σ k_i² t/(t − λ_i²) over t, from above.

    Any t > λ² gives a bound.  A difference t − λ² has a relative error of 5u·t/(t − λ²) at
    most, entries of a diagonal that are right to 2u included, and there are n terms.
    """
    squares = values**2
    top = float(squares.max())
    low = high = top * (1.0 + 1e-5)
    pull = float(np.linalg.norm(np.sqrt(squares) * parts))
    if r > 0:
        high = max(low, top + pull / r)  # the slope is ≥ 0 there
    for _ in range(100):
        t = 0.5 * (low + high)
        slope = r * r - float(np.sum(parts**2 * squares / (t - squares) ** 2))
        low, high = (low, t) if slope > 0 else (t, high)
    total = high * r * r + float(np.sum(parts**2 * (high / (high - squares))))
    rounding = 2.0 * gamma(len(squares) + 32) * high / (high - top)
    return rounded_up(float(np.sqrt(total)) * (1.0 + rounding))


def _diagonal(
    matrix: Entries, rows: tuple[tuple[Expression, ...], ...]
) -> tuple[Expression, ...] | None:
    """The diagonal of a diagonal matrix, else None."""
    if not rows:
        return tuple(entry for entry in matrix if isinstance(entry, Expression))
    off = (x for i, row in enumerate(rows) for j, x in enumerate(row) if i != j)
    if any(x.evaluate(FLOATS) != 0 for x in off):
        return None
    return tuple(row[i] for i, row in enumerate(rows))


def _symmetrised(matrix: Entries) -> tuple[tuple[Expression, ...], ...]:
    """The rows of (H + Hᵀ)/2; none for a diagonal."""
    rows = [row for row in matrix if isinstance(row, tuple)]
    return tuple(
        tuple(_middle(x, rows[j][i]) for j, x in enumerate(row)) for i, row in enumerate(rows)
    )


def _middle(x: Expression, y: Expression) -> Expression:
    return x if x.node == y.node else folded((x + y) / 2)
