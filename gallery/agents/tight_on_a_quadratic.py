"""On a quadratic the discrete statement is an identity."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Four compressed agents on a quadratic
theory: distributed
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]
loss: {initial_gap: 2}
training: {step_size: 1/5, horizon: 50}
distributed:
  algorithm: dcsgd
  agents: 4
  L0: 1
  L1: 0
  dimension: 1
  omega: 3
  sigma0: 1/2
  sigma1: 1/2
  schedule: {type: constant}
simulation: {data: {points: [[0]]}, replicas: 2000, seed: 1, initial_weights: [2]}
"""

ENTRY = Entry(
    title="Compressed SGD on a quadratic: the bound is an identity",
    topic="agents",
    statement=r"""
For $L_1 = 0$ and a fixed step $\eta$ Theorem 12.5 reads, with $\frac12\eta L_0(1+A) < 1$,

$$\frac1T\sum_{k<T}\mathbb{E}\lVert\nabla f(x_k)\rVert^2
\le \frac{S_0 + \frac12L_0B'\eta^2T}{\bigl(1 - \frac12\eta L_0(1+A)\bigr)\eta T} .$$

On $\frac12x^2$, with rand-$k$ or its like and noise of exactly these variances, every inequality
of the proof but one is an equality: bound minus left side is $\mathbb{E}f(x_T)$ divided by the
same denominator. So no factor in it is to spare.
""",
    theorem="docs/theory-distributed.md, Theorem 12.5",
    link="theory-distributed.md#123-dcsgd",
    kind="tight",
    reference="Setting: [COM] E. Monzio Compagnoni et al., arXiv:2506.00181.",
    spec=SPEC,
    command="rate",
)


def checks() -> Iterator[Check]:
    """The bound by its display, the identity from exact moments, and a run."""
    spec, eta, T = bc.loads(SPEC), Fraction(1, 5), 50
    A = (3 + (Fraction(1, 4) * 3 + Fraction(1, 4))) / 4
    B = (Fraction(1, 4) + Fraction(3, 4)) / 4
    bound = bc.rates(spec).statements[0].bound.value
    denominator = (1 - eta * (1 + A) / 2) * eta * T
    yield Check("bound", bound, (2 + B * eta**2 * T / 2) / denominator)
    second, total = Fraction(4), Fraction(0)
    for _ in range(T):
        total += second / T
        # x' = x − η(x + noise): E x'² = (1 − 2η + η²(1 + A)) E x² + η²B'
        second = (1 - 2 * eta + eta**2 * (1 + A)) * second + eta**2 * B
    yield Check("left side plus the gap that is left", total + second / 2 / denominator, bound)
    left = bc.simulate(spec).metrics["left_side"]
    how = "99.9 per cent interval of 2000 runs, seed 1"
    yield Check("left side of the run: upper end", left.hi, total, "at least", sampled=how)
    yield Check("left side of the run: lower end", left.lo, total, "at most", sampled=how)
