"""Who stays bounded on a quartic under Cauchy noise."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from boundcalc.theories.distributed.experiments import Share, shares
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Who stays bounded: SGD and signs under Cauchy noise",
    topic="agents",
    statement=r"""
$f = \frac14x^4$, eight agents, Cauchy noise of scale 1, steps $0.1/\sqrt{k+1}$, 1000 steps,
escape beyond $10^6$. From $x_0 = 3$ about three quarters of the runs of plain SGD stay bounded,
from $x_0 = 5$ about one in a hundred; of sign SGD all do from both, as its steps reach no further
than $3 + \sum\gamma_k = 9.2$. The share of SGD means nothing without its horizon: it falls to 0,
as each step throws a run beyond the stable range with a probability whose sum diverges.
""",
    theorem="[COM], experiments; docs/distributed.md, who stays bounded",
    link="distributed.md#who-stays-bounded",
    kind="counterexample",
    reference="[COM] E. Monzio Compagnoni, R. Islamov, A. Orvieto, E. Gorbunov, arXiv:2506.00181.",
)


@cache
def made(start: float) -> tuple[Share, ...]:
    """Plain and sign SGD from one start."""
    return shares(["SGD", "sign"], ["Student, ν = 1"], starts=[start], replicas=250)


def own_share(start: float, runs: int) -> float:
    """The share of bounded runs of plain SGD, simulated here."""
    rng, x = np.random.default_rng(5), np.full(runs, start)
    alive = np.ones(runs, dtype=bool)
    for k in range(1000):
        noise = rng.standard_cauchy((8, runs)).mean(axis=0)
        x[alive] -= 0.1 / (k + 1) ** 0.5 * (x[alive] ** 3 + noise[alive])
        alive &= np.abs(x) <= 1e6
    return float(alive.mean())


def checks() -> Iterator[Check]:
    """Shares against a simulation of our own, and signs, which are certain."""
    how = "two samples, of 250 and 1500 runs with fixed seeds: four standard errors, 99.99 per cent"
    for start, printed in ((3.0, 0.76), (5.0, 0.009)):
        plain, sign = made(start)
        own = own_share(start, 1500)
        spread = 4 * (printed * (1 - printed) * (1 / 250 + 1 / 1500)) ** 0.5
        share = plain.bounded.mean
        yield Check(f"SGD from {start:g}: at most", share, own + spread, "at most", sampled=how)
        yield Check(f"SGD from {start:g}: at least", share, own - spread, "at least", sampled=how)
        yield Check(f"signs from {start:g}: all", sign.bounded.mean, 1)
    reach = 3 + sum(0.1 / (k + 1) ** 0.5 for k in range(1000))
    yield Check("how far signs can go from 3", reach, 9.2, rel=3e-3, why="two digits are printed")


def figure() -> "Figure":
    """The shares as bars."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.6)
        for offset, start, look, hatch in ((-0.2, 3.0, "sharp", ""), (0.2, 5.0, "published", "//")):
            heights = [100 * share.bounded.mean for share in made(start)]
            at = [k + offset for k in range(2)]
            panel.bar(
                at, heights, 0.38, color=LOOKS[look].colour, hatch=hatch, label=f"from {start:g}"
            )
        panel.set_xticks(range(2), ["SGD", "signs"])
        panel.set_ylabel("per cent that stay bounded")
        panel.set_ylim(0, 130)
        panel.set_yticks([0, 50, 100])
        panel.legend(loc="upper left", ncols=2)
    return found
