"""SGD on a smooth nonconvex objective, from zero perturbations."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: SGD on a smooth objective
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: f2, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 2, initial_gap: 3, gradient_noise: 1/2}
training: {step_size: 1/8, horizon: 100}
"""

ENTRY = Entry(
    title="SGD on a smooth nonconvex objective",
    topic="classical",
    statement=r"""
Let $\nabla\ell$ be $L$-Lipschitz and let the stochastic gradient be unbiased with variance at
most $\sigma^2$. For every fixed step $\gamma < 2/L$

$$\frac1T \sum_{t<T} \mathbb{E}\lVert\nabla\ell(w_t)\rVert^2
\le \frac{2\Delta_0 + L\gamma^2\sigma^2T}{T\gamma(2-L\gamma)} .$$

Theorem 11.4 is this statement where nothing is shortened, $q = 1$. For $\gamma \le 1/L$ the
factor $2 - L\gamma$ is at least 1, and what is left, $2\Delta_0/(\gamma T) + L\gamma\sigma^2$, is
the sharp bound of Theorem 6.1 without perturbations.
""",
    theorem="Ghadimi and Lan, Theorem 2.1; docs/theory.md, Theorem 6.1",
    link="theory.md#62-one-step",
    kind="upper",
    reference="S. Ghadimi, G. Lan, Stochastic first- and zeroth-order methods for nonconvex "
    "stochastic programming, SIAM Journal on Optimization 23(4), 2341-2368, 2013, "
    "arXiv:1309.5549.",
    spec=SPEC,
    command="rate",
)


def checks() -> Iterator[Check]:
    """Both forms, exactly."""
    L, gap, step, sigma, T = 2, 3, Fraction(1, 8), Fraction(1, 2), 100
    rates = bc.rates(bc.loads(SPEC))
    yield Check(
        r"bound on the average of $\mathbb{E}\lVert\nabla\ell\rVert^2$, Theorem 6.1",
        rates.nonconvex["sharp"].bound.value,
        2 * gap / (step * T) + L * step * sigma**2,
    )
    whole = "version: 1\ntheory: shrinkage\nshrinkage: {q: 1, quantization_noise: 0}"
    shrunk = bc.rates(bc.loads(SPEC.replace("version: 1", whole)))
    yield Check(
        r"the same with the factor $2 - L\gamma$",
        shrunk.statements["nonconvex_sharp"].bound.value,
        (2 * gap + L * step**2 * sigma**2 * T) / (T * step * (2 - L * step)),
    )
