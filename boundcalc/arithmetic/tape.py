"""Straight-line programs: a calculation recorded once, then evaluated with its gradient.

A :class:`Tape` is a number kind.  Its numbers are either numbers of another kind, the
constants, or :class:`Recorded` results, whose operations it writes down.  What was written is a
:class:`~boundcalc.arithmetic.program.Program`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic.base import Arithmetic, Scalar
from boundcalc.arithmetic.rationals import symbol_without_value


class Operation(IntEnum):
    """What an instruction does with its operands x and y; c is a constant, k an integer."""

    INPUT = 0  #: the next input
    CONSTANT = 1  #: c
    ADD = 2  #: x + y
    SHIFT = 3  #: x + c
    MULTIPLY = 4  #: x · y
    SCALE = 5  #: x · c
    POWER = 6  #: x^k
    ROOT = 7  #: √x
    MINIMUM = 8  #: min(x, y)
    MAXIMUM = 9  #: max(x, y)
    EXP = 10  #: eˣ
    LOG = 11  #: ln x
    LOG1P = 12  #: ln(1 + x)
    EXPM1 = 13  #: eˣ − 1


_BOTH_WAYS = frozenset({Operation.ADD, Operation.MULTIPLY})
_WITH_CONSTANT = frozenset({Operation.SHIFT, Operation.SCALE})


class Open:
    """A comparison that is decided when the program runs; code that would branch on it fails."""

    is_Relational = True  # noqa: N815 - as SymPy has it, so that one look serves both kinds

    def __bool__(self) -> bool:
        raise TypeError("the comparison is decided when the program runs")


class Recorded:
    """The result of one instruction of a tape; compares equal to itself alone."""

    __slots__ = ("index", "tape")

    def __init__(self, tape: Tape, index: int) -> None:
        self.tape, self.index = tape, index

    def __add__(self, other: Scalar) -> Scalar:
        if isinstance(other, Recorded):
            return self.tape.record(Operation.ADD, self.index, other.index)
        return self if not other else self.tape.record(Operation.SHIFT, self.index, other)

    __radd__ = __add__

    def __mul__(self, other: Scalar) -> Scalar:
        if isinstance(other, Recorded):
            return self.tape.record(Operation.MULTIPLY, self.index, other.index)
        if not other:
            return self.tape.number(0)
        return self if other == 1 else self.tape.record(Operation.SCALE, self.index, other)

    __rmul__ = __mul__

    def __neg__(self) -> Scalar:
        return self * self.tape.number(-1)

    def __sub__(self, other: Scalar) -> Scalar:
        return self + -other

    def __rsub__(self, other: Scalar) -> Scalar:
        return -self + other

    def __truediv__(self, other: Scalar) -> Scalar:
        if isinstance(other, Recorded):
            return self * other**-1
        return self * (self.tape.number(1) / other)

    def __rtruediv__(self, other: Scalar) -> Scalar:
        return self**-1 * other

    def __lt__(self, other: Scalar) -> Open:
        return Open()

    __le__ = __gt__ = __ge__ = __lt__

    def __pow__(self, exponent: int) -> Scalar:
        if exponent == 0:
            return self.tape.number(1)
        operation, base, _ = self.tape.instructions[self.index]
        if operation is Operation.ROOT and exponent % 2 == 0:
            return Recorded(self.tape, base) ** (exponent // 2)
        return self if exponent == 1 else self.tape.record(Operation.POWER, self.index, exponent)


class Tape:
    """The number kind that writes down what is done with its numbers.

    What is under a root or compared with 0 is taken to be a size: √(x²) = x and min(0, x) = 0
    need no instruction; in :meth:`signed` code nothing of the kind is assumed.

    Parameters
    ----------
    kind
        Of the constants.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.arithmetic.program import program
    >>> tape = Tape(RATIONALS)
    >>> x, y = tape.input(), tape.input()
    >>> made = program(tape, 3 * x**2 + x * y)
    >>> made.value([Fraction(2), Fraction(5)], RATIONALS)
    Fraction(22, 1)
    >>> made.gradient([Fraction(2), Fraction(5)], RATIONALS)[1]
    [Fraction(17, 1), Fraction(2, 1)]
    """

    name = "tape"
    exact = False

    def __init__(self, kind: Arithmetic) -> None:
        self.kind = kind
        #: (operation, first operand, second operand), an operand being the position of a result.
        self.instructions: list[tuple[Operation, Any, Any]] = []
        #: Names of the inputs that have one, in order of their first use.
        self.symbols: dict[str, Recorded] = {}
        self._known: dict[tuple[Any, ...], Recorded] = {}
        self._sizes = True

    def record(self, operation: Operation, x: Any = None, y: Any = None) -> Recorded:
        """The result of an instruction; one that was written before is not written again."""
        if operation in _BOTH_WAYS and y < x:
            x, y = y, x
        # A constant is known by its object, which the instruction keeps alive.
        key = (operation, x, id(y)) if operation in _WITH_CONSTANT else (operation, x, y)
        found = self._known.get(key)
        if found is not None and operation is not Operation.INPUT:
            return found
        self.instructions.append((operation, x, y))
        made = self._known[key] = Recorded(self, len(self.instructions) - 1)
        return made

    def input(self) -> Recorded:
        """A further input."""
        return self.record(Operation.INPUT)

    def position(self, x: Scalar) -> int:
        """Where a number stands; a constant is written down for it."""
        if not isinstance(x, Recorded):
            x = self.record(Operation.CONSTANT, x)
        return int(x.index)

    def number(self, value: Fraction | int) -> Scalar:
        """The rational as a constant."""
        return self.kind.number(value)

    def measured(self, value: float) -> Scalar:
        """A measured constant."""
        return self.kind.measured(value)

    def symbol(self, name: str) -> Scalar:
        """The input of this name, which :meth:`named` has made.

        Raises
        ------
        SymbolError
            If there is none.
        """
        if name not in self.symbols:
            raise symbol_without_value(name)
        return self.symbols[name]

    def named(self, name: str) -> Recorded:
        """A further input that expressions may ask for by its name."""
        if name not in self.symbols:
            self.symbols[name] = self.input()
        return self.symbols[name]

    @contextmanager
    def signed(self) -> Iterator[None]:
        """While this lasts numbers may be negative, as inside an expression that subtracts.

        >>> from boundcalc.arithmetic import RATIONALS
        >>> from boundcalc.arithmetic.program import program
        >>> tape = Tape(RATIONALS)
        >>> x = tape.named("x")
        >>> with tape.signed():
        ...     size = tape.sqrt((x - 3) ** 2)
        >>> program(tape, size).value([Fraction(1)], RATIONALS)
        Fraction(2, 1)
        """
        before, self._sizes = self._sizes, False
        try:
            yield
        finally:
            self._sizes = before

    def sqrt(self, x: Scalar) -> Scalar:
        """The square root; that of a square is what was squared, if no number is negative."""
        if not isinstance(x, Recorded):
            return self.kind.sqrt(x)
        operation, base, exponent = self.instructions[x.index]
        if self._sizes and operation is Operation.POWER and exponent == 2:
            return Recorded(self, base)
        return self.record(Operation.ROOT, x.index)

    def exp(self, x: Scalar) -> Scalar:
        """The exponential."""
        return self._unary(Operation.EXP, "exp", x)

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm."""
        return self._unary(Operation.LOG, "log", x)

    def log1p(self, x: Scalar) -> Scalar:
        """ln(1 + x)."""
        return self._unary(Operation.LOG1P, "log1p", x)

    def expm1(self, x: Scalar) -> Scalar:
        """eˣ − 1."""
        return self._unary(Operation.EXPM1, "expm1", x)

    def _unary(self, operation: Operation, name: str, x: Scalar) -> Scalar:
        if isinstance(x, Recorded):
            return self.record(operation, x.index)
        return getattr(self.kind, name)(x)

    def pi(self) -> Scalar:
        """π as a constant."""
        return self.kind.pi()

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        """The larger of two, decided when the program runs."""
        return self._extreme(Operation.MAXIMUM, x, y)

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two, decided when the program runs."""
        return self._extreme(Operation.MINIMUM, x, y)

    def _extreme(self, operation: Operation, x: Scalar, y: Scalar) -> Scalar:
        if not (isinstance(x, Recorded) or isinstance(y, Recorded)):
            name = "minimum" if operation is Operation.MINIMUM else "maximum"
            return getattr(self.kind, name)(x, y)
        zeros = [not isinstance(z, Recorded) and not z for z in (x, y)]
        if self._sizes and any(zeros):
            # Sizes are compared: min(0, x) = 0, max(0, x) = x.
            return y if zeros[0] == (operation is Operation.MAXIMUM) else x
        first, second = self.position(x), self.position(y)
        if first == second:
            return x
        return self.record(operation, first, second)
