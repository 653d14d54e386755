"""The floor: a quadratic loss whose E[ℓ(w^T) − ℓ*] is known exactly, as large as it can be.

A floor is a statement about the loss, so the operators are replaced: ℓ(w) = λw²/2 with
μ ≤ λ ≤ L, made of y = x·w with x = 1 and λy²/2, and a backward perturbation of the size
and mean that the sharp bounds of the spec allow.  With q = 1 − γλ, gradient noise σ and a
perturbation of mean b and variance s²,

    m_T = q^T (m_0 + b/λ) − b/λ,   v_T = γ²(σ² + s²)(1 − q^{2T})/(1 − q²),
    E[ℓ(w^T) − ℓ*] = λ(m_T² + v_T)/2  →  b²/(2λ) + γ(σ² + s²)/(2(2 − γλ))

(docs/theory.md, section 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import WIDE
from boundcalc.errors import UnsupportedError
from boundcalc.graph import OperatorGraph, build
from boundcalc.operators.base import Array
from boundcalc.rates import rates
from boundcalc.spec.expressions import Expression
from boundcalc.spec.loading import loads
from boundcalc.theories.perturbed.families import FAMILIES, Family
from boundcalc.verify.adversary.functions import Found
from boundcalc.verify.adversary.instance import below, near, quoted, text

_GRID = 400  # curvatures, and shares of the bias


@dataclass(frozen=True)
class Problem:
    """What the spec says: L, μ, γ, T, Δ₀, σ, and the sharp levels ζ and β."""

    smoothness: float
    pl: float
    step: float
    horizon: int
    gap: float
    noise: float
    error: float
    bias: float

    def value(self, lam: Array, b: Array) -> Array:
        """E[ℓ(w^T) − ℓ*] for curvature λ and bias b; the start is on the side of −b/λ."""
        q = 1.0 - self.step * lam
        s2 = np.maximum(self.error**2 - b**2, 0.0) + self.noise**2
        start = -np.sqrt(2 * self.gap / lam)
        m = q**self.horizon * (start + b / lam) - b / lam
        v = self.step**2 * s2 * (1 - q ** (2 * self.horizon)) / np.maximum(1 - q**2, 1e-300)
        return np.asarray(lam * (m**2 + v) / 2)


def search_floor(
    graph: OperatorGraph,
    *,
    starts: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
) -> Found:
    """The worst curvature and share of the bias, on a grid and by bounded scalar searches.

    Raises
    ------
    UnsupportedError
        If the spec lacks L, μ, γ or T.
    """
    from scipy.optimize import minimize

    problem = _problem(graph)
    low = np.array([problem.pl, 0.0])
    high = np.array([problem.smoothness, problem.bias])
    lam, b = np.meshgrid(*(np.linspace(lo, hi, _GRID) for lo, hi in zip(low, high, strict=True)))
    values = problem.value(lam, b)
    best = np.unravel_index(int(np.argmax(values)), values.shape)
    point, most = np.array([lam[best], b[best]]), float(values[best])
    evaluations, history = values.size, []
    for start in range(starts):
        begin = point if start == 0 else rng.uniform(low, high)
        done = minimize(
            lambda z: -float(problem.value(z[0], z[1])),
            begin,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
        )
        evaluations += int(done.nfev)
        if -done.fun > most:
            point, most = done.x, -float(done.fun)
        history.append(most)
        progress(start + 1, starts)
    # Numbers of the instance are decimals, and its value is that of these.
    curvature = float(min(max(near(point[0]), near(problem.pl)), near(problem.smoothness)))
    bias = float(min(near(point[1]), below(problem.bias)))
    return Found(
        instance=_instance(graph, problem, curvature, bias),
        attained=float(problem.value(np.array(curvature), np.array(bias))),
        uncertainty=0.0,
        evaluations=evaluations,
        history=tuple(history),
        notes=(
            "floor: operators are replaced by a quadratic loss with the spec's L, μ, γ, T, Δ₀ "
            "and σ and with the sharp bounds on error and bias as levels; each family's bound "
            "is that for this instance",
        ),
    )


def floor_bounds(instance: str, families: Mapping[str, Family] = FAMILIES) -> dict[str, float]:
    """Every family's bound on E[ℓ(w^T) − ℓ*] for an instance, where it has one."""
    found = rates(build(loads(instance)), families=families)
    return {name: float(rate.bound) for name, rate in found.pl.items() if rate.bound is not None}


def _problem(graph: OperatorGraph) -> Problem:
    loss, training = graph.spec.loss, graph.spec.training
    missing = [
        name
        for name, value in (
            ("loss.smoothness", loss.smoothness),
            ("loss.pl", loss.pl),
            ("training", training),
        )
        if value is None
    ]
    if missing:
        raise UnsupportedError(
            "the floor of E[ℓ(w^T) − ℓ*] needs constants of the loss",
            where=missing[0],
            expected="loss: {smoothness: L, pl: μ} and training: {step_size: γ, horizon: T}",
            fix="add them, or use --objective error or bias",
        )
    assert training is not None  # noqa: S101 - found above

    def value(x: Expression | None) -> float:
        return 0.0 if x is None else float(x.evaluate(WIDE, graph.values(WIDE)))

    bounds = FAMILIES["sharp"].bounds(graph)
    assert bounds.error is not None and bounds.bias is not None  # noqa: S101, PT018 - sharp has both
    error = float(bounds.error) ** 0.5
    return Problem(
        smoothness=value(loss.smoothness),
        pl=value(loss.pl),
        step=value(training.step_size),
        horizon=training.horizon,
        gap=value(loss.initial_gap),
        noise=value(loss.gradient_noise),
        error=error,
        bias=min(float(bounds.bias) ** 0.5, error),
    )


def _instance(graph: OperatorGraph, p: Problem, lam: float, b: float) -> str:
    spread = below(float(np.sqrt(max(p.error**2 - b**2, 0.0))))
    mean, start = below(b), near(-np.sqrt(2 * p.gap / lam))
    reach = 2 * (abs(float(start)) + (b + float(spread) + 10 * p.noise) / lam) + 1
    noise = [f"  noise: {{kind: gaussian, std: {text(below(p.noise))}}}"] if p.noise else []
    if not spread and not mean:
        law = []
    elif spread:
        ends = f"low: {text(mean - spread)}, high: {text(mean + spread)}, p_high: 1/2"
        law = [f"  - {{at: f2, pass: backward, model: two_point, {ends}}}"]
    else:
        law = [f"  - {{at: f2, pass: backward, model: constant, value: {text(mean)}}}"]
    training = graph.spec.training
    assert training is not None  # noqa: S101 - _problem() has looked
    return "\n".join(
        [
            "version: 1",
            f"name: {quoted('Floor of ' + graph.name)}",
            "graph:",
            "  operators:",
            f"    - {{id: f1, type: bilinear, region: {{weight: {reach:.3g}}}}}",
            f"    - {{id: f2, type: square, scale: {text(near(lam / 2))}}}",
            f"loss: {{smoothness: {p.smoothness!r}, pl: {p.pl!r}, initial_gap: {p.gap!r}, "
            f"gradient_noise: {p.noise!r}}}",
            *(["perturbations:", *law] if law else []),
            f"training: {{step_size: {p.step!r}, horizon: {p.horizon}}}",
            "simulation:",
            "  data: {points: [[1]]}",
            "  replicas: 256",
            f"  initial_weights: [{text(start)}]",
            *noise,
            "  check: {iterates: [0], samples: 1, draws: 4096}",
            "",
        ]
    )
