"""A batch does not average what its samples share."""

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
name: One coin for all samples
graph:
  operators:
    - {id: w, constants: {jac_weight: 1}}
    - {id: loss, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0, batch: 16}
perturbations: [{at: loss, pass: backward, model: two_point, magnitude: 3, draw: per_batch}]
training: {step_size: 1/4, horizon: 100}
"""

ENTRY = Entry(
    title="A shared coin is not averaged",
    topic="counterexamples",
    statement=r"""
Let $M$ equal samples share one $\varepsilon = \pm z$. Their average error is $\varepsilon$ itself,

$$\mathbb{E} \lVert \bar d \rVert^2 = z^2 ,$$

while Lemma 6.4, which needs independent draws, would give $z^2/M$. A spec says
`draw: per_batch`; Lemma 6.7 then takes the place of Lemma 6.4.
""",
    theorem="Lemma 6.7, the average",
    link="theory.md#63-draws-that-a-batch-shares",
    kind="counterexample",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """The error term of the rate, L γ E d̄², for both kinds of draws."""
    for text, name, stated in (
        (_SPEC, "one draw for the batch", Fraction(9)),
        (_SPEC.replace(", draw: per_batch", ""), "a draw for each sample", Fraction(9, 16)),
    ):
        found = bc.rates(built(text)).nonconvex["sharp"].terms["perturbation_error"]
        yield Check(rf"$E\|\bar d\|^2$, $M = 16$, {name}", value(found) * 4, stated)


def figure() -> Figure:
    """Both against the batch."""
    drawn, axes = panel("batch $M$", r"$E\|\bar d\|^2$")
    sizes = [2**k for k in range(11)]
    axes.loglog(sizes, [9.0] * len(sizes), "s--", color="#D55E00", label="one coin for all")
    axes.loglog(sizes, [9 / M for M in sizes], "o-", color="#0072B2", label="a coin each")
    axes.legend()
    return drawn
