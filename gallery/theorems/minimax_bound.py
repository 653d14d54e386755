"""Theorem 4.15: the separable bound whose worst ratio over all profiles is least."""

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: Two operators
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
"""

ENTRY = Entry(
    title="The best separable bound for all profiles",
    topic="theorems",
    statement=r"""
Let $C = \mathrm{diag}(G)^{-1/2} \, G \, \mathrm{diag}(G)^{-1/2}$. The smallest worst ratio of a
separable bound to $\zeta^2$ over all profiles is
$$\kappa = \lambda_{\max}(C) ,$$
attained by $D = \lambda_{\max}(C) \, \mathrm{diag}(G)$. For $N = 2$ and all constants 1,
$\zeta_1 = e_1 + \epsilon_2$ and $\zeta_2 = e_1$, so $G$ has the rows $(2, 1)$ and $(1, 1)$ and
$\kappa = 1 + \tfrac{1}{\sqrt 2}$.
""",
    theorem="Theorem 4.15",
    link="theory.md#410-separable-bounds-for-all-profiles",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """D against the closed form, and its validity in fractions."""
    D = bc.coefficients(built(_SPEC), "sharp").separable("minimax") or {}
    forward, backward = value(D["forward:f1"]), value(D["backward:f2"])
    rounded = "the profile is rounded to seven digits before $D$ is computed exactly"
    yield Check(r"$D_{\delta_1}$", forward, 2 + sqrt(2), rel=1e-6, why=rounded)
    yield Check(r"$D_{\varepsilon_2}$", backward, 1 + 1 / sqrt(2), rel=1e-6, why=rounded)
    # zᵀGz ≤ Σ D z² for all z iff (D_1 − 2)(D_2 − 1) ≥ 1 and D_1 ≥ 2.
    yield Check(
        "$(D_1 - 2)(D_2 - 1)$, at least $1$ iff $D$ is valid",
        (Fraction(forward) - 2) * (Fraction(backward) - 1),
        Fraction(1),
        "at least",
    )
