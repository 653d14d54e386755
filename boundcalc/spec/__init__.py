"""The spec: its format, its numbers, and how a file becomes a checked model.

One direction:

- numbers: ``nodes`` and ``literals`` → ``evaluation`` → ``expressions`` → ``grammar``
- what the format takes: ``fields`` → ``model`` → ``schema``
- a spec as data again: ``plain``
- what does not fit it: ``places`` → ``problems`` → ``findings`` → ``validation``
- files: ``events`` and ``scalars`` → ``building`` → ``reading``
- all together: ``symbols`` → ``loading``
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boundcalc.spec.expressions import Expression
    from boundcalc.spec.grammar import parse
    from boundcalc.spec.loading import library_object, load, loads, with_values
    from boundcalc.spec.model import Spec
    from boundcalc.spec.schema import json_schema
    from boundcalc.spec.symbols import check_symbols

__all__ = [
    "Expression",
    "Spec",
    "check_symbols",
    "json_schema",
    "library_object",
    "load",
    "loads",
    "parse",
    "with_values",
]

# Imported on first use: operators need expressions, and the model needs operators' data.
_HOMES = {
    "Expression": "expressions",
    "parse": "grammar",
    "Spec": "model",
    "check_symbols": "symbols",
    "library_object": "loading",
    "load": "loading",
    "loads": "loading",
    "with_values": "loading",
    "json_schema": "schema",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
