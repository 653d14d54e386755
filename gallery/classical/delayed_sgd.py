"""Gradient descent with a delay: when is it stable?"""

from collections.abc import Iterator
from math import pi, sin, sqrt
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: Gradient descent with a delay
theory: staleness
staleness: {queues: {p: [0], m: [2]}}
graph:
  operators:
    - {id: x, type: dense, units: 1, bias: false, region: {weight: 2}}     # w · 1
    - {id: f, type: square, scale: 1/2}
loss: {smoothness: 1, initial_gap: 1/2, gradient_noise: 0}
training: {step_size: 1/10, horizon: 400}
simulation: {data: {points: [[1]]}, replicas: 2, initial_weights: [1]}
"""

ENTRY = Entry(
    title="Gradient descent with a delay: the limit of stability",
    topic="classical",
    statement=r"""
The iteration $x_{t+1} = x_t - \eta\lambda x_{t-\tau}$, gradient descent on $\frac\lambda2x^2$
with a delay of $\tau$ steps, tends to 0 from every start if and only if

$$0 < \eta\lambda < 2\sin\frac{\pi}{4\tau+2} .$$

Theorem 10.6 speaks up to the smaller step $2/(\lambda(1+\sqrt{1+4\tau^2}))$. The first number is
about one quadratic, the second about every objective; their ratio is 1.62 at $\tau = 1$ and tends
to $\pi/2$.
""",
    theorem="docs/theory-staleness.md, Proposition 10.7 (b)",
    link="theory-staleness.md#106-sharp-per-block-delays-no-spare-factors",
    kind="upper",
    reference="S. A. Levin, R. M. May, A note on difference-delay equations, Theoretical "
    "Population Biology 9(2), 178-187, 1976.",
    spec=SPEC,
)


def limit(tau: int) -> float:
    """The largest step of Theorem 10.6."""
    spec = bc.loads(SPEC.replace("m: [2]", f"m: [{tau}]"))
    return float(bc.coefficients(spec).limits["sgd.sharp"])


def delayed(step: float, tau: int, steps: int) -> float:
    """x²/2 after so many steps from 1, the gradients before the start being those at 1."""
    x = [1.0]
    for t in range(steps):
        x.append(x[t] - step * x[max(t - tau, 0)])
    return x[-1] ** 2 / 2


def checks() -> Iterator[Check]:
    """The limit against the stability limit, and runs on both sides of the latter."""
    for tau in (1, 2, 5, 50):
        stable = 2 * sin(pi / (4 * tau + 2))
        yield Check(rf"limit of Theorem 10.6, $\tau = {tau}$", limit(tau), stable, "at most")
        stated = 2 / (1 + sqrt(1 + 4 * tau**2))
        yield Check(rf"the same, in closed form, $\tau = {tau}$", limit(tau), stated, rel=1e-12)
    for share, grows in ((0.97, False), (1.03, True)):
        step = share * 2 * sin(pi / 10)
        text = SPEC.replace("step_size: 1/10", f"step_size: {step!r}")
        reached = bc.simulate(bc.loads(text)).metrics["final_loss"].mean
        says = rf"$x^2/2$ after 400 steps at {share} times the stability limit, $\tau = 2$"
        yield Check(
            says,
            reached,
            delayed(step, 2, 400),
            rel=1e-9,
            why="400 steps of rounding in two orders of operations",
        )
        yield Check(says, reached, 0.5, "at least" if grows else "at most")


def figure() -> "Figure":
    """Both limits against the delay."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        delays = list(range(1, 41))
        exact = [2 * sin(pi / (4 * tau + 2)) for tau in delays]
        panel.loglog(delays, exact, "--", color=OBSERVED, label="stable on a quadratic, exact")
        panel.loglog(
            delays,
            [limit(tau) for tau in delays],
            color=LOOKS["sharp"].colour,
            label="Theorem 10.6, every objective",
        )
        panel.set_xlabel(r"delay $\tau$")
        panel.set_ylabel(r"largest $\eta\lambda$")
        panel.legend()
    return found
