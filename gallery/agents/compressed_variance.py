"""What compression and noise do to the average of the agents: A and B'."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Two agents that differ
theory: distributed
graph:
  input: {shape: [2]}
  operators:
    - {id: half, type: square, bias: true, scale: 1/2}
    - {id: f, type: quadratic_cost, diagonal: [2, 2]}
loss: {initial_gap: 4}
training: {step_size: 1/10, horizon: 100}
distributed:
  algorithm: dcsgd
  agents: 2
  L0: 4
  L1: 1
  dimension: 2
  omega: [1, 0]
  sigma0: [1/2, 2]
  sigma1: [1/4, 1/2]
  truncation: 2
"""

ENTRY = Entry(
    title="Compressed agents: the variance of what arrives",
    topic="agents",
    statement=r"""
$N$ agents hold $g_i = \nabla f + \xi_i \in \mathbb{R}^d$ with $\mathbb{E}\xi_i = 0$ and
$\mathbb{E}\xi_{ij}^2 \le \sigma_{0,i}^2 + \sigma_{1,i}^2a^2$, $a = \lVert\nabla f\rVert$, and
send $C_i(g_i)$: for every fixed $x$, $\mathbb{E}C_i(x) = x$ and
$\mathbb{E}\lVert C_i(x) - x\rVert^2 \le \omega_i\lVert x\rVert^2$. The pairs $(\xi_i, C_i)$ are
independent between agents, and $C_i$ is independent of $\xi_i$. Then the average $\hat g$ of
what is sent is unbiased, and $\mathbb{E}\lVert\hat g\rVert^2 \le (1+A)a^2 + B'$ with

$$A = \frac1N\bigl[\bar\omega + d(\overline{\sigma_1^2\omega} + \overline{\sigma_1^2})\bigr] ,
\qquad B' = \frac dN\bigl(\overline{\sigma_0^2} + \overline{\sigma_0^2\omega}\bigr) ,$$

with equality for rand-$k$ and noise of exactly these variances: here enumerated, rand-1 of two
components at one agent, nothing compressed at the other, noise $\pm$ its scale.
""",
    theorem="docs/theory-distributed.md, Lemma 12.3",
    link="theory-distributed.md#123-dcsgd",
    kind="exact",
    reference="Setting: [COM] E. Monzio Compagnoni, R. Islamov, A. Orvieto, E. Gorbunov, On the "
    "interaction of noise, compression role, and adaptivity under $(L_0, L_1)$-smoothness, "
    "arXiv:2506.00181.",
    spec=SPEC,
    command="rate",
)


def enumerated(gradient: tuple[int, int]) -> Fraction:
    """E‖ĝ‖² over the mask of the first agent and the signs of four noises, N² times it."""
    a2 = Fraction(gradient[0] ** 2 + gradient[1] ** 2)
    variances = (Fraction(1, 4) + a2 / 16, Fraction(4) + a2 / 4)
    total = Fraction(0)
    for mask, *signs in product(range(2), (1, -1), (1, -1), (1, -1), (1, -1)):
        # Roots of variances are irrational: keep every component as x + Σ s·√v by its parts.
        for j in range(2):
            first = 2 if j == mask else 0
            plain = Fraction((first + 1) * gradient[j])
            rooted = (first * signs[j], signs[2 + j])
            total += plain**2 + rooted[0] ** 2 * variances[0] + rooted[1] ** 2 * variances[1]
            # Cross terms carry a sign alone and cancel in the sum over all signs.
    return total / 32 / 4


def checks() -> Iterator[Check]:
    """A, B' and the second moment at two gradients."""
    made = bc.rates(bc.loads(SPEC)).statements[1].constants
    A, B = made["A"].value, made["B"].value
    omega, quarter = (Fraction(1), Fraction(0)), (Fraction(1, 16), Fraction(1, 4))
    mean = (
        sum(omega) / 2
        + 2 * (sum(s * w for s, w in zip(quarter, omega, strict=True)) + sum(quarter)) / 2
    )
    yield Check("$A$", A, mean / 2)
    yield Check("$B'$", B, Fraction(2, 2) * ((Fraction(1, 4) + 4) / 2 + Fraction(1, 4) / 2))
    for gradient in ((1, 0), (3, -2)):
        a2 = gradient[0] ** 2 + gradient[1] ** 2
        yield Check(
            f"second moment at the gradient {gradient}", (1 + A) * a2 + B, enumerated(gradient)
        )
