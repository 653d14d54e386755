"""Equally spaced levels from low to high, both included."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from boundcalc.errors import SpecError
from boundcalc.perturbations.formats.bounds import Ball, Sums
from boundcalc.perturbations.formats.exact import floor_log2, power
from boundcalc.perturbations.formats.laws import by_step
from boundcalc.perturbations.formats.rounding import Grid, exactly

#: The name in the spec.
UNIFORM = "uniform"

_BITS = 51  # of the larger end point, so that sums of two levels have 53
_NARROW = power(-24)  # least ratio of the spacing to the larger end point


@dataclass(frozen=True)
class Levels:
    """low + k step, k = 0 … count − 1: dyadic rationals that float64 holds."""

    low: Fraction
    step: Fraction
    count: int

    @property
    def high(self) -> Fraction:
        """The highest level."""
        return self.low + (self.count - 1) * self.step

    @property
    def grid(self) -> Grid:
        """For the kernels, with ``step`` as the scale."""
        return Grid(float(self.count - 1), 0.0, offset=exactly(self.low))

    def beyond(self, low: Fraction, high: Fraction) -> Fraction:
        """How far [low, high] leaves the levels, 0 if it does not.

        >>> Levels(Fraction(0), Fraction(1), 4).beyond(Fraction(-1), Fraction(5))
        Fraction(2, 1)
        """
        return max(self.low - low, high - self.high, Fraction(0))

    def sums(self, ball: Ball, beyond: Fraction, stochastic: bool) -> Sums:
        """Rounding errors of n components, of which each may be clipped by ``beyond``."""
        n, one = ball.size, by_step(self.step, stochastic)
        sums = Sums(n * one.mean, n * one.second, n * one.excess, one.size, n * one.size**2)
        return sums.clipped(beyond, n * beyond**2) if beyond else sums


def levels(bits: int, low: Fraction, high: Fraction) -> Levels:
    """2^bits levels from low to high, so that float64 holds every one of them exactly.

    The ends lie outside [low, high], by at most 2^(bits − 50) max(|low|, |high|).

    Raises
    ------
    SpecError
        If the range is empty, or so narrow beside its distance from 0 that float64 does not
        tell its levels apart.

    Examples
    --------
    >>> found = levels(2, Fraction(0), Fraction(3))
    >>> found.low, found.step, found.high
    (Fraction(0, 1), Fraction(1, 1), Fraction(3, 1))
    """
    if low >= high:
        raise SpecError(
            "the range of the uniform format is empty",
            value=f"low = {low}, high = {high}",
            expected="low < high",
            fix="swap low and high",
        )
    size, count = max(abs(low), abs(high)), 2**bits
    if not power(-500) <= size <= power(500) or (high - low) / count < size * _NARROW:
        raise SpecError(
            "the levels of the uniform format are too close, or its range too large or small",
            value=f"low = {float(low):g}, high = {float(high):g}, {count} levels",
            expected="a spacing of at least 2⁻²⁴ max(|low|, |high|), between 2⁻⁵⁰⁰ and 2⁵⁰⁰",
            fix="take fewer bits, or subtract the middle of the range first",
        )
    unit = power(floor_log2(size) + 1 - _BITS)
    start = floor(low / unit) * unit
    step = ceil((high - start) / (count - 1) / unit) * unit
    return Levels(start, step, count)
