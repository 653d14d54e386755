"""What is wrong in print, as a list (docs/theory.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Erratum:
    """One erratum.

    Attributes
    ----------
    id, where, what
        Its number, the place in print, and what is wrong there.
    status
        ``false as printed``, ``proof gap, statement survives``, ``proof gap, open``,
        ``loose`` or ``misprint``.
    """

    id: str
    where: str
    what: str
    status: str


FALSE = "false as printed"
GAP = "proof gap, statement survives"
OPEN = "proof gap, open"
LOOSE = "loose"
MISPRINT = "misprint"

_XHH = "Xu, Huo, Huang"

ERRATA: tuple[Erratum, ...] = (
    Erratum("E1", "(33a)", "prints L_∇²f where the derivation (32) gives C_∇²f", FALSE),
    Erratum("E2", "Assumption 3", "bounds only ∇²₂₁, but (28) uses the same bound for ∇²₁₁", FALSE),
    Erratum("E3", "(20), (21)", "the factor 2 of (19) is dropped from C^e_ε", GAP),
    Erratum(
        "E4",
        "(22), (28), (29)",
        "conditions on more than the proof may know; a product of dependent factors is split",
        OPEN,
    ),
    Erratum("E5", "(38), (41)", "exponent T−t where unrolling (40) gives T−1−t", GAP),
    Erratum("E6", "below (48)", "Σ_t (1−lnT/T)^{T−t} is Θ(T/lnT), not at most lnT/T", FALSE),
    Erratum(
        "E7", "section 5.3", "“weaker constraints on δ than on ε” is the wrong way round", MISPRINT
    ),
    Erratum("E8", "Corollary 3", "substitutes into (37), means (38)", MISPRINT),
    Erratum("E9", "(14)", "L_∇²f in the last step, means L_∇f", MISPRINT),
    Erratum(
        "E10",
        "Appendix A.3, SGD",
        "the uncompressed run only seems to converge: the step is above 2/L and the start "
        "lies on an eigenvector",
        FALSE,
    ),
    Erratum("E11", f"{_XHH}, App. E, last display", "sign: means f(x⁰) − f*", MISPRINT),
    Erratum("E12", f"{_XHH}, Theorem 1", "the K in KΔt² can be dropped", LOOSE),
    Erratum("E13", f"{_XHH}, Theorem 1, Cor. 2", "the proof needs non-increasing step sizes", GAP),
)
