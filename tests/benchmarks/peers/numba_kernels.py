"""Loops that numba compiles: random numbers, exp and tanh in vector registers, and the steps.

Random numbers are xoshiro256+ (Blackman and Vigna, ACM Trans. Math. Softw. 47, 2021) in 64
lanes.  exp is 2^k times a polynomial on |r| ≤ ln(2)/2 (Cody and Waite's reduction), because
``np.exp`` in numba calls the scalar libm wherever LLVM has no vector library.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

LANES = 64
BLOCK = 256  # samples at a time: all buffers of a block stay in the first-level cache
MAGIC = 1.5 * 2.0**52
LOG2E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
FACTORIALS = tuple(1.0 / math.factorial(k) for k in range(14))
C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13 = FACTORIALS[2:]
ONE = np.uint64(0x3FF0000000000000)


@njit(cache=True)
def seeded(state, seed):
    """Fill a ``(4, LANES)`` state by splitmix64."""
    x = np.uint64(seed)
    for i in range(4):
        for k in range(LANES):
            x += np.uint64(0x9E3779B97F4A7C15)
            z = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state[i, k] = z ^ (z >> np.uint64(31))


@njit(cache=True, fastmath={"contract"})
def uniform(state, bits, drawn, count, half_width):
    """``drawn[:count]`` ~ U(±half_width), 52 random bits each; ``bits`` is its memory."""
    width = 2.0 * half_width
    for at in range(0, count, LANES):
        for k in range(LANES):
            word = state[0, k] + state[3, k]
            bits[at + k] = (word >> np.uint64(12)) | ONE
            shifted = state[1, k] << np.uint64(17)
            state[2, k] ^= state[0, k]
            state[3, k] ^= state[1, k]
            state[1, k] ^= state[2, k]
            state[0, k] ^= state[3, k]
            state[2, k] ^= shifted
            state[3, k] = (state[3, k] << np.uint64(45)) | (state[3, k] >> np.uint64(19))
    for k in range(count):
        drawn[k] = (drawn[k] - 1.5) * width


@njit(cache=True)
def normals(state, bits, drawn, out, std):
    """``out += std N(0, 1)`` by Box and Muller."""
    for at in range(0, len(out), LANES // 2):
        uniform(state, bits, drawn, LANES, 0.5)
        for k in range(min(LANES // 2, len(out) - at)):
            radius = math.sqrt(-2.0 * math.log(0.5 - drawn[2 * k]))
            out[at + k] += std * radius * math.cos(2.0 * math.pi * drawn[2 * k + 1])


@njit(cache=True, fastmath={"contract"})
def exponential(x, bits, power, count):
    """``x[:count] = exp(x[:count])``; ``bits`` is the memory of ``power``.

    Adding 1.5·2^52 rounds to an integer k and leaves it in the low bits, from where a shift
    puts it into the exponent.  Arguments are cut off at ±700.
    """
    for b in range(count):
        x[b] = min(max(x[b], -700.0), 700.0)
        power[b] = x[b] * LOG2E + MAGIC
    for b in range(count):
        k = power[b] - MAGIC
        r = (x[b] - k * LN2_HIGH) - k * LN2_LOW
        p = r * C13 + C12
        p = p * r + C11
        p = p * r + C10
        p = p * r + C9
        p = p * r + C8
        p = p * r + C7
        p = p * r + C6
        p = p * r + C5
        p = p * r + C4
        p = p * r + C3
        p = p * r + C2
        x[b] = (p * r + 1.0) * r + 1.0
    for b in range(count):
        bits[b] = (bits[b] << np.uint64(52)) + ONE
    for b in range(count):
        x[b] *= power[b]


@njit(cache=True, fastmath=True)
def dot(x, y, count):
    total = 0.0
    for b in range(count):
        total += x[b] * y[b]
    return total


@njit(parallel=True, cache=True, fastmath={"contract"})
def logistic_steps(library, At, w, steps, seed, step_size, forward, backward, noise_std, strength):
    """All steps of all replicas, weights changed in place.

    ``library`` takes ``math.exp`` for the exponential, which calls the scalar libm, instead of
    the polynomial.
    """
    d, M = At.shape
    for r in prange(len(w)):
        state = np.empty((4, LANES), np.uint64)
        seeded(state, seed * 1_000_003 + r)
        bits = np.empty((2, BLOCK), np.uint64)
        drawn, power = bits[0].view(np.float64), bits[1].view(np.float64)
        z, g = np.empty(BLOCK), np.empty(d)
        for _ in range(steps):
            g[:] = 0.0
            for at in range(0, M, BLOCK):
                count = min(BLOCK, M - at)
                uniform(state, bits[0], drawn, count, forward)
                for b in range(count):
                    z[b] = -drawn[b]
                for j in range(d):
                    wj, row = w[r, j], At[j, at : at + count]
                    for b in range(count):
                        z[b] -= wj * row[b]
                if library:
                    for b in range(count):
                        z[b] = math.exp(z[b])
                else:
                    exponential(z, bits[1], power, count)
                uniform(state, bits[0], drawn, count, backward)
                for b in range(count):
                    z[b] = 1.0 / (1.0 + z[b]) + drawn[b]
                for j in range(d):
                    g[j] += dot(z, At[j, at : at + count], count)
            for j in range(d):
                g[j] = g[j] / M + 2.0 * strength * w[r, j] / (1.0 + w[r, j] ** 2) ** 2
            normals(state, bits[0], drawn, g, noise_std)
            for j in range(d):
                w[r, j] -= step_size * g[j]
