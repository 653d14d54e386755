"""A spec back to YAML, with some of its sections replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boundcalc.spec.model import Spec
from boundcalc.spec.plain import plain


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
    kept = {key: value for key, value in plain(spec, literal=repr).items() if key not in changes}
    return _dump({**kept, **changes})


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
