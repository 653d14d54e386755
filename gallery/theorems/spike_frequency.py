"""How often a spike may occur: counts from the bound, and where in time they fall."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Spikes
graph:
  operators:
    - {id: w, constants: {jac_weight: 1}}
    - {id: loss, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 1, pl: 1/2, initial_gap: 1, gradient_noise: 1/10}
training: {step_size: 1/10, horizon: 200}
budget:
  regime: pl
  target: 1/2
  events: [{name: spike, at: loss, pass: backward, rms: 2, mean: 2}]
"""

ENTRY = Entry(
    title="How often a gradient may spike",
    topic="theorems",
    statement=r"""
A gradient spike at step $t$ adds

$$(1 - \mu\gamma)^{T-1-t} \Big[ \frac{\gamma}{2} \mathrm{bias}_t^2
+ \frac{L \gamma^2}{2} \big( (\sigma + \zeta_t)^2 - \sigma^2 \big) \Big]$$

to the PL bound: the later, the more. So the most spikes that are admissible *wherever they fall*
is the largest $Q$ for which $Q$ spikes in the last $Q$ steps are, and evenly spread ones may be
many more. (A gradient error that does not depend on the sample would not meet $\sigma$; nothing of
the kind is assumed.)
""",
    theorem="Corollary 7.2, Theorem 6.2",
    link="theory.md#7-orders",
    kind="exact",
    spec=_SPEC,
    command="budget",
    reference=OWN,
)
_Q, _T, _STEP = Fraction(19, 20), 200, Fraction(1, 10)


def bound(steps: set[int]) -> Fraction:
    """Theorem 6.2 with spikes at these steps, term by term."""
    total = _Q**_T
    for t in range(_T):
        size, mean = (Fraction(2), Fraction(2)) if t in steps else (Fraction(0), Fraction(0))
        variance = (Fraction(1, 10) + size) ** 2
        total += _Q ** (_T - 1 - t) * (_STEP / 2 * mean**2 + _STEP**2 / 2 * variance)
    return total


def late(count: int) -> set[int]:
    """The last steps."""
    return set(range(_T - count, _T))


def checks() -> Iterator[Check]:
    """The counts by trying every one."""
    found = next(f for f in bc.budget(built(_SPEC)).frequencies if f.mean_case == "given")
    worst = max(count for count in range(_T + 1) if bound(late(count)) <= Fraction(1, 2))
    yield Check("most spikes, wherever they fall", Fraction(found.count_worst), Fraction(worst))
    gap = next(
        k
        for k in range(1, _T + 1)
        if all(bound(set(range(start, _T, k))) <= Fraction(1, 2) for start in range(k))
    )
    yield Check(
        "least distance of evenly spread spikes", Fraction(found.interval or 0), Fraction(gap)
    )


def figure() -> Figure:
    """The bound against the number of spikes."""
    drawn, axes = panel("spikes among 200 steps", "PL bound")
    counts = list(range(0, 41, 2))
    axes.plot(
        counts,
        [float(bound(late(q))) for q in counts],
        "o-",
        color="#D55E00",
        label="the last steps",
        markersize=4,
    )
    spread = [{_T - 1 - k * (_T // q) for k in range(q)} if q else set() for q in counts]
    axes.plot(
        counts,
        [float(bound(steps)) for steps in spread],
        "s--",
        color="#0072B2",
        label="evenly spread",
        markersize=4,
    )
    axes.axhline(0.5, color="#777777", linewidth=1, label="target")
    axes.legend()
    return drawn
