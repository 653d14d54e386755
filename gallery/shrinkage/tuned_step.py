"""The best step for a horizon, and the smallest factor for a target."""

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.shrinkage.constant_factor import SPEC

ENTRY = Entry(
    title="The tuned step, and the smallest factor for a target",
    topic="shrinkage",
    statement=r"""
The nonconvex bound $2\Delta_0/(K\mu q) + L\mu(q\sigma^2 + \sigma_e^2/q)$ is least at

$$\mu = \min\Bigl\{\frac1{Lq}, \sqrt{\frac{2\Delta_0}{LK(q^2\sigma^2+\sigma_e^2)}}\Bigr\} .$$

At a given step it is at most a target $\mathcal T$ if and only if
$L\mu\sigma^2q^2 - \mathcal Tq + \frac{2\Delta_0}{K\mu} + L\mu\sigma_e^2 \le 0$: the admissible
factors form an interval, whose lower end is a root of a quadratic. What is printed is admissible,
and a thousandth less is not.
""",
    theorem="docs/theory-shrinkage.md, sections 11.2 and 11.6",
    link="theory-shrinkage.md#116-budgets",
    kind="exact",
    reference="Elementary, from docs/theory-shrinkage.md, Theorem 11.2.",
    spec=SPEC,
    command="rate",
)


def checks() -> Iterator[Check]:
    """Step, bound there, smallest factor, and the bound at it."""
    K, gap, q, noise = 3000, 2, 0.5, 0.36
    step, bound = bc.rates(bc.loads(SPEC)).tuned
    yield Check(
        "tuned step",
        float(step),
        sqrt(2 * gap / (K * (q**2 + noise))),
        rel=1e-9,
        why="a short fraction beside the irrational minimiser",
    )
    least = 2 * sqrt(2 * gap / K * (q + noise / q) / q)
    yield Check("bound there", float(bound), least, rel=1e-12)
    text = SPEC.replace("3/5}", "1/10}") + "budget: {regime: nonconvex, target: 1/10}\n"
    found = float(bc.budget(bc.loads(text)).q)
    mu, target = 0.2, 0.1
    free = 2 * gap / (K * mu) + mu / 100
    root = (target - sqrt(target**2 - 4 * mu * free)) / (2 * mu)
    yield Check("smallest factor", found, root, rel=1e-9, why="rounded up to a short fraction")
    for share, relation in ((1, "at most"), (0.999, "at least")):
        q_there = Fraction(found * share)
        at = text.replace("q: 1/2", f"q: {q_there}")
        there = float(bc.rates(bc.loads(at)).statements["nonconvex"].bound)
        yield Check(f"bound at {share} times it", there, target, relation)
