"""E7 and E8: which pass must be kept small, and which bound Corollary 3 follows from.

Nothing is stored: how a bound depends on the size t of a perturbation is found by doubling t.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import INTERVALS, RATIONALS
from boundcalc.errata.evidence import Check, Found, above, at_least, at_most, below, exact, shown
from boundcalc.errata.geometric_sum import shrinking
from boundcalc.graph.numbers import Levels, UniformConstants
from boundcalc.theories.perturbed import sums
from boundcalc.theories.perturbed.descent import PUBLISHED

_SIZE = 3
_ONES = UniformConstants(_SIZE, *[Fraction(1)] * 5)
HORIZONS = (100, 10**4, 10**6, 10**9)


def bounds_at(size: Fraction, direction: str, *, centred: bool) -> tuple[Fraction, Fraction]:
    """(13) and (23) for one perturbation of operator 2 with E‖·‖² = size², E‖·‖⁴ = size⁴.

    Returns
    -------
    The bounds ζ² on the error and β² on the bias, all constants 1, N = 3, E1 and E2 applied.
    """
    zero = (Fraction(0),) * (_SIZE + 1)
    column = (Fraction(0), Fraction(0), size, Fraction(0))
    mean = zero if centred else column
    if direction == "forward":
        quartic = (Fraction(0), Fraction(0), size**4, Fraction(0))
        levels = Levels(e=column, m=mean, q=quartic, eps=zero, n=zero)
    else:
        levels = Levels(e=zero, m=zero, q=zero, eps=column, n=mean)
    columns = sums.coefficients(_ONES, RATIONALS, corrected=True)
    bias = Fraction(sums.bias_bound(columns, levels, RATIONALS) or 0)
    return sums.error_bound(columns, levels, RATIONALS), bias


def power(direction: str, *, centred: bool, bias: bool) -> int | None:
    """The power of its size with which a small perturbation enters a bound; None if it does not.

    >>> power("forward", centred=True, bias=True), power("backward", centred=True, bias=True)
    (4, None)
    """
    tiny = Fraction(1, 2**60)
    once, twice = (bounds_at(k * tiny, direction, centred=centred)[bias] for k in (1, 2))
    if once == 0:
        return None
    doubling = twice / once
    return round(doubling).bit_length() - 1


def tolerated(direction: str, *, centred: bool, nonconvex: bool = True) -> Fraction:
    """The exponent a for which size ≲ rate^a keeps the rate.

    The error carries one γ more than the bias, and γ is of the order of the rate: so the
    error asks for size^k ≲ 1, the bias for size^k ≲ rate.  In T^{-1/2} the exponent of T is −a/2.
    """
    k = power(direction, centred=centred, bias=True)
    in_rate = Fraction(0) if k is None else Fraction(1, k)
    return in_rate / 2 if nonconvex else in_rate


def reversed_sentence(*, swapped: bool = False) -> Found:
    """E7: at mean zero δ must shrink with the horizon and ε need not.

    Parameters
    ----------
    swapped
        Whether the names are exchanged, as the sentence has it; the evidence then fails.
    """
    first, second = ("backward", "forward") if swapped else ("forward", "backward")
    delta, epsilon = (tolerated(d, centred=True) for d in (first, second))
    delta_mean, epsilon_mean = (tolerated(d, centred=False) for d in (first, second))
    # The part of (34) that does not shrink with γ: 3 ‖E_t[ũ−u]‖².
    floor, other = (
        PUBLISHED.bias * bounds_at(Fraction(1), d, centred=True)[1] for d in (first, second)
    )
    powers = [power(d, centred=True, bias=True) for d in (first, second)]
    line = (
        f"nonconvex, mean zero: ‖δ‖ ≲ T^(−{delta}), ‖ε‖ ≲ {_order(epsilon)}; what size 1 leaves "
        f"as T → ∞ (N = 3, constants 1): δ {shown(floor)}, ε {shown(other)}"
    )
    return Found(
        line,
        (
            exact("power of δ in the bias, mean zero", powers[0] or 0),
            exact("power of ε in the bias, mean zero (0: absent)", powers[1] or 0),
            exact("δ must fall as T to the power minus", delta),
            exact("ε must fall as T to the power minus", epsilon),
            exact("with means: δ", delta_mean),
            exact("with means: ε", epsilon_mean),
            exact("floor of (34) with δ of size 1, mean zero", floor),
            exact("floor of (34) with ε of size 1, mean zero", other),
        ),
        (
            Check("at mean zero δ must fall with T, as T^(−1/8)", delta == Fraction(1, 8)),
            Check("at mean zero ε need not", epsilon == 0 and other == 0),
            Check("a fixed δ leaves a floor", floor > 0),
            Check("with means neither may be larger than the other", delta_mean == epsilon_mean),
        ),
    )


def _order(exponent: Fraction) -> str:
    return "1" if exponent == 0 else f"T^(−{exponent})"


def average_bound(T: int) -> Any:
    """(37) with Δ_0 = L = μ = σ = 1, γ = 3 ln T/T, no perturbation: 6Δ_0/(γT) + 6Lγσ²."""
    step = 3 * shrinking(T)
    return PUBLISHED.gap / (step * T) + PUBLISHED.noise * step


def last_bound(T: int) -> Any:
    """(38) there, with one perturbed step, the last, ζ² = β² = 1.

    (1 − μγ/3)^T Δ_0 + 3Lγσ²/μ + (1 − μγ/3) (Lγ² ζ² + (γ/2) β²).
    """
    step = 3 * shrinking(T)
    q = 1 - step / 3
    # The lag of the printed exponent is 0.
    return q**T + 3 * step + q ** (1 - PUBLISHED.lag) * (step**2 + step / 2)


def corollary(*, wanted: int = 1) -> Found:
    """E8: Corollary 3 is about PL; its rate ln T/T follows from (38), and not from (37).

    Parameters
    ----------
    wanted
        The power of ln T/T in the rate; with 0 both equations would do and the evidence fails.
    """
    by_37 = {T: average_bound(T) / shrinking(T) ** wanted for T in HORIZONS}
    by_38 = {T: last_bound(T) / shrinking(T) ** wanted for T in HORIZONS}
    first, last = HORIZONS[0], HORIZONS[-1]
    low = {T: above(by_37[T]) for T in (first, last)}
    high = {T: below(by_38[T]) for T in (first, last)}
    line = (
        f"bound over ln T/T at γ = 3 ln T/T, T = 100 and 10⁹: by (37) {low[first]} and "
        f"{low[last]}, by (38) {high[first]} and {high[last]}"
    )
    return Found(
        line,
        (
            *(at_least(f"(37) over ln T/T at T = {T}", by_37[T]) for T in HORIZONS),
            *(at_most(f"(38) over ln T/T at T = {T}", by_38[T]) for T in HORIZONS),
        ),
        (
            Check(
                "(37) over ln T/T grows without bound: it exceeds T/(ln T)²",
                all(by_37[T] * INTERVALS.log(INTERVALS.number(T)) ** 2 > T for T in HORIZONS),
            ),
            Check("(38) over ln T/T stays below 15", all(by_38[T] < 15 for T in HORIZONS)),
        ),
    )
