"""Theorem 4.1 is attained: a chain of products with shifts in both passes."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: A chain of products
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 2}}
    - {id: f2, type: bilinear, region: {input: 9/4, weight: 3}}
    - {id: f3, type: bilinear, region: {input: 29/4, weight: 1/2}}
perturbations:
  - {at: f1, pass: forward, model: constant, value: 1/4}
  - {at: f2, pass: forward, model: constant, value: 1/2}
  - {at: f2, pass: backward, model: constant, value: 1/8}
  - {at: f3, pass: backward, model: constant, value: 1/16}
simulation: {data: {points: [[1]]}, initial_weights: [2, 3, 1/2]}
training: {step_size: 1, horizon: 1}
"""

ENTRY = Entry(
    title="Second moments, attained by a chain of products",
    topic="theorems",
    statement=r"""
For arbitrary perturbations, dependent and biased, with $s_i = \ell_i s_{i-1} + e_i$,
$V_{i-1} = a_i V_i$, $V_N = 1$ and
$r_i = a_{i+1} r_{i+1} + A_{i+1} V_{i+1} s_i + \epsilon_{i+1}$,

$$\mathbb{E} \lVert \tilde u - u \rVert^2 \le \sum_{i=1}^N (b_i r_i + B_i V_i s_{i-1})^2 .$$

Here $f_i(y, w) = w y$ with the weights at the ends of their regions and constant shifts of one
sign: nothing is lost in any triangle inequality, and the bound is the error itself.
""",
    theorem="Theorem 4.1",
    link="theory.md#42-second-moments",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)


def error() -> Fraction:
    """‖ũ − u‖² by running both passes."""
    w, delta, eps = (
        (Fraction(2), Fraction(3), Fraction(1, 2)),
        (Fraction(1, 4), Fraction(1, 2), Fraction(0)),
        (Fraction(0), Fraction(1, 8), Fraction(1, 16)),
    )
    y, moved = [Fraction(1)], [Fraction(1)]
    for i in range(3):
        y.append(w[i] * y[i])
        moved.append(w[i] * moved[i] + delta[i])
    v, shifted, total = Fraction(1), Fraction(1), Fraction(0)
    for i in (2, 1, 0):
        total += (moved[i] * shifted - y[i] * v) ** 2
        v, shifted = w[i] * v, w[i] * shifted + eps[i]
    return total


def checks() -> Iterator[Check]:
    """The bound against the passes."""
    found = bc.coefficients(built(_SPEC), "sharp")
    yield Check(
        r"bound on $E\|\tilde u - u\|^2$, and the error itself", value(found.error_bound()), error()
    )
    yield Check(
        r"bound on $\|E[\tilde u - u]\|^2$, and the same", value(found.bias_bound()), error()
    )
    ones = "version: 1\nname: ones\ngraph:\n  operators: [{id: f, repeat: N}]\n" + (
        "  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}\n"
        'perturbations: [{at: "f.*", pass: forward, rms: 1}]\n'
    )
    for N, stated in ((2, 2), (3, 22)):
        bounds = bc.coefficients(built(ones.replace("N", str(N))), "sharp").bounds
        says = rf"$\zeta^2$, $N = {N}$, all constants and $e_j$ 1"
        yield Check(says, value(bounds and bounds.error_plain), Fraction(stated))
