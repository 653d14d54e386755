"""Theorem 6.1: the sharp nonconvex bound, term by term."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, value

_SPEC = """
version: 1
name: Nonconvex
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
loss: {smoothness: 2, initial_gap: 3, gradient_noise: 1/5}
perturbations:
  - {at: f1, pass: forward, rms: 1/10, mean: 0, fourth: 1/10}
  - {at: f2, pass: backward, rms: 1/2, mean: 1/4, every: 4}
training: {step_size: 1/8, horizon: 1000}
"""

ENTRY = Entry(
    title="The sharp nonconvex rate",
    topic="theorems",
    statement=r"""
For an $L$-smooth objective, sampling noise of variance at most $\sigma^2$ and
$0 < \gamma \le 1/L$,

$$\frac1T \sum_{t=0}^{T-1} \mathbb{E} \lVert \nabla \ell(w^{(t)}) \rVert^2 \le
\frac{2 \Delta_0}{\gamma T} + \frac1T \sum_{t=0}^{T-1} \big( \mathrm{bias}_t^2
+ L \gamma \mathrm{Var}_t \big) ,$$

with $\mathrm{Var}_t \le (\sigma + \zeta_t)^2$. Here $\varepsilon_2$ acts in every fourth step:
$\zeta_t = (e_1 + \epsilon_2, e_1)$ then, with the $\varepsilon$ part biased, and $(e_1, e_1)$
otherwise.
""",
    theorem="Theorem 6.1",
    link="theory.md#62-one-step",
    kind="upper",
    spec=_SPEC,
    command="rate",
    reference=OWN,
)


def stated() -> float:
    """The right side, step by step."""
    L, gap, sigma, gamma, T, e, eps, n = 2, 3, 0.2, 1 / 8, 1000, 0.1, 0.5, 0.25
    total = 2 * gap / (gamma * T)
    for t in range(T):
        noise, mean = (eps, n) if t % 4 == 0 else (0.0, 0.0)
        zeta = ((e + noise) ** 2 + e**2) ** 0.5
        # Theorem 4.2: μ_1 = 0, so the means are ½e² + n and ½e².
        bias2 = (e**2 / 2 + mean) ** 2 + (e**2 / 2) ** 2
        total += (bias2 + L * gamma * (sigma + zeta) ** 2) / T
    return total


def checks() -> Iterator[Check]:
    """The bound and its parts."""
    found = bc.rates(built(_SPEC)).nonconvex["sharp"]
    yield Check("the bound", value(found.bound), stated(), rel=1e-12)
    yield Check(
        r"its first term, $2\Delta_0/(\gamma T)$",
        value(found.terms["optimisation"]),
        Fraction(6 * 8, 1000),
    )
    yield Check("the largest step", value(found.step_size_limit), Fraction(1, 2))
