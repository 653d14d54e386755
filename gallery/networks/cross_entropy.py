"""The constants of cross-entropy are attained."""

from collections.abc import Iterator
from math import exp, sqrt

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.operators import OPERATORS, Region
from gallery.base import Check, Entry

ENTRY = Entry(
    title="Constants of cross-entropy and of the logistic loss",
    topic="networks",
    statement=r"""
Let $p$ be the softmax of the scores $y$. Cross-entropy $\ln\sum_je^{y_j} - y_l$ has the gradient
$p - e_l$ and the Hessian $\mathrm{diag}(p) - pp^{\top}$. Over all scores

$$\sup\lVert p - e_l\rVert = \sqrt2 , \qquad \sup\lVert\mathrm{diag}(p) - pp^{\top}\rVert =
\tfrac12 , \qquad \sup\lVert\nabla^3\rVert = \tfrac{\sqrt6}9 .$$

The first is approached as a wrong label's score grows, and not attained. The second is attained
by two equal scores far above all others in the limit, or alone, in the direction
$(1, -1)/\sqrt2$. The third is attained for two classes by $p = (q, 1-q)$ with
$q = \frac12 \pm \frac1{2\sqrt3}$ in the same direction, where it is
$q(1-q)|1-2q|\thinspace(\sqrt2)^3$. The logistic loss $\ln(1+e^{-ly})$ has 1, approached as
$ly \to -\infty$, $\frac14$ at $y = 0$, and $\frac1{6\sqrt3}$ at the scores whose $p$ is one of
these $q$.
""",
    theorem="docs/spec-reference.md, operators",
    link="spec-reference.md#operators",
    kind="tight",
    reference="Proofs in the docstrings of boundcalc.operators.cross_entropy and .logistic.",
)


def third(direction: np.ndarray, p: np.ndarray) -> float:
    """The third derivative of the log of a sum of exponentials along a unit direction."""
    direction = direction / np.linalg.norm(direction)
    mean = p @ direction
    return abs(float(p @ (direction - mean) ** 3))


def checks() -> Iterator[Check]:
    """The constants as stated, and points at which they are attained or nearly so."""
    made = OPERATORS["cross_entropy"]().constants(Region(), None, reads=False)
    slope, curve, bend = (
        float(getattr(made, key).evaluate(FLOATS))
        for key in ("jac_input", "hess_input", "third_input")
    )
    p = np.exp([60.0, 0, 0]) / np.exp([60.0, 0, 0]).sum()
    yield Check("cross-entropy: slope", slope, sqrt(2), rel=1e-15)
    yield Check(
        "slope, at a score 60 above the label's",
        slope,
        float(np.linalg.norm(p - [0, 1, 0])),
        rel=1e-12,
    )
    yield Check("cross-entropy: curvature", curve, 0.5)
    p = np.array([0.5, 0.5, 0])
    hessian = float(np.linalg.norm(np.diag(p) - np.outer(p, p), 2))
    yield Check("curvature, at two equal scores", curve, hessian, rel=1e-15)
    yield Check(r"cross-entropy: third derivative, $\sqrt6/9$", bend, sqrt(6) / 9, rel=1e-15)
    across = np.array([1.0, -1.0])
    for sign in (1, -1):
        q = 0.5 + sign / (2 * sqrt(3))
        there = f"$q = {q:.4f}$"
        formula = q * (1 - q) * abs(1 - 2 * q) * sqrt(2) ** 3
        yield Check(f"third derivative, by the formula at {there}", bend, formula, rel=1e-14)
        measured = third(across, np.array([q, 1 - q]))
        yield Check(f"third derivative, two classes, {there}", bend, measured, rel=1e-14)
    rng = np.random.default_rng(0)
    tried = [third(rng.normal(size=3), rng.dirichlet((0.5, 0.5, 0.2))) for _ in range(20_000)]
    yield Check("third derivative: above 20 000 random points", bend, max(tried), "at least")
    made = OPERATORS["logistic"]().constants(Region(), None, reads=False)
    slope, curve, bend = (
        float(getattr(made, key).evaluate(FLOATS))
        for key in ("jac_input", "hess_input", "third_input")
    )
    yield Check("logistic: slope", slope, 1.0)
    yield Check("logistic: slope at the score $-60$", slope, 1 / (1 + exp(-60)), rel=1e-15)
    yield Check("logistic: curvature", curve, 0.25)
    yield Check(r"logistic: third derivative, $1/(6\sqrt3)$", bend, 1 / (6 * sqrt(3)), rel=1e-14)
    q = 0.5 + 1 / (2 * sqrt(3))
    yield Check(f"the same at $p = {q:.4f}$", bend, q * (1 - q) * (2 * q - 1), rel=1e-14)
