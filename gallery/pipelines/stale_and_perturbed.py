"""Stale and perturbed at once."""

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: A delay and rounded gradients
theory: staleness
staleness: {queues: {p: [0], m: [2]}}
graph:
  operators:
    - {id: w, constants: {jac_weight: 1}}
    - {id: f, constants: {jac_input: 1, hess_input: 1, third_input: 0}}
loss: {smoothness: 1, initial_gap: 2, gradient_noise: 1/2}
perturbations: [{at: f, pass: backward, rms: 1/4, mean: MEAN}]
training: {step_size: 1/10, horizon: 1000}
"""

ENTRY = Entry(
    title="Stale and perturbed passes together",
    topic="pipelines",
    statement=r"""
Let passes be stale *and* perturbed, with bias and variance as in Section 6. For every $\tau > 0$
with $1 - L_f\alpha - (1+\tau)\alpha^2Q \ge 0$

$$\frac1N\sum_n\mathbb{E}\lVert\nabla f(x^n)\rVert^2 \le \frac{2\Delta_0}{N\alpha} +
\bigl(L_f\alpha + (1+\tau)\alpha^2Q\bigr)\mathrm{Var} + \Bigl(1+\frac1\tau\Bigr)\mathrm{bias}^2
,$$

and $\tau = 0$ without bias. On $\frac12w^2$ with a delay of two steps $Q = 4$. Perturbed
gradients of mean zero only add to the variance; with a mean the best $\tau$ is
$(\mathrm{bias}^2/(\alpha^2Q\thinspace\mathrm{Var}))^{1/2}$.
""",
    theorem="docs/theory-staleness.md, Theorem 10.9",
    link="theory-staleness.md#108-stale-and-perturbed-passes",
    kind="upper",
    reference="docs/theory-staleness.md, section 10.8.",
    spec=SPEC.replace("MEAN", "0"),
    command="rate",
)


def composed(mean: str) -> float:
    """The bound of stale and perturbed passes."""
    return float(bc.rates(bc.loads(SPEC.replace("MEAN", mean))).statements["composed"].bound)


def checks() -> Iterator[Check]:
    """Without bias exactly; with bias at the best tau."""
    step, first = Fraction(1, 10), Fraction(4, 100)
    spread = Fraction(1, 4) + Fraction(1, 16)  # σ² + ζ²
    yield Check("mean zero", composed("0"), first + (step + 4 * step**2) * spread, rel=1e-12)
    bias, wide = Fraction(1, 100), (Fraction(1, 2) + Fraction(1, 4)) ** 2  # (σ + ζ)²
    tau = sqrt(bias / (4 * step**2 * wide))
    stated = float(first) + (0.1 + (1 + tau) * 0.04) * float(wide) + (1 + 1 / tau) * float(bias)
    yield Check(
        "mean 1/10",
        composed("1/10"),
        stated,
        rel=1e-9,
        why="tau is rounded to a short fraction beside the best one",
    )
    yield Check(
        "mean 1/10: never below the best", composed("1/10"), stated * (1 - 1e-14), "at least"
    )
