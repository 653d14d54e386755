"""Theorem 6.2 is attained by one step on a quadratic."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# y = w; the loss passes back a gradient that is off by b.
_SPEC = """
version: 1
name: A biased quadratic
graph:
  operators:
    - {id: w, constants: {jac_weight: 1}}
    - {id: half_square, constants: {jac_input: 1, hess_input: 1, third_input: 0}}
loss: {smoothness: 1, pl: 1, initial_gap: 2, gradient_noise: 1}
perturbations:
  - {at: half_square, pass: backward, rms: 3/10, mean: 3/10}
training: {step_size: 1/10, horizon: 1000}
"""

ENTRY = Entry(
    title="The sharp PL rate, and the exact floor of a quadratic",
    topic="theorems",
    statement=r"""
Under the PL inequality and $0 < \gamma \le 1/L$, for a constant level,

$$\mathbb{E}[\ell(w^{(T)}) - \ell^*] \le (1 - \mu\gamma)^T \Delta_0
+ \frac{1 - (1 - \mu\gamma)^T}{2 \mu} \big( \mathrm{bias}^2 + L \gamma \mathrm{Var} \big) .$$

For $f = w^2/2$ with the gradient $w + b + \sigma \xi$ the floor is
$b^2/2 + \gamma\sigma^2/(2(2 - \gamma))$ exactly: $0.0713158$ at $b = 0.3$, $\sigma = 1$,
$\gamma = 0.1$, where the theorem gives $0.095$. With $\gamma = 1$ one step lands on the bound.
""",
    theorem="Theorem 6.2",
    link="theory.md#62-one-step",
    kind="tight",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def floor(gamma: float, b: float = 0.3, sigma: float = 1.0) -> float:
    """lim E w²/2 of w ← w − γ(w + b + σξ), by iterating mean and variance."""
    mean, variance = 1.0, 0.0
    for _ in range(int(60 / gamma)):
        mean = mean - gamma * (mean + b)
        variance = (1 - gamma) ** 2 * variance + (gamma * sigma) ** 2
    return (mean**2 + variance) / 2


def checks() -> Iterator[Check]:
    """The floors, and one step with γ = 1 from w = 2, over two coins ξ."""
    text = _SPEC.replace("horizon: 1000", "horizon: 1000000")
    # The perturbation is a fixed shift, so Var = σ² here; (σ + ζ)² is for all perturbations.
    exact = text.replace("rms: 3/10, mean: 3/10", "model: constant, value: 3/10")
    found = bc.rates(built(exact)).pl["sharp"]
    bias = value(found.terms["perturbation_bias"])
    sampling = value(found.terms["sampling"])
    yield Check(
        r"$(\mathrm{bias}^2 + L\gamma\sigma^2)/(2\mu)$", float(bias + sampling), 0.095, rel=1e-12
    )
    yield Check("which is at least the exact floor", float(bias + sampling), floor(0.1), "at least")
    yield Check(
        "the exact floor, iterated", floor(0.1), 0.0713158, rel=1e-6, why="stated to six digits"
    )
    one = exact.replace("step_size: 1/10, horizon: 1000000", "step_size: 1, horizon: 1")
    found = bc.rates(built(one)).pl["sharp"]
    b, w = Fraction(3, 10), Fraction(2)
    landed = sum((Fraction(1, 2) * (w - (w + b + xi)) ** 2 / 2 for xi in (-1, 1)), Fraction(0))
    bound = value(found.terms["optimisation"]) + value(found.terms["sampling"])
    yield Check(
        "one step with $\\gamma = 1$: terms without $\\zeta$, and $E w^2/2$",
        bound + value(found.terms["perturbation_bias"]),
        landed,
    )


def figure() -> Figure:
    """The theorem's floor and the exact one against the step size."""
    drawn, axes = panel(r"step size $\gamma$", "floor")
    steps = [k / 40 for k in range(1, 41)]
    axes.plot(steps, [(0.09 + g) / 2 for g in steps], color="#0072B2", label="Theorem 6.2")
    axes.plot(steps, [floor(g) for g in steps], "k--", label="exact")
    axes.legend()
    return drawn
