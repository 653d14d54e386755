"""Theorem 4.17 on a graph: one perturbed node at a time."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

_SPEC = """
version: 1
name: Two branches, two coins
graph:
  operators:
    - {id: stem, constants: {jac_weight: 1}}
    - {id: left, inputs: [stem], constants: {jac_input: 1/10, hess_input: 1, third_input: 0}}
    - {id: right, inputs: [stem], constants: {jac_input: 1/10, hess_input: 1, third_input: 0}}
    - id: product
      inputs: [left, right]
      constants:
        jac_input: {left: 1, right: 1}
        hess_input: {left: {left: 0, right: 1}, right: {left: 1, right: 0}}
        third_input: 0
perturbations:
  - {at: stem, pass: forward, rms: 1/1000, mean: 0}
  - {at: left, pass: forward, rms: 1/2, mean: 0}
"""

ENTRY = Entry(
    title="Superposition on a graph",
    topic="theorems",
    statement=r"""
Let $F_{vk}(q, m)$ be the bound of Theorem 4.8 on the mean of the error of $u_v$ when only
$\delta_k$ is not zero, with $q = \mathbb{E} \lVert \delta_k \rVert^2$ and $m = \lVert \mathbb{E}
\delta_k \rVert$. Then for arbitrary perturbations and every group $g$

$$\lVert \mathbb{E}[\tilde u_g - u_g] \rVert \le \sum_{v \in g} \Big( b_v \nu_v
+ \sum_k F_{vk}(e_k^2, m_k) \Big) .$$

Here the large $\delta$ at the left branch has no curvature after it, so alone it leaves no bias,
and its product with the small one at the stem is never met.
""",
    theorem="Theorem 4.17",
    link="theory.md#411-superposition",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def alone(e: Fraction) -> Fraction:
    """F at the stem: Theorem 4.8 with δ_1 alone and m = 0, edge by edge."""
    s, a = e, Fraction(1, 10)  # s_2 = s_3 = a s
    mu = s**2 / 2  # μ_2 = μ_3
    drift = a * s  # of either Jacobian of the product, A = 1; V_2 = V_3 = 1
    R, beta = drift, mu
    return 2 * (a * beta + s * R)  # both branches; the mean drift of the branches is A μ_1 = 0


def checks() -> Iterator[Check]:
    """Superposed, plain, and each perturbation alone."""
    e = Fraction(1, 1000)
    graph = built(_SPEC)
    superposed = general(graph, "superposition")[1]
    yield Check(r"$\beta^2$, superposed", superposed, alone(e) ** 2)
    yield Check("at most the bound of Theorem 4.8", superposed, general(graph)[1], "at most")
    only = built(_SPEC[: _SPEC.index("  - {at: left, pass")])
    yield Check("the perturbation at the stem alone", general(only)[1], alone(e) ** 2)
    large = _SPEC.replace("  - {at: stem, pass: forward, rms: 1/1000, mean: 0}\n", "")
    yield Check("the one at the left branch alone", general(built(large))[1], Fraction(0))
