"""Every erratum of docs/errata.md, by its number."""

from __future__ import annotations

from boundcalc.errata.bias_coefficients import (
    curvature_constant,
    jacobian_difference,
    leading_coefficient,
)
from boundcalc.errata.conditional_means import conditional_means
from boundcalc.errata.evidence import FALSE, GAP, LOOSE, MISPRINT, OPEN, Erratum
from boundcalc.errata.geometric_sum import order_of_the_sum
from boundcalc.errata.lost_factor import lost_factor
from boundcalc.errata.orders import corollary, reversed_sentence
from boundcalc.errata.staleness import dropped_factor, moved_steps, wrong_sign
from boundcalc.errata.top_one import top_one
from boundcalc.errata.unrolling import exponent

_XHH = "Xu, Huo, Huang"

_ALL = (
    Erratum(
        "E1",
        "(33a)",
        "prints L_∇²f where the derivation (32) gives C_∇²f",
        FALSE,
        "A chain of two operators with L_∇²f = 0 is enumerated exactly; its bias is held against "
        "(23) with the printed and with the corrected coefficient.",
        leading_coefficient,
    ),
    Erratum(
        "E2",
        "Assumption 3",
        "bounds only ∇²₂₁, but (28) uses the same bound for ∇²₁₁",
        FALSE,
        "A chain of two operators with ∇²₂₁ = 0 and ∇²₁₁ = 1 is enumerated exactly; its bias is "
        "held against (23) as printed, with either correction alone, and with both.",
        curvature_constant,
    ),
    Erratum(
        "E3",
        "(20), (21)",
        "the factor 2 of (19) is dropped from C^e_ε",
        GAP,
        "The sharp bound is compared with the printed one as quadratic forms: the largest "
        "eigenvalue is enclosed in exact fractions at points, and bounded for all constants at "
        "once on intervals that cover them. Proposition 4.6 proves it for every N.",
        lost_factor,
    ),
    Erratum(
        "E4",
        "(22), (28), (29)",
        "conditions on more than the proof may know; a product of dependent factors is split",
        GAP,
        "Conditional means and products are enumerated exactly. The corrected bound itself "
        "follows from superposition (docs/theory.md, Theorem 4.20), for means given the past and "
        "regions that the operators do not leave; that is compared in exact fractions.",
        conditional_means,
    ),
    Erratum(
        "E5",
        "(38), (41)",
        "exponent T−t where unrolling (40) gives T−1−t",
        GAP,
        "The recursions are unrolled in exact fractions, and (38) is held against the exact "
        "expected loss of quadratics. Lemma 6.5 of docs/theory.md proves it.",
        exponent,
    ),
    Erratum(
        "E6",
        "below (48)",
        "Σ_t (1−lnT/T)^(T−t) is Θ(T/lnT), not at most lnT/T",
        FALSE,
        "The sum is enclosed in intervals by its closed form and term by term.",
        order_of_the_sum,
    ),
    Erratum(
        "E7",
        "section 5.3",
        "“weaker constraints on δ than on ε” is the wrong way round",
        MISPRINT,
        "The powers with which a perturbation enters the bounds are found by doubling it; the "
        "orders in T follow.",
        reversed_sentence,
    ),
    Erratum(
        "E8",
        "Corollary 3",
        "substitutes into (37), means (38)",
        MISPRINT,
        "Both bounds are enclosed in intervals at the step size of the corollary and divided by "
        "its rate.",
        corollary,
    ),
    Erratum(
        "E9",
        "(14)",
        "L_∇²f in the last step, means L_∇f",
        MISPRINT,
        "The error of the chain of E1 is held against (13) with either constant.",
        jacobian_difference,
    ),
    Erratum(
        "E10",
        "Appendix A.3, SGD",
        "the uncompressed run only seems to converge: the step is above 2/L and the start "
        "lies on an eigenvector",
        FALSE,
        "Both cases of the appendix are iterated in exact fractions. A state from which Top-1 "
        "with momentum grows for ever is enclosed in intervals.",
        top_one,
    ),
    Erratum(
        "E11",
        f"{_XHH}, App. E, last display",
        "sign: means f(x⁰) − f*",
        MISPRINT,
        "Gradient descent on a quadratic without noise or delay, exactly.",
        wrong_sign,
    ),
    Erratum(
        "E12",
        f"{_XHH}, Theorem 1",
        "the K in KΔt² can be dropped",
        LOOSE,
        "The step of the proof that loses K is enumerated exactly, and both factors are enclosed. "
        "The theorem with the smaller factor is not tested here.",
        dropped_factor,
    ),
    Erratum(
        "E13",
        f"{_XHH}, Theorem 1, Cor. 2",
        "the proof needs non-increasing step sizes",
        OPEN,
        "The inequality that the proof uses is evaluated exactly for increasing, constant and "
        "decreasing steps. Whether the statement holds for increasing ones is not settled.",
        moved_steps,
    ),
)

#: Number → erratum, in order.
ERRATA: dict[str, Erratum] = {erratum.id: erratum for erratum in _ALL}
