"""Theorem 4.9: on a graph sizes add over edges, squares over perturbations."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: One coin on two branches
graph:
  operators:
    - {id: stem, constants: {jac_weight: 1}}
    - {id: left, inputs: [stem], constants: {jac_input: 1, hess_input: 0, third_input: 0}}
    - {id: right, inputs: [stem], constants: {jac_input: 1, hess_input: 0, third_input: 0}}
    - {id: join, type: add, inputs: [left, right]}
    - {id: scale, type: bilinear, region: {input: 4, weight: 1}}
perturbations:
  - {at: stem, pass: forward, model: two_point, magnitude: 1}
  - {at: [left, right], pass: forward, model: two_point, magnitude: 1/2}
"""

ENTRY = Entry(
    title="Zero-mean noise on a graph",
    topic="theorems",
    statement=r"""
If every $\delta_v$ has conditional mean zero given the states before it,
$$s_v^2 = \Big( \sum_{u \to v} \ell_{v,u} s_u \Big)^2 + e_v^2 .$$

Branches carry the same perturbation, so sizes are added over the edges *before* they are squared;
squares are added only with what is new at the node. Here $y_2 = y_3 = y_1$ (each with a coin of
its own), $y_4 = y_2 + y_3$ and $f_5 = w y_4$; the bound is the largest that it could be, as the
coins of the two branches are not assumed independent of each other.
""",
    theorem="Theorem 4.9",
    link="theory.md#48-directed-acyclic-graphs",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """With the stem's coin alone the bound is attained."""
    alone = _SPEC[: _SPEC.index("  - {at: [left")]
    exact = sum((Fraction(1, 2) * (2 * coin) ** 2 for coin in (-1, 1)), Fraction(0))
    found = bc.coefficients(built(alone), "sharp")
    yield Check(r"$E\|\tilde u - u\|^2$, coin at the stem only", value(found.error_bound()), exact)
    # s_2² = s_3² = 1 + 1/4 and s_4 = s_2 + s_3.
    found = bc.coefficients(built(_SPEC), "sharp")
    yield Check(
        "the same with all three coins",
        value(found.error_bound()),
        4 * Fraction(5, 4),
        rel=1e-15,
        why="$s$ has square roots, which are enclosed",
    )
    draws = [
        Fraction(2 * a) + Fraction(b + c, 2) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)
    ]
    independent = sum((x * x / 8 for x in draws), Fraction(0))
    yield Check(
        "which no coins exceed that are drawn independently",
        value(found.error_bound()),
        independent,
        "at least",
    )
