"""The draws and ties that float64 arithmetic cannot settle, settled exactly.

Both happen in a band whose width is 2⁻⁵⁰ of a spacing, for ties of levels off zero 2⁻⁵⁰ of their
range, so that almost no element comes here.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

import numpy as np

from boundcalc.perturbations.base import Array

#: Half the width of the band, in spacings.  It must exceed the errors of what is compared:
#: 2⁻⁵³ for the width of a uniform draw, and 2⁻⁵³ for each of three roundings.
BAND = 2.0**-50

_BITS = 53


def tape(ahead: Array, rng: np.random.Generator) -> Iterator[float]:
    """Uniform numbers in the order in which they were drawn: those drawn ahead, then new ones.

    An element that needs further bits takes the next numbers, which were drawn for the elements
    after it.  So each element's numbers follow those of the elements before, and depend on no
    later ones: drawing for all at once gives what drawing one by one does.
    """
    yield from ahead.tolist()
    while True:
        yield float(rng.random())


def goes_away(
    value: float, at: float, spacing: float, drawn: float, further: Iterator[float]
) -> bool:
    """Whether a uniform real number, of which 53 bits are drawn, is below |value − at|/spacing.

    ``drawn`` holds the first 53 bits; further ones are drawn until the answer is certain, two
    groups in nearly every case.  All arithmetic is rational: the probability of True is
    |value − at|/spacing exactly.

    >>> goes_away(0.75, 0.0, 1.0, 0.5, tape(np.empty(0), np.random.default_rng(0)))
    True
    """
    return is_below(abs(Fraction(value) - Fraction(at)) / Fraction(spacing), drawn, further)


def is_below(wanted: Fraction, drawn: float, further: Iterator[float]) -> bool:
    """Whether a uniform real number, of which ``drawn`` holds 53 bits, is below a rational.

    >>> is_below(Fraction(1, 3), 0.25, iter(()))
    True
    >>> is_below(Fraction(1, 2**54), 0.0, iter([0.25]))
    True
    """
    low, width = Fraction(drawn), Fraction(1, 2**_BITS)
    while low < wanted < low + width:
        low += width * Fraction(next(further))
        width /= 2**_BITS
    return low < wanted


def happens(rng: np.random.Generator, size: int, chance: Fraction) -> np.ndarray:
    """Independent events, of which each happens with exactly that probability.

    53 bits are drawn for each, and more where these do not decide: with probability 2⁻⁵³.
    The draws of an event come right after those of the event before.

    >>> happens(np.random.default_rng(0), 2, Fraction(1)).tolist()
    [True, True]
    """
    drawn = rng.random(size)
    open_at = floor(chance * 2**_BITS) / 2**_BITS
    found = np.asarray(drawn < open_at)
    open_ones = drawn == open_at
    if open_at != chance and open_ones.any():
        first = int(np.argmax(open_ones))
        further = tape(drawn[first:], rng)
        for at in range(first, size):
            found[at] = is_below(chance, next(further), further)
    return found


def beyond_half(value: Array, at: Array, spacing: float, even: Array) -> np.ndarray:
    """Whether |value − at| > spacing/2, or equals it where ``at`` is not the even neighbour.

    For elements in the band.  value − at is split exactly into its float64 and the error of
    that [D. E. Knuth, The Art of Computer Programming 2, 4.2.2, Theorem B]; since the first
    part is near spacing/2, its distance from it is exact.

    >>> one = np.ones(1)
    >>> beyond_half(0.5 * one, 0 * one, 1.0, even=one == 1)
    array([False])
    """
    first = value - at
    back = first - value
    rest = (value - (first - back)) - (at + back)
    over = np.abs(first) - spacing / 2
    more = np.sign(first) * rest
    # over + more has the right sign: both are exact, and a sum of floats rounds to 0 only at 0.
    total = over + more
    return np.asarray((total > 0) | ((total == 0) & np.logical_not(even)))
