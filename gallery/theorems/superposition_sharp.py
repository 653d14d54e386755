"""Proposition 4.19: chains that attain the superposed bias bound in the limit of small noise."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general, panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: The limit of small noise
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3}]
perturbations: [{at: [f1, f2], pass: forward, rms: 1/1000, mean: 0}]
"""

ENTRY = Entry(
    title="Chains that attain the superposed bound",
    topic="theorems",
    statement=r"""
For all $N \ge 2$, $C > 0$, $A, J \ge 0$ the chain
$$f_i(y, w) = C y + \tfrac12 A y^2 + \tfrac16 J y^3 + w (C + A y + \tfrac12 J y^2)$$
at $x = 0$, $w = 0$ with independent coins $\delta_k = \pm \tau e_k$ has constants that tend to
$a = b = \ell = C$, $A_i = B_i = A$, $A'_i = B'_i = J$, and its bias over the bound of Theorem 4.18
tends to 1 as $\tau \to 0$. Enumerated here for $N = 3$, $C = A = J = 1$.
""",
    theorem="Proposition 4.19",
    link="theory.md#411-superposition",
    kind="lower",
    spec=_SPEC,
    reference=OWN,
)


def bias(tau: Fraction) -> Fraction:
    """‖E[ũ − u]‖² at δ_1, δ_2 = ±τ, over all four outcomes."""
    means = [Fraction(0)] * 3
    for first, second in product((-tau, tau), repeat=2):
        y = [Fraction(0)]
        for delta in (first, second, Fraction(0)):
            y.append(y[-1] + y[-1] ** 2 / 2 + y[-1] ** 3 / 6 + delta)
        v = Fraction(1)
        for i in (2, 1, 0):
            slope = 1 + y[i] + y[i] ** 2 / 2  # both Jacobians, at w = 0
            means[i] += (slope * v - 1) / 4
            v *= slope
    return sum((mean**2 for mean in means), Fraction(0))


def bound(tau: Fraction) -> Fraction:
    """β² of Theorem 4.18 with the limits of the constants."""
    return general(built(_SPEC.replace("1/1000", str(tau))), "superposition")[1]


def checks() -> Iterator[Check]:
    """The quotient for smaller and smaller noise."""
    for power in (2, 3, 5):
        tau = Fraction(1, 10**power)
        says = rf"bias over bound, $\tau = 10^{{-{power}}}$"
        why = r"the constants are those of the limit, off by $O(\tau)$"
        yield Check(says, bias(tau) / bound(tau), Fraction(1), rel=float(10 * tau), why=why)


def figure() -> Figure:
    """The quotient against the size."""
    drawn, axes = panel(r"size $\tau$ of the coins", "bias over bound")
    sizes = [Fraction(1, 2**k) for k in range(1, 14)]
    found = [float(bias(t) / bound(t)) for t in sizes]
    axes.semilogx([float(t) for t in sizes], found, "o-", color="#0072B2")
    axes.axhline(1.0, color="#D55E00", linestyle="--")
    return drawn
