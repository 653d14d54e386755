"""The network's step for numba: matrix products by BLAS, the loops between them fused."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from peers.numba_kernels import BLOCK, LANES, exponential, normals, seeded, uniform


@njit(cache=True, fastmath={"contract"})
def activated(library, state, bits, drawn, power, z, c, slope, forward):
    """``z = tanh(z + c)``, ``slope = 1 − z²``, ``z += δ``; rows of at most BLOCK units.

    tanh x = 1 − 2/(1 + e^{2x}), exact to an absolute error of a few 1e-16.
    """
    units = len(c)
    for b in range(len(z)):
        row, to = z[b], slope[b]
        uniform(state, bits[0], drawn, units, forward)
        for i in range(units):
            row[i] = 2.0 * (row[i] + c[i])
        if library:
            for i in range(units):
                row[i] = math.exp(row[i])
        else:
            exponential(row, bits[1], power, units)
        for i in range(units):
            t = 1.0 - 2.0 / (1.0 + row[i])
            to[i] = 1.0 - t * t
            row[i] = t + drawn[i]


@njit(parallel=True, cache=True, fastmath={"contract"})
def network_steps(library, x, labels, sizes, w, steps, seed, step_size, forward, noise_std):
    """All steps of all replicas, weights changed in place; ``library`` as for logistic_steps."""
    M, count = len(labels), len(sizes) - 1
    assert sizes.max() <= BLOCK
    starts = np.zeros(count + 1, np.int64)
    for i in range(count):
        starts[i + 1] = starts[i] + sizes[i + 1] * (sizes[i] + 1)
    for r in prange(len(w)):
        state = np.empty((4, LANES), np.uint64)
        seeded(state, seed * 1_000_003 + r)
        bits = np.empty((2, BLOCK), np.uint64)
        drawn, power = bits[0].view(np.float64), bits[1].view(np.float64)
        wr, g = w[r], np.empty(w.shape[1])
        path = [np.empty((M, sizes[i + 1])) for i in range(count)]
        slopes = [np.empty((M, sizes[i + 1])) for i in range(count)]
        back = [np.empty((M, sizes[i + 1])) for i in range(count)]
        for _ in range(steps):
            for i in range(count):
                n, m, at = sizes[i], sizes[i + 1], starts[i]
                W = wr[at : at + m * n].reshape((m, n))
                c = wr[at + m * n : starts[i + 1]]
                np.dot(x if i == 0 else path[i - 1], W.T, path[i])
                if i < count - 1:
                    activated(library, state, bits, drawn, power, path[i], c, slopes[i], forward)
                else:
                    for b in range(M):
                        back[i][b, 0] = (path[i][b, 0] + c[0] - labels[b]) / M
            for i in range(count - 1, -1, -1):
                n, m, at = sizes[i], sizes[i + 1], starts[i]
                W, v = wr[at : at + m * n].reshape((m, n)), back[i]
                gc = g[at + m * n : starts[i + 1]]
                gc[:] = 0.0
                for b in range(M):
                    for k in range(m):
                        if i < count - 1:
                            v[b, k] *= slopes[i][b, k]
                        gc[k] += v[b, k]
                gW = g[at : at + m * n].reshape((m, n))
                np.dot(v.T, x if i == 0 else path[i - 1], gW)
                if i:
                    np.dot(v, W, back[i - 1])
            normals(state, bits[0], drawn, g, noise_std)
            for j in range(len(g)):
                wr[j] -= step_size * g[j]
