"""Formulas as numbers that say how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import worst


def best_number(
    compute: Callable[[Arithmetic], Scalar],
    *,
    size: int = 1,
    status: Status = Status.PROVED,
    limit: bool = False,
) -> Number:
    """A formula, exact where that is possible, else enclosed, else in floating point.

    Parameters
    ----------
    compute
        The formula over a number kind.
    size
        How long the recurrence is that it runs: long ones are not done exactly.
    status
        What its inputs may claim at best.
    limit
        Whether it must not be passed: it is then rounded down.

    Examples
    --------
    >>> best_number(lambda kind: kind.sqrt(kind.number(9)) / 2)
    Number(1.5, proved)
    """
    value, proved = in_best_kind(compute, size)
    own = Status.PROVED if proved else Status.COMPUTED
    return Number(value, worst(own, status), limit=limit)
