"""A spec as plain data: what its file would say, and one text that stands for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen
from boundcalc.spec.grammar import DecimalLiteral, parse
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import OpenSection


def plain(spec: Spec) -> dict[str, Any]:
    """What a file of the spec would say, without its ``sweep``: only what was given.

    >>> from boundcalc.spec.loading import loads
    >>> plain(loads("{version: 1, name: a, graph: {operators: [{id: f, type: sine}]}}"))
    {'version': 1, 'name': 'a', 'graph': {'operators': [{'id': 'f', 'type': 'sine'}]}}
    """
    return {key: value for key, value in _section(spec).items() if key != "sweep"}


def json_text(value: Any) -> str:
    """Plain data as one line of JSON, every number with all its digits.

    >>> json_text({"a": [DecimalLiteral("0.1000000000000000000001"), True, None, "1/3"]})
    '{"a":[0.1000000000000000000001,true,null,"1/3"]}'
    """
    return "".join(_pieces(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Expression):
        return _text(value)
    if isinstance(value, Frozen):
        return _section(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _text(value: Expression) -> str:
    """The text that means the expression: its own, unless that was shortened to be read."""
    if value.node[0] == "number" and parse(value.source).node != value.node:
        return str(value.node[1])
    return value.source


def _section(section: Frozen) -> dict[str, Any]:
    found = {}
    for name, info in type(section).model_fields.items():
        if name in section.model_fields_set and name != "parameters":
            found[info.alias or name] = _plain(getattr(section, name))
    if isinstance(section, OpenSection):
        found.update({key: _plain(item) for key, item in section.parameters.items()})
    return found


def _pieces(value: Any) -> Iterator[str]:
    # Not json.dumps: it would write a decimal literal as the nearest float.
    if isinstance(value, DecimalLiteral):
        yield value.expression.source.removeprefix("+")
    elif isinstance(value, dict):
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
