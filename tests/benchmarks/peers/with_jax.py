"""JAX: the step of one replica, ``vmap`` over replicas, a loop over steps under one ``jit``."""

from __future__ import annotations

import os

import jax
import jax.numpy as jnp
import numpy as np

from peers.problem import Array, Problem, Run

jax.config.update("jax_enable_x64", True)
# By far the faster of JAX's generators on a CPU; the default is threefry.
jax.config.update("jax_default_prng_impl", os.environ.get("BENCH_PRNG", "rbg"))


def prepare(problem: Problem, threads: int) -> Run:
    """The number of threads is that of the processors the process may use when it starts."""
    n = problem.numbers
    gradient = _logistic(problem) if problem.logistic else _network(problem)

    def step(w, key):
        noisy, xi = jax.random.split(key)
        g = gradient(w, noisy) + n.noise_std * jax.random.normal(xi, w.shape, w.dtype)
        return w - n.step_size * g

    @jax.jit
    def all_steps(w, key, steps):
        def body(t, w):
            keys = jax.random.split(jax.random.fold_in(key, t), len(w))
            return jax.vmap(step)(w, keys)

        return jax.lax.fori_loop(0, steps, body, w)

    start = jnp.asarray(problem.start)

    def run(steps: int, seed: int) -> Array:
        return np.asarray(all_steps(start, jax.random.key(seed), steps).block_until_ready())

    return run


def _logistic(problem: Problem):
    n = problem.numbers
    A = jnp.asarray(problem.margins())
    M = len(A)

    def gradient(w, key):
        drawn = jax.random.uniform(key, (2, M), A.dtype, -1.0, 1.0)
        v = jax.nn.sigmoid(A @ w + n.forward * drawn[0]) + n.backward * drawn[1]
        return v @ A / M + 2.0 * n.strength * w / (1.0 + w**2) ** 2

    return gradient


def _network(problem: Problem):
    n, layers = problem.numbers, problem.layers()
    x, labels = jnp.asarray(problem.features), jnp.asarray(problem.labels)

    def loss(w, key):
        y = x
        for number, (matrix, shape, bias) in enumerate(layers, 1):
            y = y @ w[matrix].reshape(shape).T + w[bias]
            if number < len(layers):
                key, used = jax.random.split(key)
                y = jnp.tanh(y)
                y = y + jax.random.uniform(used, y.shape, y.dtype, -n.forward, n.forward)
        return 0.5 * jnp.mean((y[:, 0] - labels) ** 2)

    return jax.grad(loss)
