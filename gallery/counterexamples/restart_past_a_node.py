"""Refinement (iii) on a graph: an edge that passes a node by."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

_SPEC = """
version: 1
name: An edge past a node
graph:
  operators:
    - {id: y1, constants: {jac_weight: 1}}
    - {id: y2, inputs: [y1], constants: {jac_input: 1/10, hess_input: 1, third_input: 0}}
    - id: product
      inputs: [y1, y2]
      constants:
        jac_input: {y1: 1/200, y2: 1/10}
        hess_input: {y1: {y1: 0, y2: 1}, y2: {y1: 1, y2: 0}}
        third_input: 0
perturbations:
  - {at: y1, pass: forward, rms: 1/10, mean: 0, dependence: independent}
"""

ENTRY = Entry(
    title="A Lipschitz constant that sees only one path",
    topic="counterexamples",
    statement=r"""
Let $y_2 = \tfrac12 y_1^2$ and $y_3 = y_1 y_2$ at $y_1 = 0$, $\delta_1 = \pm e$. The adjoint
$\hat v_2 = \tilde y_1$ does not depend on $y_2$ at all, so its Lipschitz constant in the state that
node 2 writes is 0, and yet

$$\mathbb{E}[(\tilde J_{2,1} - J_{2,1}) (\hat v_2 - v_2)]
= \mathbb{E}[\tilde y_1 \cdot \tilde y_1] = e^2 .$$

The edge from 1 to 3 passes node 2 by. What must be followed is every route by which the restarted
pass differs, as $T_v$ of Lemma 4.12 does.
""",
    theorem="Theorem 4.13 on graphs",
    link="theory.md#49-refinements",
    kind="counterexample",
    spec=_SPEC,
    reference=OWN,
)


def bias(e: Fraction) -> Fraction:
    """E ũ_1 with u_1 = 0: ṽ_1 = ỹ_1 ṽ_2 + ỹ_2, ṽ_2 = ỹ_1."""
    return sum((Fraction(1, 2) * (y * y + y * y / 2) for y in (-e, e)), Fraction(0))


def checks() -> Iterator[Check]:
    """The instance, what the short form would give, and what holds."""
    e = Fraction(1, 10)
    yield Check("the mean of $\\tilde u_1 - u_1$", bias(e), Fraction(3, 2) * e**2)
    # a β_2 + 0 · s + V_2 · mean drift + mean of ỹ_2, all of it but the product: 0 + 0 + 0 + ½ e²
    short = (e**2 / 2) ** 2
    yield Check(
        "its square, against the short form without the product", bias(e) ** 2, short, "at least"
    )
    sound = general(built(_SPEC), "independence", "mean cap", "saturation", "superposition")[1]
    yield Check("the bound of `sharp` on it", sound, bias(e) ** 2, "at least")
