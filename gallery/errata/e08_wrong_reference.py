"""E8: Corollary 3 needs (38) and names (37)."""

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
    title="E8: the equation that Corollary 3 needs",
    topic="errata",
    statement=r"""
Corollary 3 is on the PL case and substitutes into (37), the nonconvex bound. At
$\gamma = 3 \ln T/T$ the first term of (37) alone is $6 \Delta_0/(\gamma T) = 2 \Delta_0/\ln T$, so

$$\frac{(37)}{\ln T/T} \ge \frac{T}{\ln^2 T} ,$$

which grows without bound; (38) stays below 15 times the rate. (38) is meant.
""",
    theorem="[KZY] Corollary 3, erratum E8",
    link="errata.md#e8-the-equation-that-corollary-3-needs",
    kind="counterexample",
    reference=KZY,
)
_HORIZONS = (100, 10**4, 10**6, 10**9)


def checks() -> Iterator[Check]:
    """The evidence, and the two inequalities."""
    yield from compared(
        "E8", {"(37) over ln T/T at T = 100": 27.43, "(38) over ln T/T at T = 100": 11.03}
    )
    for T in _HORIZONS:
        says = f"(37) over the rate at $T = {T}$"
        found = float(number("E8", f"(37) over ln T/T at T = {T}"))
        yield Check(says, found, T / log(T) ** 2, "at least")
        found = float(number("E8", f"(38) over ln T/T at T = {T}"))
        yield Check(f"(38) over the rate at $T = {T}$", found, 15.0, "at most")


def figure() -> Figure:
    """Both over the rate."""
    drawn, axes = panel("horizon $T$", r"bound over $\ln T/T$")
    for name, look, colour in (("37", "s--", "#D55E00"), ("38", "o-", "#0072B2")):
        found = [float(number("E8", f"({name}) over ln T/T at T = {T}")) for T in _HORIZONS]
        axes.loglog(_HORIZONS, found, look, color=colour, label=f"({name})")
    axes.legend()
    return drawn
