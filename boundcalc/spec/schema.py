"""JSON Schema of the spec format, so that editors complete and check specs.

``boundcalc schema`` prints it; ``boundcalc schema > boundcalc/spec/schema.json`` renews
the copy that ships with the package.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:boundcalc:spec:1"

#: Section of the model → the key that names its library object.
_OPEN_SECTIONS = {"OperatorSection": "type", "PerturbationSection": "model"}


def json_schema(
    operators: Mapping[str, type[BaseModel]],
    distributions: Mapping[str, type[BaseModel]],
    theories: Mapping[str, type[BaseModel] | None] | None = None,
) -> dict[str, Any]:
    """The schema (draft 2020-12) of a spec with these library objects.

    An operator's section takes the parameters of its ``type``, a perturbation's those
    of its ``model``; all other keys are refused.

    Parameters
    ----------
    operators, distributions
        The libraries that ``type`` and ``model`` refer to.
    theories
        What ``theory`` may be, with the model of the section under that name, if there is one.

    Examples
    --------
    >>> json_schema({}, {})["$id"]
    'urn:boundcalc:spec:1'
    """
    schema = _schema_of(Spec)
    # Names that do not match the pattern are refused, not let through unchecked.
    schema["properties"]["symbols"]["additionalProperties"] = False
    libraries = {"OperatorSection": operators, "PerturbationSection": distributions}
    for section, library in libraries.items():
        _complete(schema, section, library)
    del schema["properties"]["own"]
    _add_theories(schema, theories or {"perturbed": None})
    return {"$schema": DIALECT, "$id": IDENTIFIER, **schema, "title": "boundcalc spec, version 1"}


def schema_text(schema: Mapping[str, Any]) -> str:
    """A schema as it is written to a file: sorted keys, two spaces, a newline at the end."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


class _Generator(GenerateJsonSchema):
    """Defaults as the spec spells them."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, Expression):
            number = dft.node[1]
            return (
                int(number) if dft.node[0] == "number" and number.denominator == 1 else dft.source
            )
        if isinstance(dft, BaseModel):
            return {}
        return super().encode_default(dft)


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    for part in (schema, *schema.get("$defs", {}).values()):
        if "description" in part:
            # The summary: what follows it in a docstring is written for the documentation.
            summary = inspect.cleandoc(part["description"]).split("\n\n")[0]
            part["description"] = " ".join(summary.split())
    return schema


def _complete(schema: dict[str, Any], section: str, library: Mapping[str, type[BaseModel]]) -> None:
    """Close a section: its own keys, and with a library object that object's parameters."""
    key = _OPEN_SECTIONS[section]
    part = schema["$defs"][section]
    own = part["properties"]
    del own["parameters"], part["additionalProperties"]
    own[key]["anyOf"] = [{"enum": sorted(library)}, {"type": "null"}]
    # Closed in each case on its own, in words that every draft and every editor knows.
    allowed = dict.fromkeys(own, True)
    without = {"properties": {key: {"type": "null"}}}
    closed: dict[str, Any] = {"properties": allowed, "additionalProperties": False}
    cases = [{"if": without, "then": closed}]
    for name, model in sorted(library.items()):
        parameters = _schema_of(model)
        _adopt(schema, parameters.pop("$defs", {}))
        extra = {k: v for k, v in parameters.get("properties", {}).items() if k not in own}
        case = {
            "description": parameters.get("description", name),
            "properties": {**allowed, **extra},
            "additionalProperties": False,
        }
        required = [k for k in parameters.get("required", []) if k not in own]
        if required:
            case["required"] = required
        named = {"required": [key], "properties": {key: {"const": name}}}
        cases.append({"if": named, "then": case})
    part["allOf"] = cases


def _add_theories(schema: dict[str, Any], theories: Mapping[str, type[BaseModel] | None]) -> None:
    """Each theory's own section, allowed and required where the spec names the theory."""
    schema["properties"]["theory"]["enum"] = list(theories)
    cases = []
    for name, model in theories.items():
        if model is None:
            continue
        section = _schema_of(model)
        _adopt(schema, section.pop("$defs", {}))
        schema["properties"][name] = section
        named = {"required": ["theory"], "properties": {"theory": {"const": name}}}
        cases.append(
            {"if": named, "then": {"required": [name]}, "else": {"properties": {name: False}}}
        )
    if cases:
        schema["allOf"] = cases


def _adopt(schema: dict[str, Any], definitions: Mapping[str, Any]) -> None:
    for name, definition in definitions.items():
        if schema["$defs"].setdefault(name, definition) != definition:
            raise AssertionError(f"two different definitions are called {name}")
