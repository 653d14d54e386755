"""Σ s_k and Σ s_k² over the steps k < T of a schedule, in O(1)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.arithmetic.balls import Ball
from boundcalc.arithmetic.wide import CONTEXT
from boundcalc.errors import InexactError
from boundcalc.theories.distributed.section import ScheduleSection


@dataclass(frozen=True)
class Sums:
    """Φ¹ = Σ s_k and Φ² = Σ s_k², with s_0 = 1 ≥ s_k.

    Attributes
    ----------
    first, second
        Φ¹ and Φ².
    """

    first: Scalar
    second: Scalar


def decays(schedule: ScheduleSection) -> bool:
    """Whether s_k = 1/√(k+1) rather than 1."""
    return schedule.type == "inverse_sqrt" or schedule.decay == "inverse_sqrt"


def sums(schedule: ScheduleSection, horizon: int, kind: Arithmetic) -> Sums:
    """Both sums over k = 0, …, T − 1.

    With s_k = 1/√(k+1) they are ζ(½) − ζ(½, T+1), a difference of values of Hurwitz' zeta
    function, and the harmonic number.

    >>> from boundcalc.arithmetic import RATIONALS
    >>> sums(ScheduleSection(type="constant"), 7, RATIONALS)
    Sums(first=Fraction(7, 1), second=Fraction(7, 1))
    """
    whole = kind.number(horizon)
    if not decays(schedule) or horizon == 1:
        return Sums(whole, whole)
    if kind.exact:
        raise InexactError("a sum of inverse square roots is irrational")
    half = kind.number(Fraction(1, 2))
    if isinstance(half, Ball):
        with kind.working():  # type: ignore[attr-defined]
            roots = half.arb.zeta() - half.arb.zeta((whole + 1).arb)
            first = Ball(roots, half.bits)
            second = Ball((whole + 1).arb.digamma() - kind.number(1).arb.digamma(), half.bits)
        return Sums(first, second)
    first = CONTEXT.zeta(half) - CONTEXT.zeta(half, horizon + 1)
    return Sums(first, CONTEXT.harmonic(horizon))
