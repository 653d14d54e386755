"""The adversary finds an instance that attains a bound, or beats a false one."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built

_SPEC = """
version: 1
name: For the adversary
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
perturbations:
  - {at: f1, pass: forward, rms: 1/10}
"""

ENTRY = Entry(
    title="An adversary looks for the worst instance",
    topic="theorems",
    statement=r"""
`boundcalc adversary` searches over operators, data and perturbations within the spec's constants
for the largest error or bias. On a chain of two operators with all constants 1 and a forward
perturbation of size $0.1$ it finds an instance that reaches at least
$$\tfrac{9}{10} \cdot \zeta^2$$
of the sharp bound (and of course no more than all of it); on the chain of erratum E2 the printed
bias bound is beaten: it is 0, and a squared bias of $\tfrac{1}{16}$ is attained.
""",
    theorem="Theorem 4.1, from below",
    link="adversary.md",
    kind="lower",
    spec=_SPEC,
    command="adversary",
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """The fraction of the sharp bound, and the refuted one."""
    attack = bc.adversary(built(_SPEC), "error", starts=2, seed=0)
    zeta2 = Fraction(2, 100)  # ζ² = 2 e_1²
    yield Check(
        r"error attained, against $\frac{9}{10}\zeta^2$",
        attack.attained,
        Fraction(9, 10) * zeta2,
        "at least",
    )
    yield Check(
        r"and against $\zeta^2$",
        attack.attained,
        zeta2,
        "at most",
        rel=1e-9,
        why="an instance that attains the bound is computed in floating point",
    )
    attack = bc.adversary(built("separable-erratum"), "bias", starts=1)
    yield Check(
        "bias attained on the chain of E2",
        attack.attained,
        Fraction(1, 16),
        rel=1e-9,
        why="in floating point",
    )
    yield Check(
        "which is above the printed bound of that chain",
        attack.attained,
        Fraction(str(attack.bounds["published"])),
        "at least",
    )
