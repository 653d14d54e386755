"""SymPy expressions as C: only nodes that are known here, numbers as floats, names of ours."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

#: SymPy function → C function of one number.
_FUNCTIONS = {
    "exp": "real_exp",
    "log": "real_log",
    "Softplus": "softplus",
    "Expit": "expit",
    "Abs": "size_of",
    "sign": "sign_of",
    **{
        name: f"(real)__builtin_{called}"
        for name, called in {
            **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc")},
            **{name: name for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh", "floor")},
            "ceiling": "ceil",
            "loggamma": "lgamma",
        }.items()
    },
}
_RELATIONS = {
    "StrictGreaterThan": ">",
    "GreaterThan": ">=",
    "StrictLessThan": "<",
    "LessThan": "<=",
    "Equality": "==",
    "Unequality": "!=",
}
_WHOLE = 64  # integer powers up to here are products


class UnknownNodeError(Exception):
    """An expression holds something that has no C here; the text says what."""


@functools.cache
def stable_functions() -> tuple[Any, Any]:
    """ln(1 + eᵗ) and 1/(1 + e⁻ᵗ) as SymPy functions, which C computes without overflow."""
    import sympy

    class Expit(sympy.Function):  # type: ignore[misc]
        nargs = 1

        def fdiff(self, argindex: int = 1) -> Any:
            return Expit(self.args[0]) * Expit(-self.args[0])

    class Softplus(sympy.Function):  # type: ignore[misc]
        nargs = 1

        def fdiff(self, argindex: int = 1) -> Any:
            return Expit(self.args[0])

    return Softplus, Expit


def stabilised(expression: Any) -> Any:
    """The same function, with ln(1 + eᵗ) and (1 + eᵗ)⁻ⁿ in a form that does not overflow.

    >>> import sympy
    >>> t = sympy.Symbol("t", real=True)
    >>> stabilised(2 * sympy.log(1 + sympy.exp(-t)) + 1 / (1 + sympy.exp(t)))
    Expit(-t) + 2*Softplus(-t)
    """
    import sympy

    Softplus, Expit = stable_functions()

    def exponent(node: Any) -> Any:
        """The t of 1 + eᵗ; None for anything else."""
        if not node.is_Add or len(node.args) != 2 or node.args[0] != 1:
            return None
        other = node.args[1]
        return other.args[0] if isinstance(other, sympy.exp) else None

    def is_log(node: Any) -> bool:
        return isinstance(node, sympy.log) and exponent(node.args[0]) is not None

    def is_share(node: Any) -> bool:
        return bool(
            node.is_Pow and node.exp.is_Integer and node.exp < 0 and exponent(node.base) is not None
        )

    logs = expression.replace(is_log, lambda node: Softplus(exponent(node.args[0])))
    return logs.replace(is_share, lambda node: Expit(-exponent(node.base)) ** -node.exp)


def in_c(expression: Any, names: Mapping[Any, str]) -> str:
    """The expression in C, of the type ``real``.

    Parameters
    ----------
    expression
        A SymPy expression.
    names
        C names of its symbols.  No name and no text of the expression itself is written,
        so that nothing from a spec can be.

    Raises
    ------
    UnknownNodeError
        For a node that is not known here.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x; abort()", real=True)
    >>> in_c(sympy.exp(x) / 3 - x**2, {x: "y0"})
    '((-(whole_power(y0, 2))) + ((real)0.3333333333333333 * real_exp(y0)))'
    """
    write = functools.partial(in_c, names=names)
    if expression.is_Symbol:
        if expression not in names:
            raise UnknownNodeError("a symbol that is neither an input, a weight nor the label")
        return names[expression]
    if expression.is_number and not expression.args:
        return _number(expression)
    if expression.is_Add:
        return "(" + " + ".join(map(write, expression.args)) + ")"
    if expression.is_Mul:
        return _product(expression, names)
    if expression.is_Pow:
        return _power(expression.base, expression.exp, names)
    return _function(expression, names)


def _number(expression: Any) -> str:
    """A float's repr, which is all that a number can put into the text."""
    try:
        value = float(expression)
    except (OverflowError, TypeError, ValueError):
        raise UnknownNodeError("a number that is no float") from None
    if math.isnan(value):
        return "NO_NUMBER"
    if math.isinf(value) and not expression.is_infinite:
        raise UnknownNodeError("a number that is no float")
    if math.isinf(value):
        return "INFINITE" if value > 0 else "(-INFINITE)"
    return f"(real){value!r}" if value >= 0 else f"(-(real){-value!r})"


def _product(expression: Any, names: Mapping[Any, str]) -> str:
    above, below = [], []
    for factor in expression.args:
        if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
            below.append(_power(factor.base, -factor.exp, names))
        elif factor != -1:
            above.append(in_c(factor, names))
    text = " * ".join(above) if above else "(real)1.0"
    if below:
        text = f"({text}) / ({' * '.join(below)})"
    return f"(-({text}))" if expression.args[0] == -1 else f"({text})"


def _power(base: Any, exponent: Any, names: Mapping[Any, str]) -> str:
    write = functools.partial(in_c, names=names)
    if exponent.is_Rational and exponent < 0:
        return f"((real)1.0 / {_power(base, -exponent, names)})"
    if exponent == 1:
        return write(base)
    if exponent.is_Integer and exponent <= _WHOLE:
        return f"whole_power({write(base)}, {int(exponent)})"
    if exponent.is_Rational and exponent.q == 2 and exponent.p <= _WHOLE:
        root = f"(real)__builtin_sqrt({write(base)})"
        return root if exponent.p == 1 else f"whole_power({root}, {int(exponent.p)})"
    return f"(real)__builtin_pow({write(base)}, {write(exponent)})"


def _function(expression: Any, names: Mapping[Any, str]) -> str:
    import sympy

    write = functools.partial(in_c, names=names)
    kind = type(expression).__name__
    # By identity: an undefined function may have the name of a known one.
    known = getattr(sympy, kind, None) is type(expression) or type(expression) in stable_functions()
    if known and kind in _FUNCTIONS and len(expression.args) == 1:
        return f"{_FUNCTIONS[kind]}({write(expression.args[0])})"
    if isinstance(expression, sympy.Max | sympy.Min):
        name = "larger" if isinstance(expression, sympy.Max) else "smaller"
        arguments = list(map(write, sympy.ordered(expression.args)))
        return functools.reduce(lambda x, y: f"{name}({x}, {y})", arguments)
    if isinstance(expression, sympy.Heaviside):
        middle = expression.args[1] if len(expression.args) > 1 else sympy.Rational(1, 2)
        return f"step_of({write(expression.args[0])}, {write(middle)})"
    if isinstance(expression, sympy.atan2):
        return f"(real)__builtin_atan2({', '.join(map(write, expression.args))})"
    if isinstance(expression, sympy.Piecewise):
        return _pieces(expression, names)
    raise UnknownNodeError(f"`{kind}`, which has no C function here")


def _pieces(expression: Any, names: Mapping[Any, str]) -> str:
    """Condition by condition; NaN where none holds."""
    text = "NO_NUMBER"
    for value, condition in reversed(expression.args):
        text = f"({condition_in_c(condition, names)} ? {in_c(value, names)} : {text})"
    return text


def condition_in_c(condition: Any, names: Mapping[Any, str]) -> str:
    """A condition in C, as :func:`in_c`: an ``int``."""
    import sympy

    if condition in (sympy.true, sympy.false):
        return str(int(bool(condition)))
    if condition.is_Symbol and condition in names:
        return names[condition]
    if isinstance(condition, sympy.And | sympy.Or):
        sign = " && " if isinstance(condition, sympy.And) else " || "
        parts = (condition_in_c(part, names) for part in sympy.ordered(condition.args))
        return f"({sign.join(parts)})"
    if isinstance(condition, sympy.Not):
        return f"!{condition_in_c(condition.args[0], names)}"
    relation = _RELATIONS.get(type(condition).__name__)
    if relation is None or not isinstance(condition, sympy.core.relational.Relational):
        raise UnknownNodeError(f"the condition `{type(condition).__name__}`")
    left, right = (in_c(part, names) for part in condition.args)
    return f"({left} {relation} {right})"
