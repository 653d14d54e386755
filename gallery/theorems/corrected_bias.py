"""Theorem 4.20: the corrected bias statement is true, with room to spare."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, general, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Corrected against superposed
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 5}]
perturbations: [{at: "f.*", pass: forward, rms: 1/1000, mean: 0, fourth: 1/1000}]
"""

ENTRY = Entry(
    title="The corrected bias statement holds",
    topic="theorems",
    statement=r"""
Let $C_{\nabla^2 f}$ bound both second derivatives (E2), take it in (33a) (E1), and read means as
conditional on the past. For arbitrary perturbations

$$\lVert \mathbb{E}[\tilde u - u] \rVert^2 \le \frac{41}{84} \Big[ \sum_i C^b_{\delta_i} m_i^2
+ \sum_i \tilde C^b_{\delta_i} (\mathbb{E} \lVert \delta_i \rVert^2)^2
+ \sum_i C^b_{\varepsilon_{i+1}} n_{i+1}^2 \Big] ,$$

and with $\tfrac{1}{14}$ in place of $\tfrac{41}{84}$ if all conditional means vanish.
""",
    theorem="Theorem 4.20",
    link="theory.md#412-the-corrected-bias-statement",
    kind="upper",
    spec=_SPEC,
    command="compile --family corrected",
    reference=KZY,
)


def quotient(N: int, jac: str, hess: str, third: str) -> Fraction:
    """The superposed bound over the corrected one, zero means."""
    uniform = f"jac: {jac}, lip: {jac}, hess: {hess}, hess_op: {hess}, third: {third}"
    text = _SPEC.replace("jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1", uniform)
    graph = built(text.replace("repeat: 5", f"repeat: {N}"))
    corrected = Fraction(value(bc.coefficients(graph, "corrected").bias_bound()))
    return general(graph, "superposition")[1] / corrected


def checks() -> Iterator[Check]:
    """The corrected values with all constants 1, and 1/14 over a grid."""
    for N, stated in ((2, 64), (3, 2768)):
        graph = built(_SPEC.replace("repeat: 5", f"repeat: {N}"))
        found = Fraction(value(bc.coefficients(graph, "corrected").bias_bound()))
        yield Check(rf"corrected bound over $e^4$, $N = {N}$", found * 10**12, Fraction(stated))
    for N, jac, hess, third in product((3, 6), ("1/100", "1", "10"), ("1/100", "1"), ("0", "1")):
        says = f"sharp over corrected, $N = {N}$, $C = {jac}$, curvature {hess}, third {third}"
        yield Check(says, quotient(N, jac, hess, third), Fraction(1, 14), "at most")
    # The slack is 14 at least and 51.2 at most: as C → 0 with L_∇²f e_2² = 4 e_1² row 3 alone
    # counts, (½ e_1² + ½ L_∇²f e_2²)² against 64 e_1⁴ + 16 L_∇²f² e_2⁴.
    last = _SPEC[_SPEC.index("pert") :]
    two = "perturbations:\n" + "".join(
        f"  - {{at: f.{k}, pass: forward, rms: {e}, mean: 0, fourth: {e}}}\n"
        for k, e in ((1, "1/1000"), (2, "1/10"))
    )
    text = (
        _SPEC.replace(last, two)
        .replace("repeat: 5", "repeat: 3")
        .replace("third: 1", "third: 1/2500")
    )
    graph = built(text.replace("jac: 1, lip: 1", "jac: 1/100000, lip: 1/100000"))
    corrected = Fraction(value(bc.coefficients(graph, "corrected").bias_bound()))
    yield Check(
        "sharp over corrected, $N = 3$, $C \\to 0$",
        float(general(graph, "superposition")[1] / corrected),
        5 / 256,
        rel=1e-3,
        why="the limit, at $C = 10^{-5}$",
    )


def figure() -> Figure:
    """The quotient against the Jacobians' bound."""
    drawn, axes = panel(r"$C_{\nabla f}$", "sharp over corrected bias bound")
    grid = [2.0 ** (k / 2) for k in range(-12, 9)]
    for N, line in ((3, "-"), (6, "--"), (12, ":")):
        found = [float(quotient(N, f"{C:.6f}", "1", "1")) for C in grid]
        axes.loglog(grid, found, line, color="#0072B2", label=f"$N = {N}$")
    axes.axhline(1 / 14, color="#D55E00", linewidth=1, label="1/14, proved")
    axes.legend()
    return drawn
