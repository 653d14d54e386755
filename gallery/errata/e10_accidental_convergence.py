"""E10: an example in which plain gradient descent converges by accident."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import KZY
from gallery.tools import panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="E10: an example that converges by accident",
    topic="errata",
    statement=r"""
Appendix A.3: $\ell = \tfrac12 \lVert A w \rVert^2$ with $A$ of rows $(-15, 13)$, $(-5, 9)$,
$\gamma = 0.1$, from $(s, s)$; gradient descent "converges", with Top-1 compression it does not. But
$A^{\top} A$ has the eigenvalues 10 and 490, so

$$\gamma = 0.1 > \frac{2}{490} ,$$

and $(s, s)$ lies on the eigenvector of 10, where one step lands on 0. From $(1, 1 + 10^{-9})$ the
part along $(1, -1)$ grows by $-48$ in each step. The example with momentum is sound.
""",
    theorem="[KZY] Appendix A.3, erratum E10",
    link="errata.md#e10-an-example-that-converges-by-accident",
    kind="counterexample",
    reference=KZY,
)


def path(start: tuple[Fraction, Fraction], steps: int) -> list[Fraction]:
    """‖w_t‖∞ of w ← w − (1/10) AᵀA w in fractions; AᵀA has the rows (250, −240), (−240, 250)."""
    a, b = start
    found = [max(abs(a), abs(b))]
    for _ in range(steps):
        a, b = a - (250 * a - 240 * b) / 10, b - (250 * b - 240 * a) / 10
        found.append(max(abs(a), abs(b)))
    return found


def checks() -> Iterator[Check]:
    """The evidence, and both paths by hand."""
    beside = path((Fraction(1), 1 + Fraction(1, 10**9)), 20)
    yield Check(
        "after one step from $(1, 1)$", path((Fraction(1), Fraction(1)), 1)[-1], Fraction(0)
    )
    yield from compared(
        "E10",
        {
            "‖w₂₀‖ uncompressed, from (1, 1 + 10⁻⁹)": beside[-1],
            "momentum: ‖w₄₀₀‖ uncompressed, from (1, 1)": 8.662e-10,
            "momentum: ‖w₄₀₀‖ with Top-1, from (1, 1)": 628.7,
        },
        digits=4,
    )
    # ½ · 10⁻⁹ · 48²⁰ along each axis; the part along (1, 1) is 0 after one step.
    yield Check("after 20 steps from beside it", beside[-1], Fraction(48**20, 2 * 10**9))


def figure() -> Figure:
    """The two paths."""
    drawn, axes = panel("step", r"$\|w_t\|_\infty$")
    beside = [float(x) for x in path((Fraction(1), 1 + Fraction(1, 10**9)), 12)]
    axes.semilogy(beside, "o-", color="#D55E00", label=r"from $(1, 1 + 10^{-9})$")
    axes.semilogy([0], [1.0], "s", color="#0072B2", label="from $(1, 1)$: 0 after one step")
    axes.legend()
    return drawn
