"""The best number kind that a calculation allows: exact, else enclosed, else floating point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any, TypeVar

from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE, Arithmetic, Scalar
from boundcalc.errors import InexactError

T = TypeVar("T")

#: Longest chain for exact arithmetic: beyond it numerators grow to thousands of bits.
EXACT_OPERATORS = 64

#: Widest enclosure, relative to the number, that is not tried again with more bits.
WIDTH = 1e-10

#: Precisions that are tried, in bits, until enclosures are narrow.
PRECISIONS = (128, 512, 2048)


def in_best_kind(compute: Callable[[Arithmetic], T], size: int) -> tuple[T, bool]:
    """Run ``compute`` exactly if that is possible and affordable, else enclosed, else in floats.

    Enclosures wider than :data:`WIDTH` are tried again with more bits.

    Parameters
    ----------
    compute
        The calculation, over any number kind.  An :class:`~boundcalc.errors.InexactError` of
        it says that the kind does not do.
    size
        How many operations follow each other, in operators.

    Returns
    -------
    The result, and whether it is proved: exact or enclosed.

    Examples
    --------
    >>> in_best_kind(lambda kind: kind.sqrt(kind.number(4)), 2)
    (Fraction(2, 1), True)
    >>> enclosed, proved = in_best_kind(lambda kind: kind.sqrt(kind.number(2)), 2)
    >>> proved, enclosed.relative_width < 1e-37
    (True, True)
    >>> in_best_kind(lambda kind: kind.measured(0.5), 2)
    (mpf('0.5'), False)
    """
    if size <= EXACT_OPERATORS:
        try:
            return compute(RATIONALS), True
        except InexactError:
            pass
    try:
        return enclosed(compute), True
    except InexactError:
        return compute(WIDE), False


def enclosed(compute: Callable[[Arithmetic], T]) -> T:
    """Run ``compute`` on intervals, with more bits if the result is wide.

    Raises
    ------
    InexactError
        If a number is measured, or a comparison stays undecided.
    """
    from boundcalc.arithmetic.balls import UndecidedError
    from boundcalc.arithmetic.intervals import Intervals

    found: T | None = None
    undecided: UndecidedError | None = None
    for bits in PRECISIONS:
        kind = INTERVALS if bits == INTERVALS.bits else Intervals(bits)
        try:
            with kind.working():
                found = compute(kind)
        except UndecidedError as error:
            undecided = error
            continue
        if widest(found) <= WIDTH:
            return found
    if found is None:
        assert undecided is not None  # noqa: S101 - no other way out of the loop
        raise undecided
    return found


def widest(result: object) -> float:
    """The largest relative width of a number somewhere in a result; 0 without enclosures.

    >>> widest({"a": [INTERVALS.number(Fraction(1, 3))], "b": None}) < 1e-37
    True
    """
    width = getattr(result, "relative_width", None)
    if width is not None:
        return float(width)
    return max((widest(part) for part in _parts(result)), default=0.0)


def _parts(result: object) -> Iterable[Any]:
    if isinstance(result, list | tuple):
        return result
    if isinstance(result, Mapping):
        return result.values()
    if is_dataclass(result):
        return [getattr(result, field.name) for field in fields(result)]
    return ()


def kind_of(values: Iterable[Scalar]) -> Arithmetic:
    """The best kind in which given numbers can meet: exact, enclosed, or floating point.

    >>> kind_of([Fraction(1, 3), 2]).name, kind_of([Fraction(1, 3), INTERVALS.pi()]).name
    ('rationals', 'intervals')
    >>> kind_of([Fraction(1, 3), WIDE.pi()]).name
    'wide'
    """
    best: Arithmetic = RATIONALS
    for value in values:
        if isinstance(value, Fraction | int):
            continue
        if not hasattr(value, "relative_width"):
            return WIDE
        best = INTERVALS
    return best


def converted(value: Scalar, kind: Arithmetic) -> Scalar:
    """A number in another kind.

    A ball becomes its midpoint in floating point, and is refused by exact arithmetic.

    >>> converted(Fraction(1, 2), WIDE), converted(INTERVALS.number(3), WIDE)
    (mpf('0.5'), mpf('3.0'))

    Raises
    ------
    InexactError
        If the kind cannot hold the number, or its enclosure.
    """
    if isinstance(value, Fraction | int):
        return kind.number(value)
    if hasattr(value, "relative_width"):
        return _ball_as(value, kind)
    if isinstance(value, float):
        return kind.measured(value)
    if kind.name == WIDE.name:
        return value
    raise InexactError("a floating-point number has no exact value", value=str(value))


def _ball_as(ball: Any, kind: Arithmetic) -> Scalar:
    if kind.name.startswith(INTERVALS.name):
        return ball
    if kind.exact:
        raise InexactError("an enclosure is not exact", value=str(ball))
    mantissa, exponent = ball.middle
    two: Scalar = kind.number(2)
    return kind.number(mantissa) * two**exponent
