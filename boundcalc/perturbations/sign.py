"""Signs with one scale: a bit for each component."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, final

import numpy as np

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.compression import (
    VALUE_BITS,
    Compressor,
    by_all_draws,
    enlarged,
    root_above,
    squared_component,
    squared_norm,
)
from boundcalc.perturbations.transform import Apply, Largest, Reach
from boundcalc.perturbations.vector import VectorMoments


@final
class Sign(Compressor):
    """Q(y) = (‖y‖₁/n) sign(y), where 0 and −0 have the sign +1.

    Not random and biased: ‖Q(y) − y‖² = ‖y‖² − ‖y‖₁²/n, n times the variance of the |y_j|,
    so at most (1 − 1/n)‖y‖².  Where |y_j| ≤ M, ‖y‖₁ ≥ ‖y‖²/M; hence over vectors with
    ‖y‖² ≤ S it is at most s − s²/(nM²), s = min(S, nM²/2), a quarter of nM² if S allows.
    [docs/theory.md, Lemma 8.3]

    Examples
    --------
    >>> sign = Sign().apply()
    >>> sign(np.random.default_rng(0), np.array([3.0, -1.0, 0.0, -0.0])).tolist()
    [1.0, -1.0, 1.0, 1.0]
    >>> Sign().contraction(4)
    Fraction(3, 4)
    """

    model: ClassVar[str] = "sign"
    deterministic: ClassVar[bool] = True

    def contraction(self, size: int) -> Fraction:
        """1 − 1/n, for every x and attained where one component is all of x."""
        return 1 - Fraction(1, size)

    def contraction_fourth(self, size: int) -> Fraction:
        """(1 − 1/n)²: nothing is random."""
        return self.contraction(size) ** 2

    def mean_factor(self, size: int) -> None:
        """There is none: Q is not linear in the mean."""
        del size

    def orthogonal(self, size: int) -> bool:
        """Yes: ⟨Q(x), x⟩ = ‖x‖₁²/n = ‖Q(x)‖²."""
        del size
        return True

    def moments(self, reach: Reach) -> VectorMoments:
        """The bound above: mean and root mean square are one."""
        return by_all_draws(self._squared(reach))

    def largest(self, reach: Reach) -> Largest:
        """| |y_j| − ‖y‖₁/n | is at most (1 − 1/n)M: either term is ≥ 0 and ≤ M."""
        n, cap = reach.size, squared_component(reach, self.model)
        single = Largest(
            root_above(self.contraction(n) ** 2 * cap), root_above(self._squared(reach))
        )
        # A mean of n floats, added in any order, and one rounding.
        slack = Fraction(n + 4, 2**53) * Fraction(root_above(squared_norm(reach, self.model)))
        return enlarged(single, slack)

    def bits(self, size: int) -> Fraction:
        """n signs and a scale of 32 bits.

        >>> Sign().bits(1024)
        Fraction(1056, 1)
        """
        return Fraction(size + VALUE_BITS)

    def apply(self) -> Apply:
        """Draws nothing."""

        def transform(rng: np.random.Generator, values: Array) -> Array:
            del rng
            # In one layout always: the order of a sum decides how it is rounded.
            scale = np.abs(np.ascontiguousarray(values)).mean(axis=-1, keepdims=True)
            sent: Array = np.copysign(scale, values + 0.0)  # −0 + 0 = +0
            return sent

        return transform

    def _squared(self, reach: Reach) -> Fraction:
        n = reach.size
        total, cap = squared_norm(reach, self.model), squared_component(reach, self.model)
        if not cap:
            return Fraction(0)
        best = min(total, n * cap / 2)
        return min(self.contraction(n) * total, best - best**2 / (n * cap))
