"""Lemma 4.11: a Jacobian moves by at most twice its bound."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from gallery.base import Check, Entry
from gallery.references import OWN
from gallery.tools import built, general, panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPEC = """
version: 1
name: Large noise
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 3}]
perturbations: [{at: "f.*", pass: forward, rms: 1, mean: 0}]
"""

ENTRY = Entry(
    title="Large noise saturates",
    topic="theorems",
    statement=r"""
Without further hypotheses the drift of a Jacobian is at most
$\min \lbrace A_{i+1} s_i, 2 a_{i+1} \rbrace$, $R_i \le 2 V_i$, and the forward-induced error of
$u_i$ is at most $2 b_i V_i$. So $\zeta^2$ stays bounded,

$$\zeta^2 \le 4 \sum_{i=1}^N b_i^2 V_i^2 ,$$

however large the forward perturbations are. With all constants and $e_j$ 1 and $N = 3$ both
$\zeta^2$ and $\beta^2$ are 12, in place of 22 and 225/4.
""",
    theorem="Lemma 4.11",
    link="theory.md#49-refinements",
    kind="upper",
    spec=_SPEC,
    reference=OWN,
)


def at(size: str, *refinements: str) -> tuple[Fraction, Fraction]:
    """ζ² and β² with the perturbations scaled to ``size``."""
    return general(built(_SPEC.replace("rms: 1", f"rms: {size}")), *refinements)


def checks() -> Iterator[Check]:
    """The stated values, and the limit for large noise."""
    error, bias = at("1", "saturation", "mean cap")
    yield Check(r"$\zeta^2$ with (i)", error, Fraction(12))
    yield Check(r"$\beta^2$ with (i) and (ii)", bias, Fraction(12))
    yield Check(r"$\zeta^2$ without", at("1")[0], Fraction(22))
    yield Check(r"$\beta^2$ without", at("1")[1], Fraction(225, 4))
    for size in ("10", "1000000"):
        # 2 b_i V_i = 2 for each of three operators
        yield Check(rf"$\zeta^2$ at $e_j = {size}$", at(size, "saturation")[0], Fraction(3 * 2**2))

    long = built(_SPEC.replace("repeat: 3", "repeat: 4"))
    yield Check(r"$\beta^2$ with (i) alone, $N = 4$", general(long, "saturation")[1], uncapped())


def uncapped() -> Fraction:
    """β² of four operators with saturated drifts and R, and means that are not capped."""
    s, two = [Fraction(i) for i in range(4)], Fraction(2)
    drift, R, mu = [min(x, two) for x in s], [Fraction(0)] * 5, [Fraction(0)] * 4
    for i in (3, 2, 1):
        R[i] = min(R[i + 1] + drift[i], two)
    for i in (1, 2, 3):
        mu[i] = mu[i - 1] + s[i - 1] ** 2 / 2
    shift = [m + x * x / 2 for m, x in zip(mu, s, strict=True)]
    beta, total = [Fraction(0)] * 5, Fraction(0)
    for i in (3, 2, 1):
        beta[i] = beta[i + 1] + drift[i] * R[i + 1] + shift[i]
    for i in (1, 2, 3, 4):
        total += (beta[i] + drift[i - 1] * R[i] + shift[i - 1]) ** 2
    return total


def figure() -> Figure:
    """With and without, against the size of the noise."""
    drawn, axes = panel("size of every perturbation", r"bound on $E\|\tilde u-u\|^2$")
    sizes = [Fraction(k, 10) for k in range(1, 41)]
    axes.loglog(sizes, [float(at(str(e))[0]) for e in sizes], "--", color="#D55E00", label="plain")
    saturated = [float(at(str(e), "saturation")[0]) for e in sizes]
    axes.loglog(sizes, saturated, color="#0072B2", label="saturated")
    axes.legend()
    return drawn
