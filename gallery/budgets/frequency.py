"""How often may an event happen? Exact counts."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: How often may a spike happen
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: f2, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 1, pl: 1/4, initial_gap: 1, gradient_noise: 0}
training: {step_size: 1/4, horizon: 80}
budget:
  regime: REGIME
  target: TARGET
  events: [{name: spike, at: f2, pass: backward, rms: 1/5, mean: 1/5}]
"""

ENTRY = Entry(
    title="How often may an event happen? Exact counts",
    topic="budgets",
    statement=r"""
An event of a fixed size $n$, a bit flip or a spike, adds $n^2$ to the squared bias and to the
variance of one step. Without sampling noise the sharp bounds grow by

$$\text{nonconvex:}\ \frac QT(1 + L\gamma)n^2 , \qquad \text{PL:}\ \sum_{t \in
\mathrm{events}}(1-\mu\gamma)^{T-1-t}\thinspace\tfrac\gamma2(1 + L\gamma)n^2 .$$

So the number $Q$ of events is an integer that is found exactly. Under PL late events weigh most:
wherever they fall there may be fewer than if they come at regular intervals, whatever the first
one is.
""",
    theorem="docs/theory.md, Theorems 6.1, 6.2 and Lemma 7.3",
    link="theory.md#71-inverting-a-bound",
    kind="exact",
    reference="Orders of these counts: [KZY] B. Kong, H. Zhang, K. Yuan, arXiv:2602.20646, "
    "Corollaries 2 to 4 and Table 1.",
    spec=SPEC.replace("REGIME", "pl").replace("TARGET", "3/50"),
    command="budget",
)

STEP, T = Fraction(1, 4), 80
TARGET = {"nonconvex": Fraction(3, 25), "pl": Fraction(3, 50)}
KEEP = 1 - STEP / 4
EVENT = Fraction(1, 25) * (1 + STEP)


def answer(regime: str) -> tuple[int, int]:
    """Most events wherever they fall, and most that are evenly spread."""
    found = bc.budget(
        bc.loads(SPEC.replace("REGIME", regime).replace("TARGET", str(TARGET[regime])))
    )
    given = next(f for f in found.frequencies if f.mean_case == "given")
    return given.count_worst, given.count_even


def excess(steps: range) -> Fraction:
    """What events at these steps add to the PL bound."""
    return sum((KEEP ** (T - 1 - t) for t in steps), Fraction(0)) * STEP / 2 * EVENT


def checks() -> Iterator[Check]:
    """Counts by trying one more and one more."""
    room = TARGET["nonconvex"] - 2 / (STEP * T)
    yield Check("nonconvex", answer("nonconvex")[0], int(room * T / EVENT))
    room, worst = TARGET["pl"] - KEEP**T, 0
    while worst < T and excess(range(T - worst - 1, T)) <= room:
        worst += 1
    found, even = answer("pl")
    yield Check("PL, wherever they fall: the last steps are the worst", found, worst)
    apart = 1
    while excess(range(T - 1, -1, -apart)) > room:
        apart += 1
    yield Check("PL, evenly spread: as many as the smallest distance leaves", even, -(-T // apart))


def figure() -> "Figure":
    """What an event adds, by its step."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        shares = [float(excess(range(t, t + 1)) / (TARGET["pl"] - KEEP**T)) for t in range(T)]
        panel.bar(range(T), [100 * share for share in shares], color=LOOKS["sharp"].colour)
        panel.set_xlabel("step of the event")
        panel.set_ylabel("per cent of what is allowed")
    return found
