"""The published coefficients: sums over the chain, evaluated by recurrences in O(N).

Two families share them.  ``published`` is what [KZY] prints, errors and all;
``corrected`` applies E1 (C_∇²f in (33a)) and E3 (the factor 2 of (19)).  E2 is a
matter of how C_∇²f is formed from per-operator constants, E5 one of rates.
"""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import Levels, UniformConstants


@dataclass(frozen=True)
class SumCoefficients:
    """Coefficients of Theorems 1 and 2 of [KZY], by operator, 1 to N.

    Attributes
    ----------
    error_forward, error_backward
        C^e_{δ_i} and C^e_{ε_i} of (21).
    bias_forward_mean, bias_forward_fourth, bias_backward_mean
        C^b_{δ_i}, C̃^b_{δ_i} and C^b_{ε_i} of (33a), (33b).
    """

    error_forward: tuple[Scalar, ...]
    error_backward: tuple[Scalar, ...]
    bias_forward_mean: tuple[Scalar, ...]
    bias_forward_fourth: tuple[Scalar, ...]
    bias_backward_mean: tuple[Scalar, ...]


def coefficients(c: UniformConstants, kind: Arithmetic, *, corrected: bool) -> SumCoefficients:
    """Evaluate (21), (33a) and (33b) for every operator; O(N) time and memory.

    Parameters
    ----------
    c
        Uniform constants, of number kind ``kind``.
    corrected
        False for the formulas as printed; True with E1 and E3 applied.

    Notes
    -----
    Inner sums are Horner recurrences (docs/theory.md, Lemma 5.1): with
    S_j = S_{j−1} + p^j and T_i = Σ_{j≥i} S_j q^{j−i}, T_i = S_i + q·T_{i+1}.

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> ones = UniformConstants(2, *[F(1)] * 5)
    >>> coefficients(ones, RATIONALS, corrected=True).bias_forward_mean[1]
    Fraction(32, 1)
    """
    N, zero, one = c.size, kind.number(0), kind.number(1)
    S = _geometric_sums(3 * c.jac**2, N, kind)
    # (12)  C_v = max{1, C_∇f^N}
    Cv2 = kind.maximum(one, c.jac**N) ** 2
    # (21)  C^e_{δ_i} = 4 C_v² L_∇f² Σ_{j=i}^{N−1} S_j (2 L_f²)^{j−i}
    error_forward = _scaled(4 * Cv2 * c.hess**2, _tails(S, 2 * c.lip**2, zero))
    # (21)  C^e_{ε_{i+1}} = Σ_{j=1}^{i} (3 C_∇f²)^j, with the lost factor 2 of (19) if corrected
    factor = kind.number(2 if corrected else 1)
    error_backward = (zero, zero, *(factor * (S[i] - one) for i in range(1, N)))
    # (33a) C^b_{δ_i} = 8 L_∇²f² C_v² Σ_j S_j (4 C_∇f²)^{j−i}; the derivation (32) has C_∇²f (E1)
    tails = _tails(S, 4 * c.jac**2, zero)
    leading = c.hess_op if corrected else c.third
    bias_forward_mean = _scaled(8 * leading**2 * Cv2, tails)
    # (33b) C²_{y_i} = 8 C_∇²f² L_∇f² C_v² Σ_{j≥i+1} S_j (4C_∇f²)^{j−i−1} + 2 L_∇²f² C_v² S_i
    along = 8 * c.hess_op**2 * c.hess**2 * Cv2
    across = 2 * c.third**2 * Cv2
    Cy2 = (zero, *(along * tails[i + 1] + across * S[i] for i in range(1, N)), zero)
    # (33b) C̃^b_{δ_i} = 8 Σ_{j=i}^{N−1} C²_{y_j} (8 L_f⁴)^{j−i}
    bias_forward_fourth = _scaled(kind.number(8), _tails(Cy2, 8 * c.lip**4, zero))
    # (33b) C^b_{ε_{i+1}} = 2 Σ_{j=1}^{i} (3 C_∇f²)^j
    bias_backward_mean = (zero, zero, *(2 * (S[i] - one) for i in range(1, N)))
    return SumCoefficients(
        error_forward, error_backward, bias_forward_mean, bias_forward_fourth, bias_backward_mean
    )


def error_bound(c: SumCoefficients, levels: Levels, kind: Arithmetic) -> Scalar:
    """Theorem 1 (13): Σ C^e_{δ_i} E‖δ_i‖² + Σ C^e_{ε_i} E‖ε_i‖²."""
    total = kind.number(0)
    for i in range(1, len(levels.e)):
        total = total + c.error_forward[i] * levels.e[i] ** 2
        total = total + c.error_backward[i] * levels.eps[i] ** 2
    return total


def bias_bound(c: SumCoefficients, levels: Levels, kind: Arithmetic) -> Scalar | None:
    """Theorem 2 (23): Σ C^b_δ m² + Σ C̃^b_δ E‖δ‖⁴ + Σ C^b_ε n²; None without fourth moments."""
    total = kind.number(0)
    N = len(levels.e) - 1
    for i in range(1, N + 1):
        if i < N:
            fourth = levels.q[i]
            if fourth is None:
                return None
            total = total + c.bias_forward_mean[i] * levels.m[i] ** 2
            total = total + c.bias_forward_fourth[i] * fourth
        total = total + c.bias_backward_mean[i] * levels.n[i] ** 2
    return total


def _geometric_sums(p: Scalar, N: int, kind: Arithmetic) -> tuple[Scalar, ...]:
    """S_j = Σ_{k=0}^{j} p^k for j = 0..N−1, and a zero at N."""
    sums, power = [kind.number(1)], kind.number(1)
    for _ in range(1, N):
        power = power * p
        sums.append(sums[-1] + power)
    return (*sums, kind.number(0))


def _tails(terms: tuple[Scalar, ...], q: Scalar, zero: Scalar) -> tuple[Scalar, ...]:
    """T_i = Σ_{j=i}^{N−1} terms_j q^{j−i} for i = 0..N, T_N = 0."""
    N = len(terms) - 1
    tails = [zero] * (N + 1)
    for i in range(N - 1, 0, -1):
        tails[i] = terms[i] + q * tails[i + 1]
    return tuple(tails)


def _scaled(factor: Scalar, terms: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return tuple(factor * term for term in terms)
