"""The printed error bound grows exponentially with depth, the sharp one polynomially."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, general, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Growth with depth
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 10}]
perturbations: [{at: "f.*", pass: forward, rms: 1}]
"""

ENTRY = Entry(
    title="Exponential in print, polynomial in truth",
    topic="theorems",
    statement=r"""
All constants 1, $\mathrm{rms}(\delta_j) = 1$ for $j < N$, no backward perturbation. Theorem 4.1
reads
$$\zeta^2 = \sum_{i=1}^{N} \Big( \sum_{j=i-1}^{N-1} j \Big)^2
= \sum_{i=1}^{N} \frac{(N(N-1) - (i-1)(i-2))^2}{4} ,$$
a polynomial of degree 5 in $N$ with the leading coefficient $\tfrac2{15}$. The printed bound (13),
(21) is $4 \sum_j \sum_{k \ge j} S_k 2^{k-j}$, $S_k = \sum_{l \le k} 3^l$, and larger:

| $N$ | printed | $\zeta^2$ | quotient |
|---|---|---|---|
| 2 | 16 | 2 | 8 |
| 3 | 172 | 22 | 7.8 |
| 5 | 8 552 | 346 | 24.7 |
| 10 | 72 380 240 | 12 342 | $5.9 \cdot 10^3$ |
| 50 | $9.7 \cdot 10^{38}$ | 41 125 210 | $2.4 \cdot 10^{31}$ |
""",
    theorem="Theorem 4.1 against (21)",
    link="theory.md#47-the-printed-error-coefficients-follow",
    kind="exact",
    spec=_SPEC,
    reference=KZY,
)


def sizes(N: int) -> tuple[Fraction, Fraction]:
    """The printed bound and ζ², by boundcalc."""
    graph = built(_SPEC.replace("repeat: 10", f"repeat: {N}"))
    return Fraction(value(bc.coefficients(graph, "published").error_bound())), general(graph)[0]


def polynomial(N: int) -> Fraction:
    """The sum in the statement."""
    return sum(
        (Fraction(N * (N - 1) - (i - 1) * (i - 2), 2) ** 2 for i in range(1, N + 1)), Fraction(0)
    )


def printed(N: int) -> Fraction:
    """The double sum in the statement."""
    S = [(3 ** (k + 1) - 1) // 2 for k in range(N)]
    return Fraction(sum(4 * S[k] * 2 ** (k - j) for j in range(1, N) for k in range(j, N)))


def checks() -> Iterator[Check]:
    """Both bounds as stated and by their sums, the quotients, and the degree."""
    for N, old, new, quotient, digits in (
        (2, 16, 2, 8.0, 1e-15),
        (3, 172, 22, 7.8, 3e-3),
        (5, 8552, 346, 24.7, 1e-3),
        (10, 72_380_240, 12_342, 5.9e3, 7e-3),
        (50, None, 41_125_210, 2.4e31, 2e-2),
    ):
        bound, zeta = sizes(N)
        yield Check(rf"$\zeta^2$, $N = {N}$", zeta, Fraction(new))
        yield Check(rf"$\zeta^2$, $N = {N}$, by the sum", zeta, polynomial(N))
        yield Check(f"printed, $N = {N}$, by the double sum", bound, printed(N))
        says, why = f"printed, $N = {N}$", "stated to two digits"
        if old:
            yield Check(says, bound, Fraction(old))
        else:
            yield Check(says, float(bound), 9.7e38, rel=5e-3, why=why)
        says = f"printed over sharp, $N = {N}$"
        yield Check(says, float(bound / zeta), quotient, rel=digits, why="stated to its digits")
    differences = [sizes(N)[1] for N in range(2, 9)]
    for _ in range(5):
        differences = [b - a for a, b in pairwise(differences)]
    for difference in differences:
        says = r"fifth difference of $\zeta^2$ in $N$: $5! \cdot 2/15$"
        yield Check(says, difference, Fraction(16))


def figure() -> Figure:
    """Both bounds against the number of operators."""
    from boundcalc.report.plots import LOOKS

    drawn, axes = panel("operators $N$", r"bound on $E\|\tilde u-u\|^2$")
    depths = range(2, 41, 2)
    for k, family in enumerate(("published", "sharp")):
        look = LOOKS[family]
        axes.semilogy(
            depths,
            [float(sizes(N)[k]) for N in depths],
            color=look.colour,
            linestyle=look.line,
            label=family,
        )
    axes.legend()
    return drawn
