"""The exact floor of a biased quadratic."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from boundcalc.arithmetic import WIDE
from boundcalc.rates.statements import Level, Problem, pl_terms
from boundcalc.theories.perturbed.families import FAMILIES
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="The exact floor of SGD with bias and noise",
    topic="classical",
    statement=r"""
For $f(w) = \frac\lambda2w^2$ and the gradient $\lambda w + b + \sigma\xi$ with independent $\xi$,
$\mathbb{E}\xi = 0$, $\mathbb{E}\xi^2 = 1$, the mean and the variance of $w$ settle at
$-b/\lambda$ and $\gamma\sigma^2/(\lambda(2-\gamma\lambda))$, so that

$$\lim_{t\to\infty} \mathbb{E} f(w_t) = \frac{b^2}{2\lambda} +
\frac{\gamma\sigma^2}{2(2-\gamma\lambda)} .$$

For $\lambda = \sigma = 1$, $b = 3/10$, $\gamma = 1/10$ this is $0.0713158$. The floor of Theorem
6.2, $(b^2 + L\gamma\sigma^2)/(2\mu)$, is $0.095$: the part of the bias is exact, that of the
noise $2 - \gamma\lambda$ times the exact one.
""",
    theorem="docs/theory.md, the check below Theorem 6.2",
    link="theory.md#62-one-step",
    kind="upper",
    reference="Elementary: stationary moments of a first-order autoregressive process.",
)


def floor_of_theorem(step: Fraction) -> float:
    """Theorem 6.2 after many steps, with bias 3/10 and variance 1."""
    number = WIDE.number
    problem = Problem(number(1), number(1), number(0), number(1), number(step), 100_000)
    level = Level(error=number(0), bias=number(Fraction(9, 100)), unbiased=False)
    terms = pl_terms(problem, FAMILIES["sharp"].descent, [level], [1 / number(step)])
    return float(sum(terms.values()))


def exact(step: Fraction, steps: int) -> Fraction:
    """E w²/2 after so many steps from 0, from the first two moments."""
    mean = second = Fraction(0)
    b, keep = Fraction(3, 10), 1 - step
    for _ in range(steps):
        second = keep**2 * second - 2 * step * b * keep * mean + step**2 * (b**2 + 1)
        mean = keep * mean - step * b
    return second / 2


def checks() -> Iterator[Check]:
    """The printed number, the limit of the moments, and the theorem above both."""
    step = Fraction(1, 10)
    bound = floor_of_theorem(step)
    yield Check("floor of Theorem 6.2", bound, 0.095, rel=1e-12)
    yield Check(
        "floor of Theorem 6.2 over the exact moments after 200 steps",
        bound,
        exact(step, 200),
        "at least",
    )
    limit = Fraction(9, 200) + step / (2 * (2 - step))
    settled = float(exact(step, 200))
    yield Check("the exact moments settle at the limit", settled, limit, rel=1e-9)
    digits = "stated with six digits"
    yield Check("which is the printed number", float(limit), 0.0713158, rel=1e-6, why=digits)
    yield Check("floor of Theorem 6.2 over the exact limit", bound, limit, "at least")
    yield Check(
        r"what the theorem adds: $\gamma\sigma^2(1-\gamma\lambda)/(2(2-\gamma\lambda))$",
        bound - float(limit),
        step * (1 - step) / (2 * (2 - step)),
        rel=1e-12,
    )


def figure() -> "Figure":
    """Both floors against the step."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        steps = [Fraction(k, 40) for k in range(1, 41)]
        at = [float(step) for step in steps]
        panel.plot(
            at,
            [floor_of_theorem(step) for step in steps],
            color=LOOKS["sharp"].colour,
            label="Theorem 6.2",
        )
        panel.plot(at, [0.045 + x / (2 * (2 - x)) for x in at], "--", color=OBSERVED, label="exact")
        panel.axhline(0.045, linestyle=":", color="#777777", label=r"$b^2/(2\lambda)$")
        panel.set_xlabel(r"step $\gamma$")
        panel.set_ylabel("floor")
        panel.set_ylim(0, None)
        panel.legend()
    return found
