"""Rounding as a function: pieces of the positive half-line and what a number there becomes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.perturbations.formats.exact import floor_log2, power
from boundcalc.perturbations.formats.table import FloatFormat, Format

Rounding = Literal["nearest", "stochastic", "toward_zero"]


@dataclass(frozen=True)
class Pieces:
    """An odd rounding on x ≥ 0: on [start, stop) the result is ``low`` or, if random, ``high``.

    The probability of ``high`` is (x − start)/(stop − start); where nothing is random the two
    are equal.  All edges and results are float64 without rounding.

    Attributes
    ----------
    start, stop, low, high
        ``(n,)``; the last piece, beyond the largest number, has no end.
    """

    start: Array
    stop: Array
    low: Array
    high: Array

    @property
    def random(self) -> bool:
        """Whether results are drawn."""
        return bool((self.low != self.high).any())

    def applied(self, values: Array) -> Array:
        """Every value rounded, of a rounding that is not random; NaN stays NaN.

        >>> from boundcalc.perturbations.formats.table import FORMATS
        >>> pieces(FORMATS["fp4_e2m1"], "toward_zero").applied(np.array([0.4, -2.9, 99.0]))
        array([ 0., -2.,  6.])
        """
        size = np.abs(values)
        found = self.low[np.searchsorted(self.start, size, side="right") - 1]
        return np.where(np.isnan(values), np.nan, np.copysign(found, values) + 0.0)


def numbers(form: Format) -> Array:
    """The numbers ≥ 0 of a format, in order.

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> numbers(FORMATS["fp4_e2m1"])
    array([0. , 0.5, 1. , 1.5, 2. , 3. , 4. , 6. ])
    """
    if not isinstance(form, FloatFormat):
        return np.arange(form.top + 1, dtype=np.float64)
    digits = form.precision - 1
    found = [np.arange(2**digits) * float(form.step)]
    found += [
        np.arange(2**digits, 2 ** (digits + 1)) * float(power(e - digits))
        for e in range(form.smallest, floor_log2(Fraction(form.largest)) + 1)
    ]
    values = np.concatenate(found)
    return values[values <= float(form.largest)]


def pieces(form: Format, rounding: Rounding, flush: bool = False) -> Pieces:
    """The pieces of one rounding; at most 2^bits.

    Nearest rounds at the middle between neighbours, saturates beyond the largest number, and is
    given up to ties, which one convention or another settles.
    """
    values = numbers(form)
    kept = values
    if flush and isinstance(form, FloatFormat):
        kept = np.where(values < float(form.normal), 0.0, values)
    if rounding == "nearest":
        start = np.concatenate([[0.0], (values[:-1] + values[1:]) / 2])
    else:
        start = values
    stop = np.append(start[1:], np.inf)
    high = kept
    if rounding == "stochastic":
        high = np.append(kept[1:], kept[-1])
    return Pieces(start, stop, kept, high)
