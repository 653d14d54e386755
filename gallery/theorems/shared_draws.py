"""Lemma 6.7: draws that all samples of a batch share are not averaged."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: Shared draws
graph:
  operators:
    - {id: w, constants: {jac_weight: 1}}
    - {id: loss, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0, batch: 4}
perturbations:
  - {at: loss, pass: backward, model: two_point, magnitude: 1, draw: per_batch}
  - {at: loss, pass: backward, model: two_point, low: -1/2, high: 3/2, p_high: 1/2}
training: {step_size: 1/4, horizon: 100}
"""

ENTRY = Entry(
    title="One draw for the whole batch",
    topic="theorems",
    statement=r"""
Let $s$ be the draws that all samples of a batch share. If
$\mathbb{E} \lVert \mathbb{E}[d_l \mid s] \rVert^2 \le \eta^2$,

$$\mathbb{E} \lVert \bar d \rVert^2 \le \Big( 1 - \frac1M \Big) \eta^2 + \frac{\zeta^2}{M} ,$$

and $\eta^2 = (\zeta_f + \beta_o)^2 + 2 (\zeta_f + \beta_o) \theta + \zeta_b^2$ will do: sizes
of what is shared forward and backward, means of what is not. Here a shared coin $\pm 1$
($\zeta_b = 1$, $\theta = 0$) and a coin of each sample's own in $\lbrace -\tfrac12, \tfrac32
\rbrace$ ($\beta_o = \tfrac12$): $\eta^2 = \tfrac54$ exactly. Sizes at one place are added in
$\zeta$, whatever they depend on.
""",
    theorem="Lemma 6.7",
    link="theory.md#63-draws-that-a-batch-shares",
    kind="upper",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def enumerated(M: int) -> Fraction:
    """E d̄² over the shared coin and the M own ones."""
    outcomes = [
        Fraction(shared) + sum(own) / M
        for shared in (-1, 1)
        for own in product((Fraction(-1, 2), Fraction(3, 2)), repeat=M)
    ]
    return sum((d * d for d in outcomes), Fraction(0)) / len(outcomes)


def checks() -> Iterator[Check]:
    """The error term against (1 − 1/M)η² + ζ²/M, and against the enumeration."""
    own_square = Fraction(1, 4) + 1
    for M in (1, 4):
        found = bc.rates(built(_SPEC.replace("batch: 4", f"batch: {M}"))).nonconvex["sharp"]
        error = float(value(found.terms["perturbation_error"])) * 4
        zeta2 = (1 + float(own_square) ** 0.5) ** 2
        stated = (1 - 1 / M) * 1.25 + zeta2 / M
        yield Check(rf"bound on $E\bar d^2$, $M = {M}$", error, stated, rel=1e-12)
        yield Check("which is at least the exact value", error, enumerated(M), "at least")
    only = _SPEC.replace(
        _SPEC[
            _SPEC.index("  - {at: loss, pass: backward, model: two_point, low") : _SPEC.index(
                "training"
            )
        ],
        "",
    )
    found = bc.rates(built(only)).nonconvex["sharp"]
    yield Check(
        r"the shared coin alone, $M = 4$: not averaged at all",
        value(found.terms["perturbation_error"]) * 4,
        Fraction(1),
    )
