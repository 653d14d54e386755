"""How far a modified equation's means are from the algorithm's, as the step goes to 0.

Where the algorithm's moments obey a finite recurrence, or its iterates stay on a lattice, its side
is computed and not sampled; the equation's side is a closed form, or an Euler–Maruyama simulation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.statistics import Metric, mean_interval
from boundcalc.simulate.streams import stream

_WEAK = 2**31  # the first key of streams for weak errors, beyond any replica's number


@dataclass(frozen=True)
class Quadratic:
    """D(C)SGD on f(x) = λx²/2 with N agents alike, noise of variance σ² and compression ω.

    Attributes
    ----------
    curvature, start, agents, omega, sigma, time
        λ, x_0, N, ω, σ, and the time ηn at which means are compared.
    """

    curvature: float = 1.0
    start: float = 2.0
    agents: int = 8
    omega: float = 3.0
    sigma: float = 1.0
    time: float = 2.0

    def discrete(self, step: float) -> float:
        """E f(x_n) of the algorithm: E x² ↦ (1 − 2ηλ + η²λ²(1 + ω/N))E x² + η²(1 + ω)σ²/N."""
        lam, n = self.curvature, self.steps(step)
        factor = 1 - 2 * step * lam + (step * lam) ** 2 * (1 + self.omega / self.agents)
        second = self.start**2
        for _ in range(n):
            second = factor * second + step**2 * self._noise
        return lam * second / 2

    def equation(self, step: float, correction: int = 0) -> float:
        """E f(X_t) of the modified equation, in closed form.

        The second moment m obeys m' = rm + η(1 + ω)σ²/N with r = −2λ − κηλ² + ηλ²ω/N, κ being
        the ``correction`` of :func:`~boundcalc.theories.distributed.sde.equation`.
        """
        lam = self.curvature
        rate = -2 * lam + step * lam**2 * (self.omega / self.agents - correction)
        grown = math.expm1(rate * self.time)
        second = (1 + grown) * self.start**2 + step * self._noise * grown / rate
        return lam * second / 2

    def euler(self, step: float, parts: int) -> float:
        """E f of Euler–Maruyama for the classic equation with steps η/parts, by its recurrence."""
        lam, h = self.curvature, step / parts
        factor = (1 - h * lam) ** 2 + h * step * lam**2 * self.omega / self.agents
        second = self.start**2
        for _ in range(self.steps(step) * parts):
            second = factor * second + h * step * self._noise
        return lam * second / 2

    def steps(self, step: float) -> int:
        """n = t/η, which must be whole.

        Raises
        ------
        ValueError
            If it is not.
        """
        return whole_steps(self.time, step)

    @property
    def _noise(self) -> float:
        return (1 + self.omega) * self.sigma**2 / self.agents


def whole_steps(time: float, step: float) -> int:
    """n = t/η.

    Raises
    ------
    ValueError
        If η does not divide t.
    """
    n = round(time / step)
    if n < 1 or not math.isclose(n * step, time, rel_tol=1e-12):
        raise ValueError(f"{step} does not divide {time}")
    return n


def order(steps: Sequence[float], errors: Sequence[float]) -> float:
    """The slope of log error over log step, by least squares.

    >>> round(order([0.1, 0.2, 0.4], [3.0, 6.0, 12.0]), 12)
    1.0
    """
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


@dataclass(frozen=True)
class SignWalk:
    """DSignSGD on one weight with N agents alike: the iterates stay on a lattice.

    Attributes
    ----------
    gradient, value
        f' and f of arrays.
    mean_sign
        2Ξ of arrays: the mean of sign(f' + ξ) at the gradient f'.
    start, agents, time
        x_0, N and t.
    """

    gradient: Callable[[Array], Array]
    value: Callable[[Array], Array]
    mean_sign: Callable[[Array], Array]
    start: float = 1.5
    agents: int = 2
    time: float = 2.0

    def discrete(self, step: float) -> float:
        """E f(x_n) of the algorithm, exact but for rounding.

        x_k = x_0 + η(kN − 2P)/N, P being how many of the kN signs were −, hence a Markov chain
        on 0, …, nN; O(n²N²) work.
        """
        from scipy.stats import binom

        N, n = self.agents, whole_steps(self.time, step)
        law = np.ones(1)
        for k in range(n):
            x = self.start + step * (2 * np.arange(k * N + 1) - k * N) / N
            up = (1 - self.mean_sign(self.gradient(x))) / 2  # a sign −1 moves x up
            new = np.zeros((k + 1) * N + 1)
            for j in range(N + 1):
                new[j : j + len(law)] += law * binom.pmf(j, N, up)
            law = new
        x = self.start + step * (2 * np.arange(n * N + 1) - n * N) / N
        return float(law @ self.value(x))

    def euler(self, step: float, parts: int, paths: int, rng: np.random.Generator) -> Array:
        """f at the end of Euler–Maruyama paths of the classic equation, in antithetic pairs.

        Returns
        -------
        numpy.ndarray
            ``(paths/2,)``: the mean of each pair.
        """
        h, half = step / parts, paths // 2
        x = np.full((2, half), self.start)
        z = np.empty(half)
        for _ in range(whole_steps(self.time, step) * parts):
            rng.standard_normal(out=z)
            mean = self.mean_sign(self.gradient(x))
            spread = np.sqrt(h * step / self.agents * np.maximum(1 - mean**2, 0.0))
            x = x - h * mean
            x[0] += spread[0] * z
            x[1] -= spread[1] * z
        return np.asarray(self.value(x).mean(axis=0))


@dataclass(frozen=True)
class WeakErrors:
    """Errors |E f(x_n) − E f(X_t)| by step, and their order.

    Attributes
    ----------
    steps, errors
        η, and the sampled error at each.
    order
        The slope of log error over log step, with an interval.
    """

    steps: tuple[float, ...]
    errors: tuple[Metric, ...]
    order: Metric


def sampled_errors(
    walk: SignWalk,
    steps: Sequence[float],
    *,
    parts: int = 32,
    paths: int = 50_000,
    batches: int = 10,
    seed: int = 0,
    confidence: float = 0.99,
) -> WeakErrors:
    """Weak errors of the classic equation of DSignSGD, and their order.

    Each batch of paths gives an error at every step and hence a slope; intervals are Student's
    over the batches.

    Parameters
    ----------
    parts
        Euler–Maruyama steps in one step of the algorithm.  Their own error is of the size of the
        weak error divided by it.
    """
    exact = np.array([walk.discrete(step) for step in steps])
    found = np.empty((batches, len(steps)))
    for b in range(batches):
        for i, step in enumerate(steps):
            rng = stream(seed, "distributed", _WEAK, b, i)
            found[b, i] = walk.euler(step, parts, paths // batches, rng).mean() - exact[i]
    signs = np.sign(found.mean(axis=0))
    errors = tuple(mean_interval(signs[i] * found[:, i], confidence) for i in range(len(steps)))
    sizes = np.maximum(signs * found, np.finfo(float).tiny)  # a lone sign change: a tiny error
    slopes = np.array([order(steps, row) for row in sizes])
    return WeakErrors(tuple(steps), errors, mean_interval(slopes, confidence))
