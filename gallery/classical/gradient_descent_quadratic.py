"""Gradient descent on a quadratic: the contraction is exact."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Gradient descent on a quadratic
theory: shrinkage
shrinkage: {q: 1, quantization_noise: 0}
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]     # (0 + w)²/2
loss: {smoothness: 1, pl: 1, initial_gap: 2, gradient_noise: 0}
training: {step_size: 3/2, horizon: 10}
simulation: {data: {points: [[0]]}, replicas: 2, initial_weights: [2]}
"""

ENTRY = Entry(
    title="Gradient descent on a quadratic contracts by (1 − γλ)²",
    topic="classical",
    statement=r"""
For $\ell(w) = \frac\lambda2\lVert w\rVert^2$ and $0 < \gamma\lambda < 2$ gradient descent has
exactly

$$\ell(w_T) = (1 - \gamma\lambda)^{2T}\thinspace\ell(w_0) .$$

Theorem 11.5 (b) with $q = 1$ and no noise has the factor $1 - m\gamma(2 - L\gamma)$, which for
$L = m = \lambda$ is this one: it is attained, beyond $\gamma = 1/\lambda$ too. The simulation
runs the same chain.
""",
    theorem="docs/theory-shrinkage.md, Theorem 11.5 (b)",
    link="theory-shrinkage.md#113-under-the-pl-inequality",
    kind="tight",
    reference="Elementary.",
    spec=SPEC,
    command="rate",
)


def checks() -> Iterator[Check]:
    """The bound and the run, at a step on each side of the best one."""
    for step in (Fraction(3, 2), Fraction(1, 4)):
        exact = 2 * (1 - step) ** 20
        spec = bc.loads(SPEC.replace("step_size: 3/2", f"step_size: {step}"))
        bound = bc.rates(spec).statements["pl_sharp"].bound.value
        yield Check(rf"bound on $\ell(w_{{10}})$, $\gamma = {step}$", bound, exact)
        reached = bc.simulate(spec).metrics["final_gap"].mean
        yield Check(rf"$\ell(w_{{10}})$ of the run, $\gamma = {step}$", reached, exact, rel=1e-12)
