"""E2 matters without any bias of the noise, too."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, value

# f_2 = y³/6 + w on |y| ≤ 1; A3 as printed bounds ∇²_21, and the Lipschitz constants of it: zero.
_SPEC = """
version: 1
name: A cubic, as Assumption 3 is printed
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: f2, constants: {jac_input: 1/2, jac_weight: 1, hess_input: 1, hess_mixed: 0,
                           third_input: THIRD, third_mixed: 0}}
perturbations: [{at: f1, pass: forward, model: two_point, magnitude: 1/2}]
"""

ENTRY = Entry(
    title="A cubic against Assumption 3",
    topic="counterexamples",
    statement=r"""
$N = 2$, $f_1 = w_1$, $f_2 = \tfrac16 y^3 + w_2$ on $\lvert y \rvert \le 1$ at $w_1 = 0$,
$\delta_1 = \pm \tfrac12$. Assumption 3 as printed bounds $\nabla^2_{21}$ and its Lipschitz
constant, both 0 here, so every printed bias coefficient vanishes; the noise has mean zero, and yet

$$\lVert \mathbb{E}[\tilde u - u] \rVert^2 = \big( \mathbb{E} \tfrac12 \delta_1^2 \big)^2
= \frac{1}{64} .$$
""",
    theorem="Theorem 4.20, E2 without bias",
    link="theory.md#412-the-corrected-bias-statement",
    kind="counterexample",
    spec=_SPEC.replace("THIRD", "1"),
    reference=KZY,
)


def checks() -> Iterator[Check]:
    """The instance, print, and the repaired families."""
    exact = sum((Fraction(1, 2) * Fraction(sign, 2) ** 2 / 2 for sign in (-1, 1)), Fraction(0)) ** 2
    yield Check("squared bias of the instance", exact, Fraction(1, 64))
    printed = bc.coefficients(built(_SPEC.replace("THIRD", "0")), "published").bias_bound()
    yield Check("the printed bound with the constants of Assumption 3", value(printed), Fraction(0))
    sharp = bc.coefficients(built(ENTRY.spec), "sharp").bias_bound()
    yield Check("the sharp bound", value(sharp), exact)
    corrected = bc.coefficients(built(ENTRY.spec), "corrected").bias_bound()
    # 8 · 2 S_1 E δ⁴ with S_1 = 4
    yield Check("the corrected bound", value(corrected), 8 * 2 * 4 * Fraction(1, 16))
