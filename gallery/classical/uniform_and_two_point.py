"""Moments of the two laws that experiments use most."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Uniform and two-point noise
graph:
  operators:
    - {id: f1, type: dense, units: 4, bias: false, region: {weight: 1}}
    - {id: f2, type: tanh}
    - {id: loss, type: cross_entropy}
  input: {shape: [2], radius: 1}
perturbations:
  - {at: f1, pass: forward, model: uniform, half_width: 1/2}
  - {at: f2, pass: forward, model: two_point, low: -1, high: 3, p_high: 1/4}
  - {at: loss, pass: backward, model: uniform, low: -1/4, high: 3/4, probability: 1/3}
"""

ENTRY = Entry(
    title="Exact moments of uniform and two-point noise",
    topic="classical",
    statement=r"""
$n$ independent components that all act with probability $p$, or none does, have

$$\lVert\mathbb{E}\delta\rVert^2 = p^2n(\mathbb{E}x)^2 , \quad
\mathbb{E}\lVert\delta\rVert^2 = pn\mathbb{E}x^2 , \quad
\mathbb{E}\lVert\delta\rVert^4 = p\bigl(n\mathbb{E}x^4 + n(n-1)(\mathbb{E}x^2)^2\bigr) .$$

Uniform on $[-h, h]$: $\mathbb{E}x^2 = h^2/3$, $\mathbb{E}x^4 = h^4/5$. Two points: sums over two
outcomes. These moments are all that the bounds see of a law.
""",
    theorem="docs/spec-reference.md, perturbation models",
    link="spec-reference.md#perturbation-models",
    kind="exact",
    reference="Elementary.",
    spec=SPEC,
)


def component(low: Fraction, high: Fraction, power: int) -> Fraction:
    """E x^k, uniform on [low, high], by integration."""
    return (high ** (power + 1) - low ** (power + 1)) / ((power + 1) * (high - low))


def checks() -> Iterator[Check]:
    """First, second and fourth moments of the three perturbations of the spec."""
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    laws = (
        ("uniform", 4, Fraction(1), [component(-half, half, k) for k in (1, 2, 4)]),
        (
            "two-point",
            4,
            Fraction(1),
            [quarter * 3**k + (1 - quarter) * (-1) ** k for k in (1, 2, 4)],
        ),
        ("thinned", 4, Fraction(1, 3), [component(-quarter, 3 * quarter, k) for k in (1, 2, 4)]),
    )
    graph = bc.build(bc.loads(SPEC))
    for (name, n, p, (one, two, four)), placed in zip(laws, graph.perturbations, strict=True):
        moments = placed.moments
        yield Check(
            f"{name}: squared mean", moments.mean_squared.evaluate(RATIONALS), p**2 * n * one**2
        )
        yield Check(f"{name}: second moment", moments.second.evaluate(RATIONALS), p * n * two)
        fourth = p * (n * four + n * (n - 1) * two**2)
        yield Check(f"{name}: fourth moment", moments.fourth.evaluate(RATIONALS), fourth)
