"""A spec back to YAML, with some of its sections replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen
from boundcalc.spec.grammar import DecimalLiteral
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import OpenSection


def spec_text(spec: Spec, changes: Mapping[str, Any]) -> str:
    """The YAML of a spec whose top-level sections in ``changes`` are replaced.

    >>> from boundcalc.spec.loading import loads
    >>> spec = loads("{version: 1, name: a, graph: {operators: [{id: f, type: sine, scale: 1/2}]}}")
    >>> print(spec_text(spec, {"name": "b"}), end="")
    graph:
      operators:
      - {id: f, type: sine, scale: 1/2}
    name: b
    version: 1
    """
    kept = {key: value for key, value in _plain(spec).items() if key not in changes}
    return _dump({**kept, **{key: _plain(value) for key, value in changes.items()}})


def _dump(merged: dict[str, Any]) -> str:
    import yaml

    text = yaml.safe_dump(
        dict(sorted(merged.items())),
        default_flow_style=None,
        allow_unicode=True,
        width=10_000,
        sort_keys=False,
    )
    return str(text)


def _plain(value: Any) -> Any:
    """What a YAML file would have: only keys that were given, expressions as their text."""
    if isinstance(value, Expression):
        return value.source
    if isinstance(value, DecimalLiteral):
        return value.expression.source
    if isinstance(value, Frozen):
        return _section(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _section(section: Frozen) -> dict[str, Any]:
    found = {}
    for name, info in type(section).model_fields.items():
        if name in section.model_fields_set and name != "parameters":
            found[info.alias or name] = _plain(getattr(section, name))
    if isinstance(section, OpenSection):
        found.update({key: _plain(item) for key, item in section.parameters.items()})
    return found
