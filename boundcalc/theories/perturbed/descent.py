"""The shape of each family's convergence statements, as numbers.

One function per regime in :mod:`boundcalc.rates.statements` is written over them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Descent:
    """Shape of a family's convergence statements (docs/theory.md, section 6).

    Attributes
    ----------
    limit
        k in the step-size limit γ ≤ 1/(kL).
    gap, noise, error, bias
        Factors of Δ₀/(γT), Lγσ², Lγ·E‖ũ−u‖² and ‖E_t[ũ−u]‖² in the nonconvex bound.
    contraction
        c in the PL contraction 1 − cμγ.
    pl_noise
        Factor of Lγσ²/μ in the PL bound, or None when noise is summed step by step.
    pl_error, pl_bias
        Factors of Lγ²·E‖ũ−u‖² and γ·‖E_t[ũ−u]‖² in the PL sum.
    lag
        The exponent of the sum is T − lag − t.
    splits_variance
        Whether the error enters through Var(g̃) (sharp) or beside σ² (published).
    nonconvex_source, pl_source
        Where the statements come from.
    """

    limit: int
    gap: int
    noise: int
    error: int
    bias: int
    contraction: tuple[int, int]
    pl_noise: int | None
    pl_error: tuple[int, int]
    pl_bias: tuple[int, int]
    lag: int
    splits_variance: bool
    nonconvex_source: str
    pl_source: str


#: [KZY], Theorems 3 to 5, as printed.
PUBLISHED = Descent(
    limit=3,
    gap=6,
    noise=6,
    error=6,
    bias=3,
    contraction=(1, 3),
    pl_noise=3,
    pl_error=(1, 1),
    pl_bias=(1, 2),
    lag=0,
    splits_variance=False,
    nonconvex_source="[KZY], Theorems 3 and 4, (34) and (37)",
    pl_source="[KZY], Theorem 5, (38)",
)

#: The same with the exponent that unrolling gives (E5).
CORRECTED = replace(PUBLISHED, lag=1, pl_source=f"{PUBLISHED.pl_source}, with exponent T−1−t (E5)")

#: docs/theory.md, Theorems 6.1 and 6.2.
SHARP = Descent(
    limit=1,
    gap=2,
    noise=1,
    error=1,
    bias=1,
    contraction=(1, 1),
    pl_noise=None,
    pl_error=(1, 2),
    pl_bias=(1, 2),
    lag=1,
    splits_variance=True,
    nonconvex_source="docs/theory.md, Theorem 6.1",
    pl_source="docs/theory.md, Theorem 6.2",
)
