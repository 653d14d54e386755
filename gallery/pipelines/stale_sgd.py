"""The published theorem on stale SGD, and what its proof gives."""

from collections.abc import Iterator
from math import sqrt

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.pipelines.queues import SPEC

ENTRY = Entry(
    title="Stale SGD: the published theorem and its correction",
    topic="pipelines",
    statement=r"""
For non-increasing steps up to $c_1/(Lc_0\Delta t^2)$, here one fixed step $\alpha$ for $N$
batches,

$$\frac1N\sum_{n<N}\mathbb{E}\lVert\nabla f(x^n)\rVert^2 \le \frac{2\Delta_0}{N\alpha}
{}+ L\alpha\sigma^2\Bigl(2 + K\Delta t^2 + \tfrac14Kc_1\Bigr) ,$$

with $\Delta_0 = f(x^0) - f^{\ast}$: the last display of the source has the sign the other way
round (E11), and its proof needs steps that do not increase (E13). As the variance is a total over
all blocks, a factor $K$ may go (E12): $2 + \Delta t^2 + \frac12c_1\frac K{K+1}$ in the bracket.
""",
    theorem="[XHH], Theorem 1, with E11 to E13; docs/theory-staleness.md, Theorem 10.3",
    link="theory-staleness.md#103-theorem-1-with-corrections",
    kind="upper",
    reference="[XHH] A. Xu, Z. Huo, H. Huang, On the acceleration of deep learning model "
    "parallelism with staleness, CVPR 2020, arXiv:1909.02625.",
    spec=SPEC.replace("step_size: 1/200", "step_size: 1/100"),
    command="rate",
)

L, GAP, NOISE, STEP, N, K, DT = 2, 2, 1 / 16, 1 / 100, 2000, 3, 4


def checks() -> Iterator[Check]:
    """Both bounds written out, the step that is too large, and Corollary 1."""
    c1 = -(DT**2 + 2) + sqrt((DT**2 + 2) ** 2 + 2 * 48 * DT**2)
    statements = bc.rates(bc.loads(ENTRY.spec)).statements
    first = 2 * GAP / (N * STEP)
    printed = first + L * STEP * NOISE * (2 + K * DT**2 + K * c1 / 4)
    better = first + L * STEP * NOISE * (2 + DT**2 + c1 / 2 * K / (K + 1))
    yield Check(
        "Theorem 1, with the sign of E11", float(statements["sgd"].bound), printed, rel=1e-12
    )
    corrected = float(statements["sgd.corrected"].bound)
    yield Check("Theorem 10.3", corrected, better, rel=1e-12)
    yield Check("the correction is smaller", corrected, printed, "at most")
    large = bc.loads(ENTRY.spec.replace("step_size: 1/100", "step_size: 1/50"))
    refused = bc.rates(large).statements["sgd"].bound is None
    yield Check("above the limit, 0.01636, no bound is given", float(refused), 1)
    long = bc.loads(ENTRY.spec.replace("horizon: 2000", "horizon: 40000"))
    corollary = bc.rates(long).corollary["bound"]
    stated = (2 * GAP + L * NOISE * (2 + K * DT**2 + K * c1 / 4)) / sqrt(40_000)
    yield Check(r"Corollary 1, $N = 40\,000$", float(corollary), stated, rel=1e-12)
