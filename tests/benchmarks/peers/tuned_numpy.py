"""NumPy tuned by hand: in place, replicas in small blocks, a Python thread for each share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from peers.problem import Array, Problem, Run

BLOCK = 8  # replicas: z and ε of a block stay in the cache


def prepare(problem: Problem, threads: int) -> Run:
    """The environment has to keep the matrix products of one thread on one core."""
    block = _logistic_block if problem.logistic else _network_block
    size = min(BLOCK if problem.logistic else 1, -(-len(problem.start) // threads))
    data = _margins(problem) if problem.logistic else (problem.features, problem.labels)
    parts = [slice(r, r + size) for r in range(0, len(problem.start), size)]

    def run(steps: int, seed: int) -> Array:
        seeds = np.random.SeedSequence(seed).spawn(len(parts))
        w = problem.start.copy()

        def share(first: int) -> None:
            for number in range(first, len(parts), threads):
                rng = np.random.Generator(np.random.SFC64(seeds[number]))
                block(problem, data, w[parts[number]], steps, rng)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(share, range(threads)))
        return w

    return run


def _margins(problem: Problem) -> tuple[Array, Array]:
    """What w is multiplied by, ``(d, M)``, and what the derivatives are, ``(M, d)``."""
    A = problem.margins()
    return np.ascontiguousarray(A.T), A / len(A)


def _logistic_block(
    problem: Problem, data: tuple[Array, Array], w: Array, steps: int, rng: np.random.Generator
) -> None:
    """``w`` is changed in place."""
    n, (At, scaled) = problem.numbers, data
    z, drawn = np.empty((len(w), len(scaled))), np.empty((len(w), len(scaled)))
    g, xi = np.empty_like(w), np.empty_like(w)
    for _ in range(steps):
        np.matmul(w, At, out=z)
        rng.random(out=drawn)
        drawn *= 2.0 * n.forward
        z += drawn
        z -= n.forward
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1.0
        np.reciprocal(z, out=z)
        rng.random(out=drawn)
        drawn *= 2.0 * n.backward
        z += drawn
        z -= n.backward
        np.matmul(z, scaled, out=g)
        np.square(w, out=xi)
        xi += 1.0
        xi *= xi
        np.divide(w, xi, out=xi)
        xi *= 2.0 * n.strength
        g += xi
        rng.standard_normal(out=xi)
        xi *= n.noise_std
        g += xi
        g *= n.step_size
        w -= g


def _network_block(
    problem: Problem, data: tuple[Array, Array], w: Array, steps: int, rng: np.random.Generator
) -> None:
    """One replica, whose weights are changed in place."""
    (x, labels), n, layers = data, problem.numbers, problem.layers()
    M = len(labels)
    w, g, xi = w[0], np.empty(w.shape[1]), np.empty(w.shape[1])
    weights = [(w[a].reshape(s), w[c]) for a, s, c in layers]
    gradients = [(g[a].reshape(s), g[c]) for a, s, c in layers]
    path = [x, *(np.empty((M, s[0])) for _, s, _ in layers)]
    slopes, back = ([np.empty((M, s[0])) for _, s, _ in layers] for _ in range(2))
    for _ in range(steps):
        for i, (W, c) in enumerate(weights):
            z = np.matmul(path[i], W.T, out=path[i + 1])
            z += c
            if i == len(layers) - 1:
                break
            np.tanh(z, out=z)
            np.square(z, out=slopes[i])
            np.subtract(1.0, slopes[i], out=slopes[i])
            drawn = rng.random(out=back[i])
            drawn *= 2.0 * n.forward
            drawn -= n.forward
            z += drawn
        v = np.subtract(path[-1], labels[:, None], out=back[-1])
        v /= M
        for i in range(len(layers) - 1, -1, -1):
            if i < len(layers) - 1:
                v *= slopes[i]
            np.matmul(v.T, path[i], out=gradients[i][0])
            np.sum(v, axis=0, out=gradients[i][1])
            if i:
                v = np.matmul(v, weights[i][0], out=back[i - 1])
        rng.standard_normal(out=xi)
        xi *= n.noise_std
        g += xi
        np.multiply(g, n.step_size, out=xi)
        w -= xi
