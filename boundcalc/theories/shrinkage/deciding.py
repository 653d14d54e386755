"""Comparisons that are certain: exact, else on enclosures, else left open."""

from __future__ import annotations

from collections.abc import Callable

from boundcalc.arithmetic import RATIONALS, WIDE, Arithmetic
from boundcalc.arithmetic.balls import UndecidedError
from boundcalc.arithmetic.best import enclosed
from boundcalc.errors import InexactError


def decided(holds: Callable[[Arithmetic], object]) -> bool | None:
    """Whether a comparison holds; None where enclosures leave it open.

    Numbers that were measured are compared in floating point.

    >>> decided(lambda kind: kind.number(1) > 0), decided(lambda kind: kind.pi() > 3)
    (True, True)
    >>> print(decided(lambda kind: kind.pi() > kind.pi()))
    None
    """
    try:
        return bool(holds(RATIONALS))
    except InexactError:
        pass
    try:
        return bool(enclosed(lambda kind: bool(holds(kind))))
    except UndecidedError:
        return None
    except InexactError:
        return bool(holds(WIDE))
