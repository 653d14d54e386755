"""Theorem 4.2 is attained by a constant shift."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general, value

_ONES = """
version: 1
name: All constants 1
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 3}]
perturbations: [{at: "f.*", pass: forward, rms: 1, mean: 0}]
"""

ENTRY = Entry(
    title="The mean of the gradient error, attained by a shift",
    topic="theorems",
    statement=r"""
With $\mu_i = a_i \mu_{i-1} + \tfrac12 A_i s_{i-1}^2 + m_i$,
$\beta_i = a_{i+1} \beta_{i+1} + A_{i+1} s_i R_{i+1} + V_{i+1} (A_{i+1} \mu_i + \tfrac12 A'_{i+1}
s_i^2)$ and $\nu_i = a_{i+1} \nu_{i+1} + n_{i+1}$,

$$\lVert \mathbb{E}[\tilde u_i - u_i] \rVert \le b_i (\beta_i + \nu_i) + B_i s_{i-1} R_i
+ V_i \big( B_i \mu_{i-1} + \tfrac12 B'_i s_{i-1}^2 \big) .$$

The shipped chains $f_2 = w y$ and $f_2 = \tfrac12 y^2 + w$ with $\delta_1 = \tfrac14$ move one
gradient by $\tfrac14$ exactly, and the bound is its square.
""",
    theorem="Theorem 4.2",
    link="theory.md#43-means",
    kind="tight",
    spec="separable-erratum",
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """Two chains where the bound is attained, and the values with all constants 1."""
    w, shift = Fraction(1, 2), Fraction(1, 4)
    bilinear = (w * w + shift) - w * w  # ũ_2 − u_2 = ỹ_1 − y_1
    separable = (w + shift) - w  # ũ_1 − u_1 = ∇_1 f_2(ỹ_1) − ∇_1 f_2(y_1), times x = 1
    for name, moved in (("bilinear-erratum", bilinear), ("separable-erratum", separable)):
        found = bc.coefficients(built(name), "sharp")
        says = rf"$\|E[\tilde u - u]\|^2$ of `{name}`"
        yield Check(says, value(found.bias_bound()), moved**2)
    for N, stated in ((2, Fraction(1, 2)), (3, Fraction(225, 4))):
        graph = built(_ONES.replace("repeat: 3", f"repeat: {N}"))
        says = rf"$\beta^2$, $N = {N}$, all constants and $e_j$ 1, zero means"
        yield Check(says, general(graph)[1], stated)
