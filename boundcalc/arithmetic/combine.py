"""Numbers made from numbers: the best kind that holds both, the status of the worse one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from boundcalc.arithmetic.base import Arithmetic, Scalar
from boundcalc.arithmetic.best import converted, in_best_kind, kind_of
from boundcalc.arithmetic.number import Number, Status, worst


def added(parts: Iterable[Number]) -> Number:
    """The sum of some numbers.

    >>> from fractions import Fraction
    >>> added([Number(Fraction(1, 3), Status.PROVED), Number(Fraction(1, 6), Status.SAMPLED)])
    Number(0.5, sampled)
    """
    parts = list(parts)
    kind = kind_of(part.value for part in parts)
    total = sum((converted(part.value, kind) for part in parts), kind.number(0))
    return Number(total, worst(*(part.status for part in parts)))


def quotient(x: Number, y: Number) -> Number:
    """x / y.

    >>> from fractions import Fraction
    >>> quotient(Number(Fraction(1), Status.PROVED), Number(Fraction(3), Status.PROVED))
    Number(0.333334, proved)
    """
    return _made((x, y), lambda kind: converted(x.value, kind) / converted(y.value, kind))


def square_root(x: Number) -> Number:
    """√x: exact where it is rational, else enclosed.

    >>> from fractions import Fraction
    >>> square_root(Number(Fraction(9, 4), Status.PROVED)).value
    Fraction(3, 2)
    """
    return _made((x,), lambda kind: kind.sqrt(converted(x.value, kind)))


def _made(given: tuple[Number, ...], compute: Callable[[Arithmetic], Scalar]) -> Number:
    found, proved = in_best_kind(compute, 1)
    status = Status.PROVED if proved else Status.COMPUTED
    return Number(found, worst(status, *(number.status for number in given)))
