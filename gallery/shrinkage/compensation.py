"""Dividing the step by the factor restores the rate and enlarges the noise."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.shrinkage.constant_factor import SPEC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Compensation: the rate is back, the floor is higher",
    topic="shrinkage",
    statement=r"""
With the step $\mu/q$ in place of $\mu$ the gradient is seen at its full length:

$$\frac1K\sum_{k<K}\mathbb{E}\lVert\nabla\ell(w_k)\rVert^2 \le \frac{2\Delta_0}{K\mu} +
L\mu\Bigl(\sigma^2 + \frac{\sigma_e^2}{q^2}\Bigr) , \qquad \mu \le \frac1L .$$

The optimisation term is that of full precision. The floor never lies below it, and is $1/q$ times
that of the step $\mu$: it is the same method as one with the smaller factor and a longer step.
For several factors the average of $q_k^{-2}$ takes the place of $q^{-2}$.
""",
    theorem="docs/theory-shrinkage.md, Theorem 11.2",
    link="theory-shrinkage.md#112-nonconvex-statements",
    kind="upper",
    reference="Setting: [YUN] V.-D. Yun, arXiv:2508.07142.",
    spec=SPEC.replace("3/5}", "3/5, compensation: true}"),
    command="rate",
)


def checks() -> Iterator[Check]:
    """The bound, its floor against both others, and a pattern."""
    mu, q, noise, K = Fraction(1, 5), Fraction(1, 2), Fraction(9, 25), 3000
    found = bc.rates(bc.loads(ENTRY.spec)).statements["nonconvex"]
    yield Check("bound", found.bound.value, 4 / (K * mu) + mu * (1 + noise / q**2))
    floor = found.constants["floor"].value
    yield Check("the floor is not below full precision's", floor, mu, "at least")
    plain = bc.rates(bc.loads(SPEC)).statements["nonconvex"].constants["floor"].value
    yield Check("times $q$: the floor without compensation", floor * q, plain)
    text = ENTRY.spec.replace("q: 1/2,", "q: {pattern: [1, 1/2]},")
    pattern = bc.rates(bc.loads(text)).statements["nonconvex"]
    yield Check(
        "factors 1 and 1/2 in turn",
        pattern.bound.value,
        4 / (K * mu) + mu * (1 + noise * (1 + 4) / 2),
    )


def figure() -> "Figure":
    """Bounds against the horizon with and without compensation."""
    import numpy as np

    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        K, q, noise = np.geomspace(10, 10_000, 60), 0.25, 0.02
        panel.loglog(K, 4 / (K * 0.2) + 0.2, color=OBSERVED, label="full precision")
        panel.loglog(
            K,
            4 / (K * 0.2 * q) + 0.2 * (q + noise / q),
            "--",
            color=LOOKS["sharp"].colour,
            label=r"$q = 1/4$, step $\mu$",
        )
        panel.loglog(
            K,
            4 / (K * 0.2) + 0.2 * (1 + noise / q**2),
            ":",
            color=LOOKS["published"].colour,
            label=r"$q = 1/4$, step $\mu/q$",
        )
        panel.set_xlabel("horizon $K$")
        panel.set_ylabel("bound")
        panel.legend()
    return found
