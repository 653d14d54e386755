"""Recorded programs as JavaScript: functions over an array of float64.

A program becomes a list of functions of some hundred statements each, which engines compile as
they stand (V8 leaves functions of more than 60 kB of its code uncompiled).  Numbers that one
function makes and another one needs have a place in the array; all others are local, and those
that are used once are written where they are used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from boundcalc.arithmetic.outputs import Outputs
from boundcalc.arithmetic.program import Instruction
from boundcalc.arithmetic.tape import Operation

#: Instructions of one function.
CHUNK = 400
#: How deep expressions are nested.
DEPTH = 12

_TWO = frozenset({Operation.ADD, Operation.MULTIPLY, Operation.MINIMUM, Operation.MAXIMUM})
_FUNCTIONS = {
    Operation.ROOT: "q",
    Operation.EXP: "Math.exp",
    Operation.LOG: "Math.log",
    Operation.LOG1P: "Math.log1p",
    Operation.EXPM1: "Math.expm1",
    Operation.MINIMUM: "m",
    Operation.MAXIMUM: "M",
}
#: Short names for functions, for a script that declares them.
PRELUDE = "const m=Math.min,M=Math.max,q=Math.sqrt;"
_RESERVED = frozenset({"m", "M", "q", "v", "do", "if", "in", "as", "is", "of"})


def number(value: float) -> str:
    """The shortest decimal that stands for a float64.

    >>> number(0.5), number(1e-7), number(2.0), number(1e300), number(-0.25)
    ('.5', '1e-7', '2', '1e300', '-.25')
    """
    text = repr(float(value))
    text = re.sub(r"\.0$|\.0(?=e)", "", text)
    text = re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].replace('+', '')}{m[2]}", text)
    return re.sub(r"^(-?)0\.", r"\1.", text)


def javascript(made: Outputs) -> str:
    """The program as a JavaScript object; O(instructions).

    Returns
    -------
    Text of an object ``{size, inputs, outputs, parts}``: the length of the array ``v``, the names
    of the inputs, which are v[0], v[1], …, the places of the results, and functions of ``v`` to
    be called in order.  It uses the names of :data:`PRELUDE`.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.arithmetic.outputs import outputs
    >>> from boundcalc.arithmetic.tape import Tape
    >>> tape = Tape(RATIONALS)
    >>> x, y = tape.named("x"), tape.named("y")
    >>> print(javascript(outputs(tape, [tape.minimum(x, y) + 2, x * y**2])))
    {size:4,inputs:["x","y"],outputs:[2,3],parts:[v=>{v[2]=m(v[0],v[1])+2;v[3]=v[0]*(v[1]*v[1])}]}
    """
    writer = _Writer(made)
    parts = ",".join(writer.parts())
    names = ",".join(f'"{name}"' for name in made.names)
    places = ",".join(str(writer.slots[place]) for place in made.places)
    return f"{{size:{writer.size},inputs:[{names}],outputs:[{places}],parts:[{parts}]}}"


@dataclass
class _Writer:
    """The state of writing one program."""

    made: Outputs
    slots: dict[int, int] = field(default_factory=dict)
    size: int = 0

    def __post_init__(self) -> None:
        rows = self.made.program.instructions
        self.size = len(self.made.names)
        for slot, place in enumerate(self.made.program.inputs):
            if place is not None:
                self.slots[place] = slot
        body = [i for i, row in enumerate(rows) if row[0] != Operation.INPUT]
        self.chunks = [body[k : k + CHUNK] for k in range(0, len(body), CHUNK)]
        home = {i: k for k, chunk in enumerate(self.chunks) for i in chunk}
        self.uses: Counter[int] = Counter()
        crossing = set(self.made.places)
        for i, row in enumerate(rows):
            for x in _operands(row):
                # A square names its operand twice.
                self.uses[x] += 2 if row[0] == Operation.POWER else 1
                if home.get(x) != home[i] and rows[x][0] != Operation.CONSTANT:
                    crossing.add(x)
        for i in sorted(crossing):
            if i not in self.slots:
                self.slots[i] = self.size
                self.size += 1

    def parts(self) -> Iterator[str]:
        """One function after the other."""
        for chunk in self.chunks:
            yield "v=>{" + ";".join(_Part(self, chunk).statements()) + "}"


class _Part:
    """One function: its local numbers, and expressions that wait for where they are used."""

    def __init__(self, writer: _Writer, chunk: Sequence[int]) -> None:
        self.rows = writer.made.program.instructions
        self.slots, self.uses, self.chunk = writer.slots, writer.uses, chunk
        self.local: dict[int, str] = {}
        #: Text, how it binds (1 a sum, 2 a product, 3 a call or a name), and how deep it is.
        self.inline: dict[int, tuple[str, int, int]] = {}

    def statements(self) -> Iterator[str]:
        """In order."""
        names = _names()
        for i in self.chunk:
            row = self.rows[i]
            if row[0] == Operation.CONSTANT:
                if i in self.slots:
                    yield f"v[{self.slots[i]}]={number(row[1])}"
                continue
            made, binding = self._written(row)
            depth = 1 + max((self.inline.get(x, ("", 0, 0))[2] for x in _operands(row)), default=0)
            if i in self.slots:
                yield f"v[{self.slots[i]}]={made}"
            elif self.uses[i] == 1 and depth < DEPTH:
                self.inline[i] = (made, binding, depth)
            else:
                self.local[i] = next(names)
                yield f"const {self.local[i]}={made}"

    def _text(self, x: int, binding: int) -> str:
        """An operand inside something that binds this tightly."""
        if self.rows[x][0] == Operation.CONSTANT:
            return _constant(self.rows[x][1], binding)
        if x in self.inline:
            found, own, _ = self.inline[x]
            return found if own >= binding else f"({found})"
        return self.local[x] if x in self.local else f"v[{self.slots[x]}]"

    def _written(self, row: Instruction) -> tuple[str, int]:
        """An instruction as an expression, and how it binds.

        Parentheses keep the order of sums and products, so that rounding is Python's.
        """
        operation, x, y = row
        if operation == Operation.ADD:
            return f"{self._text(x, 1)}+{self._text(y, 2)}", 1
        if operation == Operation.SHIFT:
            shift = number(y)
            return f"{self._text(x, 1)}{'' if shift[0] == '-' else '+'}{shift}", 1
        if operation == Operation.MULTIPLY:
            return f"{self._text(x, 2)}*{self._text(y, 3)}", 2
        if operation == Operation.SCALE:
            return f"{self._text(x, 2)}*{_constant(y, 2)}", 2
        if operation == Operation.POWER:
            return _power(self._text(x, 3), y)
        inner = ",".join(self._text(z, 1) for z in _operands(row))
        return f"{_FUNCTIONS[Operation(operation)]}({inner})", 3


def _operands(row: Instruction) -> tuple[int, ...]:
    operation, x, y = row
    if operation in (Operation.INPUT, Operation.CONSTANT):
        return ()
    return (x, y) if operation in _TWO else (x,)


def _constant(value: float, binding: int) -> str:
    found = number(value)
    return f"({found})" if found[0] == "-" and binding > 1 else found


def _power(base: str, exponent: int) -> tuple[str, int]:
    if exponent == 2:
        return f"{base}*{base}", 2
    if exponent == -1:
        return f"1/{base}", 2
    return f"({base})**{exponent}" if exponent > 0 else f"({base})**({exponent})", 2


def _names() -> Iterator[str]:
    """a, b, …, aa, ab, …: names of locals."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for first in ("", *letters):
        for second in letters:
            if first + second not in _RESERVED:
                yield first + second
