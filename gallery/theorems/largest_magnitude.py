"""Lemma 7.3: budgets are roots of the bound."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Ten percent
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
perturbations: [{at: f2, pass: backward, rms: 1, mean: 0}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
training: {step_size: 1/4, horizon: 100}
budget: {tolerance: 1/10}
"""

ENTRY = Entry(
    title="The largest admissible magnitude",
    topic="theorems",
    statement=r"""
The bounds do not decrease in any level, so the admissible values of one level form an interval
from 0 to the largest root of bound = target. With a zero-mean $\varepsilon_2$ the bound is
$2\Delta_0/(\gamma T) + L \gamma \epsilon_2^2$, and ten percent more than without it allow
$$\epsilon_2 = \sqrt{\frac{2 \Delta_0}{10 L \gamma^2 T}} ,$$
which is $\sqrt{0.032}$ here; a zero-mean $\delta_1$ alone enters with its square, by
$\zeta^2 = 2 e_1^2$, and its fourth power, by $\beta^2 = \tfrac12 e_1^4$.
""",
    theorem="Lemma 7.3",
    link="theory.md#71-inverting-a-bound",
    kind="exact",
    spec=_SPEC,
    command="budget",
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """Roots in closed form."""
    found = bc.budget(built(_SPEC)).magnitudes
    root = "found by bracketing, and rounded down"
    yield Check(
        "largest factor of the spec's perturbation",
        float(value(found.scale)),
        sqrt(0.032),
        rel=1e-8,
        why=root,
    )
    alone = {(a.label, a.direction, a.quantity): a.alone for a in found.allowances}
    yield Check(
        r"largest $\epsilon_2$ alone",
        float(value(alone["f2", "backward", "rms"])),
        sqrt(0.032),
        rel=1e-8,
        why=root,
    )
    # L γ (√2 e)² + ½ e⁴ = 0.008 with Lγ = 1/4: e⁴ + e² = 0.016.
    forward = sqrt((sqrt(1 + 4 * 0.016) - 1) / 2)
    yield Check(
        r"largest zero-mean $\delta_1$ alone",
        float(value(alone["f1", "forward", "rms"])),
        forward,
        rel=1e-8,
        why=root,
    )
    yield Check(
        "the bound at the largest factor, and the target",
        value(found.scaled_bound),
        Fraction(88, 1000),
        "at most",
    )


def figure() -> Figure:
    """The bound against the level, and the target."""
    drawn, axes = panel(r"level", "bound")
    levels = [k / 200 for k in range(61)]
    axes.plot(levels, [0.08 + x * x / 4 for x in levels], color="#0072B2", label=r"$\epsilon_2$")
    forward = [0.08 + x * x / 2 + x**4 / 2 for x in levels]
    axes.plot(levels, forward, "--", color="#00674B", label="$e_1$")
    axes.axhline(0.088, color="#D55E00", linewidth=1, label="target")
    axes.legend()
    return drawn
