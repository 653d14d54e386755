"""Lemma 6.3: zero-mean perturbations alone do not let variances add."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

# A fourth power on |y| ≤ √2 + 1/2 < 2: |f'| ≤ 8, |f''| ≤ 12, |f'''| ≤ 12.
_SPEC = """
version: 1
name: A fourth power
graph:
  operators:
    - {id: f1, constants: {jac_weight: 3/2}}
    - {id: f2, constants: {jac_input: 8, hess_input: 12, third_input: 12}}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 2}
perturbations: [{at: f1, pass: forward, model: two_point, magnitude: 1/2}]
training: {step_size: 1, horizon: 1}
"""

ENTRY = Entry(
    title="Variances that do not add",
    topic="counterexamples",
    statement=r"""
$\mathrm{Var} \le \sigma^2 + \zeta^2$ needs a gradient error of mean zero given the sample; in
general $\mathrm{Var} \le (\sigma + \zeta)^2$. Let $f_1 = w_1 x$, $f_2 = \tfrac14 y^4$, $w_1 = 1$,
$x^2 \in \lbrace 0, 2 \rbrace$ and $\delta_1 = \pm \tfrac12$ by fair coins. Then

$$\mathrm{Var} = 17.33 > \sigma^2 + \zeta^2 = 14.89 .$$

The curvature of the loss turns the zero-mean $\delta$ into a bias that depends on the sample.
""",
    theorem="Lemma 6.3",
    link="theory.md#62-one-step",
    kind="counterexample",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def moments() -> tuple[Fraction, Fraction, Fraction]:
    """σ², ζ² and Var by enumeration; x enters by x² and xδ, whose signs are symmetric."""
    u, moved, errors = [], [], []
    for square, sign in product((0, 2), (-1, 1)):
        # ũ = x(x + δ)³ = x⁴ + 3x³δ + 3x²δ² + xδ³; odd powers of x come as xδ = ±√(x²)/2.
        even = Fraction(square) ** 2 + 3 * Fraction(square) / 4
        odd = 3 * Fraction(square) + Fraction(1, 4)  # times xδ, whose square is x²/4
        u.append(Fraction(square) ** 2)
        moved.append((even, sign * odd, Fraction(square, 4)))
        errors.append((even - Fraction(square) ** 2, sign * odd, Fraction(square, 4)))
    mean_u = sum(u) / 4
    mean = sum((even for even, _, _ in moved), Fraction(0)) / 4
    sigma2 = sum(((x - mean_u) ** 2 for x in u), Fraction(0)) / 4
    zeta2 = sum((even**2 + odd**2 * s for even, odd, s in errors), Fraction(0)) / 4
    variance = sum(((even - mean) ** 2 + odd**2 * s for even, odd, s in moved), Fraction(0)) / 4
    return sigma2, zeta2, variance


def checks() -> Iterator[Check]:
    """The three numbers, and the two inequalities."""
    sigma2, zeta2, variance = moments()
    digits = "stated to four digits"
    yield Check(r"$\sigma^2$", sigma2, Fraction(4))
    yield Check(r"$\sigma^2 + \zeta^2$", float(sigma2 + zeta2), 14.89, rel=1e-3, why=digits)
    yield Check(r"$\mathrm{Var}$", float(variance), 17.33, rel=1e-3, why=digits)
    yield Check(
        r"$\mathrm{Var}$ against $\sigma^2 + \zeta^2$", variance, sigma2 + zeta2, "at least"
    )
    root = float(sigma2) ** 0.5 + float(zeta2) ** 0.5
    yield Check(r"$\mathrm{Var}$ against $(\sigma + \zeta)^2$", variance, root**2, "at most")
    rate = bc.rates(built(_SPEC)).nonconvex["sharp"]
    # At γ = 1/L the terms LγVar are sampling + perturbation_error = Var.
    found = float(value(rate.terms["sampling"])) + float(value(rate.terms["perturbation_error"]))
    yield Check("the bound on Var in `boundcalc rate`, against Var", found, variance, "at least")
