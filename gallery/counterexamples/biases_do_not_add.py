"""Lemma 5.3: single-site bias coefficients must not be added up."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general, value

_SPEC = """
version: 1
name: Bias of several sites
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3}]
perturbations: [{at: [f1, f2], pass: forward, rms: 1, mean: 0}]
"""

ENTRY = Entry(
    title="Single-site bias coefficients do not add",
    topic="counterexamples",
    statement=r"""
With $N = 3$, all constants 1 and zero means the coefficients of
$(\mathbb{E} \lVert \delta_j \rVert^2)^2$ for one perturbed operator at a time are $27/2$ at $j = 1$
and $3/4$ at $j = 2$. Both perturbed at $e = (1, 1)$, Theorem 4.2 gives

$$\beta^2 = \frac{225}{4} > \frac{27}{2} + \frac34 ,$$

and the superposed bound $81/4$ exceeds the sum as well: the bias is not a sum of squares over
sites.
""",
    theorem="Lemma 5.3, caution",
    link="theory.md#5-evaluation-in-linear-time",
    kind="counterexample",
    spec=_SPEC,
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """The coefficients, both sites together, and an instance of Proposition 4.19 in the limit."""
    found = bc.coefficients(built(_SPEC), "sharp").columns["bias_forward_fourth"]
    yield Check("coefficient at $j = 1$", value(found[0]), Fraction(27, 2))
    yield Check("coefficient at $j = 2$", value(found[1]), Fraction(3, 4))
    both = general(built(_SPEC))[1]
    yield Check(r"$\beta^2$ of both, Theorem 4.2", both, Fraction(225, 4))
    yield Check("which exceeds the sum", both, Fraction(27, 2) + Fraction(3, 4), "at least")
    small = built(_SPEC.replace("rms: 1", "rms: 1/1000"))
    superposed = general(small, "superposition")[1] * 10**12
    yield Check("superposed, over $e^4$", superposed, Fraction(81, 4))
