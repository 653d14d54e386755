"""Residual blocks: edge constants are added, not multiplied."""

from collections.abc import Iterator
from fractions import Fraction
from math import exp
from typing import TYPE_CHECKING, Any

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: Residual blocks with small branches
graph:
  operators:
    - {id: stem, constants: {jac_weight: 1}}
    - id: res
      repeat: 8
      block:
        - {id: branch, constants: {jac_input: 1/8, hess_input: 1/8, third_input: 0}}
        - {id: skip, type: add, inputs: [input, branch]}
    - {id: loss, constants: {jac_input: 1, hess_input: 1, third_input: 0}}
perturbations:
  - {at: stem, pass: forward, rms: 1/10, mean: 0}
"""

ENTRY = Entry(
    title="Residual blocks: small branches keep depth harmless",
    topic="networks",
    statement=r"""
On a block $y + g(y)$ the constants of its two edges are added: a branch with
$\lVert g'\rVert \le c$ gives $s \mapsto (1+c)s$ and $V \mapsto (1+c)V$. After $n$ blocks with
$c = 1/n$ neither has grown by more than the factor $(1+1/n)^n < e$. With the curvature $c$ of
every branch, and 1 of the loss, the error that a forward perturbation of size $\epsilon$ of the
stem makes in the stem's gradient is at most

$$\epsilon\bigl((1+c)^{2n} + (1+c)^{2n-1} - (1+c)^{n-1}\bigr) ,$$

the sum of the recurrences of Theorem 4.7. For $c = 1/n$ it stays below $\epsilon(2e^2 - e)$ at
every depth; for a fixed $c$ it grows exponentially.
""",
    theorem="docs/theory.md, Theorem 4.7",
    link="theory.md#48-directed-acyclic-graphs",
    kind="exact",
    reference="Residual networks: K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for "
    "image recognition, CVPR 2016, arXiv:1512.03385.",
    spec=SPEC,
)


def squared(n: int, c: Fraction) -> Any:
    """ζ² of n blocks with branches of size c."""
    text = SPEC.replace("repeat: 8", f"repeat: {n}").replace("1/8", str(c))
    return bc.coefficients(bc.build(bc.loads(text))).error_bound().value


def checks() -> Iterator[Check]:
    """The bound at several depths, and its limit."""
    for n in (1, 2, 8, 64):
        c = Fraction(1, n)
        keep = 1 + c
        stated = (keep ** (2 * n) + keep ** (2 * n - 1) - keep ** (n - 1)) / 10
        found = squared(n, c)
        if isinstance(found, Fraction):
            yield Check(f"{n} blocks, $c = 1/{n}$: squared bound", found, stated**2)
        else:
            yield Check(
                f"{n} blocks, $c = 1/{n}$: squared bound", float(found), stated**2, rel=1e-12
            )
    limit = (2 * exp(2) - exp(1)) / 10
    yield Check("64 blocks: below the limit for large $n$", float(found) ** 0.5, limit, "at most")


def figure() -> "Figure":
    """The bound against depth for three sizes of the branch."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        depths = [1, 2, 4, 8, 16]
        tenth, one = Fraction(1, 10), Fraction(1)
        panel.loglog(
            depths,
            [float(squared(n, one)) ** 0.5 for n in depths],
            "s--",
            color=LOOKS["published"].colour,
            label="$c = 1$",
        )
        panel.loglog(
            depths,
            [float(squared(n, tenth)) ** 0.5 for n in depths],
            "^:",
            color=OBSERVED,
            label="$c = 1/10$",
        )
        panel.loglog(
            depths,
            [float(squared(n, Fraction(1, n))) ** 0.5 for n in depths],
            "o-",
            color=LOOKS["sharp"].colour,
            label="$c = 1/n$",
        )
        panel.set_ylim(0.05, 1e4)
        panel.set_xlabel("blocks $n$")
        panel.set_ylabel("bound on the error")
        panel.legend()
    return found
