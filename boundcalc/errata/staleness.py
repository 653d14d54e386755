"""E11 to E13: the staleness paper of Xu, Huo and Huang.

Three short checks in exact fractions and intervals, on Theorem 1 as docs/errata.md quotes it:

    Σ_n α_n E‖∇f(xⁿ′)‖² / Σα ≤ 2(f(x⁰) − f*)/Σα + Lσ²(2 + KΔt² + Kc_1/4) Σα²/Σα .
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from boundcalc.arithmetic import INTERVALS
from boundcalc.errata.evidence import Check, Found, at_most, below, exact, shown

STEPS = 10
BLOCKS, DELAY = 4, 6


def wrong_sign(*, sign: int = -1) -> Found:
    """E11: with f* − f(x⁰) the bound is negative where nothing is random.

    f = x²/2 (L = 1, f* = 0), x⁰ = 1, one block, no delay, no noise, α = 1/4.

    Parameters
    ----------
    sign
        −1 for f* − f(x⁰), as printed; with 1 the evidence fails.
    """
    step, x, average = Fraction(1, 4), Fraction(1), Fraction(0)
    for _ in range(STEPS):
        average += x**2 / STEPS
        x -= step * x
    gap = Fraction(1, 2)  # f(x⁰) − f*
    total = STEPS * step
    printed, meant = 2 * sign * gap / total, 2 * gap / total
    line = (
        f"f = x²/2, x⁰ = 1, α = 1/4, {STEPS} steps, no noise: average of ‖∇f‖² {shown(average)}, "
        f"bound as printed {shown(printed)}, with f(x⁰) − f* {shown(meant)}"
    )
    return Found(
        line,
        (
            exact("average of ‖∇f‖²", average),
            exact("bound with f* − f(x⁰)", printed),
            exact("bound with f(x⁰) − f*", meant),
        ),
        (
            Check("as printed the bound is negative, so violated", printed < 0 < average),
            Check("with the sign of the display before it holds", average <= meant),
        ),
    )


def block_variances(noise: Sequence[Sequence[Fraction]]) -> tuple[list[Fraction], Fraction]:
    """Var 𝒢_k of every block and Var 𝒢; the rows of ``noise`` are equally likely values of 𝒢."""
    count, blocks = len(noise), len(noise[0])
    means = [sum((row[k] for row in noise), Fraction(0)) / count for k in range(blocks)]
    each = [
        sum(((row[k] - means[k]) ** 2 for row in noise), Fraction(0)) / count for k in range(blocks)
    ]
    squares = (sum(((row[k] - means[k]) ** 2 for k in range(blocks)), Fraction(0)) for row in noise)
    return each, sum(squares, Fraction(0)) / count


def noise_factors(K: int, delay: int) -> tuple[Any, Any]:
    """2 + KΔt² + Kc_1/4, and 2 + Δt² + ½c_1K/(K+1), with M = 1, as intervals.

    c_1 = −(Δt²+2) + √((Δt²+2)² + 2c_0Δt²), c_0 = M²K(K+1)².
    """
    square = delay**2
    base = Fraction(square + 2)
    c_0 = K * (K + 1) ** 2
    c_1 = INTERVALS.sqrt(INTERVALS.number(base**2 + 2 * c_0 * square)) - base
    return 2 + K * square + Fraction(K, 4) * c_1, 2 + square + Fraction(K, 2 * (K + 1)) * c_1


def dropped_factor(*, factor: int | None = None) -> Found:
    """E12: the variances of the blocks add up to σ²; K times each is not needed.

    Parameters
    ----------
    factor
        Bounds Σ_k Var 𝒢_k by factor · σ²; if left out K, as printed. With 1 the evidence fails.
    """
    factor = BLOCKS if factor is None else factor
    # Blocks of unequal noise, every combination of signs.
    signs = product((-1, 1), repeat=BLOCKS)
    each, total = block_variances(
        [[Fraction(s * (k + 1)) for k, s in enumerate(row)] for row in signs]
    )
    printed, smaller = noise_factors(BLOCKS, DELAY)
    line = (
        f"K = {BLOCKS}: block variances {', '.join(map(shown, each))} add up to σ² = "
        f"{shown(total)}, the proof allows {shown(factor * total)}; noise factor at Δt = {DELAY}, "
        f"M = 1: {below(printed)}, could be {below(smaller)}"
    )
    return Found(
        line,
        (
            exact("sum of the block variances", sum(each)),
            exact("variance of 𝒢", total),
            exact("what the proof allows", factor * total),
            at_most(f"2 + KΔt² + Kc₁/4 at K = {BLOCKS}, Δt = {DELAY}, M = 1", printed),
            at_most("2 + Δt² + ½c₁K/(K+1) there", smaller),
        ),
        (
            Check("the variances of the blocks add up to Var 𝒢", sum(each) == total),
            Check("the proof allows K times as much", factor * total == BLOCKS * sum(each)),
            Check("the smaller factor is smaller for K ≥ 2", _always_smaller()),
            Check("and for K = 1 they agree", _agree_for_one_block()),
        ),
    )


def _always_smaller() -> bool:
    pairs = (noise_factors(K, delay) for K in range(2, 9) for delay in range(1, 17))
    return all(smaller < printed for printed, smaller in pairs)


def _agree_for_one_block() -> bool:
    pairs = (noise_factors(1, delay) for delay in range(1, 17))
    return all((printed - smaller).contains(0) for printed, smaller in pairs)


def window_sums(
    steps: Sequence[Fraction], seen: Sequence[Fraction], delay: int
) -> tuple[Fraction, Fraction]:
    """Σ_n α_n² Σ_{n−Δt ≤ j < n} a_j, and Δt Σ_j α_j² a_j, which the proof puts above it."""
    left = Fraction(0)
    for n, step in enumerate(steps):
        left += step**2 * sum(seen[max(0, n - delay) : n], Fraction(0))
    return left, delay * sum((a**2 * s for a, s in zip(steps, seen, strict=True)), Fraction(0))


def moved_steps(*, growth: Fraction = Fraction(2)) -> Found:
    """E13: moving α_n² past the window of earlier steps needs α_n ≤ α_j there.

    Parameters
    ----------
    growth
        α_1 = growth · α_0: at 1, a constant sequence, the evidence fails.
    """
    first = Fraction(1, 100)
    seen = (Fraction(1), Fraction(0))  # a_0 = 1, then nothing
    left, right = window_sums((first, growth * first), seen, 1)
    constant = window_sums((first, first), seen, 1)
    line = (
        f"α = ({first}, {growth * first}), Δt = 1, a = (1, 0): Σ α_n² Σ a_j = {shown(left)}, the "
        f"proof's bound Σ α_j² a_j = {shown(right)}"
    )
    return Found(
        line,
        (
            exact("Σ_n α_n² Σ_j a_j over the windows, increasing steps", left),
            exact("Δt Σ_j α_j² a_j", right),
            exact("the former for constant steps", constant[0]),
            exact("the latter", constant[1]),
        ),
        (
            Check("the step fails for increasing α", left > right),
            Check("it holds for constant α", constant[0] <= constant[1]),
            Check("and for non-increasing α, every pattern of 0 and 1 of length 6", _monotone()),
        ),
    )


def _monotone() -> bool:
    steps = [Fraction(1, n) for n in range(1, 7)]
    patterns = list(product((Fraction(0), Fraction(1)), repeat=len(steps)))
    return all(
        left <= right
        for seen in patterns
        for left, right in (window_sums(steps, seen, d) for d in (1, 2, 5))
    )
