"""A spec as plain data: what its file would say, and one text that stands for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from boundcalc.errors import ExpressionError, SpecError
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen
from boundcalc.spec.grammar import DecimalLiteral, parse
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import OpenSection

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def plain(
    value: Any,
    where: str = "spec",
    *,
    expression: Callable[[str], Any] = str,
    literal: Callable[[DecimalLiteral], Any] = lambda found: found,
) -> Any:
    """What a file of the spec would say: only the keys that were given, in the format's order.

    Parameters
    ----------
    value
        A spec, a section, or data that hold some.
    where
        Its place, for messages.
    expression, literal
        What stands for the text of an expression, and for a parameter of the library.

    Raises
    ------
    SpecError
        If a number was computed by a program and has no exact text.

    Examples
    --------
    >>> from boundcalc.spec.loading import loads
    >>> plain(loads("{version: 1, name: a, graph: {operators: [{type: sine, id: f}]}}"))
    {'version': 1, 'name': 'a', 'graph': {'operators': [{'id': 'f', 'type': 'sine'}]}}
    """

    def inner(item: Any, key: str) -> Any:
        return plain(item, f"{where}{key}", expression=expression, literal=literal)

    if isinstance(value, Expression):
        return expression(_text(value, where))
    if isinstance(value, DecimalLiteral):
        return literal(value)
    if isinstance(value, Frozen):
        value = _given(value)
    if isinstance(value, Mapping):
        return {str(key): inner(item, f".{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [inner(item, f"[{index}]") for index, item in enumerate(value)]
    return value


def json_text(value: Any) -> str:
    """Plain data as one line of JSON, every number with all its digits.

    >>> json_text({"a": [DecimalLiteral("0.1000000000000000000001"), True, None, "1/3"]})
    '{"a":[0.1000000000000000000001,true,null,"1/3"]}'
    """
    return "".join(_pieces(value))


def number_or_text(text: str) -> DecimalLiteral | str:
    """A number where JSON has one of this spelling, else the text.

    >>> json_text([number_or_text(text) for text in ("1.50e-3", ".5", "1/3")])
    '[1.50e-3,".5","1/3"]'
    """
    return DecimalLiteral(text) if _JSON_NUMBER.fullmatch(text) else text


def _given(section: Frozen) -> dict[str, Any]:
    """What a section says, by the keys of the format."""
    found = {
        info.alias or name: getattr(section, name)
        for name, info in type(section).model_fields.items()
        if name in section.model_fields_set and name not in ("parameters", "own")
    }
    if isinstance(section, Spec) and section.own is not None:
        found[section.theory] = section.own
    return found | section.parameters if isinstance(section, OpenSection) else found


def _text(value: Expression, where: str) -> str:
    """Text that is read as the same expression."""
    try:
        if parse(value.source) == value:
            return value.source
    except ExpressionError:
        pass  # a text for people, such as a rounded number
    match value.node:
        case ("number", Fraction() as number):
            return str(number)
        case _:
            raise SpecError(
                "a number that a program computed has no exact text",
                where=where,
                value=value.source,
                expected="a number or an expression as a spec has it",
                fix="write the spec to a file, and load that",
            )


def _pieces(value: Any) -> Iterator[str]:
    # Not json.dumps: it would write a decimal literal as the nearest float.
    if isinstance(value, DecimalLiteral):
        yield _literal(repr(value))
    elif isinstance(value, Mapping):
        yield "{"
        for position, (key, item) in enumerate(value.items()):
            yield f"{',' if position else ''}{json.dumps(key, ensure_ascii=False)}:"
            yield from _pieces(item)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for position, item in enumerate(value):
            yield "," if position else ""
            yield from _pieces(item)
        yield "]"
    else:
        yield json.dumps(value, ensure_ascii=False, allow_nan=False)


def _literal(text: str) -> str:
    """A decimal that YAML allows and JSON may not, as ``.5``, without losing a digit."""
    return text if _JSON_NUMBER.fullmatch(text) else str(Decimal(text)).lower()
