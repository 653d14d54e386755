"""Theorem 4.5 (a), Lemma 5.2: the Gram matrix of the sharp error bound."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Four operators
graph:
  operators:
    - {id: f1, constants: {jac_weight: 3}}
    - {id: f2, constants: {jac_input: 2, lip_input: 1, jac_weight: 1/2, hess_input: 1,
                           hess_mixed: 1/3, third_input: 0, third_mixed: 0}}
    - {id: f3, constants: {jac_input: 1/2, jac_weight: 2, hess_input: 1/4, hess_mixed: 1,
                           third_input: 0, third_mixed: 0}}
    - {id: f4, constants: {jac_input: 1, hess_input: 2, third_input: 0}}
"""

ENTRY = Entry(
    title="The error bound as a quadratic form",
    topic="theorems",
    statement=r"""
The per-operator bounds of Theorem 4.1 are linear in the levels
$z = (e_1, \dots, e_{N-1}, \epsilon_2, \dots, \epsilon_N)$: they are $M z$ with an entrywise
nonnegative matrix $M$, so

$$\zeta^2 = z^{\top} G z , \qquad G = M^{\top} M ,$$

and $G_{jj}$ is the coefficient of a single perturbed site. boundcalc evaluates the $4(N-1)^2$
entries in $O(N^2)$ (Lemma 5.2); here a column of $M$ is one run of the recurrences.
""",
    theorem="Theorem 4.5 (a), Lemma 5.2",
    link="theory.md#46-the-coefficient-form",
    kind="exact",
    spec=_SPEC,
    reference=OWN,
)
_A, _L, _B = (
    (0, Fraction(2), Fraction(1, 2), Fraction(1)),
    (0, Fraction(1), Fraction(1, 2), Fraction(1)),
    (Fraction(3), Fraction(1, 2), Fraction(2), Fraction(0)),
)
_H, _M = (
    (0, Fraction(1), Fraction(1, 4), Fraction(2)),
    (0, Fraction(1, 3), Fraction(1), Fraction(0)),
)  # A and B


def column(site: int) -> list[Fraction]:
    """ζ_1..ζ_4 of Theorem 4.1 for a unit level at one of δ_1..δ_3, ε_2..ε_4."""
    e, eps = ([Fraction(site == k) for k in range(3)], [Fraction(site == 3 + k) for k in range(3)])
    s, V, r = [Fraction(0)] * 4, [Fraction(1)] * 4, [Fraction(0)] * 4
    for i in range(3):
        s[i + 1] = (_L[i] * s[i] if i else Fraction(0)) + e[i]
    for i in (2, 1, 0):
        V[i] = _A[i + 1] * V[i + 1]
        r[i] = _A[i + 1] * r[i + 1] + _H[i + 1] * V[i + 1] * s[i + 1] + eps[i]
    return [_B[i] * r[i] + _M[i] * V[i] * s[i] for i in range(4)]


def checks() -> Iterator[Check]:
    """Every entry on and above the diagonal."""
    found = bc.coefficients(built(_SPEC), "sharp").gram() or []
    names = [rf"\delta_{k}" for k in (1, 2, 3)] + [rf"\varepsilon_{k}" for k in (2, 3, 4)]
    columns = [column(site) for site in range(6)]
    for j in range(6):
        for k in range(j, 6):
            stated = sum((x * y for x, y in zip(columns[j], columns[k], strict=True)), Fraction(0))
            yield Check(f"$G({names[j]}, {names[k]})$", value(found[j][k]), stated)


def figure() -> Figure:
    """G as shades."""
    found = bc.coefficients(built(_SPEC), "sharp").gram() or []
    drawn, axes = panel()
    image = axes.imshow([[float(x) for x in row] for row in found], cmap="cividis")
    names = [rf"$\delta_{k}$" for k in (1, 2, 3)] + [rf"$\varepsilon_{k}$" for k in (2, 3, 4)]
    axes.set_xticks(range(6), names)
    axes.set_yticks(range(6), names)
    axes.grid(visible=False)
    drawn.colorbar(image, label="entry of $G$")
    return drawn
