"""E6: Σ_t (1 − ln T/T)^{T−t} is of order T/ln T, not ln T/T.

Every number is an interval with outward rounding, so that comparisons are proofs.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import INTERVALS
from boundcalc.errata.evidence import Check, Found, above, at_least, at_most, below

HORIZONS = (10, 100, 10**3, 10**4, 10**6, 10**9)
ADDED = 1000  # horizon at which the sum is also added term by term


def shrinking(T: int) -> Any:
    """Enclose ln T/T."""
    return INTERVALS.log(INTERVALS.number(T)) / T


def closed_sum(T: int, first: int = 0) -> Any:
    """Enclose Σ_{n=first}^{first+T−1} q^n = q^first (1 − q^T)/(1 − q), q = 1 − ln T/T."""
    r = shrinking(T)
    q = 1 - r
    return q**first * (1 - q**T) / r


def added_sum(T: int) -> Any:
    """The same from n = 0, term by term."""
    q, power, total = 1 - shrinking(T), INTERVALS.number(1), INTERVALS.number(0)
    for _ in range(T):
        total, power = total + power, power * q
    return total


def surviving(T: int) -> tuple[Any, Any]:
    """What Corollary 1 needs, with μ = 1 and γ = 3 ln T/T.

    Returns
    -------
    γ² Σ_n (1 − μγ/3)^n over ln T/T, and T (1 − μγ/3)^T.
    """
    r = shrinking(T)
    return (3 * r) ** 2 * closed_sum(T) / r, (1 - r) ** T * T


def order_of_the_sum(*, power: int = 1) -> Found:
    """The sum against what is printed and against its order.

    Parameters
    ----------
    power
        The sum is compared with (ln T/T)^power: 1 as printed; with −1 the evidence fails.
    """
    # With the exponents 1..T in place of 0..T−1 the sum is smaller: a reading that is kinder.
    smaller = {T: closed_sum(T, 1) for T in HORIZONS}
    scaled = {T: closed_sum(T) * shrinking(T) for T in HORIZONS}
    printed = {T: shrinking(T) ** power for T in HORIZONS}
    apart = added_sum(ADDED) - closed_sum(ADDED)
    kept = {T: surviving(T) for T in HORIZONS}
    T = 10**4
    line = (
        f"T = 10⁴: the sum is at least {above(smaller[T])}, printed bound {below(printed[T])}; "
        f"sum over T/ln T: {above(scaled[10])} at T = 10, {above(scaled[T])} at 10⁴"
    )
    return Found(
        line,
        (
            at_least("sum at T = 10⁴, exponents 1 to T", smaller[T]),
            at_most("printed bound ln T/T at T = 10⁴", printed[T]),
            *(at_least(f"sum over T/ln T at T = {T}", scaled[T]) for T in HORIZONS),
            at_most("γ² times the sum over ln T/T, γ = 3 ln T/T, T = 10⁴", kept[T][0]),
            at_most("T times (1 − γ/3)^T, T = 10⁴", kept[T][1]),
        ),
        (
            Check(
                "the sum exceeds ln T/T by more than the factor T",
                all(smaller[T] > T * printed[T] for T in HORIZONS),
            ),
            Check(
                "it lies between (1 − 1/T) T/ln T and T/ln T",
                all(scaled[T] >= 1 - Fraction(1, T) and scaled[T] <= 1 for T in HORIZONS),
            ),
            Check(
                f"the closed form is the sum added term by term at T = {ADDED}",
                apart.contains(0) and apart < Fraction(1, 10**20),
            ),
            Check(
                "Corollary 1 survives at γ = (3/μ) ln T/T, μ = 1: γ² times the sum is at most "
                "9 ln T/T, and (1 − μγ/3)^T at most 1/T",
                all(error <= 9 and start <= 1 for error, start in kept.values()),
            ),
        ),
    )
