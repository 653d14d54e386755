"""On a graph squares do not add edge by edge."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: One coin, two branches
graph:
  operators:
    - {id: stem, constants: {jac_weight: 1}}
    - {id: left, inputs: [stem], constants: {jac_input: 1, hess_input: 0, third_input: 0}}
    - {id: right, inputs: [stem], constants: {jac_input: 1, hess_input: 0, third_input: 0}}
    - {id: join, type: add, inputs: [left, right]}
    - {id: scale, type: bilinear, region: {input: 2, weight: 1}}
perturbations:
  - {at: stem, pass: forward, model: two_point, magnitude: 1}
"""

ENTRY = Entry(
    title="Branches carry the same perturbation",
    topic="counterexamples",
    statement=r"""
Let $y_2 = y_1$, $y_3 = y_1$, $y_4 = y_2 + y_3$ and $\delta_1 = \pm 1$. Then
$$\mathbb{E} \lVert \tilde y_4 - y_4 \rVert^2 = 4 ,$$

while adding squares along the edges, $\sum_u \ell_{v,u}^2 s_u^2$, gives 2. Right is
$(\sum_u \ell_{v,u} s_u)^2$. Backwards the same happens at a node that one perturbed node reaches by
two paths, and for shared weights.
""",
    theorem="Theorem 4.9",
    link="theory.md#48-directed-acyclic-graphs",
    kind="counterexample",
    spec=_SPEC,
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """The instance, the wrong sum, and the bound."""
    instance = sum((Fraction(1, 2) * (coin + coin) ** 2 for coin in (-1, 1)), Fraction(0))
    yield Check("the instance, against squares edge by edge", instance, Fraction(1 + 1), "at least")
    found = bc.coefficients(built(_SPEC), "sharp").error_bound()
    yield Check("the bound of Theorem 4.9, and the instance", value(found), instance)
