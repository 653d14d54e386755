"""A spec as canonical JSON: what a results file keeps of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from boundcalc.errors import ExpressionError, SimulationError
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import DecimalLiteral, parse
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import OpenSection

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def spec_text(spec: Spec) -> str:
    """One line of JSON that :func:`~boundcalc.spec.loading.loads` reads as the same spec.

    Keys stand in the order of the format, not in that of the file; keys that the spec leaves
    out are left out, and every number is as the spec spells it, so that nothing is rounded.
    Symbols have the values that were set.

    Raises
    ------
    SimulationError
        If a number of the spec was computed by a program and has no exact text.

    Examples
    --------
    >>> from boundcalc.spec.loading import loads
    >>> text = "{name: a, version: 1, graph: {operators: [{id: f, region: {input: 1/3}}]}}"
    >>> spec_text(loads(text))
    '{"version":1,"name":"a","graph":{"operators":[{"id":"f","region":{"input":"1/3"}}]}}'
    """
    return _written(spec, "spec")


def _written(value: Any, where: str) -> str:
    """JSON of one value; the models bound how deep values lie in each other."""
    if isinstance(value, Expression):
        return _number(_text(value, where))
    if isinstance(value, BaseModel):
        return _written(_fields(value), where)
    if isinstance(value, DecimalLiteral):
        return _literal(repr(value))
    if isinstance(value, Mapping):
        entries = (
            f"{json.dumps(str(key), ensure_ascii=False)}:{_written(inner, f'{where}.{key}')}"
            for key, inner in value.items()
        )
        return "{" + ",".join(entries) + "}"
    if isinstance(value, list | tuple):
        entries = (_written(inner, f"{where}[{index}]") for index, inner in enumerate(value))
        return "[" + ",".join(entries) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _fields(section: BaseModel) -> dict[str, Any]:
    """What a section says, by the keys of the format."""
    found: dict[str, Any] = {}
    for name, info in type(section).model_fields.items():
        if name not in section.model_fields_set:
            continue
        value = getattr(section, name)
        if name == "parameters" and isinstance(section, OpenSection):
            found |= value
        else:
            found[info.alias or name] = value
    return found


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
            raise SimulationError(
                "a number that a program computed cannot be kept in a results file",
                where=where,
                value=value.source,
                expected="a number or an expression as a spec has it",
                fix="write the run's spec to a file, and simulate that",
            )


def _number(text: str) -> str:
    """A JSON number where the text is one, else a string."""
    return text if _JSON_NUMBER.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _literal(text: str) -> str:
    """A decimal that YAML allows and JSON may not, as ``.5``, without losing a digit."""
    return text if _JSON_NUMBER.fullmatch(text) else str(Decimal(text)).lower()
