"""The smoothness of a chain from its operators' constants."""

from collections.abc import Iterator
from math import pi, sin

import numpy as np

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: The smoothness of a chain of sines
theory: staleness
staleness: {queues: {p: [0, 0, 0], m: [0, 0, 0]}}
graph:
  operators: [{id: block, type: sine, bias: true, repeat: 3}]
loss: {initial_gap: 2, gradient_noise: 0}
training: {step_size: 1/200, horizon: 10}
"""

ENTRY = Entry(
    title="The smoothness of a chain, compiled: 1/(4 sin²(π/14))",
    topic="pipelines",
    statement=r"""
By the recurrences of Lemma 10.10 the gradient of a chain is $\lVert H\rVert$-Lipschitz with a
matrix $H \ge 0$ made of the operators' constants. For $n$ operators $\sin(y + w)$, all constants
1, $H_{jl} = n + 1 - \max(j, l)$, whose inverse is a second difference, so that

$$L_f = \lVert H\rVert = \frac{1}{4\sin^2\frac{\pi}{4n+2}} , \qquad n = 3:\ 5.0489 .$$

It grows as $4n^2/\pi^2$. A second difference of the loss at random weights stays below it.
""",
    theorem="docs/theory-staleness.md, Lemma 10.10",
    link="staleness.md#what-the-statements-need",
    kind="exact",
    reference="Eigenvalues of the second difference: elementary.",
    spec=SPEC,
)


def curvature(n: int) -> float:
    """The largest directional second difference of nested sines found at random."""
    rng = np.random.default_rng(0)

    def loss(w: np.ndarray) -> np.ndarray:
        y = np.zeros(len(w))
        for k in range(n):
            y = np.sin(y + w[:, k])
        return y

    w, d = rng.uniform(-2, 2, (50_000, n)), rng.normal(size=(50_000, n))
    d *= 1e-3 / np.linalg.norm(d, axis=1, keepdims=True)
    return float(np.abs((loss(w + d) - 2 * loss(w) + loss(w - d)) / 1e-6).max())


def checks() -> Iterator[Check]:
    """Chains of one to six operators, and curvatures met at random."""
    for n in (1, 2, 3, 6):
        zeros = ", ".join("0" * n)
        text = SPEC.replace("[0, 0, 0]", f"[{zeros}]").replace("repeat: 3", f"repeat: {n}")
        if n == 1:
            text = text.replace(", repeat: 1", "")
        made = {q.key: q.value for q in bc.coefficients(bc.loads(text)).quantities}
        found = float(made["smoothness"])
        yield Check(
            f"$L_f$ of {n} operators",
            found,
            1 / (4 * sin(pi / (4 * n + 2)) ** 2),
            rel=1e-7,
            why="the weights of the bound are short fractions found by a power method",
        )
        yield Check(
            f"{n} operators: never below",
            found,
            1 / (4 * sin(pi / (4 * n + 2)) ** 2) - 1e-15,
            "at least",
        )
        yield Check(
            f"{n} operators: above every curvature met",
            found,
            curvature(n),
            "at least",
            rel=1e-6,
            why="second differences at distance 1e-3 with rounding of 1e-10",
        )
