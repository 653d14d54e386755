"""Numbers and expressions over symbols, as values that combine into further ones.

:mod:`~boundcalc.spec.grammar` makes them from the text of a spec.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from boundcalc.arithmetic import RATIONALS, Arithmetic, Scalar
from boundcalc.arithmetic.number import format_bound
from boundcalc.errors import ExpressionError, InexactError
from boundcalc.spec.evaluation import evaluate
from boundcalc.spec.nodes import Node, folded, number, substituted, symbols_in

_LONGEST = 24  # characters of an exact number that are written out


@dataclass(frozen=True)
class Expression:
    """A number or expression.

    Attributes
    ----------
    source
        What the spec says, for messages.
    node
        The parsed form: nested tuples ``(operation, operands…)``.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> parse("2*sqrt(C)/3").evaluate(RATIONALS, {"C": Fraction(4)})
    Fraction(4, 3)
    >>> sorted(parse("max(C, L**2)").symbols)
    ['C', 'L']
    """

    source: str
    node: Node

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The symbols that occur."""
        return symbols_in(self.node)

    def evaluate(self, kind: Arithmetic, values: Mapping[str, Scalar] | None = None) -> Scalar:
        """The value in a number kind; O(size of the expression).

        Parameters
        ----------
        kind
            The number kind.
        values
            Values of symbols, already of that kind.  A symbol without one is
            asked of ``kind.symbol``.

        Raises
        ------
        ExpressionError
            Division by zero, a root or logarithm outside its domain, or a result
            too large to work with.
        InexactError
            An irrational or measured number in exact arithmetic.
        SymbolError
            A symbol without a value where the kind needs one.
        """
        return evaluate(self.node, self.source, kind, values or {})

    def substitute(self, values: Mapping[str, Expression]) -> Expression:
        """The expression with symbols replaced by expressions.

        >>> from boundcalc.spec.grammar import parse
        >>> parse("C**2").substitute({"C": parse("1/3")}).evaluate(RATIONALS)
        Fraction(1, 9)
        """
        used = {name: values[name].node for name in self.symbols & values.keys()}
        return Expression(self.source, substituted(self.node, used)) if used else self

    def __str__(self) -> str:
        return self.source

    def __add__(self, other: Expression | int | Fraction) -> Expression:
        return _combine("+", self, other)

    def __sub__(self, other: Expression | int | Fraction) -> Expression:
        return _combine("-", self, other)

    def __mul__(self, other: Expression | int | Fraction) -> Expression:
        return _combine("*", self, other)

    def __truediv__(self, other: Expression | int | Fraction) -> Expression:
        return _combine("/", self, other)

    def __pow__(self, power: int) -> Expression:
        return Expression(f"({self})**{power}", ("**", self.node, number(power)))


def exact(value: Fraction | int) -> Expression:
    """An expression that is one exact number; its text is rounded up if it is long.

    >>> exact(Fraction(1, 3)).source
    '1/3'
    """
    node = number(value)
    text = str(node[1])
    return Expression(text if len(text) <= _LONGEST else format_bound(node[1]), node)


def bounded(value: float) -> Expression:
    """An exact number that is a float, for what is proved not to be above that float.

    A constant is only ever used as an upper bound, so that numbers made from it are as
    certain as that proof.  The text is rounded up.

    >>> bounded(0.1).evaluate(RATIONALS)
    Fraction(3602879701896397, 36028797018963968)
    >>> str(bounded(0.1)), str(bounded(2.0)), str(bounded(0.12345649))
    ('0.1', '2', '0.123457')
    """
    if not math.isfinite(value):
        raise ExpressionError("a bound is not finite", value=value)
    if value.is_integer():
        return exact(int(value))
    return Expression(format_bound(value), ("bounded", float(value)))


def measured(value: float) -> Expression:
    """An expression that is one measured float: numbers made from it are never `proved`."""
    if not math.isfinite(value):
        raise ExpressionError("a measured number is not finite", value=value)
    return Expression(f"{value:.6g}", ("measured", float(value)))


def rational(expression: Expression, values: Mapping[str, Fraction]) -> Fraction | None:
    """The exact value where there is one, else None."""
    try:
        return Fraction(expression.evaluate(RATIONALS, values))
    except InexactError:
        return None


def root(x: Expression) -> Expression:
    """The square root of an expression, as an expression."""
    return Expression(f"sqrt({x})", ("sqrt", x.node))


def largest(*options: Expression) -> Expression:
    """The maximum of expressions, as an expression."""
    return _extreme("max", options)


def smallest(*options: Expression) -> Expression:
    """The minimum of expressions, as an expression."""
    return _extreme("min", options)


def _extreme(name: str, options: Sequence[Expression]) -> Expression:
    if len(options) == 1:
        return options[0]
    source = f"{name}({', '.join(str(option) for option in options)})"
    return Expression(source, folded(name, [option.node for option in options]))


_RANK = {"+": 1, "-": 1, "neg": 1, "*": 2, "/": 2}


def _combine(operation: str, left: Expression, right: Expression | int | Fraction) -> Expression:
    right = right if isinstance(right, Expression) else exact(right)
    # Of equals, 1/2*3 may lose its parentheses on the left, and a/(b*c) not on the right.
    rank = _RANK[operation]
    first = _operand(left, rank)
    second = _operand(right, rank + (operation in "-/"))
    return Expression(f"({first} {operation} {second})", (operation, left.node, right.node))


def _operand(expression: Expression, rank: int) -> str:
    """The text of an expression, in parentheses if it binds more loosely than ``rank``."""
    source, own = expression.source, _RANK.get(expression.node[0], 3)
    if expression.node[0] == "number":
        own = 1 if source.startswith("-") else 2 if "/" in source else 3
    return source if own >= rank or _wrapped(source) else f"({source})"


def _wrapped(source: str) -> bool:
    """Whether one pair of parentheses holds all of the text."""
    depth = 0
    for position, character in enumerate(source):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return position > 0 and position == len(source) - 1
    return False
