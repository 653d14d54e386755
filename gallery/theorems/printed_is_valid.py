"""Proposition 4.6: the printed error bound follows from the sharp one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Printed against sharp
graph:
  uniform: {jac: 1, lip: 1/8, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 8}]
perturbations:
  - {at: "f.*", pass: forward, rms: 1}
  - {at: "f.*", pass: backward, rms: 1}
"""

ENTRY = Entry(
    title="The printed error bound is valid",
    topic="theorems",
    statement=r"""
Let $a_i, b_i \le C$, $\ell_i \le \Lambda$, $A_i, B_i \le L$. For all levels

$$\zeta^2 \le \sum_{j=1}^{N-1} C^e_{\delta_j} e_j^2 + \sum_{j=1}^{N-1} C^e_{\varepsilon_{j+1}}
\epsilon_{j+1}^2$$

with the coefficients of (21) as printed. The printed argument loses a factor 2 on the way
(erratum E3); this proof does not need it.
""",
    theorem="Proposition 4.6",
    link="theory.md#47-the-printed-error-coefficients-follow",
    kind="upper",
    spec=_SPEC,
    reference=KZY,
)


def ratio(C: str, lip: str, N: int = 8) -> Fraction:
    """ζ² over the printed bound, all levels 1."""
    text = _SPEC.replace("jac: 1, lip: 1/8", f"jac: {C}, lip: {lip}").replace("t: 8", f"t: {N}")
    printed, sharp = (bc.coefficients(built(text), f) for f in ("published", "sharp"))
    assert sharp.bounds is not None  # noqa: S101 - the spec has perturbations and no symbols
    return Fraction(value(sharp.bounds.error_plain)) / Fraction(value(printed.error_bound()))


def checks() -> Iterator[Check]:
    """The quotient over a grid of constants; by hand where it is short."""
    for C in ("1/1000", "1/2", "1", "2", "100"):
        for lip in ("1/10000", "1", "10000"):
            says = rf"$\zeta^2$ over print, $C = {C}$, $\Lambda = {lip}$"
            yield Check(says, ratio(C, lip), Fraction(1), "at most")
    # N = 2, all constants 1: ζ² = (e + ϵ)² + e² = 5, and (21) gives 16 + 3.
    yield Check(
        r"$\zeta^2$ over print, $N = 2$, all constants 1", ratio("1", "1", 2), Fraction(5, 19)
    )


def figure() -> Figure:
    """The quotient against C."""
    drawn, axes = panel(r"$C_{\nabla f}$", "sharp over printed bound")
    grid = [2.0 ** (k / 2) for k in range(-12, 13, 2)]
    for lip, line in (("1/8", "-"), ("8", "--")):
        found = [float(ratio(f"{C:.6f}", lip)) for C in grid]
        axes.loglog(grid, found, line, color="#0072B2", label=rf"$L_f = {lip}$")
    axes.axhline(1.0, color="#D55E00", linewidth=1)
    axes.legend()
    return drawn
