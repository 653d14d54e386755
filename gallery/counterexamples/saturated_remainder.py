"""Lemma 4.11: the remainder of a forward mean must not be saturated."""

from collections.abc import Iterator
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general

_SPEC = """
version: 1
name: A slope that jumps
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: f2, constants: {jac_input: 1, hess_input: 200, third_input: 40000}}
    - {id: scale, type: bilinear, region: {input: 2, weight: 1}}
perturbations: [{at: f1, pass: forward, rms: 1}]
"""

ENTRY = Entry(
    title="What saturation must leave alone",
    topic="counterexamples",
    statement=r"""
Saturation bounds the drift of a Jacobian by $2a$. In the forward mean the drift stands under an
integral, $\int_0^1 (\nabla f(y + \tau h) - \nabla f(y)) h \, d\tau$, and $\tfrac12$ is the
integral of $\tau$; the half of the saturated drift, $a h$, is no bound. Let $f'$ rise from $-a$
to $a$ on the interval $[0, \eta]$: the remainder at $h$ is

$$f(h) - f(0) - f'(0) h = 2 a h - a \eta ,$$

nearly $2 a h$. For large noise the cap $\mu \le s$ takes over; `sharp` does not saturate here.
""",
    theorem="Lemma 4.11, last sentence",
    link="theory.md#49-refinements",
    kind="counterexample",
    spec=_SPEC,
    reference=OWN,
)


def remainder(eta: Fraction, h: Fraction, steps: int = 1000) -> Fraction:
    """The integral for a = 1 and a slope that is linear on [0, η], by the midpoint rule."""
    total = Fraction(0)
    for k in range(steps):
        at = (k + Fraction(1, 2)) / steps * h
        total += (min(-1 + 2 * at / eta, Fraction(1)) + 1) * h / steps
    return total


def checks() -> Iterator[Check]:
    """The remainder, half of the saturated drift, and the bound on the mean of y_2."""
    eta, h = Fraction(1, 100), Fraction(1)
    found = remainder(eta, h)
    yield Check(r"the remainder for $a = h = 1$, $\eta = 1/100$", found, 2 - eta)
    yield Check("against half of the saturated drift", found, Fraction(1), "at least")
    bias = general(built(_SPEC), "saturation", "mean cap")[1]
    # y_2 moves by remainder + f'(0) h, and f_3 = w y_2 reads its mean off
    yield Check(
        "the bound of `sharp`, against the shift of $y_2$ squared",
        bias,
        (found - 1) ** 2,
        "at least",
    )
