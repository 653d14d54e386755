"""Theorem 4.13: independent forward noise, and the product term that it removes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general, panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Small noise before large noise
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 0}
  operators: [{id: f1}, {id: f2}, {id: f3}]
perturbations:
  - {at: f1, pass: forward, rms: 1/10000, mean: 0, dependence: independent}
  - {at: f2, pass: forward, rms: 1/10, mean: 0, dependence: independent}
"""

ENTRY = Entry(
    title="Independent noise: no product of errors",
    topic="theorems",
    statement=r"""
Let the forward perturbations be independent of each other. Then the product term
$A_{i+1} s_i R_{i+1}$ of $\beta_i$ may be replaced by $A_{i+1} \Lambda_i s_i^2$, with

$$\Lambda_i = \ell_{i+1} (A_{i+2} V_{i+2} + a_{i+2} \Lambda_{i+1}) , \qquad \Lambda_{N-1} = 0 ,$$

and $B_i s_{i-1} R_i$ by $B_i \Lambda_{i-1} s_{i-1}^2$. For $N = 3$, all constants 1 except
$A' = B' = 0$ and $e = (10^{-4}, 10^{-1})$ this takes $\beta^2$ from $2.0 \cdot 10^{-10}$ to
$4.8 \cdot 10^{-16}$.
""",
    theorem="Theorem 4.13",
    link="theory.md#49-refinements",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def by_hand(e1: Fraction, e2: Fraction, *, independent: bool) -> Fraction:
    """β² of three operators with all constants 1 but A′ = B′ = 0, m = 0."""
    s1, s2 = e1, e1 + e2
    mu1, mu2 = Fraction(0), s1**2 / 2
    R2, R1 = s2, s2 + s1  # R_i = R_{i+1} + s_i
    square = s1 * s1 if independent else s1 * R2  # Λ_1 = 1, Λ_2 = 0
    beta2 = mu2
    beta1 = beta2 + square + mu1
    first, second, third = beta1, beta2 + square + mu1, mu2
    del R1
    return first**2 + second**2 + third**2


def checks() -> Iterator[Check]:
    """Exactly, and to the digits that are stated."""
    e1, e2 = Fraction(1, 10**4), Fraction(1, 10)
    graph = built(_SPEC)
    plain, refined = general(graph)[1], general(graph, "independence")[1]
    yield Check(r"$\beta^2$ by Theorem 4.2", plain, by_hand(e1, e2, independent=False))
    yield Check(r"$\beta^2$ by Theorem 4.13", refined, by_hand(e1, e2, independent=True))
    digits = "stated to two digits"
    yield Check("the first, rounded", float(plain), 2.0e-10, rel=0.02, why=digits)
    yield Check("the second, rounded", float(refined), 4.8e-16, rel=0.02, why=digits)


def figure() -> Figure:
    """Both against the size of the first perturbation."""
    drawn, axes = panel("size $e_1$, with $e_2 = 0.1$", r"bound on $\|E[\tilde u-u]\|^2$")
    sizes = [Fraction(1, 10**5) * Fraction(2) ** k for k in range(18)]
    for independent, look, label in ((False, "--", "Theorem 4.2"), (True, "-", "Theorem 4.13")):
        found = [float(by_hand(e, Fraction(1, 10), independent=independent)) for e in sizes]
        axes.loglog(
            [float(e) for e in sizes],
            found,
            look,
            label=label,
            color="#0072B2" if independent else "#D55E00",
        )
    axes.legend()
    return drawn
