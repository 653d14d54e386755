"""How good the modified equations are: first and second order."""

from collections.abc import Iterator
from math import exp
from typing import TYPE_CHECKING

from boundcalc.theories.distributed.weak_error import Quadratic, order
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Modified equations: weak order one, and two with the right correction",
    topic="agents",
    statement=r"""
On $f = \frac\lambda2x^2$ with fixed steps $\eta = t/n$ both sides are known: the algorithm has
$\mathbb{E}x_n^2 = \rho^nx_0^2 + \eta^2q\frac{1-\rho^n}{1-\rho}$ with
$\rho = 1 - 2\eta\lambda + \eta^2\lambda^2(1+w)$, the equation with the correction $\kappa$ of the
drift

$$\mathbb{E}X_t^2 = e^{rt}x_0^2 + \eta q\frac{e^{rt}-1}r , \qquad r = -2\lambda -
\kappa\eta\lambda^2 + \eta\lambda^2w ,$$

$w = \omega/N$, $q = (1+\omega)\sigma^2/N$. The difference is $O(\eta)$ for $\kappa = 0$ and $-1$,
and $O(\eta^2)$ for $\kappa = 1$ only. Order says nothing about which step is too large.
""",
    theorem="docs/theory-distributed.md, Lemma 12.10",
    link="theory-distributed.md#126-weak-error-of-the-modified-equations",
    kind="exact",
    reference="Weak approximation of SGD: Q. Li, C. Tai, W. E, Stochastic modified equations and "
    "adaptive stochastic gradient algorithms, ICML 2017, arXiv:1511.06251.",
)

STEPS = (1 / 40, 1 / 80, 1 / 160, 1 / 320)


def closed(eta: float, kappa: int | None) -> float:
    """E f by the closed forms; kappa None is the algorithm.

    λ = σ = 1, N = 8, ω = 3, x₀ = t = 2.
    """
    w, q = 3 / 8, 4 / 8
    if kappa is None:
        rho, n = 1 - 2 * eta + eta**2 * (1 + w), round(2 / eta)
        return (rho**n * 4 + eta**2 * q * (1 - rho**n) / (1 - rho)) / 2
    r = -2 - kappa * eta + eta * w
    return (exp(2 * r) * 4 + eta * q * (exp(2 * r) - 1) / r) / 2


def errors(kappa: int) -> list[float]:
    """|E f(x_n) − E f(X_t)| by boundcalc, for the four steps."""
    problem = Quadratic()
    return [abs(problem.discrete(eta) - problem.equation(eta, kappa)) for eta in STEPS]


def checks() -> Iterator[Check]:
    """Both sides at one step, and the orders."""
    problem = Quadratic()
    yield Check(
        "the algorithm, step by step", problem.discrete(1 / 40), closed(1 / 40, None), rel=1e-12
    )
    for kappa in (0, 1, -1):
        yield Check(
            rf"the equation, $\kappa = {kappa}$",
            problem.equation(1 / 40, kappa),
            closed(1 / 40, kappa),
            rel=1e-12,
        )
    why = "the slope of a line through four points: higher orders of the step are left in it"
    for kappa, stated in ((0, 1), (1, 2), (-1, 1)):
        yield Check(
            rf"order, $\kappa = {kappa}$", order(STEPS, errors(kappa)), stated, rel=0.02, why=why
        )


def figure() -> "Figure":
    """The errors against the step."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        for kappa, look, name in (
            (0, "published", r"classic, $\kappa = 0$"),
            (-1, "corrected", r"$\kappa = -1$"),
            (1, "sharp", r"second order, $\kappa = 1$"),
        ):
            panel.loglog(
                STEPS,
                errors(kappa),
                color=LOOKS[look].colour,
                marker=LOOKS[look].marker,
                linestyle=LOOKS[look].line,
                label=name,
            )
        panel.set_xlabel(r"step $\eta$")
        panel.set_ylabel(r"error of $\mathbb{E}f$")
        panel.legend()
    return found
