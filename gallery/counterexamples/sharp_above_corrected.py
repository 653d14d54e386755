"""Without superposition the sharp bias bound can exceed the corrected one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, general, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Small before large
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 0}
  operators: [{id: f1}, {id: f2}, {id: f3}]
perturbations:
  - {at: f1, pass: forward, rms: 1/10000, mean: 0, fourth: 1/10000}
  - {at: f2, pass: forward, rms: 1/10, mean: 0, fourth: 1/10}
"""

ENTRY = Entry(
    title="A product of errors can exceed the printed sum",
    topic="counterexamples",
    statement=r"""
The bias bound of Theorem 4.2 contains the product $A_{i+1} s_i R_{i+1}$ of errors from different
operators. For $N = 3$, all constants 1 except $A' = B' = 0$ and $e = (10^{-4}, 10^{-1})$

$$\beta^2 = 2.0 \cdot 10^{-10} > 8.3 \cdot 10^{-14} ,$$

the latter by the corrected formula, $832 e_1^4$. Superposition, which meets no such product, gives
$4.75 \cdot 10^{-16}$, and is the smaller one always (Theorem 4.20).
""",
    theorem="Proposition 4.6, remark",
    link="theory.md#47-the-printed-error-coefficients-follow",
    kind="counterexample",
    spec=_SPEC,
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The three bounds; by the sums the corrected one is 8 · 8 · S_2 e_1⁴, S_2 = 13."""
    graph, e = built(_SPEC), Fraction(1, 10**4)
    corrected = value(bc.coefficients(graph, "corrected").bias_bound())
    yield Check("the corrected bound", corrected, 8 * 8 * 13 * e**4)
    plain = general(graph)[1]
    yield Check(
        "the bound of Theorem 4.2", float(plain), 2.0e-10, rel=0.02, why="stated to two digits"
    )
    yield Check("which is above the corrected one", plain, corrected, "at least")
    superposed = general(graph, "superposition")[1]
    # rows: 3/2, 3/2 and 1/2 times e_1²
    yield Check("by superposition", superposed, Fraction(9 + 9 + 1, 4) * e**4)


def figure() -> Figure:
    """The three against e_1."""
    drawn, axes = panel("size $e_1$, with $e_2 = 0.1$", r"bound on $\|E[\tilde u-u]\|^2$")
    sizes = [Fraction(2) ** k / 10**5 for k in range(14)]
    graphs = [built(_SPEC.replace("1/10000", str(e))) for e in sizes]
    x = [float(e) for e in sizes]
    axes.loglog(x, [832 * e**4 for e in x], "--", color="#D55E00", label="corrected")
    axes.loglog(
        x, [float(general(g)[1]) for g in graphs], ":", color="#000000", label="Theorem 4.2"
    )
    axes.loglog(
        x,
        [float(general(g, "superposition")[1]) for g in graphs],
        color="#0072B2",
        label="superposition",
    )
    axes.legend()
    return drawn
