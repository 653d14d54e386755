"""Lemma 6.4: a batch averages the error, not the bias."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: A batch
graph:
  operators:
    - {id: w, constants: {jac_weight: 1}}
    - {id: loss, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0, batch: 8}
perturbations: [{at: loss, pass: backward, model: two_point, low: -1, high: 2, p_high: 1/2}]
training: {step_size: 1/4, horizon: 100}
"""

ENTRY = Entry(
    title="A batch averages the error, not the bias",
    topic="theorems",
    statement=r"""
Let the perturbations of the $M$ samples of a batch be independent of each other, each error with
root mean square at most $\zeta$ and mean at most $\beta$. Then

$$\mathbb{E} \lVert \bar d \rVert^2 \le \Big( 1 - \frac1M \Big) \beta^2 + \frac{\zeta^2}{M} ,$$

with equality for identically distributed errors. Here $\varepsilon \in \lbrace -1, 2 \rbrace$ by a
fair coin: $\beta^2 = 1/4$, $\zeta^2 = 5/2$.
""",
    theorem="Lemma 6.4",
    link="theory.md#62-one-step",
    kind="tight",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def enumerated(M: int) -> Fraction:
    """E(mean of M draws)² over all outcomes."""
    return (
        sum((Fraction(sum(draw), M) ** 2 for draw in product((-1, 2), repeat=M)), Fraction(0))
        / 2**M
    )


def checks() -> Iterator[Check]:
    """The error term of the rate, L γ E‖d̄‖² with σ = 0."""
    for M in (1, 2, 8):
        rates = bc.rates(built(_SPEC.replace("batch: 8", f"batch: {M}")))
        found = value(rates.nonconvex["sharp"].terms["perturbation_error"]) * 4
        yield Check(rf"$\mathbb{{E}} \bar d^2$, $M = {M}$", found, enumerated(M))
        bias = value(rates.nonconvex["sharp"].terms["perturbation_bias"])
        yield Check(rf"squared bias, $M = {M}$", bias, Fraction(1, 4))


def figure() -> Figure:
    """Error and bias against the size of the batch."""
    drawn, axes = panel("batch $M$", r"$E\|\bar d\|^2$")
    sizes = [2**k for k in range(11)]
    axes.loglog(sizes, [0.25 + 2.25 / M for M in sizes], "o-", color="#0072B2", label="error")
    axes.axhline(0.25, color="#D55E00", linestyle="--", label="squared bias")
    axes.legend()
    return drawn
