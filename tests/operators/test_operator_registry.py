import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest
from operator_cases import CASES
from pydantic import ValidationError

import boundcalc.operators
from boundcalc.operators import OPERATORS, Dense, Operator, Tanh

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(boundcalc.operators.__path__, "boundcalc.operators.")
)


def operators_of(name):
    """The operator types that a module defines."""
    module = importlib.import_module(name)
    types = [value for value in vars(module).values() if isinstance(value, type)]
    return [t for t in types if issubclass(t, Operator) and t.__module__ == name]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_registers_its_operator(name):
    here = operators_of(name)
    final = [t for t in here if not inspect.isabstract(t)]
    assert len(final) <= 1
    assert [OPERATORS.get(t.type) for t in final] == final


def test_names_in_the_registry_are_the_types_own():
    assert {name: cls.type for name, cls in OPERATORS.items()} == {n: n for n in OPERATORS}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_final_documented_and_tested(name):
    cls = OPERATORS[name]
    assert cls.__final__
    assert cls.__doc__ is not None
    assert ">>>" in cls.__doc__
    assert cls in {type(case.operator) for case in CASES}


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
