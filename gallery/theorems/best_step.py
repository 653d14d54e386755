"""Lemma 6.6: the best fixed step for a horizon."""

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
name: The best step
graph:
  operators:
    - {id: w, constants: {jac_weight: 1}}
    - {id: loss, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 4, initial_gap: 2, gradient_noise: 0}
perturbations: [{at: loss, pass: backward, model: two_point, magnitude: 3}]
training: {step_size: 1/100, horizon: 10000}
"""

ENTRY = Entry(
    title="The best fixed step for a horizon",
    topic="theorems",
    statement=r"""
The bound $2 \Delta_0/(\gamma T) + L \gamma \mathrm{Var} + \mathrm{bias}^2$ is least at

$$\gamma = \min \Big\lbrace \frac1L, \sqrt{\frac{2 \Delta_0}{L T \, \mathrm{Var}}} \Big\rbrace ,$$

where it is $2 \sqrt{2 L \Delta_0 \mathrm{Var}/T} + \mathrm{bias}^2$ if that is the second entry.
Here $\mathrm{Var} = \zeta^2 = 9$ and there is no bias.
""",
    theorem="Lemma 6.6",
    link="theory.md#62-one-step",
    kind="exact",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def checks() -> Iterator[Check]:
    """Both cases of the minimum, and the published step."""
    L, gap, variance = 4, 2, 9
    for T in (10_000, 10):
        rates = bc.rates(built(_SPEC.replace("horizon: 10000", f"horizon: {T}")))
        step, bound = rates.nonconvex["sharp"].best_step or (None, None)
        best = min(1 / L, sqrt(2 * gap / (L * T * variance)))
        near = "an exact step next to it is chosen"
        yield Check(f"the step, $T = {T}$", float(value(step)), best, rel=1e-6, why=near)
        least = 2 * gap / (best * T) + L * best * variance
        yield Check(f"the bound there, $T = {T}$", float(value(bound)), least, rel=1e-9, why=near)
    step, _ = bc.rates(built(_SPEC)).nonconvex["published"].best_step or (None, None)
    published = min(1 / 12, sqrt(gap / (L * 10_000 * 3 * variance)))  # C^e_ε2 = 3
    yield Check(
        "the published step, $T = 10000$", float(value(step)), published, rel=1e-6, why="the same"
    )
    # In closed form: √(4/360000) = 1/300, and the bound is 2 √(144/10⁴) = 0.24.
    yield Check(
        "the least bound, $T = 10000$",
        float(value((bc.rates(built(_SPEC)).nonconvex["sharp"].best_step or (0, None))[1])),
        Fraction(24, 100),
        rel=1e-9,
        why="the same",
    )


def figure() -> Figure:
    """The bound against the step."""
    drawn, axes = panel(r"step size $\gamma$", "bound")
    steps = [10 ** (k / 20 - 4) for k in range(69)]
    axes.loglog(steps, [4 / (g * 1e4) + 36 * g for g in steps], color="#0072B2")
    axes.plot([1 / 300], [0.24], "o", color="#D55E00", label="best step")
    axes.axvline(0.25, color="#777777", linestyle=":", label="$1/L$")
    axes.legend()
    return drawn
