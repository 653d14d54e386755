"""The exact floor of a quadratic: 61/950."""

from collections.abc import Iterator
from fractions import Fraction

import boundcalc as bc
from boundcalc.resources import example
from gallery.base import Check, Entry

ENTRY = Entry(
    title="The exact floor of a quadratic: 61/950",
    topic="shrinkage",
    statement=r"""
For $\ell(w) = \frac\lambda2\lVert w - w^{\ast}\rVert^2$, a constant factor and step, and noise of
exactly the stated variances, $x_k = \mathbb{E}[\ell(w_k) - \ell^{\ast}]$ obeys
$x_{k+1} = (1-\mu q\lambda)^2x_k + \frac{\lambda\mu^2}2(q^2\sigma^2 + \sigma_e^2)$, and for
$0 < \mu q\lambda < 2$

$$\lim_kx_k = \frac{\mu(q\sigma^2 + \sigma_e^2/q)}{2(2 - \mu q\lambda)} .$$

$\lambda = \sigma = 1$, $\mu = \frac15$, $q = \frac12$, $\sigma_e = \frac35$:
$61/950 = 0.0642105$. Theorem 11.5 (a) gives $61/500$; (b) is attained at every $k$. The last
average of a simulated run contains the exact number.
""",
    theorem="docs/theory-shrinkage.md, Theorems 11.5 and 11.6",
    link="theory-shrinkage.md#113-under-the-pl-inequality",
    kind="tight",
    reference="Elementary. Setting: [YUN] V.-D. Yun, arXiv:2508.07142.",
    spec="low-precision-shrinkage",
    command="rate",
)


def checks() -> Iterator[Check]:
    """The floor, both theorems, and the run."""
    spec = bc.load(example("low-precision-shrinkage"))
    found = bc.rates(spec)
    yield Check("exact floor", found.exact.floor.value, Fraction(61, 950))
    yield Check(
        "floor of Theorem 11.5 (a)",
        found.statements["pl"].constants["floor"].value,
        Fraction(61, 500),
    )
    short = bc.loads(example("low-precision-shrinkage").read_text("utf-8").replace("3000", "40"))
    x, keep = Fraction(2), (1 - Fraction(1, 10)) ** 2
    for _ in range(40):
        x = keep * x + Fraction(1, 50) * (Fraction(1, 4) + Fraction(9, 25))
    bound = bc.rates(short).statements["pl_sharp"].bound.value
    yield Check("Theorem 11.5 (b) after 40 steps: the recurrence itself", bound, x)
    floor = bc.simulate(spec).metrics["floor"]
    how = "99.9 per cent interval of 200 runs, seed 7"
    yield Check(
        "upper end of the run's average", floor.hi, Fraction(61, 950), "at least", sampled=how
    )
    yield Check(
        "lower end of the run's average", floor.lo, Fraction(61, 950), "at most", sampled=how
    )
