"""How many bits does a gradient need?"""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: How many bits does a gradient need
graph:
  operators:
    - {id: f1, constants: {jac_weight: 2}}
    - {id: f2, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
loss: {smoothness: 2, initial_gap: 3, gradient_noise: 1/2, batch: 4}
perturbations:
  - at: f2
    pass: backward
    model: number_format
    format: uniform
    bits: 5
    low: -1
    high: 1
    rounding: stochastic
    reach: {low: -1, high: 1}
training: {step_size: 1/8, horizon: 100}
"""

ENTRY = Entry(
    title="How many bits does a gradient need?",
    topic="budgets",
    statement=r"""
A quantiser with $b$ bits on $[-1, 1]$ has steps $h = 2/(2^b-1)$. Rounded stochastically it is
unbiased with variance at most $h^2/4$, so that the sharp nonconvex bound grows by
$L\gamma b_1^2h^2/(4M)$: by four with each bit that is taken away. If it may grow by the share
$\tau$ of the bound $B$ without rounding,

$$b = \Bigl\lceil\log_2\Bigl(1 + \frac{2}{\sqrt{4M\tau B/(L\gamma b_1^2)}}\Bigr)\Bigr\rceil$$

bits are enough and one less is not. With $b_1 = 2$, a batch of 4 and $\tau = 10^{-3}$ these are
five.
""",
    theorem="docs/theory.md, Lemmas 6.4 and 8.0",
    link="theory.md#81-number-formats",
    kind="exact",
    reference="Elementary, from docs/theory.md, Theorem 6.1.",
    spec=SPEC,
    command="rate",
)

BASE = Fraction(217, 400)  # 2Δ₀/(γT) + Lγσ² = 12/25 + 1/16


def bound(bits: int) -> Fraction:
    """The bound with so many bits."""
    spec = bc.loads(SPEC.replace("bits: 5", f"bits: {bits}"))
    return bc.rates(spec).nonconvex["sharp"].bound.value


def checks() -> Iterator[Check]:
    """The bound by its closed form, and which number of bits is enough."""
    for bits in (1, 4, 5, 8):
        h = Fraction(2, 2**bits - 1)
        stated = BASE + Fraction(1, 4) * 4 * h**2 / 4 / 4
        yield Check(
            f"bound with {bits} bits",
            bound(bits),
            stated,
            rel=1e-15,
            why="where a step is no binary fraction it is rounded up, far beyond float64",
        )
    for share, bits in ((Fraction(1, 10), 2), (Fraction(1, 1000), 5), (Fraction(1, 10**6), 10)):
        target = BASE * (1 + share)
        yield Check(f"{bits} bits are enough for {share}", bound(bits), target, "at most")
        yield Check("one less is not", bound(bits - 1), target, "at least")


def figure() -> "Figure":
    """What rounding adds to the bound, by the number of bits."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 2.8)
        counts = range(1, 13)
        panel.semilogy(
            counts,
            [100 * float(bound(b) / BASE - 1) for b in counts],
            "o-",
            color=LOOKS["sharp"].colour,
        )
        panel.set_xlabel("bits")
        panel.set_ylabel("per cent added to the bound")
    return found
