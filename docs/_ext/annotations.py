"""Types in signatures, linked to the class that is meant.

Sphinx looks for a class by its last name and takes the first of several ``Entry`` or
``Setting``.  Here a name is what the module's own imports say that it is, read from the source;
a name from another package is left as text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from docutils import nodes
from repository_files import ROOT
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


@cache
def names(module: str) -> dict[str, str]:
    """What the names at the top of a module stand for, imports for type checkers included.

    >>> names("boundcalc.api")["Spec"], names("boundcalc.api")["Path"]
    ('boundcalc.spec.model.Spec', 'pathlib.Path')
    """
    path = _file(module)
    found: dict[str, str] = {}
    for node in _top(ast.parse(path.read_text(encoding="utf-8"))) if path else ():
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = f"{module}.{node.name}"
    return found


def _top(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements at the top of a module, and those for type checkers."""
    for node in tree.body:
        if isinstance(node, ast.If):
            yield from node.body
        else:
            yield node


def _file(module: str) -> Path | None:
    path = ROOT / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


def definition(name: str, module: str) -> str | None:
    """The full name of what a module calls ``name``, where it is defined; None elsewhere.

    >>> definition("OperatorGraph", "boundcalc.api")
    'boundcalc.graph.model.OperatorGraph'
    >>> definition("Path", "boundcalc.api") is None
    True
    """
    head, _, rest = name.partition(".")
    full = names(module).get(head) if module else None
    if full is None:
        full = name if name.startswith("boundcalc.") else None
    elif rest:
        full = f"{full}.{rest}"
    for _step in range(5):  # a package may have it from another package
        if full is None or not full.startswith("boundcalc."):
            return None
        owner, _, last = full.rpartition(".")
        source = names(owner).get(last)
        if source is None or source == full:
            return full
        full = source
    return full


class Annotations(SphinxTransform):
    """Give every name in a signature or a field its full name."""

    default_priority = 840

    def apply(self, **options: object) -> None:
        """Change the references of a page."""
        del options
        for link in list(self.document.findall(addnodes.pending_xref)):
            if link.get("refdomain") != "py" or link.get("refexplicit"):
                continue
            if link.get("reftype") not in ("class", "obj", "exc") or "py:module" not in link:
                continue
            target = definition(link["reftarget"], link["py:module"] or "")
            if target is None:
                link.replace_self(list(link.children) or [nodes.Text(link["reftarget"])])
            else:
                link["reftarget"] = target
                link["refspecific"] = False


def setup(app: Sphinx) -> dict[str, bool]:
    """Change references when a page has been read."""
    app.add_transform(Annotations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
