"""Descent under (L0, L1)-smoothness."""

from collections.abc import Iterator
from math import exp
from typing import TYPE_CHECKING

from scipy.optimize import brentq
from scipy.special import lambertw

from boundcalc.arithmetic import WIDE
from boundcalc.theories.distributed.sign_functions import phi
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Descent under (L₀, L₁)-smoothness: how long a step may be",
    topic="agents",
    statement=r"""
If $\lVert\nabla^2f\rVert \le L_0 + L_1\lVert\nabla f\rVert$, then with $r = \lVert y - x\rVert$
and $\varphi(u) = 2(e^u-1-u)/u^2$

$$f(y) \le f(x) + \langle\nabla f(x), y-x\rangle + \tfrac12(L_0+L_1\lVert\nabla
f(x)\rVert)\varphi(L_1r)r^2 ,$$

with equality for $f(x) = L_0(e^{L_1\lvert x\rvert}-1-L_1\lvert x\rvert)/L_1^2$ and
$0 \le x \le y$. Gradient descent with $\gamma = c/(L_0+L_1\lVert\nabla f\rVert)$ then falls by at
least $\gamma\lVert\nabla f\rVert^2(2 - (e^c-1)/c)$, which is positive for $e^c < 1 + 2c$:
$c < 1.25643$.
""",
    theorem="docs/theory-distributed.md, Lemmas 12.1 and 12.2",
    link="distributed.md#what-is-stated",
    kind="tight",
    reference="The condition: J. Zhang, T. He, S. Sra, A. Jadbabaie, Why gradient clipping "
    "accelerates training, ICLR 2020, arXiv:1905.11881.",
)


def factor(c: float) -> float:
    """What a step with this c is certain to gain, relative to γ‖∇f‖²: 1 − cφ(c)/2."""
    return (
        float(1 - WIDE.number(c) * phi(WIDE.measured(c), WIDE) / 2)
        if c == int(c)
        else float(1 - WIDE.measured(c) * phi(WIDE.measured(c), WIDE) / 2)
    )


def checks() -> Iterator[Check]:
    """φ, equality of the lemma, and the largest c."""
    L0, L1 = 2.0, 0.5
    for x, y in ((0.0, 1.0), (1.0, 3.0), (2.0, 2.5)):

        def f(z: float) -> float:
            return L0 * (exp(L1 * z) - 1 - L1 * z) / L1**2

        slope, r = L0 * (exp(L1 * x) - 1) / L1, y - x
        bound = (
            f(x)
            + slope * r
            + (L0 + L1 * slope) / 2 * r**2 * float(phi(WIDE.measured(L1 * r), WIDE))
        )
        yield Check(f"Lemma 12.1 from {x:g} to {y:g}: equality", bound, f(y), rel=1e-12)
    for c in (0.1, 0.5, 1.0):
        yield Check(f"gain at $c = {c}$", factor(c), 2 - (exp(c) - 1) / c, rel=1e-12)
    largest = float(brentq(factor, 0.5, 2, xtol=1e-13))
    exact = float(-0.5 - lambertw(-exp(-0.5) / 2, -1).real)
    yield Check("largest $c$", largest, exact, rel=1e-11, why="a root found to thirteen places")
    yield Check("largest $c$, as printed", largest, 1.25643, rel=1e-5, why="six digits are printed")


def figure() -> "Figure":
    """The gain against c."""
    import numpy as np

    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.6)
        at = np.linspace(0.02, 1.5, 100)
        panel.plot(at, [c * factor(float(c)) for c in at], color=LOOKS["sharp"].colour)
        panel.axhline(0, color="#000000", linewidth=0.8)
        panel.set_xlabel("$c$")
        panel.set_ylabel("certain gain, relative")
    return found
