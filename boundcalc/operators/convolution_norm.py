"""The spectral norm of a zero-padded, strided convolution, from above."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from boundcalc.operators.balls import at_most, ball, working
from boundcalc.operators.rounding import UNIT, Array, gamma, raised, rounded_up
from boundcalc.operators.spectral import (
    largest_norm,
    once,
    require_finite,
    scaled_to_one,
    spectral_norm,
)
from boundcalc.operators.windows import Grid, Windows

#: Up to this many entries the matrix of the convolution is written out.
WRITTEN_OUT = 2**22

#: Entries of the transfer matrices that are held at a time: 64 MiB.
CHUNK = 2**22

#: Above this many floating-point operations (about a minute) frequencies are not tried.
BUDGET = 4e12


def convolution_norm(
    kernel: Array,
    height: int,
    width: int,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> float:
    """An upper bound of the norm of x ↦ K * x, as PyTorch's ``conv2d`` defines it.

    Parameters
    ----------
    kernel
        K, ``(out, in/groups, kh, kw)``.
    height, width
        Of the input image, H and W.
    stride, padding, dilation
        s, p and d; one number, or one for rows and one for columns.
    groups
        Channels are cut into so many groups that do not mix.  The map is then block
        diagonal, and its norm the largest of those of the groups.

    Notes
    -----
    The smaller of two bounds is taken, and the norm itself where the matrix is small
    (up to 2²² entries): then its spectral norm.

    *Windows.*  With K also for the out × (in·kh·kw) matrix, and patch_o(x) what the window at
    o sees, ‖K * x‖² = Σ_o ‖K patch_o(x)‖² ≤ ‖K‖² Σ_o ‖patch_o(x)‖² ≤ μ‖K‖²‖x‖², μ the largest
    number of (window, tap) pairs that meet one entry of x.  Equality if windows do not
    overlap (μ = 1) and one of them lies inside the input.

    *Torus.*  Consider one axis; the other is alike.  Let P be a multiple of s with
    P ≥ H + p and P ≥ s·(number of positions), and let C be the circular convolution
    (C z)_o = Σ_a K_a z_{(os + da) mod P}, o = 0 … P/s − 1.  Place x at the entries
    p … p + H − 1 of z: an isometry, as H + p ≤ P.  Position o of the convolution reads the
    padded entries j = os + da ≤ H + 2p − 1.  For j < P that is entry j of z; for j ≥ P it is
    entry j − P ≤ p − 1, which is 0 as it should be.  So K * x is a restriction of C z to
    some positions, and ‖K * ·‖ ≤ ‖C‖.  Write da = s·q_a + r_a with 0 ≤ r_a < s and split z
    into its s phases z_{sn + r}: C becomes a sum of circular convolutions without stride on
    P/s points, one for each phase, whose taps sit at q_a.  The discrete Fourier transform,
    which is unitary, makes it block diagonal, and ‖C‖ is the largest norm over frequencies f
    of the out × (in·phases) transfer matrices

        T(f)[·, (·, r)] = Σ_{a: r_a = r} K_a exp(2πi f q_a s/P).

    (Sedghi, Gupta, Long, ICLR 2019, arXiv:1805.10408, for s = 1; for s > 1 it is their
    theorem for the polyphase form.)  T(−f) is the conjugate of T(f), so half of the
    frequencies suffice.  The computed T̂ differs from T by at most
    (γ_{4(taps + 2)} + 100u)Σ_a|K_a| entry by entry, so by that factor times √taps‖K‖_F in norm.

    Cost: one product TT* and one Cholesky factorisation for each of about HW/(2s²)
    frequencies (64 channels at 56 × 56: 1 s; 512 at 14 × 14: 4 s), in 64 MiB.  Above 4·10¹²
    operations the first bound is returned alone.

    Raises
    ------
    DataError
        If an entry of the kernel is not finite.

    Examples
    --------
    >>> blur = np.full((1, 1, 3, 3), 1 / 9)
    >>> round(convolution_norm(blur, 8, 8, padding=1), 4)  # ((1 + 2cos(π/9))/3)²
    0.9212
    >>> round(convolution_norm(blur, 100, 100, padding=1), 4)
    1.0
    >>> round(convolution_norm(blur, 9, 9, stride=3), 9)  # windows that do not overlap
    0.333333333
    """
    (s, t), (p, q), (d, e) = (_pair(value) for value in (stride, padding, dilation))
    rows = Windows(height, kernel.shape[2], s, p, d)
    columns = Windows(width, kernel.shape[3], t, q, e)
    return grid_norm(kernel, (rows, columns), groups)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def grid_norm(kernel: Array, grid: Grid, groups: int = 1) -> float:
    """As :func:`convolution_norm`, the geometry given by windows; remembered by contents."""
    return once(kernel, f"{grid} {groups}", lambda kernel: _grid_norm(kernel, grid, groups))


def _grid_norm(kernel: Array, grid: Grid, groups: int) -> float:
    require_finite(kernel)
    overlap = grid[0].overlap * grid[1].overlap
    if overlap == 0 or not kernel.any():
        return 0.0
    parts = np.split(kernel, groups)
    flat = max(spectral_norm(part.reshape(len(part), -1)) for part in parts)
    bound = rounded_up(math.sqrt(overlap) * flat)
    if overlap == 1 and all(axis.inside.max() == axis.taps for axis in grid):
        return bound
    channels = (len(kernel) // groups, kernel.shape[1])
    if groups * math.prod(channels) * _area(grid) <= WRITTEN_OUT >= _selections(grid):
        return min(bound, max(spectral_norm(written_out(part, grid)) for part in parts))
    if groups * _operations(channels, grid) <= BUDGET:
        return min(bound, _torus_norm(kernel, grid, groups))
    return bound


def _area(grid: Grid) -> int:
    return math.prod(axis.count * axis.size for axis in grid)


def _selections(grid: Grid) -> int:
    """Entries of the matrices that select what the taps of one axis meet."""
    return max(axis.taps * axis.count * axis.size for axis in grid)


def written_out(kernel: Array, grid: Grid) -> Array:
    """The matrix of one group, (out·Ho·Wo) × (in·H·W), without rounding.

    An entry of the matrix is an entry of the kernel or 0, as the sums below have at
    most one term that is not 0.
    """
    rows, columns = (axis.matrices() for axis in grid)
    wide = np.einsum("ocab,bjw->ocajw", kernel, columns)
    full = np.einsum("ocajw,aih->oijchw", wide, rows)
    return np.asarray(full.reshape(len(kernel) * rows.shape[1] * columns.shape[1], -1))


def _operations(channels: tuple[int, int], grid: Grid) -> float:
    """Floating-point operations that :func:`_torus_norm` takes for one group, about."""
    phases = math.prod(len(_phases(axis)) for axis in grid)
    frequencies = math.prod(_points(axis) for axis in grid) / 2 + 1
    short, long = sorted((channels[0], channels[1] * phases))
    taps = math.prod(axis.taps for axis in grid)
    return frequencies * short * (8.0 * short * long + 2.0 * short**2 + 8.0 * taps * long)


def _torus_norm(kernel: Array, grid: Grid, groups: int) -> float:
    """The bound *Torus* of :func:`convolution_norm`."""
    scaled, power = scaled_to_one(kernel)
    taps = kernel.shape[2] * kernel.shape[3]
    rounding = (gamma(4 * (taps + 2)) + 100 * UNIT) * math.sqrt(taps)
    error = rounded_up(rounding * float(np.linalg.norm(scaled)))
    stacks = (T for part in np.split(scaled, groups) for T in transfer_matrices(part, grid))
    return raised(rounded_up(largest_norm(stacks) + error), power)


def transfer_matrices(kernel: Array, grid: Grid) -> Iterator[npt.NDArray[np.complex128]]:
    """T(f) at half of the frequencies, in stacks ``(S, out, in·phases)``."""
    rows, columns = (_waves(axis) for axis in grid)
    columns = columns[: len(columns) // 2 + 1]
    out, inputs, *_ = kernel.shape
    flat = kernel.reshape(out * inputs, -1).astype(np.complex128)
    phases = rows.shape[1] * columns.shape[1]
    step = max(1, CHUNK // (len(flat) * phases))
    number = len(rows) * len(columns)
    for first in range(0, number, step):
        f, g = np.divmod(np.arange(first, min(first + step, number)), len(columns))
        # Both axes at once: (S, phases, taps), with the product of the two waves.
        wave = np.einsum("sra,stb->srtab", rows[f], columns[g]).reshape(len(f), phases, -1)
        stack = wave @ flat.T  # (S, phases, out·in)
        yield (
            stack.reshape(-1, phases, out, inputs)
            .transpose(0, 2, 3, 1)
            .reshape(-1, out, inputs * phases)
        )


def _points(axis: Windows) -> int:
    """P/s, the points of the torus along one axis."""
    return max(-(-(axis.size + axis.padding) // axis.stride), axis.count)


def _phases(axis: Windows) -> Array:
    """The remainders r_a that occur."""
    return np.unique(np.arange(axis.taps) * axis.dilation % axis.stride)


def _waves(axis: Windows) -> npt.NDArray[np.complex128]:
    """exp(2πi f q_a s/P) where r_a is that phase, else 0: (P/s, phases, taps)."""
    points = _points(axis)
    quotient, remainder = np.divmod(np.arange(axis.taps) * axis.dilation, axis.stride)
    # Whole turns are taken off in integers, so that large angles lose nothing.
    turns = np.outer(np.arange(points), quotient) % points
    wave = _roots_of_unity(points)[turns]
    return np.where(_phases(axis)[:, None] == remainder, wave[:, None, :], 0.0)


def _roots_of_unity(points: int) -> npt.NDArray[np.complex128]:
    """exp(2πi k/points) for all k, within 10u; nothing is assumed of the platform's sine.

    With k = mj + i each is the product of two numbers from tables of about √points, which
    are enclosed and rounded: 3u for each factor, and √2γ₂ for the product.
    """
    m = math.isqrt(points) + 1
    coarse = np.array([_root_of_unity(m * j, points) for j in range(-(-points // m))])
    fine = np.array([_root_of_unity(i, points) for i in range(m)])
    return np.asarray(np.outer(coarse, fine).ravel()[:points])


def _root_of_unity(k: int, points: int) -> complex:
    with working():
        real, imaginary = (2 * ball(Fraction(k, points))).sin_cos_pi()[::-1]
        return complex(at_most(real), at_most(imaginary))
