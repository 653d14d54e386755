"""From what a search found to a number that is certainly admissible."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from boundcalc.arithmetic import RATIONALS, WIDE, Arithmetic, Scalar, Status
from boundcalc.arithmetic.best import enclosed
from boundcalc.budgets.inversion_search import truncated
from boundcalc.budgets.question import highest
from boundcalc.errors import InexactError

#: How far sizes are lowered, relatively, until their bound is certainly within the target.
_SHRINK = tuple(Fraction(1, 2**k) for k in (52, 50, 48, 46, 44, 42, 40, 36, 32, 30))

#: Largest denominator of a fraction that is taken for what a search was after.
_SHORT = 5_000


def lowered(
    size: Fraction,
    certain: Callable[[Fraction], Status | None],
    low: Fraction | None = None,
    high: Fraction | None = None,
) -> tuple[Fraction, Status | None]:
    """A size lowered by rounding errors, until it is certain; else 0 and None.

    A short fraction that it is next to is taken instead where that is certain as well.

    >>> lowered(Fraction(1 - 2**-50), lambda x: Status.PROVED if x <= 1 else None)
    (Fraction(1, 1), <Status.PROVED: 'proved'>)
    """
    for shrink in (Fraction(0), *_SHRINK):
        tried = truncated(size * (1 - shrink))
        if low is not None and tried < low:
            break
        status = certain(tried)
        if status is not None:
            short = tried.limit_denominator(_SHORT)
            near = 0 < short - tried <= tried / 2**44
            shorter = certain(short) if near and short <= (high or short) else None
            return (tried, status) if shorter is None else (short, shorter)
    return Fraction(0), None


def within(total: Callable[[Arithmetic], Scalar], target: Fraction) -> Status | None:
    """Proved where an enclosure, or the exact number, is at most the target; else computed."""
    try:
        upper = highest(enclosed(total))
        if upper <= target:
            return Status.PROVED
        if upper > target * (1 + Fraction(1, 2**90)):
            return None
        return Status.PROVED if total(RATIONALS) <= target else None
    except InexactError:
        pass
    try:
        return Status.COMPUTED if highest(total(WIDE)) <= target else None
    except InexactError:
        return None
