"""Theorem 4.3 is about conditional means: noise that repeats itself adds up."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: The same coin twice
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: f2, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
    - {id: scale, type: bilinear, region: {input: 2, weight: 1}}
perturbations:
  - {at: [f1, f2], pass: forward, rms: 1, mean: MEAN}
"""

ENTRY = Entry(
    title="Squares add only for conditional means",
    topic="counterexamples",
    statement=r"""
Let $f_2(y) = y$, $\delta_1 = \pm 1$ and $\delta_2 = \delta_1$. Both have mean zero, but
$\mathbb{E}[\delta_2 \mid \delta_1] = \delta_1$, and
$$\mathbb{E} \lVert \tilde y_2 - y_2 \rVert^2 = 4 > 1 + 1 .$$

A spec says so by `mean`, the root mean square of the *conditional* mean: left out, it is as large
as `rms`, and sizes are added instead of squares.
""",
    theorem="Theorem 4.3, remark",
    link="theory.md#44-conditionally-zero-mean-perturbations",
    kind="counterexample",
    spec=_SPEC.replace("MEAN", "1"),
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """f_3 = w y_2 reads off the error of y_2."""
    instance = sum((Fraction(1, 2) * (coin + coin) ** 2 for coin in (-1, 1)), Fraction(0))
    wrong = bc.coefficients(built(_SPEC.replace("MEAN", "0")), "sharp").error_bound()
    yield Check("with `mean: 0`, which is not so here", value(wrong), Fraction(2))
    yield Check("which the instance exceeds", instance, Fraction(2), "at least")
    right = bc.coefficients(built(ENTRY.spec), "sharp").error_bound()
    yield Check("with the conditional mean, and the instance", value(right), instance)
