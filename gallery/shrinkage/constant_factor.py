"""A constant factor: bound, floor, and when the floor rises."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: Gradients that are too short
theory: shrinkage
shrinkage: {q: 1/2, quantization_noise: 3/5}
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]
loss: {smoothness: 1, pl: 1, initial_gap: 2, gradient_noise: 1}
training: {step_size: 1/5, horizon: 3000}
"""

ENTRY = Entry(
    title="A constant factor: shrinkage lowers the floor, its noise raises it",
    topic="shrinkage",
    statement=r"""
The step sees $\tilde g = qg + e$, $0 < q \le 1$, with $\mathbb{E}[e \mid g] = 0$ and
$\mathbb{E}\lVert e\rVert^2 \le \sigma_e^2$. For a fixed step $\mu \le 1/(Lq)$

$$\frac1K\sum_{k<K}\mathbb{E}\lVert\nabla\ell(w_k)\rVert^2
\le \frac{2\Delta_0}{K\mu q} + L\mu\Bigl(q\sigma^2 + \frac{\sigma_e^2}q\Bigr) .$$

At the same step full precision has the floor $L\mu\sigma^2$: shrinkage alone lowers it, and the
floor is above it if and only if $\sigma_e^2 > q(1-q)\sigma^2$.
""",
    theorem="docs/theory-shrinkage.md, Theorem 11.2 and section 11.3",
    link="theory-shrinkage.md#112-nonconvex-statements",
    kind="upper",
    reference="Setting: [YUN] V.-D. Yun, Why does stochastic gradient descent slow down in "
    "low-precision training?, arXiv:2508.07142.",
    spec=SPEC,
    command="rate",
)


def rates(q: Fraction, noise: Fraction) -> Any:
    """What boundcalc says at these numbers."""
    text = SPEC.replace("q: 1/2", f"q: {q}").replace("noise: 3/5", f"noise: {noise}")
    return bc.rates(bc.loads(text))


def checks() -> Iterator[Check]:
    """The bound by its display, and the threshold on both sides."""
    for q, noise in ((Fraction(1, 2), Fraction(3, 5)), (Fraction(1, 8), Fraction(1, 10))):
        bound = rates(q, noise).statements["nonconvex"].bound.value
        stated = 4 / (3000 * q / 5) + Fraction(1, 5) * (q + noise**2 / q)
        yield Check(f"bound, $q = {q}$, $\\sigma_e = {noise}$", bound, stated)
    # q(1 − q) = 16/100 at q = 1/5: σ_e = 2/5 is the threshold.
    for noise, above in ((Fraction(2, 5), 0), (Fraction(401, 1000), 1), (Fraction(399, 1000), 0)):
        raises = rates(Fraction(1, 5), noise).raises_floor
        yield Check(
            f"$q = 1/5$, $\\sigma_e = {noise}$: does the floor rise?", Fraction(raises), above
        )


def figure() -> "Figure":
    """The floor against the factor for three levels of noise."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        factors = [Fraction(k, 20) for k in range(1, 21)]
        for noise, line in ((Fraction(0), "-"), (Fraction(2, 5), "--"), (Fraction(4, 5), ":")):
            floors = [
                float(rates(q, noise).statements["nonconvex"].constants["floor"]) for q in factors
            ]
            panel.plot(
                [float(q) for q in factors],
                floors,
                line,
                color=LOOKS["sharp"].colour,
                label=rf"$\sigma_e$ = {float(noise):g}",
            )
        panel.axhline(0.2, color=OBSERVED, linewidth=0.8)
        panel.text(0.42, 0.21, "full precision")
        panel.set_ylim(0, 0.6)
        panel.set_xlabel("factor $q$")
        panel.set_ylabel("floor")
        panel.legend()
    return found
