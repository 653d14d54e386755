"""The step that is best for a horizon, and the rate 1/sqrt(T)."""

from collections.abc import Iterator
from math import sqrt
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.classical.sgd_nonconvex import SPEC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="The best fixed step of SGD, and the rate 1/√T",
    topic="classical",
    statement=r"""
The bound $2\Delta_0/(\gamma T) + L\gamma\sigma^2$ of SGD is least at
$\gamma = \min\{1/L, \sqrt{2\Delta_0/(LT\sigma^2)}\}$. If the second entry is the smaller one, the
bound there is

$$2\sqrt{\frac{2L\Delta_0\sigma^2}{T}} ,$$

which falls as $T^{-1/2}$: four times the horizon halves it.
""",
    theorem="docs/theory.md, Lemma 6.6",
    link="theory.md#62-one-step",
    kind="exact",
    reference="The rate: S. Ghadimi, G. Lan, SIAM Journal on Optimization 23(4), 2341-2368, 2013, "
    "arXiv:1309.5549.",
    spec=SPEC,
    command="rate",
)


def best(horizon: int) -> tuple[float, float]:
    """The best step and the bound there."""
    text = SPEC.replace("horizon: 100", f"horizon: {horizon}")
    step, bound = bc.rates(bc.loads(text)).nonconvex["sharp"].best_step
    return float(step), float(bound)


def checks() -> Iterator[Check]:
    """Step and bound at two horizons, and below the horizon where 1/L is best."""
    L, gap, sigma = 2, 3, 1 / 2
    near = "the step is a short fraction beside the irrational one, 2e-6 away at most"
    for T in (1_000, 4_000):
        step, bound = best(T)
        yield Check(f"step at $T = {T}$", step, sqrt(2 * gap / (L * T)) / sigma, rel=2e-6, why=near)
        least = 2 * sqrt(2 * L * gap / T) * sigma
        yield Check(f"bound at $T = {T}$", bound, least, rel=1e-10, why=near)
    step, bound = best(40)
    yield Check("step at $T = 40$, where $1/L$ is the smaller entry", step, 1 / L)
    yield Check("bound at $T = 40$", bound, 2 * L * gap / 40 + sigma**2, rel=1e-15)


def figure() -> "Figure":
    """Bound against step for three horizons, with the best steps."""
    import numpy as np

    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        steps = np.geomspace(2e-3, 0.5, 200)
        for T, line in ((100, "-"), (1_000, "--"), (10_000, ":")):
            bound = 6 / (steps * T) + 2 * steps / 4
            panel.loglog(steps, bound, line, color=LOOKS["sharp"].colour, label=f"$T$ = {T}")
            panel.plot(*best(T), "o", color=OBSERVED)
        panel.set_xlabel(r"step $\gamma$")
        panel.set_ylabel("bound")
        panel.legend()
    return found
