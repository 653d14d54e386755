"""Theorem 4.5 (b), (c): the best separable bound for a profile."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: A separable bound
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3}]
"""

ENTRY = Entry(
    title="A separable bound that is exact at its profile",
    topic="theorems",
    statement=r"""
For every $t > 0$ the numbers $D_j(t) = (G t)_j / t_j$ satisfy

$$z^{\top} G z \le \sum_j D_j(t) z_j^2 \qquad \text{for all } z \ge 0 ,$$

with equality at $z = t$; no separable bound is smaller there. With $N = 3$ and all constants 1,
$M$ has the rows $(2, 1, 1, 1)$ and $(2, 1, 0, 1)$ and $(1, 1, 0, 0)$ on
$(e_1, e_2, \epsilon_2, \epsilon_3)$.
""",
    theorem="Theorem 4.5 (b), (c)",
    link="theory.md#46-the-coefficient-form",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)
_M = ((2, 1, 1, 1), (2, 1, 0, 1), (1, 1, 0, 0))
_LABELS = ("forward:f1", "forward:f2", "backward:f2", "backward:f3")


def form(z: tuple[int, ...]) -> Fraction:
    """ζ² = ‖Mz‖²."""
    return Fraction(sum(sum(m * x for m, x in zip(row, z, strict=True)) ** 2 for row in _M))


def checks() -> Iterator[Check]:
    """D at a profile, equality there, and the inequality elsewhere."""
    found = bc.coefficients(built(_SPEC), "sharp")
    profile = (1, 2, 3, 1)
    D = found.separable(dict(zip(_LABELS, profile, strict=True))) or {}
    Gt = [
        sum(row[j] * sum(m * x for m, x in zip(row, profile, strict=True)) for row in _M)
        for j in range(4)
    ]
    for j, label in enumerate(_LABELS):
        yield Check(f"$D$ at {label}", value(D[label]), Fraction(Gt[j], profile[j]))
    total = sum(value(D[label]) * x * x for label, x in zip(_LABELS, profile, strict=True))
    yield Check("the bound at its profile $(1, 2, 3, 1)$", total, form(profile))
    for z in ((1, 0, 0, 0), (0, 1, 5, 2), (3, 1, 1, 1)):
        total = sum(value(D[label]) * x * x for label, x in zip(_LABELS, z, strict=True))
        yield Check(rf"the bound at ${z}$, and $\zeta^2$ there", total, form(z), "at least")
