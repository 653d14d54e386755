"""Theorems 3 to 5 of [KZY], as printed and with the exponent of the proof."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import KZY
from gallery.tools import built, value

_SPEC = """
version: 1
name: Published rates
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
loss: {smoothness: 1, pl: 1/2, initial_gap: 2, gradient_noise: 1/10}
perturbations:
  - {at: f1, pass: forward, rms: 1/10, mean: 1/20, fourth: 1/10, every: 3}
training: {step_size: 1/4, horizon: 20}
"""

ENTRY = Entry(
    title="The published convergence bounds",
    topic="theorems",
    statement=r"""
For $\gamma \le 1/(3L)$ the average of $\mathbb{E} \lVert \nabla \ell \rVert^2$ over $T$ steps is at
most

$$\frac{6 \Delta_0}{\gamma T} + 6 L \gamma \sigma^2 + \frac{6 L \gamma}{T} \sum_t \zeta_t^2
+ \frac3T \sum_t \beta_t^2 ,$$

and under PL

$$\mathbb{E}[\ell(w^{(T)}) - \ell^*] \le q^T \Delta_0 + \frac{3 L \gamma \sigma^2}{\mu}
+ \sum_{t=0}^{T-1} q^{T-t} \big[ L \gamma^2 \zeta_t^2 + \tfrac{\gamma}{2} \beta_t^2 \big]$$

with $q = 1 - \mu\gamma/3$. Unrolling the printed one-step inequality gives the exponent $T - 1 - t$
(E5), which `corrected` takes. Both are proved.
""",
    theorem="[KZY] Theorems 3 to 5; Lemma 6.5",
    link="theory.md#62-one-step",
    kind="upper",
    spec=_SPEC,
    command="rate",
    reference=KZY,
)


def stated(lag: int, fourth: Fraction) -> tuple[Fraction, Fraction]:
    """Both bounds step by step; ``lag`` is 0 for T − t and 1 for T − 1 − t."""
    L, mu, gap, sigma, gamma, T = (
        Fraction(1),
        Fraction(1, 2),
        Fraction(2),
        Fraction(1, 10),
        Fraction(1, 4),
        20,
    )
    q = 1 - mu * gamma / 3
    average = 6 * gap / (gamma * T) + 6 * L * gamma * sigma**2
    final = q**T * gap + 3 * L * gamma * sigma**2 / mu
    for t in range(0, T, 3):
        zeta2 = 16 * Fraction(1, 100)  # C^e_δ1 = 16
        beta2 = fourth * Fraction(1, 10**4) + 32 * Fraction(1, 400)  # C^b_δ1 = 32 either way
        average += (6 * L * gamma * zeta2 + 3 * beta2) / T
        final += q ** (T - lag - t) * (L * gamma**2 * zeta2 + gamma / 2 * beta2)
    return average, final


def checks() -> Iterator[Check]:
    """Both regimes of both families; all constants 1, so that C̃^b_δ1 = 64."""
    rates = bc.rates(built(_SPEC))
    for family, lag in (("published", 0), ("corrected", 1)):
        average, final = stated(lag, Fraction(64))
        found = value(rates.nonconvex[family].bound)
        yield Check(f"average of the squared gradient, {family}", found, average)
        yield Check(f"loss after $T$ steps, {family}", value(rates.pl[family].bound), final)
