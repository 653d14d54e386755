"""Theorem 4.13 needs independence: zero unconditional means are not enough."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

# f_1 = w_1 at 0, then two squares y²/2 on |y| ≤ 1/10 and |y| ≤ 21/200.
_SPEC = """
version: 1
name: Two squares in a row
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: f2, constants: {jac_input: 1/10, hess_input: 1, third_input: 0}}
    - {id: f3, constants: {jac_input: 21/200, hess_input: 1, third_input: 0}}
perturbations:
  - {at: [f1, f2], pass: forward, rms: 1/10, mean: 0, dependence: DEPENDENCE}
"""

ENTRY = Entry(
    title="Dependent noise with mean zero",
    topic="counterexamples",
    statement=r"""
Let $f_2 = f_3 = \tfrac12 y^2$ at $y_1 = y_2 = 0$, $\delta_1 = \pm \tfrac{1}{10}$ by a fair coin and
$\delta_2 = \tfrac{1}{10} \mathrm{sign}(\delta_1)$. Both have mean zero, and yet

$$\mathbb{E} \, \tilde v_1 = \mathbb{E}[\tilde y_1 \tilde y_2] = \frac{1}{100} .$$

With unconditional means the formula of Theorem 4.13 gives $0.0015$; Theorem 4.2, which assumes
nothing, has the product $A_2 s_1 R_2$ and holds.
""",
    theorem="Theorem 4.13, independence",
    link="theory.md#49-refinements",
    kind="counterexample",
    spec=_SPEC.replace("DEPENDENCE", "any"),
    reference=OWN,
)


def bias() -> Fraction:
    """E ũ_1 over both outcomes; u_1 = 0."""
    total = Fraction(0)
    for sign in (-1, 1):
        first = Fraction(sign, 10)
        second = first**2 / 2 + Fraction(sign, 10)
        total += first * second / 2
    return total


def checks() -> Iterator[Check]:
    """The bias, what independence would give, and what holds."""
    exact = bias()
    yield Check(r"$\|E[\tilde u - u]\|^2$ of the instance", exact**2, Fraction(1, 10**4))
    wrong = general(built(_SPEC.replace("DEPENDENCE", "independent")), "independence")[1]
    # a_2 β_2 + Λ_1 s_1², β_2 = μ_2 = ½ s_1², Λ_1 = ℓ_2
    stated = Fraction(1, 10) * Fraction(1, 200) + Fraction(1, 10) * Fraction(1, 100)
    yield Check("what Theorem 4.13 gives for independent noise", wrong, stated**2)
    yield Check("which the instance exceeds", exact**2, wrong, "at least")
    right = general(built(ENTRY.spec))[1]
    yield Check("Theorem 4.2 bounds it", right, exact**2, "at least")
