"""ReLU: the error bound holds, and does not vanish with the perturbation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, panel, value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: On the kink
graph:
  operators:
    - {id: f1, type: bilinear, region: {input: 1, weight: 1}}
    - {id: act, type: relu}
perturbations: [{at: f1, pass: forward, rms: 1/1000}]
"""

ENTRY = Entry(
    title="A kink: the error does not vanish with the noise",
    topic="theorems",
    statement=r"""
Theorem 4.7 uses of a Jacobian only its bound, the Lipschitz constant of the operator, and how far
it moves. For an operator with a kink it holds with the drift

$$D_{v,u} = \sup \lVert \nabla_u f_v(y) - \nabla_u f_v(y') \rVert$$

wherever an input of $v$ is perturbed at all; for ReLU that is 1. A sample may sit on the kink:
$f_1 = w x$ with $w = 0$, $x = 1$ and the slope 0 chosen at the kink has $u_1 = 0$, and
$\tilde u_1 = 1$ wherever $\delta_1 > 0$. So the bound 1 is attained by $\delta_1 = +\tau$,
for every size $\tau > 0$. For $\mathbb{E}\delta_1 = 0$ it is still the least upper bound, no longer
attained: $\delta_1 = \tau/k$ with probability $k^2/(k^2+1)$ and $-k\tau$ otherwise has mean 0,
root mean square $\tau$, and $\mathbb{E}\lVert\tilde u - u\rVert^2 = k^2/(k^2+1)$.
""",
    theorem="Theorem 4.7, kinks",
    link="theory.md#48-directed-acyclic-graphs",
    kind="tight",
    spec=_SPEC,
    reference=OWN,
)
Law = tuple[tuple[Fraction, Fraction], ...]  # values of δ and their probabilities


def slope(y: Fraction) -> int:
    """The derivative of max(0, y) that backpropagation uses."""
    return int(y > 0)


def squared(law: Law) -> Fraction:
    """E‖ũ − u‖² of the instance: its slope with the perturbation against that on the kink."""
    zero = Fraction(0)
    return sum((p * (slope(shift) - slope(zero)) ** 2 for shift, p in law), zero)


def moment(law: Law, order: int) -> Fraction:
    """E δ^order."""
    return sum((p * shift**order for shift, p in law), Fraction(0))


def centred(size: Fraction, k: int) -> Law:
    """Mean 0: a small step up nearly always, a large one down else."""
    return ((size / k, Fraction(k**2, k**2 + 1)), (-k * size, Fraction(1, k**2 + 1)))


def checks() -> Iterator[Check]:
    """The bound at two sizes of noise, the instance, and laws of mean 0 that approach it."""
    for size in ("1/1000", "1/1000000"):
        tau = Fraction(size)
        text = _SPEC.replace("1/1000", size)
        found = value(bc.coefficients(built(text), "sharp").error_bound())
        certain = ((tau, Fraction(1)),)
        yield Check(rf"$E\|\tilde u - u\|^2$ for a shift of ${size}$", found, squared(certain))
        text = text.replace(f"rms: {size}", f"rms: {size}, mean: 0")
        zero_mean = value(bc.coefficients(built(text), "sharp").error_bound())
        yield Check(f"the same bound for mean 0, size ${size}$", zero_mean, Fraction(1))
        for k in (1, 10, 1000):
            law = centred(tau, k)
            yield Check(f"mean of the law, $k = {k}$", moment(law, 1), Fraction(0))
            yield Check(f"its mean square, $k = {k}$", moment(law, 2), tau**2)
            yield Check(f"its error, $k = {k}$", squared(law), 1 - Fraction(1, k**2 + 1))
            yield Check(f"the bound for mean 0, $k = {k}$", zero_mean, squared(law), "at least")
    still = _SPEC.replace("at: f1, pass: forward, rms: 1/1000", "at: act, pass: backward, rms: 1/8")
    found = value(bc.coefficients(built(still), "sharp").error_bound())
    yield Check("backward noise of size 1/8 in its place", found, Fraction(1, 64))


def figure() -> Figure:
    """The bound against the size of the noise: ReLU and a smooth neighbour."""
    drawn, axes = panel("size of the noise", r"bound on $E\|\tilde u-u\|^2$")
    sizes = [10.0 ** (-k / 2) for k in range(13)]
    for kind, line, colour in (("relu", "-", "#D55E00"), ("softplus", "--", "#0072B2")):
        text = _SPEC.replace("type: relu", f"type: {kind}")
        found = [
            bc.coefficients(built(text.replace("1/1000", f"{s:.9f}")), "sharp").error_bound()
            for s in sizes
        ]
        axes.loglog(sizes, [float(value(x)) for x in found], line, color=colour, label=kind)
    axes.legend()
    return drawn
