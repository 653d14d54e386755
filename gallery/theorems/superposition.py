"""Theorem 4.18: the effects of single perturbations added up."""

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
name: Superposition
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 5}]
perturbations: [{at: "f.*", pass: forward, rms: 1/1000000, mean: 0, fourth: 1/1000000}]
"""

ENTRY = Entry(
    title="Superposition: one perturbation at a time",
    topic="theorems",
    statement=r"""
Switch the forward perturbations on one after the other: what one of them changes is the error of a
pass in which it is the only one. So, whatever they depend on,

$$\lVert \mathbb{E}[\tilde u_i - u_i] \rVert \le b_i \nu_i + \sum_k \big( \Lambda_{ik} m_k
+ \tfrac12 \kappa_{ik} e_k^2 \big) .$$

With all constants 1, zero means and $e_j = e \to 0$, $\beta^2/e^4$ is $1/2$, $81/4$, $4873/4$ and
$213609$ for $N = 2, 3, 5, 10$; Theorem 4.2 gives $1/2$, $225/4$, $11131.25$ and $8.82 \cdot 10^6$.
""",
    theorem="Theorem 4.18",
    link="theory.md#411-superposition",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)
_SIZE = Fraction(1, 10**6)


def over_fourth(N: int, *refinements: str) -> Fraction:
    """β²/e⁴."""
    graph = built(_SPEC.replace("repeat: 5", f"repeat: {N}"))
    return general(graph, *refinements)[1] / _SIZE**4


def checks() -> Iterator[Check]:
    """The table of the theory page."""
    table = (
        (2, Fraction(1, 2)),
        (3, Fraction(81, 4)),
        (5, Fraction(4873, 4)),
        (10, Fraction(213609)),
    )
    for N, stated in table:
        yield Check(
            rf"$\beta^2/e^4$ by superposition, $N = {N}$", over_fourth(N, "superposition"), stated
        )
    for N, plain in ((2, Fraction(1, 2)), (3, Fraction(225, 4)), (5, Fraction(44525, 4))):
        yield Check(rf"the same by Theorem 4.2, $N = {N}$", over_fourth(N), plain)
    says = "the same by Theorem 4.2, $N = 10$"
    yield Check(says, float(over_fourth(10)), 8.82e6, rel=0.005, why="stated to 3 digits")


def figure() -> Figure:
    """Both against the number of operators."""
    drawn, axes = panel("operators $N$", r"bound on $\|E[\tilde u-u]\|^2$, over $e^4$")
    depths = range(2, 25)
    plain = [float(over_fourth(N)) for N in depths]
    axes.semilogy(depths, plain, "--", color="#D55E00", label="Theorem 4.2")
    refined = [float(over_fourth(N, "superposition")) for N in depths]
    axes.semilogy(depths, refined, color="#0072B2", label="superposition")
    axes.legend()
    return drawn
