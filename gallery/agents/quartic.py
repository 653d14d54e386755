"""The quartic is (L0, L1)-smooth for every L1."""

from collections.abc import Iterator

import numpy as np

from boundcalc.theories.distributed.smoothness import smoothness_met
from gallery.base import Check, Entry

ENTRY = Entry(
    title="x⁴/4 is (4/L₁², L₁)-smooth for every L₁",
    topic="agents",
    statement=r"""
$f = \frac14x^4$ has no Lipschitz gradient, but $3x^2 - L_1\lvert x\rvert^3$ has its maximum
$4/L_1^2$ at $\lvert x\rvert = 2/L_1$, so that $\lvert f''\rvert \le L_0 + L_1\lvert f'\rvert$
with $L_0 = 4/L_1^2$ and no smaller number. Pairs of points imply
$\lvert f'(y) - f'(x)\rvert \le (L_0 + L_1\lvert f'(x)\rvert)(e^{L_1r}-1)/L_1$, which is how a run
is held against a stated $L_0$: close points near the maximum show nearly all of it, and none
shows more.
""",
    theorem="docs/theory-distributed.md, section 12.2, example",
    link="distributed.md#what-is-stated",
    kind="tight",
    reference="Elementary. The objective is that of the experiments of [COM] E. Monzio Compagnoni "
    "et al., arXiv:2506.00181.",
)


def checks() -> Iterator[Check]:
    """What random pairs and close pairs at the maximum imply, for three L1."""
    rng = np.random.default_rng(0)
    for L1 in (0.5, 1.0, 3.0):
        exact = max(3 * x**2 - L1 * x**3 for x in np.linspace(0, 4 / L1, 4001))
        yield Check(f"$L_1 = {L1}$: the maximum on a grid", float(exact), 4 / L1**2, rel=1e-12)
        x = rng.uniform(-6 / L1, 6 / L1, (5000, 1))
        y = x + rng.normal(size=(5000, 1)) * 0.3 / L1
        met = smoothness_met((x, x**3), (y, y**3), L1, np.full(5000, fill_value=True))
        yield Check(f"$L_1 = {L1}$: random pairs imply no more", met, 4 / L1**2, "at most")
        x = np.array([[2 / L1]])
        y = x + 1e-4 / L1
        met = smoothness_met((x, x**3), (y, y**3), L1, np.array([True]))
        yield Check(
            f"$L_1 = {L1}$: a close pair at $2/L_1$ implies it",
            met,
            4 / L1**2,
            rel=1e-3,
            why="a secant of length 1e-4/L1 in place of the derivative",
        )
