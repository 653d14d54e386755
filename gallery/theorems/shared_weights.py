"""Shared weights: the bounds of the nodes are added before they are squared."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: One weight at two nodes
graph:
  operators:
    - {id: f1, type: bilinear, weights: both, region: {input: 1, weight: 1}}
    - {id: f2, type: bilinear, weights: both, region: {input: 5/4, weight: 1}}
perturbations:
  - {at: f1, pass: forward, model: constant, value: 1/4}
  - {at: f2, pass: backward, model: constant, value: 1/8}
"""

ENTRY = Entry(
    title="Shared weights add before they are squared",
    topic="theorems",
    statement=r"""
For a group $g$ of nodes with the same weights $\tilde u_g = \sum_{v \in g} \tilde u_v$, and

$$\mathrm{rms}(\tilde u_g - u_g) \le \sum_{v \in g} \big( b_v (R_v + h_v) + D^w_v V_v \big) .$$

Here $y_2 = w \cdot w x$ with one weight $w = 1$ at $x = 1$, $\delta_1 = \tfrac14$ and
$\varepsilon_2 = \tfrac18$: the two nodes' gradients move by $\tfrac18$ and by $\tfrac14$, in the
same direction, and the bound is the square of the sum.
""",
    theorem="Theorem 4.7",
    link="theory.md#48-directed-acyclic-graphs",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """Tied, and with two weights of their own."""
    first = Fraction(1) * (1 + Fraction(1, 8)) - 1  # x ṽ_1 − x v_1
    second = Fraction(1) + Fraction(1, 4) - 1  # ỹ_1 − y_1
    tied = bc.coefficients(built(_SPEC), "sharp").error_bound()
    yield Check(r"$E\|\tilde u - u\|^2$, one weight", value(tied), (first + second) ** 2)
    apart = bc.coefficients(built(_SPEC.replace("weights: both, ", "")), "sharp").error_bound()
    yield Check("the same, two weights", value(apart), first**2 + second**2)
