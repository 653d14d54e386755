"""Theorem 4.3: squares add where conditional means are zero, and exactly so on affine chains."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: Products with coins
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 1}}
    - {id: f2, type: bilinear, region: {input: 2, weight: 2}}
    - {id: f3, type: bilinear, region: {input: 4, weight: 3}}
    - {id: f4, type: bilinear, region: {input: 16, weight: 1}}
perturbations:
  - {at: f1, pass: forward, model: two_point, magnitude: 1/4}
  - {at: f2, pass: forward, model: two_point, magnitude: 1/2}
  - {at: f3, pass: forward, model: two_point, magnitude: 1}
simulation: {data: {points: [[1]]}, initial_weights: [1, 2, 3, 1]}
training: {step_size: 1, horizon: 1}
"""

ENTRY = Entry(
    title="Zero conditional means: squares add",
    topic="theorems",
    statement=r"""
If $\mathbb{E}[\delta_i \mid \tilde y_1, \dots, \tilde y_{i-1}] = 0$ for all $i$, then
$\mathrm{rms}(\tilde y_i - y_i)^2 \le S_i$ with
$$S_i = \ell_i^2 S_{i-1} + e_i^2 ,$$
and $s_i = \sqrt{S_i}$ may stand in every bound. If
$\mathbb{E}[\varepsilon_i \mid \text{all that came before}] = 0$, then
$\mathbb{E} \lVert \tilde u_i - u_i \rVert^2 \le (b_i R_i + B_i V_i s_{i-1})^2 + b_i^2 W_i$ with
$W_i = a_{i+1}^2 W_{i+1} + \epsilon_{i+1}^2$. On a chain of products $f_i = w_i y$ with the
weights at the ends of their regions both are equalities.
""",
    theorem="Theorem 4.3",
    link="theory.md#44-conditionally-zero-mean-perturbations",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)
_W = (Fraction(1), Fraction(2), Fraction(3), Fraction(1))


def mean_square(delta: tuple[Fraction, ...], eps: tuple[Fraction, ...]) -> Fraction:
    """E‖ũ − u‖² over all signs of δ_1, δ_2, δ_3 and ε_2, ε_3, ε_4, at x = 1."""
    total, draws = Fraction(0), list(product((-1, 1), repeat=6))
    for signs in draws:
        y, moved = [Fraction(1)], [Fraction(1)]
        for i in range(4):
            y.append(_W[i] * y[i])
            moved.append(_W[i] * moved[i] + (signs[i] * delta[i] if i < 3 else 0))
        v, shifted = Fraction(1), Fraction(1)
        for i in (3, 2, 1, 0):
            total += (moved[i] * shifted - y[i] * v) ** 2 / len(draws)
            if i:
                v, shifted = _W[i] * v, _W[i] * shifted + signs[2 + i] * eps[i - 1]
    return total


def checks() -> Iterator[Check]:
    """Both passes against all outcomes."""
    none, forward = (Fraction(0),) * 3, (Fraction(1, 4), Fraction(1, 2), Fraction(1))
    found = bc.coefficients(built(_SPEC), "sharp")
    yield Check(
        r"$E\|\tilde u - u\|^2$, forward coins, over all outcomes",
        value(found.error_bound()),
        mean_square(forward, none),
    )
    # Regions that end at y_1 = 1, y_2 = 2, y_3 = 6: nothing moves forward.
    back = _SPEC[: _SPEC.index("perturb")].replace("input: 4", "input: 2").replace("16", "6")
    back = back.replace("input: 2, weight: 2", "input: 1, weight: 2") + "perturbations:\n"
    for at, size in (("f2", "1/4"), ("f3", "1/2"), ("f4", "1")):
        back += f"  - {{at: {at}, pass: backward, model: two_point, magnitude: {size}}}\n"
    back += _SPEC[_SPEC.index("simulation") :]
    found = bc.coefficients(built(back), "sharp")
    yield Check(
        r"$E\|\tilde u - u\|^2$, backward coins, over all outcomes",
        value(found.error_bound()),
        mean_square(none, forward),
    )
