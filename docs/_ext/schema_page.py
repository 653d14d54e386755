"""The reference of the spec format, from the JSON Schema that validates specs."""

from __future__ import annotations

import json
import re
from typing import Any

from repository_files import DOCS
from sphinx.application import Sphinx
from writing import write

PAGE = DOCS / "reference" / "schema.md"
_HEAD = """# Spec format: the schema

Every key that a spec may have, with its type and default, from the JSON Schema that
`boundcalc schema` prints. Editors complete and check specs with it. The
[spec reference](../spec-reference.md) explains what the keys mean. *Expression* stands for a
number, a fraction `"1/3"`, a symbol, or a formula over symbols.
"""

_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_SIGNS = re.compile(r"([$<>*_\[\]|])")


def page(schema: dict[str, Any]) -> str:
    """The schema as tables, one for each section."""
    parts = [_HEAD, "## A spec\n", _table(schema)]
    inline = {
        name: part
        for name, part in schema["properties"].items()
        if part.get("type") == "object" and "properties" in part
    }
    for name, part in sorted(inline.items()):
        parts += [f"## {name}\n", _says(part), _table(part)]
    for name, part in sorted(schema["$defs"].items()):
        parts += [f"## {_words(name)}\n", _says(part), _table(part)]
        parts += list(_cases(part))
    return "\n".join(parts)


def _words(name: str) -> str:
    """``RandomSource`` as ``random source``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _says(part: dict[str, Any]) -> str:
    return _prose(part.get("description", "")) + "\n"


def _table(part: dict[str, Any], only: set[str] | None = None) -> str:
    required = set(part.get("required", ()))
    rows = ["| key | type | default |", "|---|---|---|"]
    for key, value in part.get("properties", {}).items():
        if value is True or (only is not None and key not in only):
            continue
        default = "required" if key in required else _default(value)
        rows.append(f"| `{key}` | {_type(value, key)} | {default} |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def _default(value: dict[str, Any]) -> str:
    if "default" not in value or value["default"] in (None, {}):
        return "–"
    return f"`{json.dumps(value['default'], ensure_ascii=False)}`"


def _type(value: dict[str, Any], key: str = "") -> str:
    """A type in words.

    >>> _type({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]})
    'integer ≥ 1'
    >>> _type({"type": "array", "items": {"enum": ["a", "b"]}})
    'list of `a`, `b`'
    """
    if "$ref" in value:
        name = _words(value["$ref"].rpartition("/")[2])
        return f"[{name}](#{name.replace(' ', '-')})"
    if value.get("description", "").startswith("a number, a fraction"):
        return "expression"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if choices := value.get("anyOf") or value.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(c) for c in choices if c.get("type") != "null"))
    return _plain(value, key)


def _plain(value: dict[str, Any], key: str) -> str:
    kind = value.get("type", "any")
    if kind == "array":
        return f"list of {_type(value.get('items', {}))}"
    if kind == "object":
        if "properties" in value and key:
            return f"[section](#{key})"
        inner = value.get("additionalProperties") or next(
            iter(value.get("patternProperties", {}).values()), {}
        )
        return f"mapping to {_type(inner)}" if isinstance(inner, dict) and inner else "mapping"
    names = {"string": "text", "boolean": "`true`, `false`", "any": "any"}
    limits = "".join(f" {sign} {value[word]}" for word, sign in _LIMITS.items() if word in value)
    return names.get(kind, kind) + (limits if kind in ("integer", "number") else "")


def _cases(part: dict[str, Any]) -> list[str]:
    """What an operator's type, or a perturbation's model, adds."""
    found = []
    for case in part.get("allOf", []):
        named = {
            key: value["const"]
            for key, value in case.get("if", {}).get("properties", {}).items()
            if "const" in value
        }
        for key, value in named.items():
            then = case["then"]
            found += [f"### {key}: {value}\n", _says(then), _table(then)]
    return found


def _prose(text: str) -> str:
    """A description as Markdown: code in single backquotes, signs as themselves."""
    parts = re.split(r"(``.+?``)", " ".join(text.split()))
    return "".join(
        part.replace("``", "`") if part.startswith("``") else _SIGNS.sub(r"\\\1", part)
        for part in parts
    )


def generate(app: Sphinx) -> None:
    """Write the page."""
    from boundcalc.theories.schema import full_schema

    del app
    write(PAGE, page(full_schema()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the page before others are read."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
