"""Gradient descent with a relative error: the exact worst case of others, and the bounds here."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from gallery.base import Check, Entry

SPEC = """\
version: 1
name: Gradients that are a tenth too short
theory: shrinkage
shrinkage: {q: 9/10, quantization_noise: 0}
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]
loss: {smoothness: 1, pl: 1/10, initial_gap: 1, gradient_noise: 0}
training: {step_size: 200/119, horizon: 1}
"""

ENTRY = Entry(
    title="Inexact gradient descent: the known exact worst case",
    topic="classical",
    statement=r"""
Let $f$ be $L$-smooth and $\mu$-strongly convex,
$\lVert d_t - \nabla f(x_t)\rVert \le \varepsilon\lVert\nabla f(x_t)\rVert$ and
$\gamma = 2/((1+\varepsilon)L + (1-\varepsilon)\mu)$. Then

$$f(x_n) - f^{\ast} \le \left(\frac{1-\kappa_\varepsilon}{1+\kappa_\varepsilon}\right)^{2n}
(f(x_0) - f^{\ast}) , \qquad \kappa_\varepsilon = \frac{\mu(1-\varepsilon)}{L(1+\varepsilon)} ,$$

and nothing smaller holds: it is attained by $\frac\mu2x^2$ and $d = (1-\varepsilon)\nabla f$.
boundcalc has no statement on every such error; its nearest one is Theorem 11.5 (b) for the error
that attains the worst case, $q = 1 - \varepsilon$. It reads $1 - \mu q\gamma(2 - Lq\gamma)$:
above the exact number, since it knows no more of $f$ than the PL inequality, and equal to it
where it is told the curvature of the extremal function, $L = \mu$.
""",
    theorem="de Klerk, Glineur and Taylor, Theorem 5.3",
    link="theory-shrinkage.md#113-under-the-pl-inequality",
    kind="upper",
    reference="E. de Klerk, F. Glineur, A. B. Taylor, Worst-case convergence analysis of inexact "
    "gradient and Newton methods through semidefinite programming performance estimation, SIAM "
    "Journal on Optimization 30(3), 2053-2082, 2020, arXiv:1709.05191; the numbers also in the "
    "example wc_inexact_gradient_descent of PEPit.",
    spec=SPEC,
    command="rate",
)


def checks() -> Iterator[Check]:
    """Above the exact worst case for L = 1, and equal to it on the extremal function."""
    worst = ((1 - Fraction(9, 110)) / (1 + Fraction(9, 110))) ** 2
    for n, printed in ((1, 0.720359), (2, 0.518917)):
        text = SPEC.replace("horizon: 1", f"horizon: {n}")
        bound = bc.rates(bc.loads(text)).statements["pl_sharp"].bound.value
        yield Check(f"Theorem 11.5 (b) for $L = 1$, $n = {n}$", bound, worst**n, "at least")
        extremal = text.replace("smoothness: 1,", "smoothness: 1/10,")
        attained = bc.rates(bc.loads(extremal)).statements["pl_sharp"].bound.value
        yield Check(f"on the extremal function, $n = {n}$", attained, worst**n)
        yield Check(
            f"the same against the published digits, $n = {n}$",
            attained,
            printed,
            rel=1e-6,
            why="published with six digits",
        )
