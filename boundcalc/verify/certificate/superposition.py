"""Superposition on a chain without runs, as steps (docs/theory.md, Theorem 4.18 (b)).

Written for certificates alone, as :mod:`boundcalc.verify.certificate.derive` is.  The bounds
hold where the regions contain the states of passes without some of the perturbations.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from boundcalc.graph.numbers import GraphConstants, Levels
from boundcalc.verify.certificate.steps import Step, given, smallest, step


@dataclass(frozen=True)
class GradientToGo:
    """The numbers of (4i) by operator, 0 to N; None where a constant is missing.

    Attributes
    ----------
    slope, bend
        Λ_v and M_v.
    weight_slope, weight_bend
        Λᵘ_v and κᵘ_v, from operator 2 on.
    """

    slope: list[Step | None]
    bend: list[Step | None]
    weight_slope: list[Step | None]
    weight_bend: list[Step | None]


def lipschitz(g: GraphConstants, v: int) -> Fraction:
    """min{ℓ_v, a_v} for v ≥ 2, or ℓ_v at a kink."""
    ell: Fraction = g.l[v][0]
    return ell if g.A[v][0][0] is None else min(ell, g.a[v][0])


def gradient_to_go(g: GraphConstants, V: list[Step]) -> GradientToGo | None:
    """(4i), from the loss back; None unless the graph is a chain without runs."""
    if g.runs or any(g.inputs[v] != (v - 1,) for v in range(2, g.size + 1)):
        return None
    slope, bend, weight_slope, weight_bend = found = [
        [given(0) if v == g.size else None for v in range(g.size + 1)] for _ in range(4)
    ]
    weight_slope[g.size] = weight_bend[g.size] = None
    for v in range(g.size, 1, -1):
        S, M, V_v, ell = slope[v], bend[v], V[v], lipschitz(g, v)
        a, A, A3 = g.a[v][0], g.A[v][0][0], g.A3[v][0]
        b, B, B3 = g.b[v], g.B[v][0], g.B3[v]
        if S is None:
            break
        if B is not None:
            value = B * V_v.value + b * ell * S.value
            weight_slope[v] = step("weight_slope", (v,), [V_v, S], value)
        if A is None:
            continue
        value = A * V_v.value + a * ell * S.value
        slope[v - 1] = step("slope.least", (v - 1,), [V_v, S], value)
        if M is None:
            continue
        if A3 is not None:
            value = A3 * V_v.value + (2 * ell + a) * A * S.value + a * ell**2 * M.value
            bend[v - 1] = step("bend", (v - 1,), [V_v, S, M], value)
        if B is not None and B3 is not None:
            value = B3 * V_v.value + 2 * B * ell * S.value
            value += b * (ell**2 * M.value + A * S.value)
            weight_bend[v] = step("weight_bend", (v,), [V_v, S, M], value)
    return GradientToGo(*found)


class Superposition:
    """Bounds (4k) and (4l) at one level of a chain.

    Parameters
    ----------
    g, levels
        Constants of a chain without runs and what acts, short rationals.
    number
        The level's number in the certificate.
    to_go
        From :func:`gradient_to_go`.
    """

    def __init__(self, g: GraphConstants, levels: Levels, number: int, to_go: GradientToGo) -> None:
        self.g, self.levels, self.number, self.to_go = g, levels, number, to_go
        self.theta = [given(0) for _ in range(g.size + 1)]
        self.t: list[Step] = [given(0)]
        self.mean: list[Step | None] = [given(0)]
        for v in range(1, g.size):
            self._forward(v)

    def _forward(self, v: int) -> None:
        """t_v = ℓ² t_{v−1} + e_v² and μ′_v = ℓ μ′_{v−1} + ½ A t_{v−1} + m_v."""
        t, mean, at = self.t[v - 1], self.mean[v - 1], (self.number, v)
        ell, A = (lipschitz(self.g, v), self.g.A[v][0][0]) if v > 1 else (Fraction(0), Fraction(0))
        value = ell**2 * t.value + self.levels.e[v] ** 2
        self.t.append(step("alone", at, [t], value))
        if mean is None or (A is None and t.value):
            self.mean.append(None)
            return
        value = ell * mean.value + (A or 0) * t.value / 2 + self.levels.m[v]
        self.mean.append(step("alone_mean", at, [t, mean], value))

    def back_to(self, u: int, R: Step) -> None:
        """Θ_u = min{a Θ_{u+1} + min{Λ_u m_u + ½ M_u e_u², Λ_u e_u}, R_u}."""
        at, e, slope, bend = (self.number, u), self.levels.e[u], self.to_go.slope[u], None
        after, inherited = self.theta[u + 1], self.g.a[u + 1][0] * self.theta[u + 1].value
        options = [step("after.rms", at, [R], R.value)]
        if not e:
            options.append(step("after.size", at, [after], inherited))
        elif slope is not None:
            bend = self.to_go.bend[u]
            value = inherited + slope.value * e
            options.append(step("after.size", at, [after, slope], value))
        if slope is not None and bend is not None:
            value = inherited + slope.value * self.levels.m[u] + bend.value * e**2 / 2
            options.append(step("after", at, [after, slope, bend], value))
        self.theta[u] = smallest(*options)

    def means(self, v: int, s: Step, mu: Step) -> list[Step]:
        """Bounds on the mean of what forward perturbations change at u_v; s, μ of v − 1."""
        at, theta, before = (self.number, v), self.theta[v], v - 1
        after = self.g.b[v] * theta.value
        if not s.value:
            return [step("superposed.rms", at, [theta, s], after)]
        slope, bend = self.to_go.weight_slope[v], self.to_go.weight_bend[v]
        if slope is None:
            return []
        found = [step("superposed.rms", at, [theta, s, slope], after + slope.value * s.value)]
        if bend is None:
            return found
        value = after + slope.value * mu.value + bend.value * s.value**2 / 2
        found.append(step("superposed", at, [theta, s, slope, mu, bend], value))
        t, alone = self.t[before], self.mean[before]
        if alone is not None:
            value = after + slope.value * alone.value + bend.value * t.value / 2
            found.append(step("superposed.sites", at, [theta, t, slope, alone, bend], value))
        return found
