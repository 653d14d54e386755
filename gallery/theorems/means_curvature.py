"""A zero-mean perturbation has a biased gradient: ½A′e², attained by a cubic."""

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

# y³/6 on |y| ≤ 1/2: |f'| ≤ 1/8, |f''| ≤ 1/2, |f'''| = 1.
_SPEC = """
version: 1
name: A cubic loss
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: loss, constants: {jac_input: 1/8, hess_input: 1/2, third_input: 1}}
perturbations:
  - {at: f1, pass: forward, model: two_point, magnitude: 1/2}
"""

ENTRY = Entry(
    title="Curvature turns zero-mean noise into bias",
    topic="theorems",
    statement=r"""
$f_1 = w_1$ at $w_1 = 0$ and $f_2(y) = y^3/6$ on $\lvert y \rvert \le h$, with
$\delta_1 = \pm h$ by a fair
coin. Then $u_1 = 0$ and

$$\mathbb{E} \, \tilde u_1 = \mathbb{E} \tfrac12 \delta_1^2 = \tfrac12 h^2 = \tfrac12 A'_2 e_1^2 ,$$

which is the bound of Theorem 4.2. Backward noise is different: its size never enters the bias,
only its mean does.
""",
    theorem="Theorem 4.2",
    link="theory.md#43-means",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)


def enumerated(h: Fraction) -> Fraction:
    """E ũ_1 − u_1 over both signs."""
    return sum((Fraction(1, 2) * (sign * h) ** 2 / 2 for sign in (-1, 1)), Fraction(0))


def checks() -> Iterator[Check]:
    """The bias against the bound, and noise in the other pass."""
    found = bc.coefficients(built(_SPEC), "sharp")
    yield Check(
        r"$\|E[\tilde u - u]\|^2$ for $h = 1/2$",
        value(found.bias_bound()),
        enumerated(Fraction(1, 2)) ** 2,
    )
    back = _SPEC.replace("at: f1, pass: forward", "at: loss, pass: backward")
    found = bc.coefficients(built(back), "sharp")
    yield Check(r"the same for $\varepsilon_2 = \pm 1/2$", value(found.bias_bound()), Fraction(0))
    yield Check(r"and $E\|\tilde u - u\|^2$", value(found.error_bound()), Fraction(1, 4))


def figure() -> Figure:
    """The gradient y²/2, two draws, and their mean."""
    drawn, axes = panel("state $y_1$", "gradient $u_1$")
    grid = [k / 50 - 0.7 for k in range(71)]
    axes.plot(grid, [y * y / 2 for y in grid], color="#0072B2", label="$y^2/2$")
    axes.plot([-0.5, 0.5], [0.125, 0.125], "s--", color="#D55E00", label=r"$\pm h$ and their mean")
    axes.plot([0], [0.125], "D", color="#D55E00")
    axes.plot([0], [0], "o", color="#000000", label="exact")
    axes.legend(loc="upper center")
    return drawn
