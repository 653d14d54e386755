"""Which bits flip: every bit drawn, or where flips are rare the distances between them.

Both draw vector by vector, so that the flips of one depend on no later one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.exact import power
from boundcalc.perturbations.formats.settling import happens

#: Rate from which on every bit is drawn.
DENSE = power(-8)

_AT_ONCE = 2**20  # numbers that are drawn ahead
_UNIT = 2.0**-53  # uniform numbers are its multiples

Places = npt.NDArray[np.int64]


def drawn_flips(
    rng: np.random.Generator, vectors: int, size: int, listed: tuple[int, ...], rate: Fraction
) -> tuple[Places, Places]:
    """Which components of ``vectors`` times ``size`` change, and the bits that flip in each.

    Parameters
    ----------
    listed
        The bits that may flip.
    rate
        Of each of them; exact from 1/256 on, below up to rounding in float64.
    """
    many = len(listed)
    if rate >= DENSE:
        masks = _every_bit(rng, vectors * size, listed, rate)
        at = np.flatnonzero(masks)
        return at, masks[at]
    if not rate:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    drawn = np.array(rare_flips(rng, vectors, Rare.of(rate, size * many)), dtype=np.int64)
    at, inverse = np.unique(drawn // many, return_inverse=True)
    masks = np.zeros(len(at), dtype=np.int64)
    np.bitwise_or.at(masks, inverse, np.left_shift(1, np.array(listed))[drawn % many])
    return at, masks


def _every_bit(
    rng: np.random.Generator, components: int, listed: tuple[int, ...], rate: Fraction
) -> Places:
    """The bits that flip in each component; one event for each listed bit, in order."""
    many, weights = len(listed), np.left_shift(1, np.array(listed, dtype=np.int64))
    masks = np.empty(components, dtype=np.int64)
    together = max(1, _AT_ONCE // many)
    for start in range(0, components, together):
        part = masks[start : start + together]
        part[:] = happens(rng, len(part) * many, rate).reshape(-1, many) @ weights
    return masks


@dataclass(frozen=True)
class Rare:
    """The law of the flips of one vector, where they are rare.

    Attributes
    ----------
    bits
        Of the vector.
    some
        1 − (1 − r)^bits, the probability that any of them flips.
    log_stay
        log(1 − r).
    """

    bits: int
    some: float
    log_stay: float

    @classmethod
    def of(cls, rate: Fraction, bits: int) -> Rare:
        """For a rate r above 0.

        >>> Rare.of(Fraction(1, 1000), 1).some
        0.001
        """
        log_stay = math.log1p(-float(rate))
        return cls(bits, -math.expm1(bits * log_stay), log_stay)

    def skipped(self, numbers: Ahead) -> int:
        """How many bits stay before the next one that flips; ``bits`` or more is none.

        P(at least k stay) = (1 − r)^k = P(log(1 − U)/log(1 − r) ≥ k).  One number says whether
        U is small enough to matter at all; only then it is drawn to 53 significant bits, so that
        the law of the smallest rates is not that of multiples of 2⁻⁵³.
        """
        u, scale = numbers.take(), 1.0
        if u >= self.some:
            return self.bits
        while u == 0.0:
            u, scale = numbers.take(), scale * _UNIT
        u = (u + numbers.take() * _UNIT) * scale
        return int(math.log1p(-u) / self.log_stay)


class Ahead:
    """Uniform numbers drawn ahead, and new ones after them."""

    def __init__(self, rng: np.random.Generator, drawn: Array) -> None:
        self.rng, self.drawn, self.at = rng, drawn, 0

    def take(self) -> float:
        """The next one."""
        self.at += 1
        if self.at <= len(self.drawn):
            return float(self.drawn[self.at - 1])
        return float(self.rng.random())


def rare_flips(rng: np.random.Generator, vectors: int, law: Rare) -> list[int]:
    """The bits that flip, numbered through all vectors.

    A vector without flips takes one number.  So that many are drawn ahead, one for each vector
    that is left, and only those are looked at that may lead to a flip.
    """
    found: list[int] = []
    done = 0
    while done < vectors:
        numbers = Ahead(rng, rng.random(vectors - done))
        for at in np.flatnonzero(numbers.drawn < law.some).tolist():
            if at < numbers.at:
                continue  # taken by the vector before
            done += at - numbers.at
            numbers.at = at
            bit = law.skipped(numbers)
            while bit < law.bits:
                found.append(done * law.bits + bit)
                bit += 1 + law.skipped(numbers)
            done += 1
        done += max(0, len(numbers.drawn) - numbers.at)
    return found
