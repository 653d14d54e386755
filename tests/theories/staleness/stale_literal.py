"""Stale passes and stale SGD written out from their definitions, slowly.

A chain of scalar operators y_j = f_j(y_{j−1}, w_j); the forward pass has weights u, the backward
pass weights w with the activations of the forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from boundcalc.theories.staleness.chain import StaleChain


@dataclass(frozen=True)
class Scalar:
    """f(y, w), ∂₁f, ∂₂f, and a, b, ℓ, A, B, E on |y| ≤ Y, |w| ≤ W."""

    value: Callable[[Any, Any], Any]
    slope: Callable[[Any, Any], Any]
    weight_slope: Callable[[Any, Any], Any]
    constants: Callable[[float, float], tuple[float, float, float, float, float]]
    reach: Callable[[float, float], float]


def sine(h: float) -> Scalar:
    """h sin(y + w)."""
    slope: Callable[[Any, Any], Any] = lambda y, w: h * math.cos(y + w)  # noqa: E731
    return Scalar(
        lambda y, w: h * math.sin(y + w), slope, slope, lambda Y, W: (h, h, h, h, h), lambda Y, W: h
    )


def product() -> Scalar:
    """w y."""
    return Scalar(
        lambda y, w: w * y,
        lambda y, w: w,
        lambda y, w: y,
        lambda Y, W: (W, Y, 0.0, 1.0, 0.0),
        lambda Y, W: Y * W,
    )


def shift() -> Scalar:
    """y + w."""
    return Scalar(
        lambda y, w: y + w,
        lambda y, w: 1,
        lambda y, w: 1,
        lambda Y, W: (1.0, 1.0, 0.0, 0.0, 0.0),
        lambda Y, W: Y + W,
    )


def half_square() -> Scalar:
    """y²/2, whatever w is."""
    return Scalar(
        lambda y, w: y * y / 2,
        lambda y, w: y,
        lambda y, w: 0,
        lambda Y, W: (Y, 0.0, 1.0, 0.0, 0.0),
        lambda Y, W: Y * Y / 2,
    )


def stale_gradient(
    operators: Sequence[Scalar], data: Any, u: Sequence[Any], w: Sequence[Any]
) -> list[Any]:
    """𝒢: forward with u, backward with w on the activations of that forward pass."""
    y = [data]
    for f, weight in zip(operators, u, strict=True):
        y.append(f.value(y[-1], weight))
    v: Any = 1
    found: list[Any] = [0] * len(operators)
    for j in range(len(operators) - 1, -1, -1):
        found[j] = operators[j].weight_slope(y[j], w[j]) * v
        v = operators[j].slope(y[j], w[j]) * v
    return found


def passed_back(
    operators: Sequence[Scalar], data: Any, u: Sequence[Any], w: Sequence[Any]
) -> list[Any]:
    """v_0 … v_N of the stale pass."""
    y = [data]
    for f, weight in zip(operators, u, strict=True):
        y.append(f.value(y[-1], weight))
    v: list[Any] = [1]
    for j in range(len(operators) - 1, -1, -1):
        v.insert(0, operators[j].slope(y[j], w[j]) * v[0])
    return v


def constants_of(operators: Sequence[Scalar], data: float, W: float) -> StaleChain:
    """The constants for |w_j| ≤ W."""
    columns = [(0.0,) * 5]
    Y = abs(data)
    for f in operators:
        columns.append(f.constants(Y, W))
        Y = f.reach(Y, W)
    a, b, A, B, _ = (tuple(column) for column in zip(*columns, strict=True))
    V = [1.0] * len(a)
    for j in range(len(operators), 1, -1):
        V[j - 1] = a[j] * V[j]
    return StaleChain(a=a, b=b, l=a, A=A, B=B, V=tuple(V), zero=0.0)


def matrix(chain: StaleChain) -> list[list[Any]]:
    """N, entry by entry, from sums over paths.

    e_j ≤ b_j Σ_{r>j} (a_{j+1}⋯a_{r−1}) A_r V_r s_{r−1} + B_j V_j s_{j−1} with
    s_r = Σ_{l≤r} ℓ_r⋯ℓ_{l+1} b_l d_l.
    """
    N = chain.size

    def forward(l: int, r: int) -> Any:  # noqa: E741 - as in the formula
        return chain.b[l] * math.prod(chain.l[l + 1 : r + 1]) if l <= r else chain.zero

    def entry(j: int, l: int) -> Any:  # noqa: E741 - as in the formula
        total = chain.B[j] * chain.V[j] * forward(l, j - 1)
        for r in range(j + 1, N + 1):
            back = chain.b[j] * math.prod(chain.a[j + 1 : r])
            total = total + back * chain.A[r] * chain.V[r] * forward(l, r - 1)
        return total

    return [[entry(j, l) for l in range(1, N + 1)] for j in range(1, N + 1)]  # noqa: E741


def average_square(
    delays: Sequence[int],
    start: Sequence[Fraction],
    step: Fraction,
    variances: Sequence[Fraction],
    steps: int,
    beta: Fraction = Fraction(0),
    s: Fraction = Fraction(0),
) -> Fraction:
    """The exact average of E‖∇f(xⁿ)‖² for f(x) = (Σ_k x_k)²/2 with independent noise in blocks.

    Every block gets the gradient Σ_i x_i^{n−m_i} plus noise.  The second moments of
    (xⁿ, …, x^{n−Δt}, yˢ) follow a linear recursion.
    """
    K, depth = len(delays), max(delays) + 1
    size = K * (depth + 1)  # x at depths 0 … Δt, then yˢ

    def index(k: int, age: int) -> int:
        return age * K + k

    gradient = [Fraction(0)] * size
    for k, m in enumerate(delays):
        gradient[index(k, m)] += 1
    rows, noise = [], []
    for k in range(K):  # x⁺ = x − α(1+βs)g + β(x − yˢ)
        row = [-step * (1 + beta * s) * g for g in gradient]
        row[index(k, 0)] += 1 + beta
        row[index(k, depth)] -= beta
        rows.append(row)
        noise.append(-step * (1 + beta * s))
    for age in range(1, depth):
        for k in range(K):
            rows.append([Fraction(int(i == index(k, age - 1))) for i in range(size)])
            noise.append(Fraction(0))
    for k in range(K):  # yˢ⁺ = x − sαg
        row = [-s * step * g for g in gradient]
        row[index(k, 0)] += 1
        rows.append(row)
        noise.append(-s * step)
    x = [start[i % K] for i in range(size)]
    moments = [[p * q for q in x] for p in x]
    total = Fraction(0)
    for _ in range(steps):
        # ∇f = (Σ x_k)(1, …, 1).
        total += K * sum(moments[i][j] for i in range(K) for j in range(K))
        moments = _next(rows, moments, noise, variances)
    return total / steps


def _next(
    rows: list[list[Fraction]],
    moments: list[list[Fraction]],
    noise: list[Fraction],
    variances: Sequence[Fraction],
) -> list[list[Fraction]]:
    K = len(variances)
    half = [[sum(a * m for a, m in zip(row, c, strict=True)) for c in moments] for row in rows]
    found = [[sum(a * m for a, m in zip(row, h, strict=True)) for row in rows] for h in half]
    for i, p in enumerate(noise):
        for j, q in enumerate(noise):
            if i % K == j % K:
                found[i][j] += p * q * variances[i % K]
    return found
