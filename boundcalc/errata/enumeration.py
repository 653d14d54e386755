"""Both passes of a chain of scalar operators, in exact fractions, over every outcome.

Shares no code with the simulation: an outcome is a probability and the perturbations that
occur with it, and expectations are finite sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

_Map: TypeAlias = Callable[[Fraction, Fraction], Fraction]


@dataclass(frozen=True)
class ScalarOperator:
    """f(y, w) of numbers y and w, with its derivatives.

    Attributes
    ----------
    value, by_input, by_weight
        f, ∇₁f and ∇₂f.
    """

    value: _Map
    by_input: _Map
    by_weight: _Map


#: f(y, w) = wy, f(y, w) = y²/2 + w, and f(y, w) = y²/2 without a weight.
PRODUCT = ScalarOperator(lambda y, w: w * y, lambda y, w: w, lambda y, w: y)
SHIFTED_SQUARE = ScalarOperator(
    lambda y, w: y * y / 2 + w, lambda y, w: y, lambda y, w: Fraction(1)
)
SQUARE = ScalarOperator(lambda y, w: y * y / 2, lambda y, w: y, lambda y, w: Fraction(0))


@dataclass(frozen=True)
class Passes:
    """ỹ_0..ỹ_N, ṽ_0..ṽ_N and ũ_1..ũ_N of one outcome; ũ_0 is 0."""

    y: tuple[Fraction, ...]
    v: tuple[Fraction, ...]
    u: tuple[Fraction, ...]


@dataclass(frozen=True)
class Outcome:
    """Perturbations δ_1..δ_N that occur together, with their probability."""

    probability: Fraction
    delta: tuple[Fraction, ...]


def passes(
    chain: Sequence[ScalarOperator],
    x: Fraction,
    w: Sequence[Fraction],
    delta: Sequence[Fraction] | None = None,
) -> Passes:
    """The two passes of docs/theory.md, 1.1, with forward perturbations.

    >>> half = Fraction(1, 2)
    >>> passes([PRODUCT, PRODUCT], Fraction(1), [half, half]).u
    (Fraction(0, 1), Fraction(1, 2), Fraction(1, 2))
    """
    N = len(chain)
    delta = delta or [Fraction(0)] * N
    y = [x]
    for f, weight, noise in zip(chain, w, delta, strict=True):
        y.append(f.value(y[-1], weight) + noise)
    v, u = [Fraction(1)] * (N + 1), [Fraction(0)] * (N + 1)
    for i in range(N, 0, -1):
        f, weight = chain[i - 1], w[i - 1]
        u[i] = f.by_weight(y[i - 1], weight) * v[i]
        v[i - 1] = f.by_input(y[i - 1], weight) * v[i]
    return Passes(tuple(y), tuple(v), tuple(u))


def mean(outcomes: Sequence[Outcome], of: Callable[[tuple[Fraction, ...]], Fraction]) -> Fraction:
    """E[of(δ)], a finite sum."""
    return sum((o.probability * of(o.delta) for o in outcomes), Fraction(0))


def squared_bias(
    chain: Sequence[ScalarOperator],
    x: Fraction,
    w: Sequence[Fraction],
    outcomes: Sequence[Outcome],
) -> Fraction:
    """‖E[ũ − u]‖²."""
    clean = passes(chain, x, w).u
    total = Fraction(0)
    for i in range(1, len(chain) + 1):

        def error(delta: tuple[Fraction, ...], i: int = i) -> Fraction:
            return passes(chain, x, w, delta).u[i] - clean[i]

        total += mean(outcomes, error) ** 2
    return total
