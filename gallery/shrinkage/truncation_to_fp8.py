"""Truncation to fp8: the factor and the noise of a Gaussian gradient."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import erf, exp, pi, sqrt
from typing import TYPE_CHECKING, Any

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: Gaussian gradients truncated to fp8
theory: shrinkage
shrinkage:
  format:
    name: fp8_e4m3
    rounding: toward_zero
    gradient: {distribution: gaussian, scale: 3/1000, dimension: 2}
graph:
  operators: [{id: f, type: square, bias: true, scale: 1/2}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 3/1000 * sqrt(2)}
training: {step_size: 1/10, horizon: 100}
"""

ENTRY = Entry(
    title="Truncation to fp8 of Gaussian gradients: q = 0.740",
    topic="shrinkage",
    statement=r"""
For components with one law of standard deviation $s$ that are rounded by $Q$,

$$q = \frac{\mathbb{E}[gQ(g)]}{s^2} , \qquad \sigma_e^2 = d\bigl(\mathbb{E}Q(g)^2 - q^2s^2\bigr)$$

make $e = Q(g) - qg$ uncorrelated with $g$. Where a small gradient is seen through Gaussian noise,
its mean comes out as $q\nabla\ell$ up to third order (Theorem 11.8). Truncation to fp8_e4m3 at
$s = 0.003$, a little above the smallest number $2^{-9}$, lets half of the components vanish, and
shortens the gradient to three quarters. The numbers are a *fit*, and said to be: a sum over the
numbers of the format gives the same ones.
""",
    theorem="docs/theory-shrinkage.md, (11c) and Theorem 11.8",
    link="theory-shrinkage.md#115-from-a-number-format",
    kind="exact",
    reference="J. J. Bussgang, Crosscorrelation functions of amplitude-distorted Gaussian signals, "
    "MIT Research Laboratory of Electronics, Technical Report 216, 1952.",
    spec=SPEC,
)


def numbers() -> list[float]:
    """The positive numbers of fp8_e4m3 and, last, a bound that Gaussian gradients never reach."""
    small = [k * 2.0**-9 for k in range(8)]
    normal = [(8 + k) * 2.0 ** (e - 3) for e in range(-6, 9) for k in range(8)]
    return [x for x in small + normal if x <= 448] + [1e9]


def fitted(s: float) -> tuple[float, float, float]:
    """q, σ_e² of two components, and the share that vanishes, by integrals over the pieces."""

    def mass(x: float) -> float:
        return erf(x / s / sqrt(2)) / 2

    def density(x: float) -> float:
        return s / sqrt(2 * pi) * exp(-((x / s) ** 2) / 2)

    cross = square = 0.0
    held = numbers()
    for low, high in pairwise(held):
        cross += 2 * low * (density(low) - density(high))
        square += 2 * low**2 * (mass(high) - mass(low))
    q = cross / s**2
    return q, 2 * (square - q**2 * s**2), 2 * mass(held[1])


def found(scale: str) -> Any:
    """The quantities that boundcalc compiles."""
    text = SPEC.replace("3/1000", scale)
    return {row.key: float(row.value) for row in bc.coefficients(bc.loads(text)) if row.value}


def checks() -> Iterator[Check]:
    """Factor, noise and vanishing share at three scales."""
    for scale in ("3/1000", "1/500", "1/10"):
        made = found(scale)
        q, noise, vanishing = fitted(float(Fraction(scale)))
        yield Check(f"$s = {scale}$: $q$", made["q_mean"], q, rel=1e-12)
        yield Check(
            f"$s = {scale}$: $\\sigma_e^2$",
            made["noise"],
            noise,
            rel=1e-9,
            why="a difference of nearly equal numbers",
        )
        yield Check(f"$s = {scale}$: share that vanishes", made["vanishing"], vanishing, rel=1e-12)


def figure() -> "Figure":
    """The factor and the vanishing share against the scale."""
    from boundcalc.report.plots import LOOKS, OBSERVED, panels, style

    with style():
        made, (panel,) = panels(1, 2.8)
        scales = [2.0 ** (k / 4 - 14) for k in range(60)]
        rows = [fitted(s) for s in scales]
        panel.semilogx(
            scales, [row[0] for row in rows], color=LOOKS["sharp"].colour, label="factor $q$"
        )
        panel.semilogx(
            scales, [row[2] for row in rows], "--", color=OBSERVED, label="share that vanishes"
        )
        panel.axvline(2.0**-9, linestyle=":", color="#777777")
        panel.set_xlabel("scale $s$ of a component (dotted: the smallest number)")
        panel.legend()
    return made
