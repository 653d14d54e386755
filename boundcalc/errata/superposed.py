"""The corrected bias bound against the proof that replaces the printed one (E4).

The superposition theorem of docs/theory.md adds the effects of the perturbations one at a time:

    ‖E[ũ_i − u_i]‖ ≤ b_i ν_i + Σ_k (Λ_ik m_k + ½ κ_ik e_k²),

and the corrected (23) is derived from it there.  Here the two are compared without that
derivation: (23) follows for m = n = 0 when ¼ κᵀκ ≤ D̃, the coefficients of E‖δ‖⁴, and for
the means of δ alone when ΛᵀΛ ≤ D.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import product

from boundcalc.arithmetic import RATIONALS
from boundcalc.errata.domination import eigenvalue_bounds
from boundcalc.graph.numbers import UniformConstants
from boundcalc.theories.perturbed import sums

#: N, C_∇f, L_f, C_∇²f = L_∇f and L_∇²f at which they are compared.
POINTS = tuple(
    product(
        (2, 3, 5, 8),
        (Fraction(1, 100), Fraction(1), Fraction(10)),
        (Fraction(1, 10), Fraction(1)),
        (Fraction(1, 100), Fraction(1)),
        (Fraction(1, 1000), Fraction(1)),
    )
)


def responses(
    N: int, C: Fraction, lip: Fraction, hess: Fraction, third: Fraction
) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """Λ_ik and κ_ik, rows i = 1..N, columns k = 1..N−1, for uniform constants.

    With the noise-free path from ỹ_k, Λ_ik is the Lipschitz constant of u_i in ỹ_k and κ_ik
    that of its derivative; for k ≥ i those of v_k times the Jacobians before.

    >>> one = Fraction(1)
    >>> responses(2, one, one, one, one)
    ([[Fraction(1, 1)], [Fraction(1, 1)]], [[Fraction(1, 1)], [Fraction(1, 1)]])
    """
    lip = min(lip, C)  # ℓ ≤ a by the mean value inequality
    V = [C ** (N - i) for i in range(N + 1)]
    slope, bend = [Fraction(0)] * (N + 1), [Fraction(0)] * (N + 1)  # Λ_k and M_k
    for k in range(N - 1, 0, -1):
        slope[k] = hess * V[k + 1] + C * lip * slope[k + 1]
        bend[k] = third * V[k + 1] + (2 * lip + C) * hess * slope[k + 1] + C * lip**2 * bend[k + 1]
    first, second = [], []
    for i in range(1, N + 1):
        Lambda, kappa = [Fraction(0)] * N, [Fraction(0)] * N
        for k in range(N - 1, 0, -1):
            if k >= i:
                Lambda[k], kappa[k] = C ** (k - i + 1) * slope[k], C ** (k - i + 1) * bend[k]
            elif k == i - 1:
                Lambda[k] = hess * V[i] + C * lip * slope[i]
                kappa[k] = third * V[i] + 2 * hess * lip * slope[i]
                kappa[k] += C * (lip**2 * bend[i] + hess * slope[i])
            else:
                Lambda[k] = lip * Lambda[k + 1]
                kappa[k] = lip**2 * kappa[k + 1] + hess * Lambda[k + 1]
        first.append(Lambda[1:])
        second.append(kappa[1:])
    return first, second


def quotients(
    points: Iterable[tuple[int, Fraction, Fraction, Fraction, Fraction]] = POINTS,
) -> tuple[Fraction, Fraction]:
    """The largest quotients of superposition and the corrected (23) over the points.

    Returns
    -------
    Rigorous upper bounds for zero means (1/14 is proved) and for the means of δ (1/6).
    """
    fourth, mean = Fraction(0), Fraction(0)
    for N, C, lip, hess, third in points:
        uniform = UniformConstants(N, C, lip, hess, hess, third)
        columns = sums.coefficients(uniform, RATIONALS, corrected=True)
        Lambda, kappa = responses(N, C, lip, hess, third)
        bent = eigenvalue_bounds(_gram(kappa, Fraction(1, 4)), columns.bias_forward_fourth[1:N])
        straight = eigenvalue_bounds(_gram(Lambda, Fraction(1)), columns.bias_forward_mean[1:N])
        fourth, mean = max(fourth, bent[1]), max(mean, straight[1])
    return fourth, mean


def _gram(rows: list[list[Fraction]], factor: Fraction) -> list[list[Fraction]]:
    """``factor`` times MᵀM."""
    sites = range(len(rows[0]))
    return [
        [factor * sum((row[j] * row[k] for row in rows), Fraction(0)) for k in sites] for j in sites
    ]
