"""numba: one fused loop over samples, all steps of a replica at once, replicas in parallel."""

from __future__ import annotations

import numba
import numpy as np

from peers.problem import Array, Problem, Run


def prepare(problem: Problem, threads: int) -> Run:
    return _prepared(problem, threads, library=False)


def prepare_library_exp(problem: Problem, threads: int) -> Run:
    """With numba's own exp, which is what one writes at first."""
    return _prepared(problem, threads, library=True)


def _prepared(problem: Problem, threads: int, *, library: bool) -> Run:
    numba.set_num_threads(threads)
    n = problem.numbers
    if problem.logistic:
        from peers.numba_kernels import logistic_steps as all_steps

        data = (np.ascontiguousarray(problem.margins().T),)
        scalars = (n.step_size, n.forward, n.backward, n.noise_std, n.strength)
    else:
        from peers.numba_network import network_steps as all_steps

        data = (problem.features, problem.labels, np.array(n.sizes))
        scalars = (n.step_size, n.forward, n.noise_std)

    def run(steps: int, seed: int) -> Array:
        w = problem.start.copy()
        all_steps(library, *data, w, steps, seed, *scalars)
        return w

    return run
