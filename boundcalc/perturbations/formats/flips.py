"""What flipped bits do to one number of a format: sums over all patterns, or proved bounds.

Each of K listed bits flips with probability r, independently.  With D = F(flipped) − v::

    E D^q = Σ_m r^|m| (1 − r)^(K−|m|) D_m^q,

over all 2^K patterns m, for formats of at most 8 bits; r and 1 − r are each rounded from the
exact rate, since 1 − r may be far below 2⁻⁵³.  For wider ones, with D_b for the flip of
bit b alone and |D_m| ≤ B for every pattern::

    E|D|^q ≤ min( Σ_b r |D_b|^q + min(1, C(K, 2) r²) B^q,  min(1, K r) B^q ),

since exactly one bit, bit b, flips with probability at most r, at least two with probability at
most C(K, 2) r², and at least one with probability at most K r.  Numbers that share the exponent
and the first digits form a cell: there every |D_b| is the size of an affine function of the
digits, whose maximum is at an end of the cell.

All sums are of nonnegative float64, of at most 2⁸ + 60 terms, so that their relative error is
below 2⁻⁴⁴; whoever uses them enlarges the end result by :data:`SLACK`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.codes import decoded
from boundcalc.perturbations.formats.exact import float_up
from boundcalc.perturbations.formats.table import FloatFormat, Format

#: What becomes of a result that is infinite or not a number.
NonFinite: TypeAlias = Literal["zero", "saturate"]

#: More than what float64 arithmetic with nonnegative numbers may lose here.
SLACK = 1.0 + 2.0**-40

_ENUMERATED = 8  # bits of a code up to which all patterns are summed
_SPLIT = 4  # leading digits that numbers of a cell share


@dataclass(frozen=True, eq=False)
class Cells:
    """Sets of numbers v of a format that hold every finite number, from the smallest on.

    Attributes
    ----------
    low
        At most |v|, for each cell.
    half
        At least |y − v| for every y that is rounded to one of them.
    sizes
        At least |E D|, E D², E|D|³ and E D⁴ up to float64 rounding, shape (4, cells).
    most
        At least |D|, likewise.
    """

    low: Array
    half: Array
    sizes: Array
    most: Array

    def below(self, magnitude: float) -> Cells:
        """The cells that a value of at most this size may be rounded into."""
        kept = self.low - self.half <= magnitude * SLACK
        return Cells(self.low[kept], self.half[kept], self.sizes[:, kept], self.most[kept])


@lru_cache(maxsize=64)
def cells(form: Format, bits: tuple[int, ...], rate: Fraction, nonfinite: NonFinite) -> Cells:
    """The cells of a format.

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> sign = cells(FORMATS["fp4_e2m1"], (3,), Fraction(1, 4), "zero")
    >>> sign.low[-1], sign.sizes[:2, -1]
    (np.float64(6.0), array([ 3., 36.]))
    """
    if form.bits <= _ENUMERATED:
        found = _by_code(form, bits, rate, nonfinite)
    elif isinstance(form, FloatFormat):
        found = _by_exponent(form, bits, float_up(rate), nonfinite)
    else:
        changes = np.array([[2.0**bit] for bit in bits])
        most = changes.sum(axis=0)
        sizes = _bounded(changes, most, float_up(rate))
        found = Cells(np.zeros(1), np.full(1, 0.5), sizes, most)
    order = np.argsort(found.low, kind="stable")
    return Cells(found.low[order], found.half[order], found.sizes[:, order], found.most[order])


def finite(values: Array, form: Format, nonfinite: NonFinite) -> Array:
    """Values with infinities and NaN replaced; NaN has the sign of its code.

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> finite(np.array([-np.inf, 1.0]), FORMATS["fp16"], "saturate")
    array([-6.5504e+04,  1.0000e+00])
    """
    instead = 0.0 if nonfinite == "zero" else np.copysign(float(form.largest), values)
    return np.asarray(np.where(np.isfinite(values), values, instead))


# --- every pattern of every code -----------------------------------------------------------


def _by_code(form: Format, bits: tuple[int, ...], rate: Fraction, nonfinite: NonFinite) -> Cells:
    flips, stays = float_up(rate), float_up(1 - rate)
    given = decoded(np.arange(2**form.bits), form)
    results = finite(given, form, nonfinite)
    masks = np.zeros(1, dtype=np.int64)
    chances = np.ones(1)
    for bit in bits:
        masks = np.concatenate([masks, masks | 1 << bit])
        chances = np.concatenate([chances * stays, chances * flips])
    # The integer −top − 1 has a code, but nothing is rounded to it.
    codes = np.flatnonzero(np.abs(given) <= float(form.largest))
    moves = results[codes[:, None] ^ masks] - results[codes][:, None]
    size = np.abs(moves)
    sizes = np.stack([size @ chances, size**2 @ chances, size**3 @ chances, size**4 @ chances])
    # A sum with signs errs by a share of the sum without them.
    sizes[0] = np.minimum(sizes[0], np.abs(moves @ chances) + 2.0**-44 * sizes[0])
    low = np.abs(given[codes])
    return Cells(low, _half(form, low), sizes, size.max(axis=1))


def _half(form: Format, values: Array) -> Array:
    """Half the larger distance from each number ≥ 0 to its neighbours."""
    if not isinstance(form, FloatFormat):
        return np.full(values.shape, 0.5)
    exponent = np.where(values > 0, np.frexp(values)[1] - 1, form.smallest)
    return np.asarray(np.ldexp(float(form.spacing) / 2, np.maximum(exponent, form.smallest)))


# --- wider formats -------------------------------------------------------------------------


def _by_exponent(
    form: FloatFormat, bits: tuple[int, ...], rate: float, nonfinite: NonFinite
) -> Cells:
    split = min(_SPLIT, form.mantissa)
    first = np.arange(((1 << form.exponent) - 1) << split) << (form.mantissa - split)
    ends = first, first | ((1 << (form.mantissa - split)) - 1)
    low, high = (decoded(end, form) for end in ends)
    half = _half(form, low)
    changes = np.zeros((len(bits), len(first)))
    for row, bit in enumerate(bits):
        if bit < form.mantissa:  # in a binade, digits have the same weight everywhere
            changes[row] = np.ldexp(2 * half, bit)
        else:
            moved = [finite(decoded(end ^ (1 << bit), form), form, nonfinite) for end in ends]
            changes[row] = np.maximum(np.abs(moved[0] - low), np.abs(moved[1] - high))
    most = _farthest(form, ends[1], high, bits, changes)
    return Cells(low, half, _bounded(changes, most, rate), most)


def _farthest(
    form: FloatFormat,
    last: npt.NDArray[np.int64],
    high: Array,
    bits: tuple[int, ...],
    changes: Array,
) -> Array:
    """At least |D| for every pattern.

    Without exponent bits, the sum of the changes.  With them, |v| and the largest result: that
    of all listed bits set, or, where these make a special code, the largest number.
    """
    if not any(form.mantissa <= bit < form.bits - 1 for bit in bits):
        return np.asarray(changes.sum(axis=0))
    union = sum(1 << bit for bit in bits if bit < form.bits - 1)
    return np.asarray(high + np.abs(finite(decoded(last | union, form), form, "saturate")))


def _bounded(changes: Array, most: Array, rate: float) -> Array:
    """Bounds on E|D|^q, q = 1 … 4, from the change by each bit alone and the largest change."""
    count = len(changes)
    several, some = min(1.0, comb(count, 2) * rate**2), min(1.0, count * rate)
    return np.stack(
        [
            np.minimum(rate * np.sum(changes**q, axis=0) + several * most**q, some * most**q)
            for q in range(1, 5)
        ]
    )
