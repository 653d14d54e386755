"""Theorem 4.14: conditional moments that are bounded almost surely."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

_SPEC = """
version: 1
name: Conditional moments
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 0}
  operators: [{id: f1}, {id: f2}, {id: f3}]
perturbations:
  - {at: f1, pass: forward, rms: 1/10000, mean: 0, dependence: conditional}
  - {at: f2, pass: forward, rms: 1/10, mean: 1/1000, dependence: conditional}
"""

ENTRY = Entry(
    title="Dependent noise with bounded conditional moments",
    topic="theorems",
    statement=r"""
Let $\mathbb{E}[\lVert \delta_j \rVert^2 \mid \delta_1, \dots, \delta_{j-1}] \le e_j^2$ and
$\lVert \mathbb{E}[\delta_j \mid \delta_1, \dots, \delta_{j-1}] \rVert \le m_j$ almost surely. Then
the product term $D R_v$ of the means may be replaced by
$$D \, T_v + D \, \beta_v ,$$
on a chain $A_{i+1} s_i R_{i+1}$ by $A_{i+1} \Lambda_i s_i^2 + A_{i+1} s_i \beta_{i+1}$. Conditional
means need not vanish.
""",
    theorem="Theorem 4.14",
    link="theory.md#49-refinements",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def by_hand(e1: Fraction, e2: Fraction, m2: Fraction) -> Fraction:
    """β² of three operators with all constants 1 but A′ = B′ = 0, m_1 = 0."""
    s1 = e1
    mu2 = s1**2 / 2 + m2
    beta2 = mu2
    product = min(s1 * (e1 + e2), s1 * s1 + s1 * beta2)  # Λ_1 = 1; R_2 = s_2
    beta1 = beta2 + product
    return beta1**2 + (beta2 + product) ** 2 + mu2**2


def checks() -> Iterator[Check]:
    """The spec, and a case in which Cauchy-Schwarz is the smaller one."""
    e1, e2, m2 = Fraction(1, 10**4), Fraction(1, 10), Fraction(1, 1000)
    graph = built(_SPEC)
    yield Check(r"$\beta^2$ by Theorem 4.14", general(graph, "conditional")[1], by_hand(e1, e2, m2))
    yield Check(
        "which is less than by Theorem 4.2",
        general(graph, "conditional")[1],
        general(graph)[1],
        "at most",
    )
    large = built(_SPEC.replace("1/10000", "4").replace("mean: 1/1000", "mean: 1/20"))
    yield Check(
        r"the same for $e_1 = 4$, $m_2 = 1/20$",
        general(large, "conditional")[1],
        by_hand(Fraction(4), Fraction(1, 10), Fraction(1, 20)),
    )
