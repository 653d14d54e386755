"""Theorems 4.7 and 4.8 on the smallest graph that is no chain."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

_SPEC = """
version: 1
name: A diamond by its constants
graph:
  operators:
    - {id: stem, constants: {jac_weight: 2}}
    - {id: left, inputs: [stem], constants: {jac_input: 2, jac_weight: 1, hess_input: 1,
                                             hess_mixed: 1/2, third_input: 1, third_mixed: 1/4}}
    - {id: right, inputs: [stem], constants: {jac_input: 1/2, lip_input: 1/3, hess_input: 1/4,
                                              third_input: 2}}
    - id: join
      inputs: [left, right]
      constants:
        jac_input: {left: 3, right: 2}
        hess_input: {left: {left: 0, right: 1}, right: {left: 1, right: 1/2}}
        third_input: {left: 1/2, right: 1}
perturbations:
  - {at: stem, pass: forward, rms: 1/2, mean: 1/8}
  - {at: left, pass: forward, rms: 1/4, mean: 1/4}
  - {at: left->join, pass: backward, rms: 1, mean: 1/3}
"""

ENTRY = Entry(
    title="A diamond: errors of both branches add",
    topic="theorems",
    statement=r"""
On an acyclic graph an error is a sum over the edges into a node, an adjoint one over the edges
out of it:
$$s_v = \sum_{u \to v} \ell_{v,u} s_u + e_v , \qquad V_u = \sum_{v : u \to v} a_{v,u} V_v ,$$

$R_u = \sum_v (a_{v,u} R_v + V_v D_{v,u})$ with the drifts $D_{v,u} = \sum_{u'} A_{v,u,u'} s_{u'}$,
and the means likewise, with $\tfrac12 \sum_u D_{v,u} s_u$ in place of $\tfrac12 A s^2$.
""",
    theorem="Theorems 4.7 and 4.8",
    link="theory.md#48-directed-acyclic-graphs",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def by_hand() -> tuple[Fraction, Fraction]:
    """ζ² and β² of the spec, edge by edge."""
    s1 = Fraction(1, 2)
    s2, s3 = 2 * s1 + Fraction(1, 4), s1 / 3
    V2, V3 = Fraction(3), Fraction(2)  # V_4 = 1
    drift_left, drift_right = s3, s2 + s3 / 2  # of the join's two Jacobians; R_4 = 0
    R2, R3 = drift_left, drift_right
    R1 = 2 * R2 + V2 * s1 + R3 / 2 + V3 * s1 / 4
    h1 = Fraction(2)  # ε on left -> join: a_{left,stem} · 1
    stem, left = 2 * (R1 + h1), (R2 + 1) + Fraction(1, 2) * s1 * V2
    mu1 = Fraction(1, 8)
    mu2, mu3 = 2 * mu1 + s1**2 / 2 + Fraction(1, 4), mu1 / 2 + s1**2 / 8
    squares = s2**2 + s3**2
    b2 = mu3 + squares / 4  # A' of the join's left Jacobian is 1/2
    b3 = mu2 + mu3 / 2 + squares / 2
    shift_left, shift_right = mu1 + s1**2 / 2, mu1 / 4 + s1**2
    b1 = 2 * b2 + s1 * R2 + V2 * shift_left + b3 / 2 + s1 / 4 * R3 + V3 * shift_right
    nu2, nu1 = Fraction(1, 3), Fraction(2, 3)
    mean_left = b2 + nu2 + s1 / 2 * R2 + V2 * (mu1 / 2 + s1**2 / 8)
    return stem**2 + left**2, (2 * (b1 + nu1)) ** 2 + mean_left**2


def checks() -> Iterator[Check]:
    """Both bounds."""
    found, stated = general(built(_SPEC)), by_hand()
    yield Check(r"$\zeta^2$", found[0], stated[0])
    yield Check(r"$\beta^2$", found[1], stated[1])
