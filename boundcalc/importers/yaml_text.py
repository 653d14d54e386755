"""Values as YAML writes them on one line."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"^([A-Za-z_][A-Za-z0-9_.]*|-?\d+(/\d+|\.\d+)?)$")
_WORDS = frozenset(["true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"])


def flow(value: Any) -> str:
    """A value on one line; dictionaries and lists in brackets.

    >>> flow({"at": ["fc", "true"], "size": [3, 0.5], "bias": False})
    '{at: [fc, "true"], size: [3, 0.5], bias: false}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A number, a truth value, or text, in quotes where YAML would read it as something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    plain = _PLAIN.match(value) and value not in _WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)
