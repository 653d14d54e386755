"""Stale stochastic unified momentum."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

import boundcalc as bc
from boundcalc.resources import example
from gallery.base import Check, Entry
from gallery.pipelines.stale_sharp import largest

ENTRY = Entry(
    title="Stale SGD with momentum: the published constants and the sharp limit",
    topic="pipelines",
    statement=r"""
$y^+ = x - \alpha g$, $y^{s+} = x - s\alpha g$, $x^+ = y^+ + \beta(y^{s+} - y^s)$: heavy ball for
$s = 0$, Nesterov for $s = 1$. The published limit is
$2(1-\beta)/(L(c_4 + \sqrt{c_4^2 + 4(1-\beta)^2c_3}))$ with $c_2 = ((1-\beta)s-1)^2/(1-\beta)^2$,
$c_3 = c_0\Delta t^2(c_2+s^2)$, $c_4 = 3 + \beta^2c_2 + 2(1-\beta)^2\Delta t^2(c_2+s^2)$. Sharp:
with $\varphi = 1-(1-\beta)s$, $W = 1 + \beta s + \frac{\beta\varphi}{1-\beta}$ and
$P = \frac{L_f}{1-\beta}(1 + \frac{2\beta\varphi}{1-\beta})$ it is $2/(P + \sqrt{P^2 + 4W^2Q})$,
and the bound

$$\frac{2(1-\beta)\Delta_0}{N\alpha} + \frac{L_f\alpha\sigma^2}{1-\beta}\Bigl(1 +
\frac{\beta\varphi}{1-\beta}\Bigr) + \alpha^2W^2Q\sigma^2 .$$

Four blocks, $\beta = s = \frac12$: $c_2 = \frac94$, $c_3 = 9000$, $c_4 = 48.5625$.
""",
    theorem="[XHH], Theorem 2; docs/theory-staleness.md, Theorem 10.8",
    link="theory-staleness.md#107-momentum",
    kind="upper",
    reference="[XHH] A. Xu, Z. Huo, H. Huang, CVPR 2020, arXiv:1909.02625; unified momentum: T. "
    "Yang, Q. Lin, Z. Li, arXiv:1604.03257.",
    spec="dsp-momentum",
    command="rate",
)


def checks() -> Iterator[Check]:
    """The published constants, both limits, and the sharp bound."""
    statements = bc.rates(bc.load(example("dsp-momentum"))).statements
    printed, sharp = statements["momentum"], statements["momentum.sharp"]
    for key, stated in (("c2", 2.25), ("c3", 9000), ("c4", 48.5625)):
        yield Check(f"${key[0]}_{key[1]}$", float(printed.constants[key]), stated, rel=1e-12)
    L, beta, s, c3, c4 = sqrt(70), 0.5, 0.5, 9000, 48.5625
    root = sqrt(c4**2 + 4 * (1 - beta) ** 2 * c3)
    yield Check(
        "published limit",
        float(printed.step_size_limit),
        2 * (1 - beta) / (L * (c4 + root)),
        rel=1e-12,
    )
    step, gap, noise, batches = 1 / 2000, 2, 1 / 100, 2000
    c5 = (
        (2 + beta**2 * 2.25) / (1 - beta)
        + 2 * (1 - beta) * 36 * 2.5
        + (root - c4) / (2 * (1 - beta))
    )
    first = 2 * (1 - beta) * gap / (batches * step)
    yield Check("published bound", float(printed.bound), first + c5 * noise * L * step, rel=1e-12)
    phi = 1 - (1 - beta) * s
    W = 1 + beta * s + beta * phi / (1 - beta)
    P = L / (1 - beta) * (1 + 2 * beta * phi / (1 - beta))
    Q = largest([6, 4, 2, 0])
    slack = "the weights in Q are short fractions found by a power method"
    yield Check(
        "sharp limit",
        float(sharp.step_size_limit),
        2 / (P + np.sqrt(P**2 + 4 * W**2 * Q)),
        rel=1e-7,
        why=slack,
    )
    second = L * step * noise / (1 - beta) * (1 + beta * phi / (1 - beta))
    yield Check(
        "sharp bound",
        float(sharp.bound),
        first + second + step**2 * W**2 * Q * noise,
        rel=1e-7,
        why=slack,
    )
