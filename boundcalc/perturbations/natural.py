"""Natural compression: powers of two, without bias."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.compression import (
    Compressor,
    largest_fourth_powers,
    root_above,
    squared_component,
    squared_norm,
)
from boundcalc.perturbations.transform import Apply, Largest, Reach
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact

#: sup E(Q − y)²/y², attained at y = 4/3.
_SECOND = Fraction(1, 8)

#: At least sup E(Q − y)⁴/y⁴, which is 0.045878 at y = 1.1243.
_FOURTH = Fraction(23, 500)

_BITS = 9  # a sign, and an exponent of 8 bits


@final
class Natural(Compressor):
    """Rounds every component to one of the two powers of two around it, without bias.

    At |y_j| = (1 + t)·2^e, 0 ≤ t < 1, the size is 2^(e+1) with probability t, else 2^e; the
    components are drawn independently.  E(Q(y)_j − y_j)² = t(1 − t)·4^e ≤ y_j²/8.

    S. Horváth et al., *Natural Compression for Distributed Deep Learning*, arXiv:1905.10988,
    theorem 1; docs/theory.md, Lemma 8.4.

    Examples
    --------
    >>> Natural().contraction(7)
    Fraction(1, 8)
    >>> natural = Natural().apply()
    >>> natural(np.random.default_rng(0), np.array([0.5, -4.0, 0.0])).tolist()
    [0.5, -4.0, 0.0]
    """

    model: ClassVar[str] = "natural"

    def contraction(self, size: int) -> Fraction:
        """ω = 1/8, attained at (4/3)·2^e."""
        del size
        return _SECOND

    def contraction_fourth(self, size: int) -> Fraction:
        """Σ_j E δ_j⁴ + Σ_{i≠j} E δ_i² E δ_j² ≤ 0.046 Σ_j x_j² + (1/64) Σ_{i≠j} x_i x_j."""
        del size
        return _FOURTH

    def mean_factor(self, size: int) -> Fraction:
        """1: unbiased."""
        del size
        return Fraction(1)

    def moments(self, reach: Reach) -> VectorMoments:
        """From the two bounds above; the second moment is attained where S allows (4/3)·2^e."""
        total = squared_norm(reach, self.model)
        highest = largest_fourth_powers(total, squared_component(reach, self.model))
        return VectorMoments(
            exact(0),
            exact(_SECOND * total),
            exact((_FOURTH - _SECOND**2) * highest + _SECOND**2 * total**2),
        )

    def largest(self, reach: Reach) -> Largest:
        """|δ_j| ≤ |y_j|: a size is less than doubled, and less than halved."""
        total, cap = squared_norm(reach, self.model), squared_component(reach, self.model)
        return Largest(root_above(cap), root_above(total))

    def bits(self, size: int) -> Fraction:
        """A sign and an exponent of 8 bits each, which hold the range of a 32-bit float.

        >>> Natural().bits(1024)
        Fraction(9216, 1)
        """
        return Fraction(_BITS * size)

    def apply(self) -> Apply:
        """Exact: a random number below 2⁵² is added to the 52 bits of t, which are cut off."""

        def transform(rng: np.random.Generator, values: Array) -> Array:
            drawn = rng.integers(0, _MANTISSA + 1, values.shape, dtype=np.uint64)
            sizes = np.abs(values)
            # Numbers below 2⁻¹⁰²² have no leading one, and a sum may turn NaN into a number.
            odd = (sizes < np.finfo(float).smallest_normal) & (sizes > 0.0) | np.isnan(sizes)
            bits = drawn + np.ascontiguousarray(values).view(np.uint64)
            bits &= ~_MANTISSA
            sent: Array = bits.view(np.float64)
            if odd.any():
                sent[odd] = _by_parts(drawn[odd], values[odd])
            return sent

        return transform


#: The bits of t in a float64.
_MANTISSA = np.uint64(2**52 - 1)


def _by_parts(drawn: npt.NDArray[np.uint64], values: Array) -> Array:
    """The same for every float: t is a multiple of 2⁻⁵², and the sum carries from 1 − t on."""
    halves, exponents = np.frexp(np.abs(values))  # |y| = m·2^e, 1/2 ≤ m < 1
    exponents += drawn * 2.0**-52 >= 2.0 - 2.0 * halves
    powers = np.ldexp(0.5, exponents)
    return np.copysign(np.where(np.isnan(values), values, powers), values)
