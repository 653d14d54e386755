"""Numbers and expressions in a spec, parsed without ever being executed.

A number may be a number, an exact fraction ``"1/3"``, a symbol, or an expression
over symbols, ``+ - * / **`` and sqrt, exp, log, pi, min, max.  The text is
parsed by Python's ``ast`` and only a short list of nodes is let through; sizes,
exponents and nesting are bounded before anything is computed.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from boundcalc.arithmetic import RATIONALS, Arithmetic, Scalar
from boundcalc.errors import BoundcalcError, ExpressionError, InexactError

MAX_LENGTH = 1_000  # characters of an expression
MAX_DEPTH = 40  # nesting of operations
MAX_POWER = 64  # absolute value of an integer exponent
MAX_DECIMAL_EXPONENT = 300  # numbers lie within 1e±300: a float64 holds them all
MAX_DIGITS = 60  # digits of a literal
MAX_BITS = 20_000  # of a numerator or denominator that evaluation may reach

FUNCTIONS = {"sqrt": 1, "exp": 1, "log": 1, "min": 2, "max": 2}
#: Names that an expression gives a meaning of its own.
RESERVED = frozenset([*FUNCTIONS, "pi"])

_NOT_FINITE = frozenset(["nan", "inf", "infinity"])
_FOREIGN = re.compile(r"[^A-Za-z0-9_.,+\-*/() \t\r\n]")
_LARGEST = 10**MAX_DECIMAL_EXPONENT
_SMALLEST = Fraction(1, _LARGEST)
_RATIO = re.compile(r"([0-9]+)/([0-9]+)")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}

#: ``(operation, operand, …)``; operands are nodes, or the payload of a leaf.
Node: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Expression:
    """A parsed number or expression.

    Attributes
    ----------
    source
        What the spec says, for messages.
    node
        The parsed form: nested tuples ``(operation, operands…)``.

    Examples
    --------
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
        found: set[str] = set()
        stack: list[object] = [self.node]
        while stack:
            node = stack.pop()
            if isinstance(node, tuple):
                if node[0] == "symbol":
                    found.add(str(node[1]))
                stack.extend(node[1:])
        return frozenset(found)

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
        try:
            with _strict(kind):
                return _evaluate(self.node, kind, values or {})
        except ZeroDivisionError:
            raise ExpressionError(
                "division by zero", value=self.source, fix="check the symbols' values"
            ) from None
        except (OverflowError, FloatingPointError):
            raise ExpressionError(
                "the value is too large",
                value=self.source,
                expected=f"at most 1e{MAX_DECIMAL_EXPONENT}",
            ) from None

    def substitute(self, values: Mapping[str, Expression]) -> Expression:
        """The expression with symbols replaced by expressions.

        >>> parse("C**2").substitute({"C": parse("1/3")}).evaluate(RATIONALS)
        Fraction(1, 9)
        """
        if not self.symbols & values.keys():
            return self
        return Expression(self.source, _substituted(self.node, values))

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
        return Expression(f"({self})**{power}", ("**", self.node, ("number", Fraction(power))))


def _substituted(node: Node, values: Mapping[str, Expression]) -> Node:
    if node[0] == "symbol":
        return values[node[1]].node if node[1] in values else node
    return tuple(_substituted(p, values) if isinstance(p, tuple) else p for p in node)


def _combine(operation: str, left: Expression, right: Expression | int | Fraction) -> Expression:
    right = right if isinstance(right, Expression) else exact(right)
    # Of equals, 1/2*3 may lose its parentheses on the left, and a/(b*c) not on the right.
    rank = _RANK[operation]
    first = _operand(left, rank)
    second = _operand(right, rank + (operation in "-/"))
    return Expression(f"({first} {operation} {second})", (operation, left.node, right.node))


_RANK = {"+": 1, "-": 1, "neg": 1, "*": 2, "/": 2}


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
    return Expression(source, _folded(name, [option.node for option in options]))


def _folded(name: str, nodes: Sequence[Node]) -> Node:
    """One node for a minimum or maximum of many, only logarithmically deep."""
    if len(nodes) == 1:
        return nodes[0]
    half = (len(nodes) + 1) // 2
    return (name, _folded(name, nodes[:half]), _folded(name, nodes[half:]))


def exact(value: Fraction | int) -> Expression:
    """An expression that is one exact number.

    >>> exact(Fraction(1, 3)).source
    '1/3'
    """
    value = Fraction(value)
    return Expression(str(value), ("number", value))


def measured(value: float) -> Expression:
    """An expression that is one measured float: numbers made from it are never `proved`."""
    if not math.isfinite(value):
        raise ExpressionError("a measured number is not finite", value=value)
    return Expression(f"{value:.6g}", ("measured", float(value)))


class DecimalLiteral(float):
    """A decimal as a file spells it: a float where one is wanted, exact where it is parsed.

    Attributes
    ----------
    expression
        The exact number.

    Raises
    ------
    ExpressionError
        If the number has too many digits or lies outside 1e±300.

    Examples
    --------
    >>> literal = DecimalLiteral("0.1000000000000000000001")
    >>> literal == 0.1, parse(literal).evaluate(RATIONALS) == Fraction(1, 10)
    (True, False)
    """

    expression: Expression

    def __new__(cls, text: str | float) -> DecimalLiteral:
        """Made from text, so that no digit is lost."""
        expression = parse(text)
        literal = super().__new__(cls, expression.evaluate(RATIONALS))
        literal.expression = expression
        return literal

    def __repr__(self) -> str:
        return self.expression.source


def parse(text: str | int | float | Fraction) -> Expression:
    """Parse a number or an expression of the spec.

    A float is read as the shortest decimal that stands for it, so ``0.1`` is
    exactly 1/10.

    Raises
    ------
    ExpressionError
        If the text is too long, too deep, not a number, or uses anything but
        the allowed operations.

    Examples
    --------
    >>> parse(0.1).evaluate(RATIONALS)
    Fraction(1, 10)
    >>> parse("9**9**9")
    Traceback (most recent call last):
        ...
    boundcalc.errors.ExpressionError: the exponent is not a small whole number
      found:    '9**9**9'
      expected: a whole number between -64 and 64
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float | Fraction):
        raise ExpressionError("not a number", value=text, expected="a number or an expression")
    if isinstance(text, DecimalLiteral):
        return text.expression
    if isinstance(text, Fraction):
        return exact(text)
    if isinstance(text, float):
        if not math.isfinite(text):
            raise ExpressionError("not a finite number", value=text, expected="a finite number")
        text = repr(text)
    elif isinstance(text, int):
        if abs(text) > _LARGEST:
            # Without the value: Python does not write out integers of any length.
            raise ExpressionError("the number is too large", expected=_IN_RANGE)
        return exact(text)
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression is {len(text)} characters long",
            value=text,
            expected=f"at most {MAX_LENGTH} characters",
        )
    return _parse(text.strip())


@lru_cache(maxsize=4096)
def _parse(source: str) -> Expression:
    if _NUMBER.fullmatch(source):
        return Expression(source, ("number", _literal(source, source)))
    ratio = _RATIO.fullmatch(source)
    if ratio:  # by far the most frequent expression
        top, bottom = (("number", _literal(part, source)) for part in ratio.groups())
        return Expression(source, ("/", top, bottom))
    foreign = _FOREIGN.search(source)
    if foreign:
        raise ExpressionError(
            f"the character {foreign.group()!r} does not belong in an expression",
            value=source,
            expected=_ALLOWED,
            fix="write ** for a power" if foreign.group() == "^" else None,
        )
    node = _convert(_syntax(source), source, 0)
    # Symbols do not soften this: SymPy multiplies out the numbers of ((2*C)**64)**64.
    if _bits(node) > MAX_BITS:
        raise ExpressionError(
            "the powers in this expression are too large",
            value=source,
            expected=f"numbers of at most {MAX_BITS} bits when written out",
        )
    return Expression(source, node)


_ALLOWED = "numbers, symbols, + - * / **, sqrt, exp, log, pi, min, max"
_IN_RANGE = (
    f"a finite number: 0, or between 1e-{MAX_DECIMAL_EXPONENT} and 1e{MAX_DECIMAL_EXPONENT} in size"
)


def _bits(node: Node) -> int:
    """An upper bound of the bits of a node's numbers once everything is multiplied out."""
    match node:
        case ("number", Fraction() as value):
            return max(value.numerator.bit_length(), value.denominator.bit_length())
        case ("symbol", _) | ("pi", _):
            return 1
        case ("**", base, ("number", Fraction() as power)):
            return max(abs(int(power)), 1) * _bits(base)
    return sum(_bits(operand) for operand in node[1:])


def _syntax(source: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            # Python warns of things like `1if`; here they are plain errors below.
            warnings.simplefilter("ignore")
            return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(
            "not a number or an expression",
            value=source,
            expected='a number, a fraction "1/3", a symbol, or an expression such as "2*sqrt(C)"',
        ) from None


def _convert(tree: ast.expr, source: str, depth: int) -> Node:
    """The whitelist: everything that may occur in an expression is named here."""
    if depth > MAX_DEPTH:
        raise ExpressionError(
            "the expression is nested too deeply",
            value=source,
            expected=f"at most {MAX_DEPTH} levels",
        )
    match tree:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float()):
            segment = ast.get_source_segment(source, tree) or ""
            if _NUMBER.fullmatch(segment):
                return ("number", _literal(segment, source))
        case ast.Name(id="pi"):
            return ("pi", ("number", Fraction(1)))
        case ast.Name(id=name) if name.lower() in _NOT_FINITE:
            raise ExpressionError("not a finite number", value=source, expected="a finite number")
        case ast.Name(id=name) if name not in FUNCTIONS and _SYMBOL.fullmatch(name):
            return ("symbol", name)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return ("neg", _convert(inner, source, depth + 1))
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _convert(inner, source, depth + 1)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            power = _small_power(right, source, depth)
            return ("**", _convert(left, source, depth + 1), ("number", Fraction(power)))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
            return (
                _BINARY[type(op)],
                _convert(left, source, depth + 1),
                _convert(right, source, depth + 1),
            )
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return _call(name, args, source, depth)
    raise ExpressionError(
        "this is not allowed in an expression",
        value=source,
        expected=_ALLOWED,
    )


def _call(name: str, args: list[ast.expr], source: str, depth: int) -> Node:
    wanted = FUNCTIONS[name]
    if len(args) < wanted or (wanted == 1 and len(args) > 1):
        raise ExpressionError(
            f"{name} has {len(args)} argument{'' if len(args) == 1 else 's'}",
            value=source,
            expected="one argument" if wanted == 1 else "two arguments or more",
        )
    converted = [_convert(arg, source, depth + 1) for arg in args]
    if wanted == 1:
        return (name, converted[0])
    return _folded(name, converted)


def _literal(text: str, source: str) -> Fraction:
    mantissa, _, exponent = text.lower().partition("e")
    digits = sum(character.isdigit() for character in mantissa)
    size = int(exponent) if exponent and len(exponent) <= 6 else (10**6 if exponent else 0)
    point = mantissa.find(".")
    whole = len(mantissa.lstrip("+-0").partition(".")[0])
    if digits > MAX_DIGITS + MAX_DECIMAL_EXPONENT or abs(size) + whole > MAX_DECIMAL_EXPONENT + 1:
        raise ExpressionError(
            "the number has too many digits or too large an exponent",
            value=source,
            expected=_IN_RANGE,
        )
    if point >= 0 and len(mantissa) - point - 1 > MAX_DIGITS:
        raise ExpressionError(
            "the number has too many decimals", value=source, expected=f"at most {MAX_DIGITS}"
        )
    size -= len(mantissa) - point - 1 if point >= 0 else 0
    value = Fraction(int(mantissa.replace(".", "")) * 10 ** max(size, 0), 10 ** max(-size, 0))
    plain = not exponent and whole <= MAX_DECIMAL_EXPONENT
    if value and not plain and not _SMALLEST <= abs(value) <= _LARGEST:
        raise ExpressionError("the number is out of range", value=source, expected=_IN_RANGE)
    return value


def _small_power(tree: ast.expr, source: str, depth: int) -> int:
    node = _convert(tree, source, depth + 1)
    sign = 1
    while node[0] == "neg":
        sign, node = -sign, node[1]
    value = node[1] if node[0] == "number" else None
    if not isinstance(value, Fraction) or value.denominator != 1 or abs(value) > MAX_POWER:
        raise ExpressionError(
            "the exponent is not a small whole number",
            value=source,
            expected=f"a whole number between -{MAX_POWER} and {MAX_POWER}",
        )
    return sign * int(value)


def _evaluate(node: Node, kind: Arithmetic, values: Mapping[str, Scalar]) -> Scalar:
    match node:
        case ("number", Fraction() as value):
            return kind.number(value)
        case ("measured", float() as value):
            return kind.measured(value)
        case ("symbol", str() as name):
            return values[name] if name in values else kind.symbol(name)
        case ("pi", _):
            return kind.pi()
        case ("neg", inner):
            return -_evaluate(inner, kind, values)
        case ("**", base, ("number", Fraction() as power)):
            return _bounded(_evaluate(base, kind, values), int(power))
        case (name, inner):
            argument = _evaluate(inner, kind, values)
            return _function(name, argument, kind)
        case (operation, left, right):
            x = _evaluate(left, kind, values)
            y = _evaluate(right, kind, values)
            return _operate(operation, x, y, kind)
    raise AssertionError(f"no rule for {node!r}")


def _strict(kind: Arithmetic) -> AbstractContextManager[Any]:
    """Makes NumPy raise where Python's floats raise."""
    if kind.name != "floats":
        return nullcontext()
    import numpy as np

    return np.errstate(over="raise", divide="raise", invalid="raise")


def _bounded(base: Scalar, power: int) -> Scalar:
    if power < 0 and _holds(base == 0):
        raise ZeroDivisionError
    if _size(base) * abs(power) > MAX_BITS:
        raise OverflowError
    return base**power


def _size(x: Scalar) -> int:
    """Bits of an exact rational, SymPy's included; 0 for every other scalar."""
    if isinstance(x, Fraction):
        return max(x.numerator.bit_length(), x.denominator.bit_length())
    if getattr(x, "is_Rational", False):
        return max(int(x.p).bit_length(), int(x.q).bit_length())
    return 0


def _holds(condition: Any) -> bool:
    """Whether a comparison holds, for some entry of an array; a symbol's is left open."""
    if hasattr(condition, "any"):
        return bool(condition.any())
    return not getattr(condition, "is_Relational", False) and bool(condition)


def _function(name: str, x: Scalar, kind: Arithmetic) -> Scalar:
    if name == "sqrt" and _holds(x < 0):
        raise ExpressionError("the square root of a negative number", value=str(x))
    if name == "log" and _holds(x <= 0):
        raise ExpressionError("the logarithm of a number that is not positive", value=str(x))
    if name == "exp" and kind.name != "symbols" and _holds(x > 690):
        raise OverflowError
    return {"sqrt": kind.sqrt, "exp": kind.exp, "log": kind.log}[name](x)


def _operate(operation: str, x: Scalar, y: Scalar, kind: Arithmetic) -> Scalar:
    match operation:
        case "+":
            result = x + y
        case "-":
            result = x - y
        case "*":
            result = x * y
        case "/":
            if _holds(y == 0):
                raise ZeroDivisionError
            result = x / y
        case "min":
            result = kind.minimum(x, y)
        case _:
            result = kind.maximum(x, y)
    # Python's floats overflow to infinity in products without a word.
    if _size(result) > MAX_BITS or (isinstance(result, float) and not math.isfinite(result)):
        raise OverflowError
    return result


def rational(expression: Expression, values: Mapping[str, Fraction]) -> Fraction | None:
    """The exact value where there is one, else None."""
    try:
        value = expression.evaluate(RATIONALS, values)
    except InexactError:
        return None
    except BoundcalcError:
        raise
    return Fraction(value)
