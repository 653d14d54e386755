"""The Python reference: one page for each package, each module a section of it."""

from __future__ import annotations

import ast
from pathlib import Path

from docstrings import escaped as _escape
from reference_entries import entries
from repository_files import DOCS, ROOT
from sphinx.application import Sphinx
from writing import clear, write

FOLDER = DOCS / "reference" / "code"
#: Commands are on a page of their own; the package itself holds what boundcalc.api has.
_LEFT_OUT = ("boundcalc.cli", "boundcalc.__main__")
_OWN_PAGE = "boundcalc.api"
_PYTHON = """What ``import boundcalc`` offers: the stages of the pipeline, one function each.
They take a path, a spec or a graph, and return objects whose numbers carry a status; the
:doc:`packages <code/index>` have those objects and everything below.

.. code-block:: python

   import boundcalc as bc

   graph = bc.build(bc.load("noisy.yaml"))
   bc.coefficients(graph).error_bound()
"""
_PACKAGES = """The package follows the pipeline: each stage imports only earlier ones.  What is
listed here can be imported; what a release promises to keep is on the page
:doc:`Python <../python>`.
"""


def packages() -> dict[str, list[str]]:
    """Every package with its modules, those of the top as ``boundcalc``."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "boundcalc").rglob("*.py")):
        if not (path.parent / "__init__.py").exists():
            continue
        parts = ["boundcalc", *path.relative_to(ROOT / "boundcalc").with_suffix("").parts]
        if parts[-1] == "__init__":
            found.setdefault(".".join(parts[:-1]), [])
            continue
        module = ".".join(parts)
        if not module.startswith((*_LEFT_OUT, _OWN_PAGE)) and not parts[-1].startswith("_"):
            found.setdefault(".".join(parts[:-1]), []).append(module)
    return {name: found[name] for name in sorted(found) if not name.startswith(_LEFT_OUT)}


def page(package: str, modules: list[str], inner: list[str]) -> str:
    """A package's page in reStructuredText."""
    parts = [_title(package, "=")]
    if package != "boundcalc":  # its docstring is the page of public functions
        parts.append(entries(_file(package), package))
    else:
        parts.append("The modules at the top of the package.\n")
    if inner:
        names = "\n".join(f"   {name}" for name in inner)
        parts.append(f".. toctree::\n   :caption: Packages inside\n\n{names}\n")
    for module in modules:
        parts += [_title(module, "-"), entries(_file(module), module)]
    return "\n".join(parts)


def _title(name: str, line: str) -> str:
    return f"{name}\n{line * len(name)}\n"


def _file(name: str) -> Path:
    path = ROOT / Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def public_functions() -> str:
    """The page of the functions that ``import boundcalc`` offers."""
    return "\n".join([_title("Python", "="), _PYTHON, entries(_file(_OWN_PAGE), _OWN_PAGE)])


def contents(found: dict[str, list[str]]) -> str:
    """The page that lists all packages."""
    title, rows = "Packages and modules", []
    for name in found:
        says = _escape(first_paragraph(name))
        rows.append(f"   * - :doc:`{name} <{name}>`\n     - {says}")
    table = ".. list-table::\n   :widths: 35 65\n\n" + "\n".join(rows) + "\n"
    tops = [name for name in found if name == "boundcalc" or name.count(".") == 1]
    tree = ".. toctree::\n   :hidden:\n\n" + "\n".join(f"   {name}" for name in tops) + "\n"
    return "\n".join([_title(title, "="), _PACKAGES, table, tree])


def generate(app: Sphinx) -> None:
    """Write the pages."""
    del app
    found = packages()
    write(FOLDER.parent / "python.rst", public_functions())
    write(FOLDER / "index.rst", contents(found))
    kept = {FOLDER / "index.rst"}
    for name, modules in found.items():
        own = [] if name == "boundcalc" else [x for x in found if x.rpartition(".")[0] == name]
        target = FOLDER / f"{name}.rst"
        write(target, page(name, modules, own))
        kept.add(target)
    clear(FOLDER, kept)


def first_paragraph(package: str) -> str:
    """What a package says it is, on one line, read without importing it."""
    tree = ast.parse(_file(package).read_text(encoding="utf-8"))
    return " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before others are read."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
