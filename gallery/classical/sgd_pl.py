"""Gradient descent and SGD under the Polyak-Lojasiewicz inequality."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: SGD under PL
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: f2, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 2, pl: 1/5, initial_gap: 3, gradient_noise: 1/2}
training: {step_size: 1/2, horizon: 12}
"""

ENTRY = Entry(
    title="Gradient descent and SGD under the PL inequality",
    topic="classical",
    statement=r"""
Let $\nabla\ell$ be $L$-Lipschitz and $\lVert\nabla\ell\rVert^2 \ge 2\mu(\ell - \ell^{\ast})$.
Gradient descent with $\gamma = 1/L$ has

$$\ell(w_T) - \ell^{\ast} \le \left(1 - \frac\mu L\right)^T \Delta_0 .$$

With unbiased gradients of variance at most $\sigma^2$ and $\gamma \le 1/L$ the recurrence
$x_{t+1} \le (1 - \mu\gamma)x_t + \frac12L\gamma^2\sigma^2$ adds at most $L\gamma\sigma^2/(2\mu)$.
Both are Theorem 6.2 without perturbations.
""",
    theorem="Karimi, Nutini and Schmidt, Theorem 1; docs/theory.md, Theorem 6.2",
    link="theory.md#62-one-step",
    kind="upper",
    reference="H. Karimi, J. Nutini, M. Schmidt, Linear convergence of gradient and "
    "proximal-gradient methods under the Polyak-Lojasiewicz condition, ECML PKDD 2016, "
    "arXiv:1608.04636.",
    spec=SPEC,
    command="rate",
)


def checks() -> Iterator[Check]:
    """The closed form, and the recurrence step by step."""
    L, mu, gap, sigma, T = 2, Fraction(1, 5), Fraction(3), Fraction(1, 2), 12
    quiet = SPEC.replace("gradient_noise: 1/2", "gradient_noise: 0")
    yield Check(
        r"gradient descent: bound on $\ell(w_{12}) - \ell^{\ast}$",
        bc.rates(bc.loads(quiet)).pl["sharp"].bound.value,
        (1 - mu / L) ** T * gap,
    )
    for step in (Fraction(1, 2), Fraction(1, 10)):
        x = gap
        for _ in range(T):
            x = (1 - mu * step) * x + L * step**2 * sigma**2 / 2
        text = SPEC.replace("step_size: 1/2", f"step_size: {step}")
        bound = bc.rates(bc.loads(text)).pl["sharp"].bound.value
        yield Check(rf"SGD, $\gamma = {step}$: the recurrence after 12 steps", bound, x)
