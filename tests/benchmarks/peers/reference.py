"""The step written out, sample by sample and number by number, and its moments."""

from __future__ import annotations

import math

import numpy as np

from peers.problem import Array, Problem


def run(problem: Problem, steps: int) -> Array:
    """The weights after some steps without noise; loops over everything."""
    gradient = logistic_gradient if problem.logistic else network_gradient
    final = []
    for start in problem.start:
        w = [float(value) for value in start]
        for _ in range(steps):
            g = gradient(problem, w)
            w = [wj - problem.numbers.step_size * gj for wj, gj in zip(w, g, strict=True)]
        final.append(w)
    return np.array(final)


def logistic_gradient(problem: Problem, w: list[float]) -> list[float]:
    total = [0.0] * len(w)
    for h, y in zip(problem.features.tolist(), problem.labels.tolist(), strict=True):
        margin = -y * math.fsum(hj * wj for hj, wj in zip(h, w, strict=True))
        v = 1.0 / (1.0 + math.exp(-margin))
        total = [tj - y * hj * v for tj, hj in zip(total, h, strict=True)]
    rho = problem.numbers.strength
    return [
        tj / len(problem.labels) + 2.0 * rho * wj / (1.0 + wj**2) ** 2
        for tj, wj in zip(total, w, strict=True)
    ]


def network_gradient(problem: Problem, w: list[float]) -> list[float]:
    layers = problem.layers()
    total = [0.0] * len(w)
    for h, label in zip(problem.features.tolist(), problem.labels.tolist(), strict=True):
        path = [h]
        for number, (matrix, (units, inputs), bias) in enumerate(layers, 1):
            W, c = w[matrix], w[bias]
            z = [
                c[i] + math.fsum(W[i * inputs + j] * path[-1][j] for j in range(inputs))
                for i in range(units)
            ]
            path.append(z if number == len(layers) else [math.tanh(value) for value in z])
        v = [path[-1][0] - label]
        for number in range(len(layers), 0, -1):
            matrix, (units, inputs), bias = layers[number - 1]
            if number < len(layers):
                v = [vi * (1.0 - yi**2) for vi, yi in zip(v, path[number], strict=True)]
            for i in range(units):
                total[bias.start + i] += v[i]
                for j in range(inputs):
                    total[matrix.start + i * inputs + j] += v[i] * path[number - 1][j]
            W = w[matrix]
            v = [math.fsum(W[i * inputs + j] * v[i] for i in range(units)) for j in range(inputs)]
    return [value / len(problem.labels) for value in total]


def drift(problem: Problem, draws: int, seed: int) -> tuple[Array, Array]:
    """Mean and variance of one noisy gradient at the first replica's start, ``(k,)`` each.

    By ``draws`` independent draws, one at a time.
    """
    rng = np.random.default_rng(seed)
    noisy = noisy_logistic if problem.logistic else noisy_network
    found = np.array([noisy(problem, problem.start[0], rng) for _ in range(draws)])
    return found.mean(axis=0), found.var(axis=0, ddof=1)


def noisy_logistic(problem: Problem, w: Array, rng: np.random.Generator) -> Array:
    n, (h, y) = problem.numbers, (problem.features, problem.labels)
    margin = -y * (h @ w) + rng.uniform(-n.forward, n.forward, len(y))
    v = 1.0 / (1.0 + np.exp(-margin)) + rng.uniform(-n.backward, n.backward, len(y))
    penalty = 2.0 * n.strength * w / (1.0 + w**2) ** 2
    return h.T @ (-y * v) / len(y) + penalty + n.noise_std * rng.standard_normal(len(w))


def noisy_network(problem: Problem, w: Array, rng: np.random.Generator) -> Array:
    n, layers, M = problem.numbers, problem.layers(), len(problem.labels)
    path, slopes = [problem.features], []
    for number, (matrix, shape, bias) in enumerate(layers, 1):
        z = path[-1] @ w[matrix].reshape(shape).T + w[bias]
        if number < len(layers):
            y = np.tanh(z)
            slopes.append(1.0 - y**2)
            z = y + rng.uniform(-n.forward, n.forward, y.shape)
        path.append(z)
    v, gradient = path[-1] - problem.labels[:, None], np.empty_like(w)
    for number in range(len(layers), 0, -1):
        matrix, shape, bias = layers[number - 1]
        if number < len(layers):
            v = v * slopes[number - 1]
        gradient[matrix] = (v.T @ path[number - 1]).ravel() / M
        gradient[bias] = v.mean(axis=0)
        v = v @ w[matrix].reshape(shape)
    return gradient + n.noise_std * rng.standard_normal(len(w))
