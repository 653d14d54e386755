"""Recorded calculations as programs: values and gradients over any number kind.

Gradients come in reverse, in one sweep over the instructions and at a fixed multiple of the
cost of the value (A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, ch. 4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from boundcalc.arithmetic.base import Arithmetic, Scalar
from boundcalc.arithmetic.tape import Operation, Recorded, Tape

#: Operations with two results as operands, and with none.
_BINARY = frozenset({Operation.ADD, Operation.MULTIPLY, Operation.MINIMUM, Operation.MAXIMUM})
_NULLARY = frozenset({Operation.INPUT, Operation.CONSTANT})

#: (operation, operand, operand); plain integers, which compare faster than an enumeration's.
Instruction: TypeAlias = tuple[int, Any, Any]


@dataclass(frozen=True)
class Program:
    """Instructions in order; the last one's result is the program's.

    Attributes
    ----------
    instructions
        (operation, operand, operand); operands of ``ADD`` and the like are positions, and the
        second one of ``SHIFT``, ``SCALE`` and ``POWER`` and the first of ``CONSTANT`` a number.
    inputs
        Positions of the inputs, in their order; None for one that the result does not need.
    """

    instructions: tuple[Instruction, ...]
    inputs: tuple[int | None, ...]

    def __len__(self) -> int:
        return len(self.instructions)

    def converted(self, number: Callable[[Scalar], Scalar]) -> Program:
        """The same with every constant replaced."""
        made: list[Instruction] = []
        for operation, x, y in self.instructions:
            if operation == Operation.CONSTANT:
                made.append((operation, number(x), y))
            elif operation in (Operation.SHIFT, Operation.SCALE):
                made.append((operation, x, number(y)))
            else:
                made.append((operation, x, y))
        return Program(tuple(made), self.inputs)

    def values(
        self, inputs: Sequence[Scalar], kind: Arithmetic, *, keep: bool = True
    ) -> list[Scalar]:
        """Every instruction's result; without ``keep`` those that are not needed any more go."""
        ends = None if keep else self._ends
        v: list[Scalar] = [None] * len(self.instructions)
        for position, value in zip(self.inputs, inputs, strict=True):
            if position is not None:
                v[position] = value
        root, least, most = kind.sqrt, kind.minimum, kind.maximum
        for i, (operation, x, y) in enumerate(self.instructions):
            # The most frequent first: this loop is where the time goes.
            if operation == 2:
                v[i] = v[x] + v[y]
            elif operation == 5:
                v[i] = v[x] * y
            elif operation == 4:
                v[i] = v[x] * v[y]
            elif operation == 6:
                v[i] = v[x] ** y
            elif operation == 7:
                v[i] = root(v[x])
            elif operation == 8:
                v[i] = least(v[x], v[y])
            elif operation == 3:
                v[i] = v[x] + y
            elif operation == 1:
                v[i] = x
            elif operation == 9:
                v[i] = most(v[x], v[y])
            elif operation != 0:
                v[i] = getattr(kind, Operation(operation).name.lower())(v[x])
            if ends is not None:
                for done in ends[i]:
                    v[done] = None
        return v

    def value(self, inputs: Sequence[Scalar], kind: Arithmetic) -> Scalar:
        """The program's result."""
        return self.values(inputs, kind, keep=False)[-1]

    def gradient(self, inputs: Sequence[Scalar], kind: Arithmetic) -> tuple[Scalar, list[Scalar]]:
        """The result, and its derivative by each input.

        Where two sides of a minimum agree the derivative is that of the first.  Programs with
        minima are for scalars.
        """
        v = self.values(inputs, kind)
        d: list[Scalar] = [0] * len(v)
        d[-1] = 1
        for i in range(len(v) - 1, -1, -1):
            operation, x, y = self.instructions[i]
            slope = d[i]
            if operation == 2:
                d[x] = d[x] + slope
                d[y] = d[y] + slope
            elif operation == 5:
                d[x] = d[x] + slope * y
            elif operation == 4:
                d[x] = d[x] + slope * v[y]
                d[y] = d[y] + slope * v[x]
            elif operation == 6:
                d[x] = d[x] + slope * y * v[x] ** (y - 1)
            elif operation == 7:
                d[x] = d[x] + slope / (2 * v[i])
            elif operation == 3:
                d[x] = d[x] + slope
            elif operation in (8, 9):
                chosen = x if v[i] == v[x] else y
                d[chosen] = d[chosen] + slope
            elif operation > 9:
                d[x] = d[x] + slope * _slope(operation, v[x], v[i])
        return v[-1], [kind.number(0) if p is None else d[p] for p in self.inputs]

    @cached_property
    def _ends(self) -> tuple[tuple[int, ...], ...]:
        """By instruction: the operands that no later one needs."""
        last = list(range(len(self.instructions)))
        for i, (operation, x, y) in enumerate(self.instructions):
            if operation not in _NULLARY:
                last[x] = i
            if operation in _BINARY:
                last[y] = i
        found: list[tuple[int, ...]] = [()] * len(last)
        for position, i in enumerate(last[:-1]):
            found[i] = (*found[i], position)
        return tuple(found)

    @cached_property
    def branches(self) -> tuple[int, ...]:
        """Positions of minima and maxima."""
        both = (Operation.MINIMUM, Operation.MAXIMUM)
        return tuple(i for i, row in enumerate(self.instructions) if row[0] in both)

    def frozen(self, inputs: Sequence[Scalar], kind: Arithmetic) -> Program:
        """Without minima and maxima: the side that is taken at a point is taken everywhere.

        Never below the program where it has minima only.  Equal to it at the point.
        """
        v = self.values(inputs, kind)
        stands_for = list(range(len(v)))
        rows: list[Instruction] = []
        for i, (operation, x, y) in enumerate(self.instructions):
            if operation in _NULLARY:
                rows.append((operation, x, y))
                continue
            x = stands_for[x]
            if operation in _BINARY:
                y = stands_for[y]
            rows.append((operation, x, y))
            if operation in (8, 9):
                stands_for[i] = x if v[i] == v[x] else y
        return _trimmed(rows, stands_for[-1], self.inputs)


def program(tape: Tape, result: Scalar) -> Program:
    """What a tape has recorded, as far as a result needs it."""
    inputs = tuple(i for i, row in enumerate(tape.instructions) if row[0] == Operation.INPUT)
    last = result.index if isinstance(result, Recorded) else tape.position(result)
    return _trimmed(list(tape.instructions), last, inputs)


def _trimmed(rows: Sequence[Instruction], last: int, inputs: Sequence[int | None]) -> Program:
    """The instructions that the result at ``last`` needs."""
    return trimmed(rows, [last], inputs)[0]


def trimmed(
    rows: Sequence[Instruction], results: Sequence[int], inputs: Sequence[int | None]
) -> tuple[Program, list[int]]:
    """The instructions that some results need, and where these are among them.

    >>> from boundcalc.arithmetic import RATIONALS
    >>> tape = Tape(RATIONALS)
    >>> x = tape.input()
    >>> unused, y, z = x + 1, x * 2, x * 3
    >>> made, places = trimmed(tape.instructions, [y.index, z.index], [0])
    >>> len(made), places, made.values([5], RATIONALS)
    (3, [1, 2], [5, 10, 15])
    """
    last = max(results)
    needed = [False] * (last + 1)
    for result in results:
        needed[result] = True
    for i in range(last, -1, -1):
        if needed[i]:
            operation, x, y = rows[i]
            if operation not in _NULLARY:
                needed[x] = True
                if operation in _BINARY:
                    needed[y] = True
    moved = [0] * (last + 1)
    made: list[Instruction] = []
    for old in range(last + 1):
        if not needed[old]:
            continue
        operation, x, y = rows[old]
        moved[old] = len(made)
        if operation not in _NULLARY:
            x = moved[x]
            if operation in _BINARY:
                y = moved[y]
        made.append((int(operation), x, y))
    places = (None if p is None or p > last or not needed[p] else moved[p] for p in inputs)
    return Program(tuple(made), tuple(places)), [moved[result] for result in results]


def _slope(operation: int, x: Scalar, value: Scalar) -> Scalar:
    """The derivative of an elementary function of x with this value."""
    if operation == Operation.EXP:
        return value
    if operation == Operation.EXPM1:
        return value + 1
    return 1 / x if operation == Operation.LOG else 1 / (1 + x)
