"""Sign SGD converges under noise that has no mean."""

from collections.abc import Iterator
from math import exp
from typing import TYPE_CHECKING

import boundcalc as bc
from boundcalc.resources import example
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="Sign SGD converges under Cauchy noise",
    topic="agents",
    statement=r"""
For steps $\gamma_k \le \gamma_0 < 2c_\nu/(dL_1\psi)$, $\psi = \varphi(L_1\gamma_0\sqrt d)$,
scales at most $\bar\sigma$, any $\nu > 0$ and
$h = \frac1N\sum_{ij}\lvert\partial_jf\rvert\min(\lvert\partial_jf\rvert/\sigma_{ij}, 1)$, at a
step drawn with probability proportional to $c_\nu\gamma_k - \frac12\psi dL_1\gamma_k^2$,

$$\mathbb{E}\thinspace h \le \frac{S_0 + \frac12\psi d(L_0 + \frac14L_1d\bar\sigma)\sum\gamma_k^2}
{c_\nu\sum\gamma_k - \frac12\psi dL_1\sum\gamma_k^2} .$$

$f = \frac14x^4$ from 3, eight agents, Cauchy noise of scale 1, $\gamma_k = \frac1{10\sqrt{k+1}}$:
the bound falls as $\ln T/\sqrt T$, and a run stays below it. The number of agents does not occur.
""",
    theorem="docs/theory-distributed.md, Theorem 12.8",
    link="theory-distributed.md#124-dsignsgd",
    kind="upper",
    reference="Setting: [COM] E. Monzio Compagnoni et al., arXiv:2506.00181; the statement is that "
    "of docs/theory-distributed.md.",
    spec="quartic-dsignsgd-cauchy",
    command="rate",
)


def by_hand(horizon: int) -> float:
    """The display, summed step by step: d = L1 = σ = 1, L0 = 4, S0 = 81/4, c = 1/2."""
    psi = 2 * (exp(0.1) - 1.1) / 0.01
    one = sum(0.1 / (k + 1) ** 0.5 for k in range(horizon))
    two = sum(0.01 / (k + 1) for k in range(horizon))
    return (81 / 4 + psi / 2 * (4 + 1 / 4) * two) / (one / 2 - psi / 2 * two)


def bound(horizon: int) -> float:
    """The same by boundcalc."""
    text = example("quartic-dsignsgd-cauchy").read_text("utf-8")
    made = bc.loads(text.replace("horizon: 1000", f"horizon: {horizon}"))
    return float(bc.rates(made).statements[0].bound)


def checks() -> Iterator[Check]:
    """Three horizons, the step's limit, and a run."""
    for horizon in (10, 1000, 100_000):
        yield Check(
            f"bound after {horizon} steps",
            bound(horizon),
            by_hand(horizon),
            rel=1e-9,
            why="long sums are enclosed from above",
        )
    spec = bc.load(example("quartic-dsignsgd-cauchy"))
    found = bc.simulate(spec)
    yield Check(
        "left side of a run",
        found.metrics["left_side"].hi,
        by_hand(1000),
        "at most",
        sampled="upper end of a 99.9 per cent interval, 1000 runs, seed 7",
    )
    yield Check(
        "share of runs that stay bounded",
        found.metrics["share_bounded"].mean,
        1,
        why="certain: steps of length γ_k reach no further than 3 + Σγ_k = 9.2",
    )


def figure() -> "Figure":
    """The bound against the horizon."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        horizons = [10**k for k in range(1, 8)]
        values = [bound(T) for T in horizons]
        panel.loglog(horizons, values, "o-", color=LOOKS["sharp"].colour, label="bound")
        panel.loglog(
            horizons,
            [values[-1] * (horizons[-1] / T) ** 0.5 for T in horizons],
            ":",
            color=OBSERVED,
            label="$T^{-1/2}$",
        )
        panel.set_xlabel("horizon $T$")
        panel.set_ylabel(r"bound on $\mathbb{E}\,h$")
        panel.legend()
    return found
