"""Rand-k: k components chosen at random."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import ClassVar, final

import numpy as np
from pydantic import Field

from boundcalc.perturbations.compression import VALUE_BITS, index_bits, refuse_more_than_all
from boundcalc.perturbations.kept_at_random import KeptAtRandom, Mask


@final
class RandK(KeptAtRandom):
    """Keeps k of the n components, chosen uniformly without replacement, times n/k.

    Unbiased, and E‖Q(y) − y‖² = ω‖y‖² with ω = n/k − 1 exactly.  With ``scaled: false``
    the factor n/k is left out: E‖Q(y) − y‖² = (1 − k/n)‖y‖², E Q(y) = (k/n) y.

    Attributes
    ----------
    k
        The number of components that are kept, at most n.
    scaled
        Whether what is kept is multiplied by n/k.

    Raises
    ------
    SpecError
        By everything that is given n, if k > n.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.perturbations.transform import Reach
    >>> moments = RandK(k=2).moments(Reach((10,), Fraction(1), None, None))
    >>> moments.second.evaluate(RATIONALS), moments.fourth.evaluate(RATIONALS)
    (Fraction(4, 1), Fraction(52, 1))
    >>> RandK(k=2, scaled=False).contraction(10)
    Fraction(4, 5)
    """

    model: ClassVar[str] = "rand_k"

    k: int = Field(ge=1, le=10**9)

    def kept(self, size: int) -> Fraction:
        """k/n."""
        refuse_more_than_all(self.k, size)
        return Fraction(self.k, size)

    def both_kept(self, size: int) -> Fraction:
        """k(k − 1)/(n(n − 1))."""
        return Fraction(self.k * (self.k - 1), max(size * (size - 1), 1))

    def most(self, size: int) -> tuple[int, int]:
        """k are kept and n − k dropped."""
        return self.k, size - self.k

    def bits(self, size: int) -> Fraction:
        """k values of 32 bits, and a list of k indices or a mask of n bits.

        >>> RandK(k=2).bits(1024)
        Fraction(84, 1)
        """
        refuse_more_than_all(self.k, size)
        return self.k * VALUE_BITS + index_bits(size, Fraction(self.k))

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Mask:
        """The k components with the smallest of n random numbers.

        Given that the k-th and the next are different, all sets of k are equally likely;
        vectors for which they are not are passed over, and the next n numbers are taken.
        """
        size, vectors = shape[-1], prod(shape[:-1])
        refuse_more_than_all(self.k, size)
        if self.k == size:
            return np.ones(shape, dtype=np.bool_)
        mask = self._attempt(rng, vectors, size)
        # Ties add to the k: the one count of all is fast.
        while np.count_nonzero(mask) != self.k * vectors:
            mask = mask[np.count_nonzero(mask, axis=-1) == self.k]
            mask = np.concatenate([mask, self._attempt(rng, vectors - len(mask), size)])
        return mask.reshape(shape)

    def _attempt(self, rng: np.random.Generator, vectors: int, size: int) -> Mask:
        keys = rng.random((vectors, size))
        bound = np.partition(keys, self.k - 1, axis=-1)[:, self.k - 1 : self.k]
        chosen: Mask = keys <= bound
        return chosen
