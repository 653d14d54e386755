"""E6: a geometric sum of order T/ln T, printed as ln T/T."""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import TYPE_CHECKING

from gallery.base import Check, Entry
from gallery.evidence import compared, number
from gallery.references import KZY
from gallery.tools import panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="E6: the order of a geometric sum",
    topic="errata",
    statement=r"""
Below (48) [KZY] has $\sum_t (1 - \ln T/T)^{T-t} \lesssim \ln T/T$. With $q = 1 - \ln T/T$

$$\sum_{n=0}^{T-1} q^n = \frac{1 - q^T}{1 - q} = \frac{T}{\ln T} (1 - q^T) , \qquad
0 \le q^T \le \frac1T ,$$

so the sum is of order $T/\ln T$. At $T = 10^4$ it is about $1085$, against $9.2 \cdot 10^{-4}$.
Corollary 1 survives: the error carries $\gamma^2$.
""",
    theorem="[KZY] below (48), erratum E6",
    link="errata.md#e6-the-order-of-a-geometric-sum",
    kind="counterexample",
    reference=KZY,
)


def total(T: int) -> float:
    """Σ_{n=1}^{T} q^n, added up."""
    q, power, found = 1 - log(T) / T, 1.0, 0.0
    for _ in range(T):
        power *= q
        found += power
    return found


def checks() -> Iterator[Check]:
    """The evidence, and the sum in floating point."""
    yield from compared("E6", {"printed bound ln T/T at T = 10⁴": 9.211e-4}, digits=4)
    enclosed = float(number("E6", "sum at T = 10⁴, exponents 1 to T"))
    yield Check(
        r"the sum at $T = 10^4$, exponents 1 to $T$",
        enclosed,
        total(10**4),
        rel=1e-9,
        why="added in floating point",
    )
    for T in (10, 100, 1000):
        found = float(number("E6", f"sum over T/ln T at T = {T}"))
        stated = total(T) / (1 - log(T) / T) * log(T) / T
        yield Check(
            rf"the sum over $T/\ln T$ at $T = {T}$",
            found,
            stated,
            rel=1e-9,
            why="added in floating point",
        )


def figure() -> Figure:
    """The sum, its order, and what is printed."""
    drawn, axes = panel("horizon $T$", "sum")
    horizons = [round(10 ** (k / 6)) for k in range(6, 31)]
    axes.loglog(
        horizons, [total(T) for T in horizons], "o", color="#000000", label="sum", markersize=4
    )
    axes.loglog(horizons, [T / log(T) for T in horizons], color="#0072B2", label=r"$T/\ln T$")
    axes.loglog(
        horizons, [log(T) / T for T in horizons], "--", color="#D55E00", label=r"$\ln T/T$, printed"
    )
    axes.legend()
    return drawn
