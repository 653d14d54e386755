"""From the text of a spec to numbers and expressions, without ever executing it.

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
from fractions import Fraction
from functools import lru_cache

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import ExpressionError
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.literals import IN_RANGE, LARGEST, NUMBER, exact_value
from boundcalc.spec.nodes import MAX_BITS, Node, folded, most_bits, number

MAX_LENGTH = 1_000  # characters of an expression
MAX_DEPTH = 40  # nesting of operations
MAX_POWER = 64  # absolute value of an integer exponent

#: Function → how many arguments it takes, at least.
FUNCTIONS = {"sqrt": 1, "exp": 1, "log": 1, "min": 2, "max": 2}
#: Names that an expression gives a meaning of its own.
RESERVED = frozenset([*FUNCTIONS, "pi"])

_NOT_FINITE = frozenset(["nan", "inf", "infinity"])
_ALLOWED = "numbers, symbols, + - * / **, sqrt, exp, log, pi, min, max"
_FOREIGN = re.compile(r"[^A-Za-z0-9_.,+\-*/() \t\r\n]")
_RATIO = re.compile(r"([0-9]+)/([0-9]+)")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


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
        if abs(text) > LARGEST:
            # Without the value: Python does not write out integers of any length.
            raise ExpressionError("the number is too large", expected=IN_RANGE)
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
    if NUMBER.fullmatch(source):
        return Expression(source, number(exact_value(source, source)))
    ratio = _RATIO.fullmatch(source)
    if ratio:  # by far the most frequent expression
        top, bottom = (number(exact_value(part, source)) for part in ratio.groups())
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
    if most_bits(node) > MAX_BITS:
        raise ExpressionError(
            "the powers in this expression are too large",
            value=source,
            expected=f"numbers of at most {MAX_BITS} bits when written out",
        )
    return Expression(source, node)


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
        case ast.Constant(value=int() | float()):  # True too, but no number is spelt so
            segment = ast.get_source_segment(source, tree) or ""
            if NUMBER.fullmatch(segment):
                return number(exact_value(segment, source))
        case ast.Name(id="pi"):
            return ("pi", number(1))
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
            return ("**", _convert(left, source, depth + 1), number(power))
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
    return folded(name, converted)


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
