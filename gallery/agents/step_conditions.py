"""Step conditions of the modified equations."""

from collections.abc import Iterator
from fractions import Fraction
from math import pi, sqrt

import boundcalc as bc
from gallery.agents.compressed_variance import SPEC
from gallery.base import Check, Entry

SIGN = """\
version: 1
name: Signs of two agents
theory: distributed
graph:
  input: {shape: [2]}
  operators:
    - {id: half, type: square, bias: true, scale: 1/2}
    - {id: f, type: quadratic_cost, diagonal: [2, 2]}
loss: {initial_gap: 4}
training: {step_size: 1/10, horizon: 100}
distributed:
  algorithm: dsignsgd
  agents: 2
  L0: 4
  L1: 1
  dimension: 2
  nu: 1
  sigma_max: [1, 3]
  snr: 1
"""

ENTRY = Entry(
    title="Step conditions: what the leading 1 is for",
    topic="agents",
    statement=r"""
While $\lVert\nabla f\rVert \le g$, with $G = L_0 + L_1g$, the modified equations descend for

$$\text{D(C)SGD:}\ \eta\eta_t < \frac{2\epsilon}{G(1+A) + L_1B'} , \qquad
\text{DSignSGD:}\ \eta\eta_t < \frac{\ell_\nu}{\frac{L_1d\sigma_H}{2N} + \sqrt d(L_0+L_1)M_\nu} ,$$

$\sigma_H$ the harmonic mean of the scales, $\ell_\nu = 2\Xi_\nu(s)/s$ on gradients up to $s$
scales. The leading 1, and the term with $M_\nu$, come from the curvature's correction of the
drift. The classic first-order equations lack them; without noise and compression they know no
limit at all, where $\eta L_0 < 2\epsilon$ is needed already on a parabola.
""",
    theorem="docs/theory-distributed.md, (12.6) and (12.7)",
    link="theory-distributed.md#124-dsignsgd",
    kind="exact",
    reference="After [COM] E. Monzio Compagnoni et al., arXiv:2506.00181; docs/theory- "
    "distributed.md.",
    spec=SPEC.replace("truncation: 2", "truncation: 2\n  gradient_bound: 3"),
    command="compile",
)


def checks() -> Iterator[Check]:
    """All four limits, exactly where they are rational."""
    limits = bc.rates(bc.loads(ENTRY.spec)).limits
    B, G = Fraction(9, 4), 4 + 3
    A = (Fraction(1, 2) + 2 * (Fraction(1, 16) + Fraction(5, 16)) / 2) / 2
    yield Check("D(C)SGD, with the correction", limits.corrected.value, 1 / (G * (1 + A) + B))
    yield Check("D(C)SGD, classic", limits.classic.value, 1 / (G * A + B))
    limits = bc.rates(bc.loads(SIGN)).limits
    harmonic = 2 / (1 + 1 / 3)
    classic = 2 * harmonic / (2 * 2)
    peak = 1 / pi  # of the Cauchy density
    yield Check(
        "DSignSGD, with the correction",
        float(limits.corrected),
        0.5 / (classic + sqrt(2) * 5 * peak),
        rel=1e-12,
    )
    yield Check("DSignSGD, classic", float(limits.classic), 0.5 / classic, rel=1e-12)
    quiet = ENTRY.spec.replace("omega: [1, 0]", "omega: 0").replace("sigma0: [1/2, 2]", "sigma0: 0")
    quiet = quiet.replace("sigma1: [1/4, 1/2]", "sigma1: 0")
    limits = bc.rates(bc.loads(quiet)).limits
    yield Check("without noise: with the correction", limits.corrected.value, Fraction(1, G))
    yield Check(
        "without noise: does the classic equation know a limit?", int(limits.classic is not None), 0
    )
