"""Compressors that keep components at random, exchangeably, and drop the others."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.compression import (
    Compressor,
    enlarged,
    largest_fourth_powers,
    root_above,
    squared_component,
    squared_norm,
)
from boundcalc.perturbations.transform import Apply, Largest, Reach
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact

Mask: TypeAlias = npt.NDArray[np.bool_]


class KeptAtRandom(Compressor):
    """Q(y)_j = s·y_j if component j is kept, else 0.

    Every component is kept with probability p, every two with probability p₂.  With
    ``scaled`` s = 1/p and Q is unbiased; without s = 1, and Q never lengthens.

    ``‖δ‖² = Σ_j x_j W_j`` with x_j = y_j² and W_j = (s − 1)² if j is kept, 1 if dropped.  So::

        E δ    = (ps − 1) y
        E‖δ‖²  = α² ‖y‖²,                        α² = E W = p(s − 1)² + 1 − p
        E‖δ‖⁴  = (a − b) Σ_j x_j² + b ‖y‖⁴,      a = E W_j²,  b = E W_i W_j ≤ a

    of which the largest over a ball and a box is exact: the last is convex in x, so that it
    is largest where all x_j but one are 0 or as large as the box allows.

    With s = 1/p, α² = 1/p − 1.  [docs/theory.md, Lemma 8.1]
    """

    scaled: bool = True

    @abstractmethod
    def kept(self, size: int) -> Fraction:
        """p."""

    @abstractmethod
    def both_kept(self, size: int) -> Fraction:
        """p₂; anything for size 1."""

    @abstractmethod
    def most(self, size: int) -> tuple[int, int]:
        """The largest numbers of components that may be kept, and that may be dropped."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Mask:
        """Which components of vectors along the last axis are kept."""

    def scale(self, size: int) -> Fraction:
        """The factor s of what is kept."""
        return 1 / self.kept(size) if self.scaled else Fraction(1)

    def contraction(self, size: int) -> Fraction:
        """α² = E W; 1/p − 1 when scaled, and 1 − p when not."""
        p = self.kept(size)
        return p * (self.scale(size) - 1) ** 2 + 1 - p

    def contraction_fourth(self, size: int) -> Fraction:
        """E W_j², which is attained where one component is all of x."""
        p = self.kept(size)
        return p * (self.scale(size) - 1) ** 4 + 1 - p

    def mean_factor(self, size: int) -> Fraction:
        """λ = ps."""
        return self.kept(size) * self.scale(size)

    def masks(self, size: int) -> bool:
        """Where s = 1."""
        return self.scale(size) == 1

    def moments(self, reach: Reach) -> VectorMoments:
        """The largest values over the reach of the formulas above: exact."""
        n = reach.size
        total = squared_norm(reach, self.model)
        highest = largest_fourth_powers(total, squared_component(reach, self.model))
        single, pair = self.contraction_fourth(n), self._pair(n)
        return VectorMoments(
            exact((1 - self.mean_factor(n)) ** 2 * total),
            exact(self.contraction(n) * total),
            exact((single - pair) * highest + pair * total**2),
        )

    def largest(self, reach: Reach) -> Largest:
        """max √W·M, and ‖δ‖ where the heavier of the two weights has all that it can have."""
        n, s = reach.size, self.scale(reach.size)
        total, cap = squared_norm(reach, self.model), squared_component(reach, self.model)
        kept, dropped = self.most(n)
        groups = sorted([((s - 1) ** 2, kept), (Fraction(1), dropped)], reverse=True)
        (heavy, count), (light, _) = groups
        first = min(total, count * cap)
        norm = heavy * first + light * (total - first)
        weight = heavy if count else light
        # Kept components are computed with two roundings, and where s = 1 with none.
        slack = Fraction(0) if s == 1 else s / 2**51
        found = Largest(root_above(weight * cap), root_above(norm))
        return enlarged(found, slack * Fraction(root_above(total)))

    def apply(self) -> Apply:
        """Draws a mask anew for every vector along the last axis."""

        def transform(rng: np.random.Generator, values: Array) -> Array:
            # A product, not a choice: what is not finite stays visible.
            sent = np.multiply(values, self.draw(rng, values.shape))
            scale = float(self.scale(values.shape[-1]))
            if scale != 1.0:
                sent *= scale
            return sent

        return transform

    def _pair(self, size: int) -> Fraction:
        """E W_i W_j, i ≠ j: both kept, one of the two, none."""
        if size == 1:
            return Fraction(0)
        p, both = self.kept(size), self.both_kept(size)
        weight = (self.scale(size) - 1) ** 2
        return both * weight**2 + 2 * (p - both) * weight + 1 - 2 * p + both
