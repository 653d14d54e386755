"""Workers that are slow now and then: queues absorb it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from boundcalc.theories.staleness.stragglers import StragglerTable, step_ends, straggler_table
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Stragglers: what longer queues buy",
    topic="pipelines",
    statement=r"""
Worker $k$ may begin step $n$ when it has ended the one before, and its neighbours have put
something into its queues:

$$C_k(n) = T_k(n) + \max\{C_k(n-1),\ C_{k-1}(n-p_{k-1}),\ C_{k+1}(n-q_{k+1})\} .$$

Two workers with one item in each queue wait for the slower of both in every step. If each of
three workers is slower by the share $s$ with probability $\frac13$ in each step, a step that
waits for the slowest takes $s(1 - (\frac23)^3) = \frac{19}{27}s$ longer on average, and workers
that never wait $\frac s3$. Queues lie between the two, and longer queues are never slower, in any
run.
""",
    theorem="docs/staleness.md, stragglers; cf. [XHH], Table 2",
    link="staleness.md#stragglers",
    kind="exact",
    reference="[XHH] A. Xu, Z. Huo, H. Huang, CVPR 2020, arXiv:1909.02625.",
)


def table() -> StragglerTable:
    """DSP(1,1,0;4,2,0) with slow-downs of a half and one; few runs."""
    return straggler_table(((1, 1), (1, 1)), 3, 1 / 3, (0.5, 1.0), 0, 0.99, steps=1000, runs=16)


def checks() -> Iterator[Check]:
    """Two workers exactly, the expected ends, and the rows between them."""
    rng = np.random.default_rng(0)
    slow = [rng.choice([1.0, 1.5, 3.0], size=(2, 1)) for _ in range(200)]
    ends = step_ends(iter(slow), [1], [1])
    yield Check(
        "two workers, one item each: sum of the slower durations",
        float(ends[-1].max()),
        sum(float(step.max()) for step in slow),
        rel=1e-12,
    )
    found = table()
    for k, s in enumerate((0.5, 1.0)):
        yield Check(
            f"waiting for the slowest, $s = {s}$, per cent",
            found.waiting[k],
            1900 / 27 * s,
            rel=1e-12,
        )
        yield Check(f"never waiting, $s = {s}$, per cent", found.free[k], 100 / 3 * s, rel=1e-12)
        rows = [row[k].mean for row in found.rows.values()]
        top = found.rows["queues as in the spec"][k].hi
        yield Check(
            f"$s = {s}$: queues as given are quicker than waiting",
            top,
            found.waiting[k],
            "at most",
            sampled="upper end of a 99 per cent interval over 16 runs, fixed seed",
        )
        for short, long in pairwise(rows):
            yield Check(f"$s = {s}$: twice as long is not slower", long, short, "at most")


def figure() -> "Figure":
    """Lost time by the length of the queues."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        made = table()
        panel.semilogx(
            [1, 2, 4, 8],
            [row[1].mean for row in made.rows.values()],
            "o-",
            base=2,
            color=LOOKS["sharp"].colour,
            label="queues",
        )
        panel.axhline(
            made.waiting[1],
            linestyle="--",
            color=LOOKS["published"].colour,
            label="every step waits for the slowest",
        )
        panel.axhline(made.free[1], linestyle=":", color=OBSERVED, label="no worker ever waits")
        panel.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
        panel.set_xlabel("length of the queues")
        panel.set_ylabel("per cent longer")
        panel.set_ylim(0, 80)
        panel.legend()
    return found
