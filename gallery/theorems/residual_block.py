"""A residual block adds the constants of its two edges."""

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
name: Residual blocks
graph:
  operators:
    - {id: stem, constants: {jac_weight: 1}}
    - id: res
      repeat: 6
      block:
        - {id: branch, constants: {jac_input: 1/10, hess_input: 0, third_input: 0}}
        - {id: skip, type: add, inputs: [input, branch]}
    - {id: loss, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
perturbations: [{at: loss, pass: backward, rms: 1}]
"""

ENTRY = Entry(
    title="Residual blocks: edges add, they do not multiply",
    topic="theorems",
    statement=r"""
For a block $y \mapsto y + g(y)$ with $\lVert \nabla g \rVert \le a$ the two edges meet at one
node, so
$$V_u = (1 + a) V_v ,$$
and a unit backward perturbation at the loss moves the gradient of a weight in front of $n$ blocks
by at most $b (1 + a)^n$. Attained where $\nabla g = a$.
""",
    theorem="Theorem 4.7",
    link="theory.md#48-directed-acyclic-graphs",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)


def through(blocks: int, a: Fraction) -> Fraction:
    """ε = 1 sent back through the blocks: the shift of the stem's gradient, squared."""
    shift = Fraction(1)
    for _ in range(blocks):
        shift = shift + a * shift  # by the skip, and by the branch
    return shift**2


def checks() -> Iterator[Check]:
    """A few depths and branch sizes."""
    for blocks, a in ((1, "1/10"), (6, "1/10"), (6, "1"), (20, "1/4")):
        graph = built(_SPEC.replace("repeat: 6", f"repeat: {blocks}").replace("1/10", a))
        says = rf"$\zeta^2$, {blocks} blocks, $a = {a}$"
        yield Check(says, general(graph)[0], through(blocks, Fraction(a)))


def figure() -> Figure:
    """Residual blocks against a plain chain of the same branches."""
    drawn, axes = panel("blocks $n$", r"$\sqrt{\zeta^2}$")
    depths = list(range(1, 25))
    for a, line in ((Fraction(1, 10), "-"), (Fraction(1, 4), "--")):
        axes.semilogy(
            depths,
            [float(1 + a) ** n for n in depths],
            line,
            color="#0072B2",
            label=f"residual, $a = {float(a)}$",
        )
        axes.semilogy(
            depths,
            [float(a) ** n for n in depths],
            line,
            color="#D55E00",
            label=f"chain, $a = {float(a)}$",
        )
    axes.set_ylim(1e-12, 1e4)
    axes.legend(ncols=2, fontsize=9)
    return drawn
