"""Appendix A.2 of [KZY]: a constant forward perturbation moves the limit, whatever the step."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: A constant perturbation
graph:
  operators:
    - {id: point, type: leaky_relu, slope: 1, bias: true}      # y = 0 + w
    - {id: loss, type: square, region: {input: 2}}
perturbations: [{at: point, pass: forward, model: constant, value: 1/4}]
simulation: {data: {points: [[0]]}, replicas: 2, initial_weights: [1]}
training: {step_size: 1/10, horizon: 200}
"""

ENTRY = Entry(
    title="A constant shift moves the limit",
    topic="counterexamples",
    statement=r"""
For $f = x^2$ with $\tilde x = x + \delta$, $\delta$ constant, gradient descent obeys

$$w_t = -\delta + (1 - 2 \gamma)^t (w_0 + \delta) ,$$

so its limit is $-\delta$ for every $\gamma < 1$ (the appendix has $\gamma < \tfrac12$), and the
gradient there is $2\delta$ in size: no smaller step helps. The sharp bias bound is $2 \delta$,
attained.
""",
    theorem="[KZY] Appendix A.2",
    link="section-7.md",
    kind="counterexample",
    spec=_SPEC,
    command="simulate",
    reference=KZY,
)


def limit(step: Fraction, steps: int) -> Fraction:
    """w_T in fractions."""
    w, shift = Fraction(1), Fraction(1, 4)
    for _ in range(steps):
        w -= step * 2 * (w + shift)
    return w


def checks() -> Iterator[Check]:
    """The simulated end of the run at three steps, and the bias bound."""
    for step in ("1/50", "1/10", "9/10"):
        run = bc.simulate(
            built(_SPEC.replace("step_size: 1/10", f"step_size: {step}")), engine="numpy"
        )
        end = float(run.trajectory.final[0, 0])
        yield Check(
            rf"$w_{{200}}$ at $\gamma = {step}$",
            end,
            limit(Fraction(step), 200),
            rel=1e-9,
            why="a run in floating point",
        )
    found = bc.coefficients(built(_SPEC), "sharp").bias_bound()
    yield Check(r"bound on $\|E[\tilde u - u]\|^2$", value(found), (2 * Fraction(1, 4)) ** 2)


def figure() -> Figure:
    """Runs at three steps."""
    drawn, axes = panel("step", "$w_t$")
    for step, line in ((Fraction(1, 50), ":"), (Fraction(1, 10), "--"), (Fraction(9, 10), "-")):
        path = [float(limit(step, t)) for t in range(41)]
        axes.plot(path, line, color="#0072B2", label=rf"$\gamma = {float(step)}$")
    axes.axhline(-0.25, color="#D55E00", linewidth=1, label=r"$-\delta$")
    axes.legend()
    return drawn
