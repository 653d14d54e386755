"""E4: what the printed proof of Theorem 2 takes for means are not the means it needs.

Small chains of f(y) = y²/2, enumerated exactly.  𝒢_i is what ỹ_1, …, ỹ_i tell; 𝒢_0 tells
nothing.  The statement itself is true with means given 𝒢_{i−1}: docs/theory.md derives it from
its superposition theorem, which :mod:`boundcalc.errata.superposed` compares with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from boundcalc.arithmetic import RATIONALS
from boundcalc.errata.enumeration import PRODUCT, SQUARE, Outcome, mean, passes, squared_bias
from boundcalc.errata.evidence import Check, Found, at_most, below, exact, shown
from boundcalc.errata.superposed import POINTS, quotients
from boundcalc.graph.numbers import Levels, UniformConstants
from boundcalc.theories.perturbed import sums

SIZE = Fraction(1, 10)  # of each perturbation
START = Fraction(1, 2)  # y_1 where the noises are independent

#: f_1(x) = x²/2 gives y_1; then two more squares.
CHAIN = (SQUARE, SQUARE, SQUARE)
_NO_WEIGHTS = (Fraction(0),) * 3


def independent(size: Fraction) -> list[Outcome]:
    """δ_1 and δ_2 are ±size, four equally likely cases."""
    return [
        Outcome(Fraction(1, 4), (a * size, b * size, Fraction(0)))
        for a, b in product((-1, 1), repeat=2)
    ]


def aligned(first: Fraction, second: Fraction) -> list[Outcome]:
    """δ_1 = ±first, and δ_2 = ±second has its sign."""
    return [Outcome(Fraction(1, 2), (a * first, a * second, Fraction(0))) for a in (-1, 1)]


def mean_square_of_mean(outcomes: Sequence[Outcome], of: int, given: int) -> Fraction:
    """E‖E[δ_of | δ_1, …, δ_given]‖²: given the sample, ỹ_1..ỹ_i tell as much as δ_1..δ_i."""
    weight: dict[tuple[Fraction, ...], Fraction] = defaultdict(Fraction)
    total: dict[tuple[Fraction, ...], Fraction] = defaultdict(Fraction)
    for outcome in outcomes:
        known = outcome.delta[:given]
        weight[known] += outcome.probability
        total[known] += outcome.probability * outcome.delta[of - 1]
    return sum((total[k] ** 2 / weight[k] for k in weight), Fraction(0))


def factors(outcomes: Sequence[Outcome], x: Fraction) -> tuple[Fraction, Fraction]:
    """E[∇₁f_2(ỹ_1) (ṽ_2 − v_2)], and the product of the two means.

    The chain starts with y_1 = x²/2.
    """
    v_2 = passes(CHAIN, x, _NO_WEIGHTS).v[2]

    def jacobian(delta: tuple[Fraction, ...]) -> Fraction:
        return passes(CHAIN, x, _NO_WEIGHTS, delta).y[1]

    def error(delta: tuple[Fraction, ...]) -> Fraction:
        return passes(CHAIN, x, _NO_WEIGHTS, delta).v[2] - v_2

    together = mean(outcomes, lambda delta: jacobian(delta) * error(delta))
    return together, mean(outcomes, jacobian) * mean(outcomes, error)


def unconditional(first: Fraction, second: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """Is (23) true with means of δ that are not conditional?  f_1 = w_1, w_1 = 0, then squares.

    Returns
    -------
    The squared bias with :func:`aligned` noise, the corrected right side of (23) with the
    unconditional means, which are 0, and with E[δ_2 | 𝒢_1], whose size is ``second``.
    """
    noise = aligned(first, second)
    found = squared_bias((PRODUCT, SQUARE, SQUARE), Fraction(1), _NO_WEIGHTS, noise)
    # On |y| ≤ 1 all constants are 1, but third derivatives vanish.
    one = Fraction(1)
    constants = UniformConstants(3, one, one, one, one, Fraction(0))
    columns = sums.coefficients(constants, RATIONALS, corrected=True)
    zero, sizes = (Fraction(0),) * 4, (Fraction(0), first, second, Fraction(0))
    fourth = tuple(size**4 for size in sizes)
    without, with_means = (
        Fraction(sums.bias_bound(columns, Levels(sizes, m, fourth, zero, zero), RATIONALS) or 0)
        for m in (zero, (Fraction(0), Fraction(0), second, Fraction(0)))
    )
    return found, without, with_means


def conditional_means(*, given: int = 1) -> Found:
    """The conditional means, the product, and Jensen's inequality the wrong way round.

    Parameters
    ----------
    given
        How many of ỹ_1, ỹ_2, … the mean of δ_1 is conditioned on: 1 as printed; with 0,
        which Theorem 2 needs, the evidence fails.
    """
    free = independent(SIZE)
    needed, printed = (mean_square_of_mean(free, 1, n) for n in (0, given))
    finer, coarser = (mean_square_of_mean(free, 2, n) for n in (2, 1))
    joint, split = factors(aligned(SIZE, SIZE), Fraction(0))
    joint_free, split_free = factors(free, Fraction(1))  # x = 1 gives y_1 = 1/2
    bias, without, with_means = unconditional(Fraction(1, 100), Fraction(1, 2))
    fourth, straight = quotients()
    line = (
        f"independent ±{SIZE}: E‖E[δ₁|𝒢₁]‖² = {shown(printed)}, not {shown(needed)}; "
        f"E[∇f(ỹ₁)(ṽ₂−v₂)] = {shown(joint_free)}, product of means {shown(split_free)}; statement, "
        f"zero means: at most {below(fourth)} of the corrected bound"
    )
    return Found(
        line,
        (
            exact("mean square of E[δ₁|𝒢₁], as printed", printed),
            exact("mean square of E[δ₁|𝒢₀], which is meant", needed),
            exact("mean of the product, aligned noise, y₁ = 0", joint),
            exact("product of the means", split),
            exact("mean of the product, independent noise, y₁ = 1/2", joint_free),
            exact("product of the means, independent noise", split_free),
            exact("mean square of E[δ₂|𝒢₂]", finer),
            exact("mean square of E[δ₂|𝒢₁]", coarser),
            exact("squared bias, N = 3, δ₁ = ±1/100, δ₂ = ±1/2 with its sign", bias),
            exact("corrected bound there with unconditional means", without),
            exact("corrected bound there with conditional means", with_means),
            at_most("superposition over the corrected bound, zero means", fourth),
            at_most("superposition over the corrected bound, means of δ alone", straight),
        ),
        (
            Check(
                "noise with mean zero given the past has E[δ₁|𝒢₁] ≠ 0: it is δ₁ itself",
                needed == 0 and printed == SIZE**2,
            ),
            Check("the product does not factor for aligned noise", joint != split),
            Check(
                "nor for independent noise of mean zero",
                joint_free - split_free == START * SIZE**2,
            ),
            Check("knowing more makes a mean square of means larger, not smaller", finer > coarser),
            Check("with unconditional means the corrected (23) is false at N = 3", bias > without),
            Check("with conditional means it holds there", bias <= with_means),
            Check(
                f"with conditional means it follows from superposition at {len(POINTS)} points: "
                "at most 1/14 of it at mean zero, 1/6 for the means of δ",
                fourth <= Fraction(1, 14) and straight <= Fraction(1, 6),
            ),
        ),
    )
