"""Data flows one way: a stage imports only earlier stages."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import boundcalc

PACKAGE = Path(boundcalc.__file__).parent

#: The pipeline.  Vocabulary (number kinds, perturbations, operators, data) comes before
#: the spec that refers to it; the spec's expressions, field types and messages come before
#: the vocabulary.
STAGES = [
    ["boundcalc.errors", "boundcalc.files", "boundcalc.resources", "boundcalc.showing"],
    ["boundcalc.arithmetic"],
    ["boundcalc.spec.nodes", "boundcalc.spec.literals"],
    ["boundcalc.spec.evaluation"],
    ["boundcalc.spec.expressions"],
    ["boundcalc.spec.grammar"],
    ["boundcalc.spec.fields"],
    ["boundcalc.spec.places"],
    ["boundcalc.spec.problems"],
    ["boundcalc.spec.findings"],
    ["boundcalc.spec.validation"],
    ["boundcalc.perturbations"],
    ["boundcalc.operators"],
    ["boundcalc.data"],
    ["boundcalc.spec"],
    ["boundcalc.graph"],
    ["boundcalc.theories.perturbed"],
    ["boundcalc.rates"],
    ["boundcalc.simulate"],
    ["boundcalc.budgets"],
    ["boundcalc.verify"],
    ["boundcalc.sweeps"],
    ["boundcalc.report"],
    ["boundcalc.theories", "boundcalc.theories.perturbed.theory"],
    ["boundcalc.explore"],
    ["boundcalc.explain"],
    ["boundcalc.errata"],
    ["boundcalc.experiments"],
    ["boundcalc.importers"],
    ["boundcalc.api"],
    ["boundcalc.cli", "boundcalc.__main__"],
]


def stage_of(module: str) -> int:
    """The stage whose name is the longest prefix of the module's."""
    best, found = -1, -1
    for number, names in enumerate(STAGES):
        for name in names:
            if (module == name or module.startswith(f"{name}.")) and len(name) > best:
                best, found = len(name), number
    return found


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["boundcalc", *path.relative_to(PACKAGE).with_suffix("").parts]
        found.append((".".join(part for part in parts if part != "__init__"), path))
    return found


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "boundcalc" and stage_of(name) >= 0}


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda value: str(value)[-40:])
def test_every_module_has_a_stage_and_imports_only_earlier_ones(module, path):
    if module == "boundcalc":
        return  # the package itself re-exports the public names lazily
    own = stage_of(module)
    assert own >= 0, f"{module} belongs to no stage"
    later = {name for name in imports(path) if stage_of(name) > own}
    assert later == set()


def test_importing_the_command_line_loads_nothing_heavy():
    packages = ("numpy", "pydantic_core", "sympy", "scipy", "matplotlib", "networkx", "yaml")
    code = f"import sys, boundcalc.cli; print([m for m in {packages} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    heavy = set(ast.literal_eval(done.stdout))
    assert heavy <= {"pydantic_core"}  # typer itself depends on it
