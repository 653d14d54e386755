"""E5: unrolling (40) gives the exponent T−1−t; the printed T−t is valid for another reason.

Lemma 6.5 of docs/theory.md proves (38) as printed from the descent inequality, with less
given away in Young's inequality than (40) gives away.  Its numbers are checked here in exact
fractions, and so is (38) itself on problems whose expected loss is known exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from boundcalc.errata.evidence import Check, Found, at_most, below, exact, shown

HORIZONS = (1, 2, 5, 20)
#: Lγ, at most 1/3, and μ/L.
STEPS = (Fraction(1, 3), Fraction(1, 10), Fraction(1, 1000))
RATIOS = (Fraction(1), Fraction(1, 2), Fraction(1, 100))


def unrolled(q: Fraction, start: Fraction, added: Sequence[Fraction]) -> Fraction:
    """x_T of x_{t+1} = q x_t + c_t."""
    x = start
    for c in added:
        x = q * x + c
    return x


def summed(q: Fraction, start: Fraction, added: Sequence[Fraction], lag: int) -> Fraction:
    """q^T x_0 + Σ_t q^{T−lag−t} c_t."""
    T = len(added)
    terms = (q ** (T - lag - t) * c for t, c in enumerate(added))
    return q**T * start + sum(terms, Fraction(0))


class Case(NamedTuple):
    """L = 1: Δ_0, the step γ, μ, the levels ζ² and β² of each step, and σ²."""

    gap: Fraction
    step: Fraction
    mu: Fraction
    error: tuple[Fraction, ...]
    bias: tuple[Fraction, ...]
    noise: Fraction


def cases() -> list[Case]:
    """Levels that come early, late, always and alone, at every step size, ratio and horizon.

    Δ_0 = 0: a start would only hide what the levels add.
    """
    found = []
    for T, step, ratio in product(HORIZONS, STEPS, RATIOS):
        early = tuple(Fraction(t == 0) for t in range(T))
        late = tuple(Fraction(t == T - 1) for t in range(T))
        always = (Fraction(1),) * T
        none = (Fraction(0),) * T
        for error, bias, noise in (
            (early, none, Fraction(0)),
            (late, none, Fraction(0)),
            (none, late, Fraction(0)),
            (always, always, Fraction(0)),
            (none, none, Fraction(1)),
            (late, late, Fraction(1)),
        ):
            found.append(Case(Fraction(0), step, ratio, error, bias, noise))
    return found


def printed_bound(case: Case, lag: int = 0) -> Fraction:
    """(38) with the exponent T − lag − t; lag is 0 as printed."""
    q = 1 - case.mu * case.step / 3
    added = [
        case.step**2 * zeta + case.step / 2 * beta
        for zeta, beta in zip(case.error, case.bias, strict=True)
    ]
    return summed(q, case.gap, added, lag) + 3 * case.step * case.noise / case.mu


def descent_bound(case: Case) -> Fraction:
    """What the descent inequality gives: Lemma 6.5, its last recursion unrolled.

    x_{t+1} = (1 − μγ/2) x_t + (5/7)(γ/2) β_t² + (3/4) Lγ² ζ_t² + (3/2) Lγ² σ².
    """
    g = case.step
    added = [
        Fraction(5, 7) * g / 2 * beta
        + Fraction(3, 4) * g**2 * zeta
        + Fraction(3, 2) * g**2 * case.noise
        for zeta, beta in zip(case.error, case.bias, strict=True)
    ]
    return unrolled(1 - case.mu * g / 2, case.gap, added)


def quadratic_loss(
    step: Fraction,
    curvature: Fraction,
    start: Fraction,
    bias: Fraction,
    spread: Fraction,
    horizon: int,
) -> Fraction:
    """E[ℓ(w_T)] for ℓ = λw²/2, gradient λw + b + ξ with E ξ² = s, from w_0, exactly.

    E w and E w² obey linear recursions.
    """
    first, square = start, start**2
    keep = 1 - step * curvature
    for _ in range(horizon):
        square = keep**2 * square - 2 * keep * step * bias * first + step**2 * (bias**2 + spread)
        first = keep * first - step * bias
    return curvature * square / 2


def met() -> list[Fraction]:
    """The exact loss of quadratics over (38) as printed; L = 1, μ = λ."""
    found = []
    for g, curvature, T in product(STEPS, RATIOS, HORIZONS):
        for w, b, s in (
            (Fraction(0), Fraction(1), Fraction(0)),
            (Fraction(1), Fraction(-1), Fraction(0)),
            (Fraction(0), Fraction(0), Fraction(1)),
            (Fraction(2), Fraction(1), Fraction(3)),
        ):
            loss = quadratic_loss(g, curvature, w, b, s, T)
            case = Case(
                curvature * w**2 / 2, g, curvature, (b**2 + s,) * T, (b**2,) * T, Fraction(0)
            )
            found.append(loss / printed_bound(case))
    return found


def exponent(*, lag: int = 0) -> Found:
    """(40) does not imply (38) as printed, and (38) as printed is true.

    Parameters
    ----------
    lag
        The exponent of the sum is T − lag − t: with 1, which unrolling gives, the
        evidence fails.
    """
    q = 1 - Fraction(1, 3) * Fraction(1, 3)
    gaps = {
        T: unrolled(q, Fraction(1), [Fraction(1)] * T)
        - summed(q, Fraction(1), [Fraction(1)] * T, lag)
        for T in HORIZONS
    }
    slack = [descent_bound(case) / printed_bound(case, lag) for case in cases()]
    quadratics = met()
    one = Fraction(1)
    allowed, printed = unrolled(q, one, [one]), summed(q, one, [one], lag)
    line = (
        f"T = 1, μγ = 1/3: (40) allows {shown(allowed)}, printed sum {shown(printed)}; from the "
        f"descent inequality at most {below(max(slack))} of (38), {len(slack)} cases"
    )
    return Found(
        line,
        (
            exact(
                "x₁ that (40) allows at x₀ = c₀ = 1, μγ = 1/3",
                allowed,
            ),
            exact("x₁ by the printed sum", printed),
            at_most("Lemma 6.5 over (38) as printed, largest quotient", max(slack)),
            exact("exact loss of quadratics over (38), largest quotient", max(quadratics)),
            exact("cases", len(slack) + len(quadratics)),
        ),
        (
            Check(
                "unrolling (40) gives the exponent T−1−t",
                all(
                    unrolled(q, Fraction(1), [Fraction(t) for t in range(T)])
                    == summed(q, Fraction(1), [Fraction(t) for t in range(T)], 1)
                    for T in HORIZONS
                ),
            ),
            Check(
                "so (40) allows more than (38) as printed, by the factor 1/(1−μγ/3)",
                all(gap > 0 for gap in gaps.values()),
            ),
            Check(
                "the slack of Young's step covers the factor: 5/7 and 3/4 ≤ 8/9 ≤ 1−μγ/3, "
                "1−μγ/2 ≤ 1−μγ/3 and (3/2)·2 ≤ 3",
                _slack_covers(),
            ),
            Check("(38) as printed holds for every case unrolled", max(slack) <= 1),
            Check("and for the exact expected loss of quadratics", max(quadratics) <= 1),
        ),
    )


def _slack_covers() -> bool:
    """The numbers of the proof of Lemma 6.5 (b)."""
    p, q = Fraction(1, 2), Fraction(2, 3)  # of ‖∇ℓ‖² after A4, and 1 − Lγ ≥ 2/3 of ‖∇ℓ + b‖²
    saved = p * q / (p + q)  # the minimum of p‖G‖² + q‖G + b‖², per ‖b‖²
    theta = 2  # Var ≤ (1 + θ)σ² + (1 + 1/θ)ζ², entering with Lγ²/2
    bias, error, noise = (
        1 - saved,
        Fraction(1, 2) * (1 + Fraction(1, theta)),
        Fraction(1, 2) * (1 + theta),
    )
    # Lγ ≤ 1/3 and μ ≤ L: 1 − μγ/3 is at least
    least = 1 - Fraction(1, 9)
    return (
        (bias, error, noise) == (Fraction(5, 7), Fraction(3, 4), Fraction(3, 2))
        and max(bias, error) <= least
        and (noise * 2 <= 3)
    )
