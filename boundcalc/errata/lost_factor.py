"""E3: the printed coefficient of ε lacks a factor 2 that its proof leaves in; it is valid.

The printed coefficients D of (21) are valid when zᵀGz ≤ zᵀDz for the sharp Gram matrix G
(docs/theory.md, Theorem 4.5), that is when λ_max(D^{-1/2} G D^{-1/2}) ≤ 1.  Proposition 4.6
proves it for every length; the checks here do not use that proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from boundcalc.arithmetic import RATIONALS
from boundcalc.errata.all_constants import step_one, step_two
from boundcalc.errata.domination import eigenvalue_bounds
from boundcalc.errata.evidence import Check, Found, at_least, at_most, below, exact
from boundcalc.graph.numbers import ChainConstants, UniformConstants
from boundcalc.theories.perturbed import sites, sums

#: Points at which the eigenvalue is enclosed: N, C_∇f and L_f.  L_∇f cancels.
LENGTHS = (2, 3, 5, 8, 24)
JACOBIANS = (Fraction(1, 1000), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(100))
LIPSCHITZ = (Fraction(1, 10**4), Fraction(1, 8), Fraction(1, 2), Fraction(1), Fraction(10**4))
#: Lengths for which all constants are covered, and the quotient that is asked for.
COVERED = tuple(range(2, 25))
LIMIT = Fraction(17, 20)


def eigenvalue_at(
    N: int, C: Fraction, lip: Fraction, *, share: Fraction = Fraction(1)
) -> tuple[Fraction, Fraction]:
    """Bounds on λ_max(D^{-1/2} G D^{-1/2}), G and D from the library, L_∇f = 1.

    Parameters
    ----------
    share
        Factor of the printed coefficients of ε.
    """
    one = Fraction(1)
    uniform = UniformConstants(N, C, lip, one, one, one)
    printed = sums.coefficients(uniform, RATIONALS, corrected=False)
    D = [*printed.error_forward[1:N], *(share * d for d in printed.error_backward[2:])]
    C_, lip_, one_ = ((Fraction(0), *[value] * N) for value in (C, lip, one))
    chain = ChainConstants(C_, C_, lip_, one_, one_, one_, one_)
    return eigenvalue_bounds(sites.gram_matrix(chain, RATIONALS), D)


def lost_factor(
    *,
    share: Fraction = Fraction(1),
    lengths: Sequence[int] = LENGTHS,
    covered: Sequence[int] = COVERED,
    limit: Fraction = LIMIT,
) -> Found:
    """Domination at points, and for all constants at once.

    Parameters
    ----------
    share
        Factor of the printed coefficients of ε: at 1/4 the evidence fails.
    lengths
        Lengths of the chains at the points.
    covered, limit
        Lengths and quotient of the check for all constants.
    """
    points = {
        (N, C, lip): eigenvalue_at(N, C, lip, share=share)
        for N in lengths
        for C in JACOBIANS
        for lip in LIPSCHITZ
    }
    low = max(bounds[0] for bounds in points.values())
    high = max(bounds[1] for bounds in points.values())
    everywhere = [step_one(N, limit) for N in covered]
    shown_ = [found for found in everywhere if found is not None]
    quotient = max((found[0] for found in shown_), default=Fraction(0))
    intervals = sum(found[1] for found in shown_)
    uniform = UniformConstants(6, *[Fraction(1)] * 5)
    printed, restored = (
        sums.coefficients(uniform, RATIONALS, corrected=c).error_backward for c in (False, True)
    )
    line = (
        f"largest eigenvalue at {len(points)} points with N ≤ {max(lengths)} at most "
        f"{below(high)}; for all constants, N ≤ {max(covered)}: quotient at "
        f"most {below(quotient)} < 1"
    )
    return Found(
        line,
        (
            at_most("largest eigenvalue at the points", high),
            at_least("and it is at least", low),
            exact("points", len(points)),
            at_most("quotient of step 1 for all constants", quotient),
            exact("intervals that cover all C_∇f > 0", intervals),
        ),
        (
            Check(
                "the proof's coefficient, with the factor 2 of (19), is twice the printed one",
                restored == tuple(2 * d for d in printed),
            ),
            Check("the printed coefficients dominate at every point", high <= 1),
            Check(
                "step 1 holds for all C_∇f > 0 and L_∇f > 0, "
                f"N from {min(covered)} to {max(covered)}",
                len(shown_) == len(everywhere),
            ),
            Check(
                "step 2 holds for every L_f",
                all(
                    step_two(j, lip) == 1 - Fraction(1, 2**j) for j in covered for lip in LIPSCHITZ
                ),
            ),
        ),
    )
