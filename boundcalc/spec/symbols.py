"""The symbols of a spec: every expression may use those that it declares, and no others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import BaseModel

from boundcalc.errors import ExpressionError, nearest
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import RESERVED, parse
from boundcalc.spec.model import Spec
from boundcalc.spec.places import Trail
from boundcalc.spec.problems import Problem, as_error


def check_symbols(spec: Spec) -> None:
    """Raise SpecError unless every symbol in use is declared, with a plain value or none.

    Parameters of library objects are only text here: what can only be an expression is
    checked, and the rest by :func:`~boundcalc.spec.loading.library_object`.
    """
    wrong = [*_misdeclared(spec), *undeclared(spec, spec.symbols)]
    if wrong:
        raise as_error(wrong, spec._places)


def undeclared(value: Any, declared: Collection[str]) -> Iterator[Problem]:
    """A problem for every expression in a model that uses a symbol not declared."""
    known = frozenset(declared)
    for path, expression, certain in _expressions(value, ()):
        unknown = sorted(expression.symbols - known)
        if unknown and (certain or _is_arithmetic(expression, known)):
            name = unknown[0]
            close = nearest(name, declared)
            yield Problem(
                path,
                f"undeclared symbol {name!r}",
                expression.source,
                "one of " + ", ".join(declared)
                if declared
                else "a number: no symbols are declared",
                f"did you mean {close!r}?" if close else f"declare it: symbols: {{{name}: }}",
            )


def _misdeclared(spec: Spec) -> Iterator[Problem]:
    for name, value in spec.symbols.items():
        if name in RESERVED or _is_unusable(name):
            words = ", ".join(sorted(RESERVED))
            yield Problem(
                ("symbols", name),
                f"{name} cannot be a symbol",
                name,
                f"a name without a meaning of its own, as {words} have",
                f"rename it, to {name}_0 for example",
            )
        elif value is not None and value.symbols:
            yield Problem(
                ("symbols", name),
                "the value of a symbol uses symbols",
                value.source,
                'a number, such as 0.1 or "sqrt(2)/3"',
                "write the number, or use the expression where the symbol is used",
            )


def _is_unusable(name: str) -> bool:
    try:
        return not parse(name).symbols
    except ExpressionError:  # a keyword of Python, nan, inf
        return True


def _is_arithmetic(expression: Expression, declared: frozenset[str]) -> bool:
    """Whether text that may be a word, as in ``format: fp8-e4m3``, must be an expression."""
    if expression.node[0] == "symbol":
        return False
    return not declared.isdisjoint(expression.symbols) or bool(
        re.search(r"[*/(]|\b[0-9]", expression.source)
    )


def _expressions(
    value: Any, path: Trail, certain: bool = True
) -> Iterator[tuple[Trail, Expression, bool]]:
    """Every expression with its path, and whether it is known to be one."""
    if isinstance(value, Expression):
        yield path, value, certain
    elif isinstance(value, BaseModel):
        for name, inner in value.__dict__.items():
            if inner is None or isinstance(inner, str | int):
                continue
            if name == "parameters":
                yield from _expressions(inner, path, certain=False)
            elif name != "symbols":
                yield from _expressions(inner, (*path, name), certain)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _expressions(inner, (*path, key), certain)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _expressions(inner, (*path, index), certain)
    elif isinstance(value, str) and not certain:
        try:
            yield path, parse(value), certain
        except ExpressionError:
            return  # text, or an error that its library object explains
