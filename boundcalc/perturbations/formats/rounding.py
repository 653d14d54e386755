"""Rounding of float64 arrays to a format, to nearest or stochastically, with no other rounding.

The numbers of a format times a scale are, around any value x, the multiples of a spacing H.
Both kernels find a nearest multiple r, and e = x − r, which float64 holds exactly (for levels
off zero, up to half a unit in its last place, which is settled exactly too).  To nearest
gives r.  Stochastic rounding moves on to r + sign(e) H with probability |e|/H, so that its mean
is x.  That comparison is |e| > U H with U of 53 random bits, and where 53 bits do not decide,
further ones are drawn (:mod:`~boundcalc.perturbations.formats.settling`): the law is exact for
every float64, given ideal random bits.  The numbers of an element come right after those of the
element before it, in C order.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.exact import power
from boundcalc.perturbations.formats.settling import BAND, beyond_half, goes_away, tape
from boundcalc.perturbations.formats.table import FloatFormat, Format

_CHUNK = 16384  # elements at a time, so that the buffers stay in the second-level cache
_EXPONENT = np.int64(0x7FF0_0000_0000_0000)  # the exponent field of a float64


@dataclass(frozen=True)
class Grid:
    """The numbers that a kernel rounds to: offset + scale · (numbers of a lattice).

    Attributes
    ----------
    largest
        The lattice's largest number; its least is ``least``.
    precision, smallest
        Of a floating lattice; precision 0 stands for the integers.
    offset
        Added to every number; not zero for ranges that lie off zero.
    flush
        Whether subnormal results become zero.
    """

    largest: float
    least: float
    precision: int = 0
    smallest: int = 0
    offset: float = 0.0
    flush: bool = False

    @classmethod
    def of(cls, form: Format, flush: bool = False) -> Grid:
        """The numbers of a format.

        >>> from boundcalc.perturbations.formats.table import FORMATS
        >>> Grid.of(FORMATS["int4"])
        Grid(largest=7.0, least=-7.0, precision=0, smallest=0, offset=0.0, flush=False)
        """
        top = float(form.largest)
        if isinstance(form, FloatFormat):
            return cls(top, -top, form.precision, form.smallest, 0.0, flush)
        return cls(top, -top)


def round_nearest_even(values: Array, form: Format, scale: float = 1.0) -> Array:
    """Each value rounded to the nearest number of a format times a scale, ties to even.

    Values beyond the largest number give that number, and NaN stays NaN.  Subnormals are kept.

    Parameters
    ----------
    values
        Any float64; it is rounded once.
    form
        The format.
    scale
        A power of two, or any float64 with at most 24 significant bits.

    Examples
    --------
    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> x = np.array([1 + 2.0**-4, 1 + 2.0**-4 + 2.0**-30, 1e9])
    >>> round_nearest_even(x, FORMATS["fp8_e4m3"])
    array([  1.   ,   1.125, 448.   ])
    """
    return rounded(values, Grid.of(form), np.asarray(scale))


def round_stochastic(
    values: Array, form: Format, rng: np.random.Generator, scale: float = 1.0
) -> Array:
    """Each value rounded up or down at random, so that its mean is the value.

    With lo ≤ x ≤ hi the neighbours of x, the result is hi with probability (x − lo)/(hi − lo)
    exactly: 53 random bits are drawn for each element, and more where they do not decide.
    Values beyond the largest number give that number, and NaN stays NaN.

    Examples
    --------
    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> x = np.full(10_000, 1.1)
    >>> out = round_stochastic(x, FORMATS["fp4_e2m1"], np.random.default_rng(0))
    >>> np.unique(out), abs(out.mean() - 1.1) < 0.01
    (array([1. , 1.5]), np.True_)
    """
    return rounded(values, Grid.of(form), np.asarray(scale), rng)


def rounded(
    values: Array, grid: Grid, scale: Array, rng: np.random.Generator | None = None
) -> Array:
    """The kernel of both: to nearest without a generator, else stochastically.

    Parameters
    ----------
    values
        Any shape; if the scale is not one number, shape (rows, columns).
    grid
        What to round to.
    scale
        One number, one for each row, shape (rows, 1), or one for each value; each with at most
        24 significant bits (53 for a grid of integers whose products with it float64 holds).
    rng
        For stochastic rounding.
    """
    values = np.asarray(values, dtype=np.float64)
    flat = np.ascontiguousarray(values)
    flat = flat.reshape(-1) if scale.ndim == 0 else flat
    out = np.empty_like(flat)
    rows = max(1, _CHUNK // max(1, flat.size // max(1, len(flat))))
    buffers = np.empty((6, *flat[:rows].shape))
    with np.errstate(invalid="ignore"):  # NaN goes through
        for start in range(0, len(flat) if flat.size else 0, rows):
            part = slice(start, start + rows)
            own = scale if scale.ndim == 0 else scale[part]
            buffer = buffers[:, : len(flat[part])]
            spacing = _nearest(flat[part], out[part], grid, own, buffer)
            x, k = buffer[:2]
            if rng is not None:
                _move_on(x, out[part], spacing, buffer, rng)
            elif grid.offset:
                _correct(x, out[part], grid, float(scale), k)
            if grid.precision:
                _finish(x, out[part], grid, own)
    return out.reshape(values.shape)


def _nearest(given: Array, out: Array, grid: Grid, scale: Array, buffer: Array) -> Array:
    """A nearest number for each value, up to a rounded quotient; returns the spacing there.

    Leaves the clipped values in the first buffer and the numbers of the lattice in the second.
    """
    x, t, h, c = buffer[:4]
    low, high = grid.least * scale + grid.offset, grid.largest * scale + grid.offset
    np.clip(given, low, high, out=x)
    if grid.offset:
        np.subtract(x, grid.offset, out=t)
        t /= scale
    else:
        np.divide(x, scale, out=t)
    if not grid.precision:
        np.rint(t, out=t)
        np.multiply(t, scale, out=out)
        if grid.offset:
            out += grid.offset
        return scale
    np.bitwise_and(t.view(np.int64), _EXPONENT, out=h.view(np.int64))
    np.maximum(h, float(power(grid.smallest)), out=h)
    # t + c has spacing 2^(1−p) 2^e: float64's own rounding, ties to even, is the format's.
    np.multiply(h, 1.5 * 2.0 ** (53 - grid.precision), out=c)
    t += c
    t -= c
    h *= float(power(1 - grid.precision))
    h *= scale
    np.multiply(t, scale, out=out)
    return np.asarray(h)


def _move_on(x: Array, out: Array, spacing: Array, buffer: Array, rng: np.random.Generator) -> None:
    """From the nearest number on to the next one, with probability |x − out|/spacing."""
    e, drawn, gap, size = buffer[1], buffer[3], buffer[4], buffer[5]
    np.subtract(x, out, out=e)
    rng.random(out=drawn)
    np.multiply(drawn, spacing, out=gap)
    np.subtract(np.abs(e, out=size), gap, out=gap)
    away = gap > 0
    doubt = np.abs(gap, out=gap) <= np.multiply(spacing, BAND, out=size)
    if doubt.any():
        _settle(away, int(np.argmax(doubt)), x, out, spacing, drawn, rng)
    np.copysign(spacing, e, out=e)
    e *= away
    out += e


def _settle(
    away: np.ndarray,
    first: int,
    x: Array,
    out: Array,
    spacing: Array,
    drawn: Array,
    rng: np.random.Generator,
) -> None:
    """Decide one by one, from the first element on for which 53 bits may not be enough."""
    wide = np.broadcast_to(spacing, x.shape).reshape(-1)
    flat, values, numbers = away.reshape(-1), x.reshape(-1), out.reshape(-1)
    further = tape(drawn.reshape(-1)[first:], rng)
    for k in range(first, flat.size):
        value, at, step = float(values[k]), float(numbers[k]), float(wide[k])
        u = next(further)
        gap = abs(value - at) - u * step
        near = abs(gap) <= step * BAND
        flat[k] = goes_away(value, at, step, u, further) if near else gap > 0


def _correct(x: Array, out: Array, grid: Grid, step: float, k: Array) -> None:
    """To the other neighbour where a rounded difference led to the wrong side of a tie.

    With N the number of levels, x − offset ≤ N step is rounded, and so is the quotient: by at
    most 2⁻⁵³ N steps each, however small x is.  So every tie within 2⁻⁵⁰ N steps is settled
    exactly.  Stochastic rounding needs none of this: it may start from either neighbour.

    Without an offset the quotient alone is rounded, and never to a tie T: float64 holds T times
    the scale, whose neighbours differ from it by more than half of those of T, relatively.
    """
    e = x - out
    count = grid.largest - grid.least + 1
    doubt = np.abs(np.abs(e) - step / 2) <= step * (BAND * count)
    if doubt.any():
        at = np.nonzero(doubt)
        half = k[at] / 2
        over = beyond_half(x[at], out[at], step, half == np.rint(half))
        out[at] += np.where(over, np.copysign(step, e[at]), 0.0)


def _finish(x: Array, out: Array, grid: Grid, scale: Array) -> None:
    """Subnormal results to zero where they are flushed; zeros get the sign of the value."""
    if grid.flush:
        out[np.abs(out) < float(power(grid.smallest)) * scale] = 0.0
    np.copysign(out, x, out=out)


def misfit(values: Array, grid: Grid, scale: float) -> float | None:
    """The value farthest beyond the grid, or None if all fit; NaN is passed over.

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> misfit(np.array([1.0, -9.0]), Grid.of(FORMATS["int4"]), 1.0)
    -9.0
    """
    low, high = grid.least * scale + grid.offset, grid.largest * scale + grid.offset
    found = values[(values < low) | (values > high)]
    return float(found[np.argmax(np.abs(found))]) if found.size else None


def exactly(value: Fraction) -> float:
    """The float that is that number; for numbers made with few digits.

    >>> exactly(Fraction(3, 8))
    0.375
    """
    found = float(value)
    if Fraction(found) != value:
        raise ValueError(f"{value} is not a float64")
    return found
