"""An explanation as plain data."""

from __future__ import annotations

from typing import Any

from boundcalc.arithmetic import Number
from boundcalc.explain.explaining import MEANINGS, Explanation, Given


def explanation_data(found: Explanation) -> dict[str, Any]:
    """The object of ``boundcalc explain --json``.

    >>> from boundcalc.explain import explain
    >>> explanation_data(explain("rate.horizon"))["inputs"][0]["spec"]
    'training.horizon'
    """
    entry = found.entry
    return {
        "path": found.path,
        "name": found.name,
        "says": entry.says,
        "kind": entry.kind,
        "known": found.known,
        "value": found.value,
        "status": found.status,
        "status_says": None if found.status is None else MEANINGS[found.status],
        "quantity": entry.quantity or None,
        "relation": entry.relation if entry.formula else None,
        "formula": entry.formula or None,
        "source": entry.source or None,
        "doc": found.doc,
        "conditions": list(entry.conditions),
        "inputs": [_input(given) for given in found.inputs],
        "inputs_need_spec": found.without_inputs,
        "members": list(found.members),
    }


def _input(given: Given) -> dict[str, Any]:
    value = given.value
    return {
        "symbol": given.input.symbol,
        "meaning": given.input.meaning,
        "value": value.json() if isinstance(value, Number) else value,
        "status": given.status,
        "path": given.input.path or None,
        "spec": given.input.spec or None,
        "where": given.where,
    }
