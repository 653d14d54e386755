"""Lemma 6.3 (b): where the variances of sampling and of the perturbation add."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: Backward coins
graph:
  operators:
    - {id: w, constants: {jac_weight: 2}}
    - {id: loss, constants: {jac_input: 1, hess_input: 1, third_input: 1}}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 3}
perturbations: [{at: loss, pass: backward, model: two_point, magnitude: 2}]
training: {step_size: 1/2, horizon: 10}
"""

ENTRY = Entry(
    title="Where variances add",
    topic="theorems",
    statement=r"""
Always $\mathrm{Var} \le (\sigma + \zeta)^2$. If the mean of the gradient error given the weights
and the sample vanishes,

$$\mathrm{Var} \le \sigma^2 + \zeta^2 .$$

That is so for zero-mean backward perturbations alone, and for zero-mean perturbations of chains
whose operators are all affine. Here $\sigma = 3$ and $\zeta = b \epsilon = 4$: $25$ with a coin
$\pm 2$, and $49$ if the coin may be biased.
""",
    theorem="Lemma 6.3",
    link="theory.md#62-one-step",
    kind="upper",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """L γ Var with Lγ = 1/2, in both cases, and an affine chain with a forward coin."""
    affine = _SPEC.replace("hess_input: 1, third_input: 1", "hess_input: 0, third_input: 0")
    forward = affine.replace("at: loss, pass: backward", "at: w, pass: forward")
    biased = _SPEC.replace("model: two_point, magnitude: 2", "rms: 2")
    for text, name, stated in (
        (_SPEC, "a backward coin", Fraction(9 + 16)),
        (biased, "its conditional mean unknown", Fraction((3 + 4) ** 2)),
        (forward, "an affine chain, a forward coin: no error at all", Fraction(9)),
    ):
        terms = bc.rates(built(text)).nonconvex["sharp"].terms
        found = value(terms["sampling"]) + value(terms["perturbation_error"])
        yield Check(f"bound on Var, {name}", found * 2, stated)
