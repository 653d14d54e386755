"""NumPy without tricks: one replica after the other, formulas as on paper."""

from __future__ import annotations

import numpy as np

from peers.problem import Array, Problem, Run
from peers.reference import noisy_logistic, noisy_network


def prepare(problem: Problem, threads: int) -> Run:
    """Threads only reach the matrix products."""
    gradient = noisy_logistic if problem.logistic else noisy_network

    def run(steps: int, seed: int) -> Array:
        rng = np.random.default_rng(seed)
        final = np.empty_like(problem.start)
        for r, start in enumerate(problem.start):
            w = start
            for _ in range(steps):
                w = w - problem.numbers.step_size * gradient(problem, w, rng)
            final[r] = w
        return final

    return run
