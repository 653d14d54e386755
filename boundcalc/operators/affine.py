"""What dense layers and convolutions share: one matrix applied at many positions."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import ClassVar

import numpy as np
from pydantic import StrictBool

from boundcalc.operators.base import (
    ONE,
    ZERO,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    rows_radius,
)
from boundcalc.operators.regions import norm_of, reach, smaller
from boundcalc.operators.rounding import gamma, rounded_up
from boundcalc.operators.spectral import require_finite
from boundcalc.spec.expressions import Expression, bounded, exact, root


@dataclass(frozen=True)
class Layout:
    """How a layer reads its input.

    Attributes
    ----------
    patch
        p, the entries that one position reads: a row of the matrix K.  None if unknown.
    positions
        N, the number of positions.
    overlap
        μ, the largest number of times that one entry of the input is read.
    padded
        Whether zeros from outside the input are read too.
    """

    patch: int | None
    positions: int
    overlap: int = 1
    padded: bool = False


class AffineLayer(Operator):
    """f = A(K) y + c: at each position o, f_o = K·patch_o(y) + c, where Σ‖patch_o(y)‖² ≤ μ‖y‖².

    The weights are K (units × p) row by row, then c.  P(y) is the N × p matrix of patches;
    ‖P(y)‖_op ≤ ‖P(y)‖_F ≤ √μ‖y‖.  As an N × units matrix, f = P(y)Kᵀ + 1cᵀ.

    On ‖y‖ ≤ R_y and on weights in the ball ‖(K, c)‖ ≤ R_w, or ‖(K, c) − (K₀, c₀)‖ ≤ ρ, or
    in both (then the smaller number is taken):

    - ∇₁f = A(K), and ‖A(E)y‖ = ‖P(y)Eᵀ‖_F ≤ √μ‖y‖‖E‖_F.  So a = ℓ = √μ R_w, or
      ‖A(K₀)‖ + √μ ρ.  Constant in y: A = A′ = 0;
    - ∇₂f is [P(y) 1] for each unit, block diagonal, with ‖[P 1]‖² ≤ ‖P‖² + ‖1‖²:
      b = √(μR_y² + N), √μ R_y without c;
    - ∇₂f is affine in y and its linear part has norm ≤ √μ: B = √μ, B′ = 0.

    Where f lies: ‖f‖ ≤ ‖[P 1]‖‖(K, c)‖_F ≤ √(μR_y² + N) R_w, or
    ‖A(K₀)‖R_y + √N‖c₀‖ + √(μR_y² + N) ρ; one entry, by interval arithmetic on a row
    of K₀ or by ‖row of K₀‖·r, plus √(r² + 1) ρ, where a patch has norm ≤ r.
    """

    affine: ClassVar[bool] = True

    bias: StrictBool = True

    @abstractmethod
    def _units(self) -> int:
        """The number of rows of K."""

    @abstractmethod
    def _layout(self) -> Layout:
        """The numbers p, N and μ for the shapes it was made for."""

    @abstractmethod
    def _norm(self, kernel: Array) -> float:
        """‖A(K)‖ for K of shape (units, p), from above."""

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ, B = √μ, the others 0."""
        share = root_of(self._layout().overlap)
        options = []
        if region.center is not None and region.change is not None:
            kernel, _ = self._rows(region.center)
            options.append(plus(size(self._norm(kernel)), times(share, region.change)))
        if region.weight is not None or not options:
            options.append(times(share, self._radius(region, "weight", "jac_input")))
        a = reduce(smaller, options)
        return InputConstants(jac_input=a, lip_input=a, hess_mixed=share)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b; on data R_y is the largest norm of a sample."""
        if features is not None:
            return self._weight_jacobian(rows_radius(features))
        return self._weight_jacobian(self._radius(region, "input", "jac_weight"))

    def _weight_jacobian(self, radius: Expression) -> Expression:
        """√(μR² + N), a bound of ‖[P(y) 1]‖ on ‖y‖ ≤ R; √μ R without a bias."""
        layout = self._layout()
        if not self.bias:
            return times(root_of(layout.overlap), radius)
        return root(times(exact(layout.overlap), radius**2) + layout.positions)

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """Ball and box of f as in :class:`AffineLayer`."""
        return Domain(self._output_radius(region), *self._output_interval(region))

    def _output_radius(self, region: Region) -> Expression | None:
        if region.input is None:
            return None
        spread, options = self._weight_jacobian(region.input), []
        if region.center is not None and region.change is not None:
            kernel, c = self._rows(region.center)
            middle = times(size(self._norm(kernel)), region.input)
            if c.any():
                middle = plus(middle, times(root_of(self._layout().positions), norm_of(c)))
            options.append(plus(middle, times(spread, region.change)))
        if region.weight is not None:
            options.append(times(spread, region.weight))
        return reduce(smaller, options) if options else None

    def _output_interval(self, region: Region) -> tuple[float, float]:
        """An interval that holds every entry of f."""
        layout = self._layout()
        low, high = region.interval()
        if layout.padded:
            low, high = min(low, 0.0), max(high, 0.0)
        r = reach(region.input)
        if layout.patch is not None:
            r = min(r, rounded_up(math.sqrt(layout.patch) * max(-low, high)))
        # One position's Jacobian in the weights: [patch 1], or the patch alone.
        spread = math.sqrt(r * r + 1.0) if self.bias else r
        top = rounded_up(_product(reach(region.weight), spread))
        bottom = -top
        if region.center is not None and region.change is not None:
            moved = rounded_up(_product(reach(region.change), spread))
            below, above = _row_interval(*self._rows(region.center), low, high, r)
            bottom = max(bottom, float(np.nextafter(below - moved, -np.inf)))
            top = min(top, float(np.nextafter(above + moved, np.inf)))
        return bottom, top

    def _rows(self, weights: Array) -> tuple[Array, Array]:
        """(K, c) of a flat array of weights; c is 0 without a bias."""
        require_finite(weights)
        units = self._units()
        c = weights[-units:] if self.bias else np.zeros(units)
        return weights[: len(weights) - units * self.bias].reshape(units, -1), c


def _row_interval(
    kernel: Array, c: Array, low: float, high: float, r: float
) -> tuple[float, float]:
    """An interval that holds every entry of K x + c for x in [low, high]ᵖ with ‖x‖ ≤ r.

    >>> low, high = _row_interval(np.array([[1.0, -2.0]]), np.array([0.5]), 0.0, 1.0, np.inf)
    >>> round(low, 9), round(high, 9)
    (-1.5, 1.5)
    """
    # Squares that underflow are entries below 2⁻⁵¹¹.
    norms = np.linalg.norm(kernel, axis=1)
    norms = np.where(kernel.any(axis=1), norms + math.sqrt(kernel.shape[1]) * 2.0**-511, 0.0)
    half = norms * r if math.isfinite(r) else np.where(norms > 0.0, np.inf, 0.0)
    # Sums of p products are rounded: 2γ_{p+4} times the sum of sizes, taken outwards.
    share = 2.0 * gamma(kernel.shape[1] + 4)
    half = half + share * (np.abs(c) + half)
    below, above = c - half, c + half
    if math.isfinite(low) and math.isfinite(high):
        plus, minus = np.maximum(kernel, 0.0).sum(axis=1), np.minimum(kernel, 0.0).sum(axis=1)
        error = share * (np.abs(c) + (plus - minus) * max(abs(low), abs(high)))
        below = np.maximum(below, c + plus * low + minus * high - error)
        above = np.minimum(above, c + plus * high + minus * low + error)
    return float(below.min()), float(above.max())


def root_of(square: int | Fraction) -> Expression:
    """√square, exactly where it is rational.

    >>> str(root_of(9)), str(root_of(Fraction(1, 2)))
    ('3', 'sqrt(1/2)')
    """
    square = Fraction(square)
    sides = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator))
    return exact(sides) if sides**2 == square else root(exact(square))


def times(x: Expression, y: Expression) -> Expression:
    """The product x·y, without a factor 1; exactly 0 if a factor is."""
    if ZERO.node in (x.node, y.node):
        return ZERO
    return y if x.node == ONE.node else x if y.node == ONE.node else x * y


def plus(x: Expression, y: Expression) -> Expression:
    """The sum x + y, without a 0."""
    return x if y.node == ZERO.node else y if x.node == ZERO.node else x + y


def size(norm: float) -> Expression:
    """A norm from above, as an expression; 0 is exact."""
    return bounded(norm) if norm else ZERO


def _product(x: float, y: float) -> float:
    """x·y for sizes, with 0·∞ = 0; not 0 where it underflows."""
    return max(x * y, math.ulp(0.0)) if x and y else 0.0
