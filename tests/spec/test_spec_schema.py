from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from spec_texts import DESIGN_DATA

import boundcalc.spec.schema
from boundcalc.errors import SpecError
from boundcalc.spec.loading import loads
from boundcalc.spec.schema import json_schema, schema_text
from boundcalc.theories.schema import full_schema

SHIPPED = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
SCHEMA = full_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_shipped_schema_is_the_generated_one() -> None:
    path = Path(boundcalc.spec.schema.__file__).with_name("schema.json")
    hint = "renew it: boundcalc schema > boundcalc/spec/schema.json"
    assert schema_text(SCHEMA) == path.read_text(encoding="utf-8"), hint


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:boundcalc:spec:1"
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(schema_text(SCHEMA)) == SCHEMA
    for name, section in SCHEMA["$defs"].items():
        assert section.get("description"), name


def test_the_documented_example_fits() -> None:
    VALIDATOR.validate(DESIGN_DATA)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_specs_fit(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(DESIGN_DATA)
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("horizn",), 1),
        (("version",), 2),
        (("version",), None),
        (("name",), 3),
        (("graph",), None),
        (("graph", "operators"), []),
        (("graph", "operators", 0, "scale"), 1),
        (("graph", "operators", 0, "parameters"), {}),
        (("graph", "operators", 2, "parameters"), {}),
        (("graph", "operators", 0, "constants", "jac"), 1),
        (("graph", "operators", 0, "constants", "jac_input"), [1]),
        (("graph", "operators", 1, "repeat"), 0),
        (("graph", "uniform", "lip"), None),
        (("perturbations", 0, "pass"), "sideways"),
        (("perturbations", 0, "pass"), None),
        (("perturbations", 0, "half_width"), 1),
        (("perturbations", 0, "at"), []),
        (("training", "horizon"), 0),
        (("training", "horizon"), "8"),
        (("symbols", "1x"), 1),
        (("simulation",), {"data": {"generator": "logistc"}}),
        (("simulation",), {"data": {"csv": "a.csv"}}),
    ],
)
def test_schema_and_loader_refuse_alike(path: tuple[str | int, ...], value: Any) -> None:
    data = _changed(path, value)
    assert not VALIDATOR.is_valid(data)
    with pytest.raises(SpecError):
        loads(json.dumps(data), format="json")


@pytest.mark.parametrize(
    ("path", "value", "fits"),
    [
        (("graph", "operators", 2, "scale"), "1/2", True),
        (("graph", "operators", 2, "scale"), [1], False),
        (("graph", "operators", 2, "scael"), 1, False),
        (("graph", "operators", 2, "type"), "sofplus", False),
        (("graph", "operators", 2), {"id": "d", "type": "dense", "units": 3}, True),
        (("graph", "operators", 2), {"id": "d", "type": "dense"}, False),
        (("graph", "operators", 2), {"id": "d", "units": 3}, False),
        (("perturbations", 1, "half_width"), "C", True),
        (("perturbations", 1, "std"), 1, False),
        (("perturbations", 1, "model"), "gaussian", False),
        (
            ("perturbations", 0),
            {"at": "f1", "pass": "forward", "model": "gaussian", "std": 1},
            True,
        ),
        (("perturbations", 0), {"at": "f1", "pass": "forward", "model": None, "rms": 1}, True),
    ],
)
def test_parameters_belong_to_their_library_object(
    path: tuple[str | int, ...], value: Any, fits: bool
) -> None:
    assert VALIDATOR.is_valid(_changed(path, value)) == fits


def test_libraries_are_arguments() -> None:
    small = json_schema({}, {})
    data = {"version": 1, "name": "a", "graph": {"operators": [{"id": "f", "dim": 2}]}}
    assert jsonschema.Draft202012Validator(small).is_valid(data)
    data["graph"]["operators"][0]["type"] = "softplus"  # type: ignore[index]
    assert not jsonschema.Draft202012Validator(small).is_valid(data)
