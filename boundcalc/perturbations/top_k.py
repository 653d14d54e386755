"""Top-k: the k largest components."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, final

import numpy as np
from pydantic import Field

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.compression import (
    VALUE_BITS,
    Compressor,
    by_all_draws,
    index_bits,
    refuse_more_than_all,
    root_above,
    squared_component,
    squared_norm,
)
from boundcalc.perturbations.kept_at_random import Mask
from boundcalc.perturbations.transform import Apply, Largest, Reach
from boundcalc.perturbations.vector import VectorMoments


@final
class TopK(Compressor):
    """Keeps the k components of largest size; of equal ones those with the smaller index.

    Not random and biased: ‖Q(y) − y‖² ≤ (1 − k/n)‖y‖², the n − k smallest squares of n.
    Over vectors in a ball of radius r with components of size at most M the largest value is
    (1 − k/n)·min(r², nM²), attained by components of equal size.  [docs/theory.md, Lemma 8.2]

    Attributes
    ----------
    k
        The number of components that are kept, at most n.

    Raises
    ------
    SpecError
        By everything that is given n, if k > n.

    Examples
    --------
    >>> top = TopK(k=2).apply()
    >>> top(np.random.default_rng(0), np.array([1.0, -3.0, 2.0, -2.0])).tolist()
    [0.0, -3.0, 2.0, -0.0]
    >>> TopK(k=2).contraction(10)
    Fraction(4, 5)
    """

    model: ClassVar[str] = "top_k"
    deterministic: ClassVar[bool] = True

    k: int = Field(ge=1, le=10**9)

    def contraction(self, size: int) -> Fraction:
        """1 − k/n, for every x and attained where all |x_j| are equal."""
        refuse_more_than_all(self.k, size)
        return 1 - Fraction(self.k, size)

    def contraction_fourth(self, size: int) -> Fraction:
        """(1 − k/n)²: nothing is random."""
        return self.contraction(size) ** 2

    def mean_factor(self, size: int) -> None:
        """There is none: Q is not linear in the mean."""
        del size

    def masks(self, size: int) -> bool:
        """Yes."""
        del size
        return True

    def moments(self, reach: Reach) -> VectorMoments:
        """‖Q(y) − y‖² at its largest over the reach, exact: mean and root mean square are one."""
        return by_all_draws(self.contraction(reach.size) * squared_norm(reach, self.model))

    def largest(self, reach: Reach) -> Largest:
        """A dropped component has k others that are not smaller: its square is ≤ S/(k + 1)."""
        share = self.contraction(reach.size)
        total, cap = squared_norm(reach, self.model), squared_component(reach, self.model)
        single = min(cap, total / (self.k + 1)) if share else Fraction(0)
        return Largest(root_above(single), root_above(share * total))

    def bits(self, size: int) -> Fraction:
        """k values of 32 bits, and a list of k indices or a mask of n bits.

        >>> TopK(k=2).bits(1024)
        Fraction(84, 1)
        """
        refuse_more_than_all(self.k, size)
        return self.k * VALUE_BITS + index_bits(size, Fraction(self.k))

    def apply(self) -> Apply:
        """Draws nothing."""

        def transform(rng: np.random.Generator, values: Array) -> Array:
            del rng
            size = values.shape[-1]
            refuse_more_than_all(self.k, size)
            if self.k == size:
                return values.copy()
            lengths = np.abs(values)
            place = size - self.k
            bound = np.partition(lengths, place, axis=-1)[..., place : place + 1]
            kept = lengths >= bound
            # Ties add to the k, and NaN, which is never kept, hides some of them: the one
            # count of all is fast.
            if np.count_nonzero(kept) != self.k * (values.size // size) or np.isnan(lengths).any():
                crowded = np.count_nonzero(kept, axis=-1) > self.k
                kept[crowded] = self._without_late_ties(lengths[crowded], bound[crowded])
            # A product, not a choice: what is not finite stays visible.
            sent: Array = np.multiply(values, kept)
            return sent

        return transform

    def _without_late_ties(self, lengths: Array, bound: Array) -> Mask:
        """Of the components as large as the bound, the first ones up to k in all."""
        above, tied = lengths > bound, lengths == bound
        room = self.k - np.count_nonzero(above, axis=-1, keepdims=True)
        kept: Mask = above | (tied & (np.cumsum(tied, axis=-1) <= room))
        return kept
