"""Whether an instance refutes a claim: proved with exact moments and enclosed errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint

from boundcalc.verify.claims.enclosed import Enclosed, enclosed
from boundcalc.verify.claims.loading import ROW_KEYS
from boundcalc.verify.claims.points import PointClaim
from boundcalc.verify.claims.ranges import rational


@dataclass(frozen=True)
class Proof:
    """The instance against the claim at its own moments.

    Attributes
    ----------
    attained
        At most what the instance attains.
    claimed
        At least what the claim allows.
    moments
        Moment of a claim → its exact value at every site.
    """

    attained: float
    claimed: float
    moments: Mapping[str, tuple[Fraction, ...]]


def proof(made: PointClaim, instance: str) -> Proof | None:
    """What can be proved of an instance; None where its constants may exceed the claim's.

    Parameters
    ----------
    made
        The claim at a point of the box.
    instance
        A spec.
    """
    from boundcalc.graph import build
    from boundcalc.spec.loading import loads

    found = enclosed(build(loads(instance)), ROW_KEYS)
    if found is None or not _allowed(made, found):
        return None
    value = found.error if made.statement == "error" else found.bias
    allowed = claimed(made, found.moments)
    return Proof(max(float_below(value.lower()), 0.0), float_above(allowed), found.moments)


def claimed(made: PointClaim, moments: Mapping[str, Sequence[Fraction]]) -> flint.arb:
    """The claim's bound at some moments, from above."""
    total = flint.fmpq(0)
    for key, row in made.chain.coefficients.items():
        for expression, moment in zip(row, moments[key], strict=True):
            total += made.range(expression).hi * rational(moment)
    return flint.arb(total)


def _allowed(made: PointClaim, found: Enclosed) -> bool:
    """Whether constants are at most the claim's, and means 0 where the claim assumes it."""
    for key, row in found.constants.items():
        for i, (own, most) in enumerate(zip(row, made.chain.constants[key], strict=True)):
            if own is None and i > 0 and most is not None:
                return False
            if own is not None and most is not None and rational(own) > made.range(most).lo:
                return False
    means = (*found.moments["forward_mean"], *found.moments["backward_mean"])
    return not (made.zero_mean and any(means))


def float_below(x: flint.arb) -> float:
    """A float at most x.

    >>> float_below(flint.arb(flint.fmpq(1, 3))) < Fraction(1, 3)
    True
    """
    value = float(x)
    return value if flint.arb(value) <= x else math.nextafter(value, -math.inf)


def float_above(x: flint.arb) -> float:
    """A float at least x."""
    return -float_below(-x)
