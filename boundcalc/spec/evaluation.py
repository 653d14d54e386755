"""From the tree of an expression to its value in a number kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any, cast

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import ExpressionError
from boundcalc.spec.literals import MAX_DECIMAL_EXPONENT
from boundcalc.spec.nodes import MAX_BITS, Node, bits


def evaluate(node: Node, source: str, kind: Arithmetic, values: Mapping[str, Scalar]) -> Scalar:
    """The value of a tree; see :meth:`boundcalc.spec.expressions.Expression.evaluate`.

    Parameters
    ----------
    node
        The tree.
    source
        Its text, for messages.
    kind
        The number kind.
    values
        Values of symbols, already of that kind.
    """
    try:
        with _strict(kind):
            return _value(node, kind, values)
    except ZeroDivisionError:
        raise ExpressionError(
            "division by zero", value=source, fix="check the symbols' values"
        ) from None
    except (OverflowError, FloatingPointError):
        raise ExpressionError(
            "the value is too large", value=source, expected=f"at most 1e{MAX_DECIMAL_EXPONENT}"
        ) from None


def _strict(kind: Arithmetic) -> AbstractContextManager[Any]:
    """Makes NumPy raise where Python's floats raise; sets the precision of balls once."""
    if hasattr(kind, "working"):
        return cast("AbstractContextManager[Any]", kind.working())
    if kind.name != "floats":
        return nullcontext()
    import numpy as np  # only here: reading a spec needs no NumPy

    return np.errstate(over="raise", divide="raise", invalid="raise")


def _value(node: Node, kind: Arithmetic, values: Mapping[str, Scalar]) -> Scalar:
    match node:
        case ("number", Fraction() as value):
            return kind.number(value)
        case ("bounded", float() as value):
            # In a formula a decimal reads better than a fraction over a power of two.
            proves = kind.exact or getattr(kind, "encloses", False)
            formula = kind.name == "symbols"
            return kind.number(Fraction(value)) if proves and not formula else kind.measured(value)
        case ("measured", float() as value):
            return kind.measured(value)
        case ("symbol", str() as name):
            return values[name] if name in values else kind.symbol(name)
        case ("pi", _):
            return kind.pi()
        case ("neg", inner):
            return -_value(inner, kind, values)
        case ("**", base, ("number", Fraction() as power)):
            return _power(_value(base, kind, values), int(power))
        case (name, inner):
            return _function(name, _value(inner, kind, values), kind)
        case (operation, left, right):
            x = _value(left, kind, values)
            y = _value(right, kind, values)
            return _operate(operation, x, y, kind)
    raise AssertionError(f"no rule for {node!r}")


def _power(base: Scalar, power: int) -> Scalar:
    if power < 0 and _holds(base == 0):
        raise ZeroDivisionError
    if _size(base) * abs(power) > MAX_BITS:
        raise OverflowError
    return base**power


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
    # Python's floats overflow to infinity in products without a word, balls become infinite.
    if _size(result) > MAX_BITS or not _finite(result):
        raise OverflowError
    return result


def _finite(x: Scalar) -> bool:
    """Whether a float or a ball is finite; every other scalar is."""
    return math.isfinite(x) if isinstance(x, float) else bool(getattr(x, "finite", True))


def _size(x: Scalar) -> int:
    """Bits of an exact rational, SymPy's included; 0 for every other scalar."""
    if isinstance(x, Fraction):
        return bits(x)
    if getattr(x, "is_Rational", False):
        return max(int(x.p).bit_length(), int(x.q).bit_length())
    return 0


def _holds(condition: Any) -> bool:
    """Whether a comparison holds, for some entry of an array; a symbol's is left open."""
    if hasattr(condition, "any"):
        return bool(condition.any())
    return not getattr(condition, "is_Relational", False) and bool(condition)
