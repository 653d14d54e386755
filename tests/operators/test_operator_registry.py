import importlib
import pkgutil
import subprocess
import sys

import pytest
from operator_cases import CASES, SCALAR_CASES
from pydantic import ValidationError

import boundcalc.operators
from boundcalc.operators import OPERATORS, Dense, Operator, Tanh

SHARED = {"base", "elementwise"}
MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules(boundcalc.operators.__path__)
    if module.name not in SHARED
)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_registers_exactly_one_operator(name):
    module = importlib.import_module(f"boundcalc.operators.{name}")
    here = [cls for cls in vars(module).values() if isinstance(cls, type)]
    here = [cls for cls in here if issubclass(cls, Operator) and cls.__module__ == module.__name__]
    assert [OPERATORS[cls.type] for cls in here] == here
    assert len(here) == 1


def test_names_in_the_registry_are_the_types_own():
    assert {name: cls.type for name, cls in OPERATORS.items()} == {n: n for n in OPERATORS}
    assert len(OPERATORS) == len(MODULES)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_final_documented_and_tested(name):
    cls = OPERATORS[name]
    assert cls.__final__
    assert cls.__doc__ is not None
    assert ">>>" in cls.__doc__
    assert cls in {type(case.operator) for case in CASES}
    assert cls in {type(case.operator) for case in SCALAR_CASES}


def test_everything_exported_exists():
    assert all(hasattr(boundcalc.operators, name) for name in boundcalc.operators.__all__)


def test_parameters_are_checked_and_frozen():
    for parameters in ({}, {"units": 0}, {"units": 100_001}, {"units": "2"}, {"units": True}):
        with pytest.raises(ValidationError):
            Dense(**parameters)
    for parameters in ({"scale": -1}, {"bias": 1}, {"slope": 2}):
        with pytest.raises(ValidationError):
            Tanh(**parameters)
    with pytest.raises(ValidationError):
        Tanh().bias = True


def test_parameters_have_a_json_schema():
    schema = Tanh.model_json_schema()
    assert schema["properties"]["scale"]["default"] == 1
    assert schema["properties"]["bias"]["default"] is False
    assert Dense.model_json_schema()["required"] == ["units"]


def test_importing_operators_does_not_import_sympy():
    code = (
        "import sys, boundcalc.operators;"
        "sys.exit(any(m in sys.modules for m in ('sympy', 'mpmath', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
