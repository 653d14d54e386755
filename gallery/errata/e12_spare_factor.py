"""E12: a factor K that the proof does not need."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING

from gallery.base import Check, Entry
from gallery.evidence import compared
from gallery.references import XHH
from gallery.tools import panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="E12: a factor K to spare",
    topic="errata",
    statement=r"""
Theorem 1 of [XHH] has the noise factor $2 + K \Delta t^2 + \tfrac14 K c_1$. The variance
$\mathrm{Var}[\mathcal{G}] \le \sigma^2$ is a total over the $K$ blocks, so

$$2 + \Delta t^2 + \tfrac12 c_1 \frac{K}{K+1}$$

will do, with $c_1 = -(\Delta t^2 + 2) + \sqrt{(\Delta t^2 + 2)^2 + 2 c_0 \Delta t^2}$ and
$c_0 = M^2 K (K+1)^2$. At $K = 4$, $\Delta t = 6$, $M = 1$ this is 60 in place of 201.
""",
    theorem="[XHH] Theorem 1, erratum E12",
    link="errata.md#e12-a-factor-that-can-be-dropped",
    kind="upper",
    reference=XHH,
)


def factors(K: int, delay: int) -> tuple[float, float]:
    """The printed factor and the smaller one, M = 1."""
    base = delay**2 + 2
    c1 = -base + sqrt(base**2 + 2 * K * (K + 1) ** 2 * delay**2)
    return 2 + K * delay**2 + K * c1 / 4, 2 + delay**2 + c1 * K / (K + 1) / 2


def checks() -> Iterator[Check]:
    """The evidence, and both factors by hand."""
    printed, smaller = factors(4, 6)
    yield Check(
        "the printed factor, in floating point",
        printed,
        201.0,
        rel=2e-3,
        why="stated to three digits",
    )
    yield from compared(
        "E12",
        {
            "sum of the block variances": Fraction(1 + 4 + 9 + 16),
            "variance of 𝒢": Fraction(30),
            "what the proof allows": Fraction(4 * 30),
        },
    )
    from gallery.evidence import number

    name = "2 + Δt² + ½c₁K/(K+1) there"
    yield Check("the smaller factor, enclosed", float(number("E12", name)), smaller, rel=1e-12)


def figure() -> Figure:
    """Both against the number of blocks."""
    drawn, axes = panel("blocks $K$, with delay $2(K-1)$", "noise factor")
    blocks = list(range(2, 17))
    found = [factors(K, 2 * (K - 1)) for K in blocks]
    axes.semilogy(blocks, [x for x, _ in found], "s--", color="#D55E00", label="printed")
    axes.semilogy(blocks, [x for _, x in found], "o-", color="#0072B2", label="without $K$")
    axes.legend()
    return drawn
