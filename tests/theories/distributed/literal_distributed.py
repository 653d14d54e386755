"""The agents as loops over one replica: every sum written out, numbers of the same streams."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from boundcalc.simulate.streams import stream
from boundcalc.theories.distributed.paths import Plan

Gradient = Callable[[list[float]], list[float]]


def literal_path(
    gradient: Gradient, start: list[float], plan: Plan, replica: int
) -> list[list[float]]:
    """x_0, x_1, … of one replica, until T or its escape (the iterate beyond is the last)."""
    block, row = divmod(replica, 64)
    noises = stream(plan.seed, "distributed", block, 0)
    uniforms = stream(plan.seed, "distributed", block, 1)
    agents, size = len(plan.noise.sigma0), len(start)
    x, path = list(start), [list(start)]
    for k in range(plan.horizon):
        g = gradient(x)
        a = math.sqrt(sum(part * part for part in g))
        z = _noise(plan, noises, (64, agents, size))[row]
        u = uniforms.random((64, agents, size))[row] if plan.algorithm.draws else None
        total = [0.0] * size
        for i in range(agents):
            s = math.sqrt(plan.noise.sigma0[i] ** 2 + (plan.noise.sigma1[i] * a) ** 2)
            sent = [g[j] + (s * float(z[i, j]) if s > 0 else 0.0) for j in range(size)]
            sent = _sent(plan, sent, None if u is None else [float(v) for v in u[i]], i)
            total = [total[j] + sent[j] / agents for j in range(size)]
        total = _served(plan, total)
        gamma = _step(plan, k, a)
        x = [x[j] - gamma * total[j] for j in range(size)]
        path.append(x)
        if not math.sqrt(sum(part * part for part in x)) <= plan.escape:
            break
    return path


def _noise(plan: Plan, rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    noise = plan.noise
    if noise.kind != "student":
        z = rng.standard_normal(shape)
    elif noise.nu == 1:
        z = rng.standard_cauchy(shape)
    else:
        z = rng.standard_t(noise.nu, shape)
    if noise.truncation is None:
        return z
    return np.minimum(np.maximum(z, -noise.truncation), noise.truncation)


def _sent(plan: Plan, g: list[float], u: list[float] | None, agent: int) -> list[float]:
    algorithm, size = plan.algorithm, len(g)
    if algorithm.agent_clip is not None:
        g = _shortened(g, algorithm.agent_clip)
    if algorithm.name == "dsignsgd":
        return [float((part > 0) - (part < 0)) for part in g]
    if u is None:
        return g
    k = getattr(algorithm.compressor, "k", None)
    if k is not None:
        kept = sorted(range(size), key=lambda j: u[j])[:k]
        return [g[j] * size / k if j in kept else 0.0 for j in range(size)]
    omega = float(algorithm.compressor.omega[agent])  # type: ignore[union-attr]
    return [g[j] * (1 + omega) if u[j] < 1 / (1 + omega) else 0.0 for j in range(size)]


def _served(plan: Plan, mean: list[float]) -> list[float]:
    length = math.sqrt(sum(part * part for part in mean))
    if plan.algorithm.name == "normalised":
        return [part / length for part in mean] if length > 0 else mean
    if plan.algorithm.name == "clipped":
        assert plan.algorithm.server_clip is not None
        return _shortened(mean, plan.algorithm.server_clip)
    return mean


def _shortened(g: list[float], norm: float) -> list[float]:
    length = math.sqrt(sum(part * part for part in g))
    return [part * norm / length for part in g] if length > norm else g


def _step(plan: Plan, k: int, a: float) -> float:
    s = plan.steps
    if s.kind == "constant":
        return s.size
    if s.kind == "inverse_sqrt":
        return s.size / math.sqrt(k + 1)
    if s.kind == "inverse_norm":
        return s.size / (s.offset + a)
    return s.numerator * (1 / math.sqrt(k + 1) if s.decay else 1.0) / (s.L0 + s.L1 * a)
