"""The queues of a pipeline, and the constants of its theorem."""

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING

import boundcalc as bc
from boundcalc.theories.staleness.queues import Queues
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: Three blocks with queues
theory: staleness
staleness: {queues: {p: [1, 1, 0], m: [4, 2, 0]}, lipschitz: 2, error_gradient: 1}
graph:
  operators: [{id: block, type: sine, bias: true, repeat: 3}]
loss: {smoothness: 2, initial_gap: 2, gradient_noise: 1/4}
training: {step_size: 1/200, horizon: 2000}
"""

ENTRY = Entry(
    title="DSP(1,1,0;4,2,0): queues, delays and c₀ = 48",
    topic="pipelines",
    statement=r"""
Three blocks; a batch is $p_k$ steps under way to the next block, $m_k$ steps lie between its
passes through block $k$, and its gradient is $q_k = m_{k-1} - p_{k-1} - m_k$ steps under way
back. Here $q = (0, 1, 1)$, the batch passes forward at times 0, 1, 2 and backward at 2, 3, 4, and
the largest delay is $\Delta t = 4$. With $M = 1$ the constants of the theorem are
$c_0 = M^2K(K+1)^2 = 48$ and

$$c_1 = -(\Delta t^2+2) + \sqrt{(\Delta t^2+2)^2 + 2c_0\Delta t^2} = 10\sqrt{18.6} - 18 = 25.13 ,$$

and its steps are at most $c_1/(Lc_0\Delta t^2)$.
""",
    theorem="[XHH], Lemma 2 and Theorem 1; docs/theory-staleness.md, Lemma 10.1",
    link="theory-staleness.md#101-the-pipeline",
    kind="exact",
    reference="[XHH] A. Xu, Z. Huo, H. Huang, On the acceleration of deep learning model "
    "parallelism with staleness, CVPR 2020, arXiv:1909.02625.",
    spec=SPEC,
)


def checks() -> Iterator[Check]:
    """Queue lengths, times, constants and the limit."""
    queues = Queues((1, 1, 0), (4, 2, 0))
    for k, length in enumerate((0, 1, 1)):
        yield Check(f"$q_{k}$", queues.q[k], length)
    for k, time in enumerate((0, 1, 2, 2, 3, 4)):
        yield Check(f"$t_{k}$", queues.times[k], time)
    yield Check(r"$\Delta t$", queues.delay, 4)
    rates = bc.rates(bc.loads(SPEC))
    found = rates.statements["sgd"]
    yield Check("$c_0$", found.constants["c0"].value, Fraction(48))
    c1 = -18 + sqrt(18**2 + 2 * 48 * 16)
    yield Check("$c_1$", float(found.constants["c1"]), c1, rel=1e-12)
    digits = "stated to four digits"
    yield Check("$c_1$, as stated", float(found.constants["c1"]), 25.13, rel=2e-4, why=digits)
    yield Check("step-size limit", float(found.step_size_limit), c1 / (2 * 48 * 16), rel=1e-12)
    plain = SPEC.replace("p: [1, 1, 0], m: [4, 2, 0]", "p: [0, 0, 0], m: [0, 0, 0]")
    limit = bc.rates(bc.loads(plain)).statements["sgd"].step_size_limit
    yield Check("without delays, where the printed limit is 0/0: $1/(2L)$", float(limit), 1 / 4)


def figure() -> "Figure":
    """Where the batches are: forward and backward by block and time."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.6)
        times = Queues((1, 1, 0), (4, 2, 0)).times
        for batch in range(6):
            for k in range(3):
                for at, colour, side in (
                    (times[k], LOOKS["sharp"].colour, -0.2),
                    (times[5 - k], LOOKS["published"].colour, 0.2),
                ):
                    panel.text(
                        batch + at + 0.5,
                        k + side,
                        str(batch),
                        ha="center",
                        va="center",
                        color=colour,
                    )
        panel.set_xlim(0, 10)
        panel.set_ylim(2.6, -0.6)
        panel.set_yticks([0, 1, 2], ["block 0", "block 1", "block 2"])
        panel.set_xlabel(
            "time; the number of the batch, forward above (blue), backward below (red)"
        )
        panel.grid(visible=False)
    return found
