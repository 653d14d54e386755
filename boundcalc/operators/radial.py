"""Bounds of the radial map that normalisations share, and of its derivatives.

x̂(y) = y/√(‖y‖²/n + eps) for y in ℝⁿ.  With s = √(n·eps), x̂(y) = √n·ψ(y/s), where
ψ(z) = z/√(1 + ‖z‖²) is the gradient of H(z) = √(1 + ‖z‖²).  So Dᵏψ is the symmetric form
Dᵏ⁺¹H, whose norm is sup |Dᵏ⁺¹H[u, …, u]| over unit vectors u (Banach, Studia Math. 7,
1938): a derivative of H along a line.  There H(z + tu) = √(c² + (t + b)²) = c·h((t + b)/c)
with h(τ) = √(1 + τ²), b = zᵀu and c² = 1 + ‖z‖² − b² ≥ 1, so that
|Dᵏ⁺¹H[u, …, u]| = c⁻ᵏ|h⁽ᵏ⁺¹⁾(b/c)|.  As |b/c| ≤ |b| ≤ ‖z‖,

    sup ‖Dᵏψ‖ over ‖z‖ ≤ r  =  sup |h⁽ᵏ⁺¹⁾(τ)| over |τ| ≤ r,   attained with z ∥ u (c = 1):

- h″ = (1 + τ²)^(−3/2) ≤ 1, at 0;
- |h‴| = 3|τ|(1 + τ²)^(−5/2), increasing up to τ = 1/2, where it is κ = 48/(25√5);
- |h⁗| = 3|4τ² − 1|(1 + τ²)^(−7/2) ≤ 3, at 0 (0.85 at the other extremum, τ² = 3/4).

Dᵏx̂ = √n·s⁻ᵏDᵏψ then has the suprema

    1/√eps,   κ/(√n·eps)  (3R·eps/(n(R²/n + eps)^(5/2)) on a ball R < s/2),   3/(n·eps^(3/2)).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from boundcalc.operators.regions import Region, reach, smaller
from boundcalc.operators.rounding import above, lower
from boundcalc.spec.expressions import Expression, bounded, exact, root
from boundcalc.spec.grammar import parse

_ONE = exact(1)
_KAPPA = parse("48/(25*sqrt(5))")


@dataclass(frozen=True)
class RadialBounds:
    """Bounds of x̂ for inputs of T tokens in a region, y or the centred y.

    Attributes
    ----------
    width, tokens
        n and T.
    eps
        The number added to the mean square.
    centered
        Whether x̂ is made of the centred y, y − mean.
    region
        Where y lies.
    """

    width: int
    tokens: int
    eps: Expression
    centered: bool
    region: Region

    def suprema(self) -> tuple[Expression, Expression, Expression]:
        """The suprema of ‖Dx̂‖, ‖D²x̂‖, ‖D³x̂‖; see the module."""
        n, eps, radius = exact(self.width), self.eps, self._bound(1)
        first, third = _ONE / root(eps), exact(3) / (n * eps * root(eps))
        second = _KAPPA / (root(n) * eps)
        if radius is None or eps.symbols:
            return first, second, third
        if reach(radius) < lower(root(n * eps) / 2):
            mean = radius**2 / n + eps
            second = radius * eps * 3 / (n * mean**2 * root(mean))
        return first, second, third

    def share(self) -> Expression:
        """The largest norm of a row of I, or of the projection I − 11ᵀ/n of a centred layer."""
        return root(exact(1 - Fraction(1, self.width))) if self.centered else _ONE

    def norm(self, together: bool) -> Expression:
        """sup ‖x̂‖ = ρ/√(ρ²/n + eps) where ‖y‖ ≤ ρ, as it grows with ‖y‖; √n without a bound.

        Of one token, or ``together`` the largest root mean square over tokens:
        ‖y_t‖² ↦ ‖x̂_t‖² is concave, so that Σ_t ‖x̂_t‖² is largest where all ‖y_t‖ are equal.
        """
        n, radius = exact(self.width), self._bound(self.tokens if together else 1)
        if radius is None or self.eps.symbols:
            return root(n)
        return radius / root(radius**2 / n + self.eps)

    def component(self, together: bool) -> Expression:
        """q, the largest component of x̂; a unit vector u with Σu_i = 0 has u_i² ≤ 1 − 1/n."""
        norm = self.norm(together)
        return self.share() * norm if self.centered else norm

    def weights(self) -> Expression:
        """b = √T·q, or √(T(q² + 1)) with a shift; see the layers."""
        q = self.component(together=True)
        if self.centered:
            return root((q**2 + 1) * self.tokens)
        return q if self.tokens == 1 else root(exact(self.tokens)) * q

    def _bound(self, tokens: int) -> Expression | None:
        """A bound of √(Σ_t ‖y_t‖²/tokens): of ‖y_t‖ for one, of their root mean square for T."""
        low, high = self.region.low, self.region.high
        found, ball = None, self.region.input
        if np.isfinite(high - low):
            # ‖y − mean‖ ≤ ‖y − (low + high)/2‖.
            size = (Fraction(high) - Fraction(low)) / 2
            if not self.centered:
                size = Fraction(max(abs(low), abs(high)))
            found = root(exact(self.width)) * bounded(above(size))
        if ball is None or ball.symbols:
            return found
        ball = ball if tokens == 1 else ball / root(exact(tokens))
        return ball if found is None else smaller(ball, found)
