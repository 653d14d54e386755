"""Programs with several results in float64: constants rounded, equal instructions shared.

:func:`outputs` takes what a tape has recorded; :class:`Outputs` is what
:mod:`~boundcalc.arithmetic.javascript` writes out and what Python evaluates beside it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boundcalc.arithmetic.base import Scalar
from boundcalc.arithmetic.doubles import DOUBLES
from boundcalc.arithmetic.program import Instruction, Program, trimmed
from boundcalc.arithmetic.tape import Operation, Tape

_SMALLEST = sys.float_info.min
_TWO = frozenset({Operation.ADD, Operation.MULTIPLY, Operation.MINIMUM, Operation.MAXIMUM})
_NONE = frozenset({Operation.INPUT, Operation.CONSTANT})


class RangeError(ArithmeticError):
    """A number that float64 cannot hold with all its bits."""


@dataclass(frozen=True)
class Outputs:
    """A program with named inputs and several results.

    Attributes
    ----------
    program
        Its constants are floats.
    names
        Of the inputs that some result depends on, in the program's order.
    places
        By result: the position of its instruction.
    """

    program: Program
    names: tuple[str, ...]
    places: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.program)

    def values(self, inputs: Mapping[str, float]) -> list[float]:
        """Every result, in Python's floats; O(instructions).

        Results that leave float64's range are infinities or NaN.
        """
        every = self.all_values(inputs)
        return [every[place] for place in self.places]

    def all_values(self, inputs: Mapping[str, float]) -> list[float]:
        """Every instruction's result."""
        row = [float(inputs[name]) for name in self.names]
        try:
            return self.program.values(row, DOUBLES)
        except (ArithmeticError, ValueError):
            return self._all_values_even_if_infinite(row)

    def _all_values_even_if_infinite(self, row: list[float]) -> list[float]:
        """The same where Python's floats raise: NumPy's give infinity or NaN, as JavaScript's."""
        import numpy as np

        from boundcalc.arithmetic import FLOATS

        with np.errstate(all="ignore"):
            found = self.program.values([np.float64(x) for x in row], FLOATS)
        return [math.nan if value is None else float(value) for value in found]


def in_range(value: float) -> bool:
    """Whether float64 holds a number with all its bits: 0 or neither tiny nor infinite.

    >>> in_range(0.0), in_range(1e-310), in_range(math.inf)
    (True, False, False)
    """
    return value == 0 or _SMALLEST <= abs(value) < math.inf


def outputs(tape: Tape, results: Iterable[Scalar]) -> Outputs:
    """What a tape has recorded for some results, with its named inputs; O(instructions).

    Constants are rounded to float64 once, after all that was known of them has been done in the
    tape's kind.  Equal instructions become one, and factors of factors one factor.

    Raises
    ------
    RangeError
        If a constant is outside the range in which float64 keeps 53 bits.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from boundcalc.arithmetic import RATIONALS
    >>> tape = Tape(RATIONALS)
    >>> x, y = tape.named("x"), tape.named("y")
    >>> made = outputs(tape, [x * 3 * Fraction(1, 6) + y, y * y])
    >>> made.values({"x": 2.0, "y": 5.0}), len(made)
    ([6.0, 25.0], 5)
    """
    places = [tape.position(result) for result in results]
    inputs = [symbol.index for symbol in tape.symbols.values()]
    found, places = trimmed(list(tape.instructions), places, inputs)
    rows, moved = _shared(found.instructions)
    needed = {
        name: moved[place]
        for name, place in zip(tape.symbols, found.inputs, strict=True)
        if place is not None
    }
    made, places = trimmed(rows, [moved[place] for place in places], list(needed.values()))
    return Outputs(made, tuple(needed), tuple(places))


def _shared(rows: Sequence[Instruction]) -> tuple[list[Instruction], list[int]]:
    """Rows with float constants in which no two are equal, and where the old ones went."""
    sharing = _Sharing()
    moved: list[int] = []
    for operation, x, y in rows:
        if operation == Operation.CONSTANT:
            x = _rounded(x)
        elif operation != Operation.INPUT:
            x = moved[x]
            if operation in _TWO:
                y = moved[y]
            elif operation in (Operation.SHIFT, Operation.SCALE):
                y = _rounded(y)
        moved.append(sharing.record(int(operation), x, y))
    return sharing.rows, moved


class _Sharing:
    """Instructions without repetition, in which constants that are added come last.

    So (1 + x) + y − 1 is x + y, and nothing cancels in floating point.
    """

    def __init__(self) -> None:
        self.rows: list[Instruction] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def record(self, operation: int, x: Any, y: Any) -> int:
        """Where the result of an instruction is."""
        if operation in _TWO and y < x:
            x, y = y, x
        if operation == Operation.SCALE and self._is(x, Operation.SCALE):
            factor = self.rows[x][2] * y
            if in_range(factor):
                return self.record(operation, self.rows[x][1], factor)
        if operation == Operation.SHIFT and self._is(x, Operation.SHIFT):
            shift = self.rows[x][2] + y
            return self._shift(self.rows[x][1], shift)
        if operation == Operation.ADD:
            for one, other in ((x, y), (y, x)):
                if self._is(one, Operation.SHIFT):
                    inner = self.record(operation, self.rows[one][1], other)
                    return self.record(Operation.SHIFT, inner, self.rows[one][2])
        key = (operation, x, y)
        if operation == Operation.INPUT or key not in self._known:
            self.rows.append((operation, x, y))
            self._known[key] = len(self.rows) - 1
            return len(self.rows) - 1
        return self._known[key]

    def _shift(self, x: int, shift: float) -> int:
        return self.record(Operation.SHIFT, x, shift) if shift else x

    def _is(self, x: int, operation: Operation) -> bool:
        return bool(self.rows[x][0] == operation)


def _rounded(value: Scalar) -> float:
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not in_range(found) or (found == 0 and value != 0):
        raise RangeError(f"{value} is outside float64's range")
    return found
