"""Appendix A.1 of [KZY]: zero-mean forward noise biases the gradient of a sigmoid."""

from __future__ import annotations

from collections.abc import Iterator
from math import cosh, exp, tanh
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Bias of a sigmoid
graph:
  operators:
    - {id: point, type: leaky_relu, slope: 1, bias: true}      # y = 0 + w
    - {id: loss, type: sigmoid}
perturbations: [{at: point, pass: forward, model: two_point, magnitude: 1}]
simulation:
  data: {points: [[0]]}
  check: {iterates: [0], samples: 1, draws: 64}
  replicas: 2
training: {step_size: 1, horizon: 1}
"""

ENTRY = Entry(
    title="A sigmoid under fair coins",
    topic="counterexamples",
    statement=r"""
Let $f$ be the sigmoid, $y = 0$ and $\tilde y = \pm a$ by a fair coin. Then

$$\mathbb{E} f'(\tilde y) = f'(a) = \frac{1}{2 + 2 \cosh a} < \frac14 = f'(0) :$$

noise of mean zero makes the mean gradient smaller, by $\tfrac14 \tanh^2(a/2)$. More data or more
draws do not help.
""",
    theorem="[KZY] Appendix A.1",
    link="section-7.md",
    kind="counterexample",
    spec=_SPEC,
    command="verify",
    reference=KZY,
)


def slope(y: float) -> float:
    """The derivative of 1/(1 + e^−y)."""
    return exp(-y) / (1 + exp(-y)) ** 2


def checks() -> Iterator[Check]:
    """The simulated bias, exact here since both outcomes are drawn, and the sharp bound."""
    graph = built(_SPEC)
    shift = 0.25 - (slope(-1.0) + slope(1.0)) / 2
    yield Check(
        r"$\frac14 - E f'(\tilde y)$ at $a = 1$", shift, 0.25 - 1 / (2 + 2 * cosh(1.0)), rel=1e-12
    )
    yield Check(r"the same by $\frac14 \tanh^2(a/2)$", shift, tanh(0.5) ** 2 / 4, rel=1e-12)
    found = next(v for v in bc.verify(graph).verdicts if v.claim.startswith("bias"))
    yield Check(
        "squared bias in the simulation",
        float(found.observed),
        shift**2,
        rel=1e-9,
        why="draws come with their mirror images, so both signs are equally frequent",
    )
    bound = bc.coefficients(graph, "sharp").bias_bound()
    yield Check("the sharp bound on it", float(value(bound)), shift**2, "at least")


def figure() -> Figure:
    """The slope, and its mean over two points."""
    drawn, axes = panel("state $y$", "slope of the sigmoid")
    grid = [k / 20 - 4 for k in range(161)]
    axes.plot(grid, [slope(y) for y in grid], color="#0072B2", label="$f'(y)$")
    axes.plot(
        [-2, 2], [slope(-2), slope(2)], "s--", color="#D55E00", label=r"$\pm a$ and their mean"
    )
    axes.plot([0], [slope(2)], "D", color="#D55E00")
    axes.plot([0], [0.25], "o", color="#000000", label="exact")
    axes.legend()
    return drawn
