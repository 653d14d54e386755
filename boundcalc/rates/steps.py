"""The best fixed step: found in floating point, then rounded down to a number that is exact.

Any step up to the limit is covered by the theorem, so nothing rests on how the step was found.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from boundcalc.arithmetic import WIDE, Scalar
from boundcalc.errors import InexactError

_GRID = 120  # points of one round of the search for the best PL step
_ROUNDS = 5
_DECADES = 30  # below the limit, over which that search looks
_SEARCH_STEPS = 2_000  # longest horizon over which that search sums step by step
_BITS = 53  # of a step, so that it is a float64
_EXPONENTS = 100_000  # binary exponents beyond which a step is not written as a fraction


def searchable(closed: bool, horizon: int) -> bool:
    """Whether the bound is cheap enough to be evaluated hundreds of times."""
    return closed or horizon <= _SEARCH_STEPS


def search(bound: Callable[[Scalar], Scalar], limit: Scalar) -> Scalar | None:
    """The best step in (0, limit] on a logarithmic grid that is refined around its minimum.

    None if the bound only grows with the step: then no step improves on Δ₀.
    """
    low, high = WIDE.log(limit) - _DECADES * WIDE.log(WIDE.number(10)), WIDE.log(limit)
    best = None
    for _ in range(_ROUNDS):
        points = [low + (high - low) * k / (_GRID - 1) for k in range(_GRID)]
        steps = [WIDE.minimum(limit, WIDE.exp(x)) for x in points]
        values = [bound(step) for step in steps]
        k = min(range(_GRID), key=values.__getitem__)
        if best is None and k == 0:
            return None
        best = steps[k]
        low, high = points[max(k - 1, 0)], points[min(k + 1, _GRID - 1)]
    return best


def exact_step(step: Scalar, limit: Scalar) -> Fraction | None:
    """A rational next to ``step`` that is certainly at most ``limit``; None if there is none near.

    The limit itself, where it is rational and the step is next to it; else the step rounded
    down to 53 bits.

    >>> exact_step(Fraction(1, 3), Fraction(1, 3))
    Fraction(1, 3)
    >>> found = exact_step(WIDE.sqrt(WIDE.number(2)), Fraction(2))
    >>> 0 < 2**0.5 - float(found) < 1e-15
    True
    """
    if isinstance(step, Fraction):
        return step
    mantissa, exponent = step.lower if hasattr(step, "lower") else _parts(step)
    if mantissa <= 0 or abs(exponent) > _EXPONENTS:
        return None
    extra = max(mantissa.bit_length() - _BITS, 0)
    rounded = Fraction(mantissa >> extra) * Fraction(2) ** (exponent + extra)
    if isinstance(limit, Fraction) and rounded >= limit * (1 - Fraction(1, 2 ** (_BITS - 1))):
        return limit
    return rounded if _at_most(rounded, limit) else rounded * (1 - Fraction(1, 2**_BITS))


def _parts(value: Scalar) -> tuple[int, int]:
    _, mantissa, exponent, _ = value._mpf_
    return int(mantissa), int(exponent)


def _at_most(step: Fraction, limit: Scalar) -> bool:
    if not hasattr(limit, "lower"):
        return True  # a limit from measured numbers is no more exact than the step
    try:
        return bool(limit >= step)
    except InexactError:
        return False
