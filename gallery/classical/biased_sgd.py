"""SGD with a biased gradient."""

from collections.abc import Iterator
from fractions import Fraction

from boundcalc.arithmetic import RATIONALS
from boundcalc.rates.statements import Level, Problem, nonconvex_terms, pl_terms
from boundcalc.theories.perturbed.families import FAMILIES
from gallery.base import Check, Entry

ENTRY = Entry(
    title="SGD with a biased gradient",
    topic="classical",
    statement=r"""
Let the step's gradient be $\nabla\ell + b + n$ with $\lVert b\rVert^2 \le \zeta^2$,
$\mathbb{E}\thinspace n = 0$ and $\mathbb{E}\lVert n\rVert^2 \le \sigma^2$, and let
$\gamma \le 1/L$. Then

$$\frac1T\sum_{t<T}\mathbb{E}\lVert\nabla\ell(w_t)\rVert^2
\le \frac{2\Delta_0}{\gamma T} + L\gamma\sigma^2 + \zeta^2 ,$$

and under the PL inequality

$$\mathbb{E}[\ell(w_T) - \ell^{\ast}] \le (1-\mu\gamma)^T\Delta_0
{}+ \frac{\zeta^2 + L\gamma\sigma^2}{2\mu} .$$

These are Theorems 6.1 and 6.2 for any bias, whatever made it; for perturbed passes $\zeta^2$ is
the bias bound of Section 4. They have the form of the rates of Ajalloeian and Stich for bias and
noise that do not grow with the gradient. No step size removes $\zeta^2$.
""",
    theorem="docs/theory.md, Theorems 6.1 and 6.2",
    link="theory.md#62-one-step",
    kind="upper",
    reference="A. Ajalloeian, S. U. Stich, On the convergence of SGD with biased gradients, 2020, "
    "arXiv:2008.00051. A map of assumptions on bias: Y. Demidovich, G. Malinovsky, I. Sokolov, "
    "P. Richtárik, A guide through the zoo of biased SGD, NeurIPS 2023, arXiv:2305.16296.",
)

L, MU, GAP, STEP, T = Fraction(2), Fraction(1, 5), Fraction(3), Fraction(1, 4), 400
SIGMA, BIAS = Fraction(1, 2), Fraction(1, 10)


def checks() -> Iterator[Check]:
    """Both regimes against the displays, written out."""
    rational = RATIONALS
    problem = Problem(L=L, mu=MU, gap=GAP, sigma=SIGMA, step=STEP, horizon=T, kind=rational)
    level = Level(error=Fraction(0), bias=BIAS**2, unbiased=False)
    sharp = FAMILIES["sharp"].descent
    yield Check(
        r"bound on the average of $\mathbb{E}\lVert\nabla\ell\rVert^2$",
        sum(nonconvex_terms(problem, sharp, [level], [Fraction(1)]).values()),
        2 * GAP / (STEP * T) + L * STEP * SIGMA**2 + BIAS**2,
    )
    discounts = sum((1 - MU * STEP) ** n for n in range(T))
    decay = (1 - MU * STEP) ** T
    floor = (BIAS**2 + L * STEP * SIGMA**2) / (2 * MU)
    bound = sum(pl_terms(problem, sharp, [level], [discounts]).values())
    yield Check("PL bound", bound, decay * GAP + (1 - decay) * floor)
    yield Check(
        "PL bound, against its form with the whole floor", bound, decay * GAP + floor, "at most"
    )
