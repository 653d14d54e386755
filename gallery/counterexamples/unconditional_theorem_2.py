"""Theorem 2 with unconditional means is false, corrected or not."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, value

_SPEC = """
version: 1
name: Two squares, one sign
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 0}
  operators: [{id: f1}, {id: f2}, {id: f3}]
perturbations:
  - {at: f1, pass: forward, rms: 1/100, mean: 0, fourth: 1/100}
  - {at: f2, pass: forward, rms: 1/2, mean: MEAN, fourth: 1/2}
"""

ENTRY = Entry(
    title="Theorem 2 needs conditional means",
    topic="counterexamples",
    statement=r"""
$N = 3$, $f_1 = w_1$, $f_2 = f_3 = \tfrac12 y^2$ on $\lvert y \rvert \le 1$ at $w_1 = 0$,
$\delta_1 = \pm \tfrac{1}{100}$ and $\delta_2 = \tfrac12 \mathrm{sign} \, \delta_1$:
$C_{\nabla f} = L_f = L_{\nabla f} = C_{\nabla^2 f} = 1$, $L_{\nabla^2 f} = 0$,
$\mathbb{E} \delta_i = 0$. The squared bias is

$$(\mathbb{E} \delta_1 \delta_2)^2 = \frac{1}{40000} ,$$

and the corrected sum without means $832 \cdot 10^{-8}$, three times less. With
$\lVert \mathbb{E}[\delta_2 \mid \delta_1] \rVert = \tfrac12$ the statement holds.
""",
    theorem="Theorem 4.20, the conditioning",
    link="theory.md#412-the-corrected-bias-statement",
    kind="counterexample",
    spec=_SPEC.replace("MEAN", "1/2"),
    command="compile --family corrected",
    reference=KZY,
)


def squared_bias() -> Fraction:
    """(E ũ_1)² over both outcomes: ũ_1 = ỹ_1 ỹ_2."""
    mean = Fraction(0)
    for sign in (-1, 1):
        first = Fraction(sign, 100)
        mean += Fraction(1, 2) * first * (first**2 / 2 + Fraction(sign, 2))
    return mean**2


def checks() -> Iterator[Check]:
    """The instance and the corrected bound with both readings."""
    exact = squared_bias()
    yield Check("squared bias of the instance", exact, Fraction(1, 40000))
    without = bc.coefficients(built(_SPEC.replace("MEAN", "0")), "corrected").bias_bound()
    yield Check("corrected bound without means", value(without), Fraction(13, 1562500))
    yield Check("which the instance exceeds", exact, Fraction(13, 1562500), "at least")
    given = bc.coefficients(built(ENTRY.spec), "corrected").bias_bound()
    # C^b_δ2 = 8 S_2 = 8 · 13, times 1/4
    yield Check(
        "with the conditional mean", value(given), Fraction(13, 1562500) + Fraction(8 * 13, 4)
    )
