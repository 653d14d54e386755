"""A module's functions, classes and constants as entries of the reference.

Read from the source, nothing is imported: so optional packages need not be there, and
signatures are what is written.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

from docstrings import described, prose

_LONGEST = 40  # letters of a default that is shown
_METHOD_KINDS = ("classmethod", "staticmethod", "abstractmethod")
#: Bases whose annotated names are not arguments.
_NO_FIELDS = {"Protocol", "ABC", "Enum", "StrEnum", "IntEnum", "Exception", "NamedTuple"}


def entries(path: Path, module: str) -> str:
    """A module's docstring and its entries in reStructuredText."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    parts = [f".. py:module:: {module}\n", prose(ast.get_docstring(tree) or "") + "\n"]
    return "\n".join([*parts, *_members(tree.body, text.splitlines())])


def _members(body: list[ast.stmt], lines: list[str], *, inside: bool = False) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not node.name.startswith("_") and ast.get_docstring(node):
                yield (
                    _class(node, lines)
                    if isinstance(node, ast.ClassDef)
                    else _function(node, inside)
                )
        else:
            yield from _constants(node, lines, inside)


def _entry(kind: str, signature: str, options: list[str], body: str) -> str:
    head = [f".. py:{kind}:: {signature}", *(f"   {option}" for option in options)]
    return "\n".join(head) + "\n\n" + textwrap.indent(body.strip("\n"), "   ") + "\n"


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, inside: bool) -> str:
    marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
    body = described(ast.get_docstring(node) or "")
    options = [f":{name}:" for name in _METHOD_KINDS if inside and name in marks]
    if inside and marks & {"property", "cached_property"}:
        kind = [f":type: {ast.unparse(node.returns)}"] if node.returns else []
        return _entry("property", node.name, kind, body)
    bound = inside and "staticmethod" not in marks
    signature = f"{node.name}({_arguments(node.args, bound)}){_returns(node)}"
    return _entry("method" if inside else "function", signature, options, body)


def _returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return f" -> {ast.unparse(node.returns)}" if node.returns else ""


def _arguments(arguments: ast.arguments, bound: bool) -> str:
    """Arguments as written, without the first one of a method."""
    shown = ast.arguments(**dict(ast.iter_fields(arguments)))
    if bound:
        shown.posonlyargs, shown.args = (
            (shown.posonlyargs[1:], shown.args)
            if shown.posonlyargs
            else (shown.posonlyargs, shown.args[1:])
        )
    shown.defaults = [_short(value) for value in shown.defaults]
    shown.kw_defaults = [value and _short(value) for value in shown.kw_defaults]
    return ast.unparse(shown)


def _short(value: ast.expr) -> ast.expr:
    text = ast.unparse(value)
    return value if len(text) <= _LONGEST else ast.Constant(...)


def _class(node: ast.ClassDef, lines: list[str]) -> str:
    arguments = _class_arguments(node)
    signature = node.name if arguments is None else f"{node.name}({arguments})"
    members = list(_members(node.body, lines, inside=True))
    body = described(ast.get_docstring(node) or "")
    marks = {ast.unparse(mark) for mark in node.decorator_list}
    return _entry("class", signature, [":final:"] if "final" in marks else [], body) + "".join(
        "\n" + textwrap.indent(member, "   ") for member in members
    )


def _class_arguments(node: ast.ClassDef) -> str | None:
    """Those of ``__init__``, or the fields of a dataclass or a model; None for neither."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return _arguments(statement.args, True)
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    if bases & _NO_FIELDS or not (bases or any("dataclass" in mark for mark in marks)):
        return None
    fields = [
        statement
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and not statement.target.id.startswith("_")
        and "ClassVar" not in ast.unparse(statement.annotation)
    ]
    return ", ".join(map(_field, fields)) if fields else None


def _field(statement: ast.AnnAssign) -> str:
    text = f"{ast.unparse(statement.target)}: {ast.unparse(statement.annotation)}"
    if statement.value is None:
        return text
    # What a call makes, field(…) or Field(…), is not its text.
    call = isinstance(statement.value, ast.Call)
    return f"{text} = {'...' if call else ast.unparse(_short(statement.value))}"


def _constants(node: ast.stmt, lines: list[str], inside: bool) -> Iterator[str]:
    """Names with a ``#:`` comment above them."""
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    comment = _comment(lines, node.lineno - 1)
    for target in targets:
        if comment and isinstance(target, ast.Name) and not target.id.startswith("_"):
            yield _entry("attribute" if inside else "data", target.id, [], prose(comment))


def _comment(lines: list[str], line: int) -> str:
    found: list[str] = []
    while line and lines[line - 1].lstrip().startswith("#:"):
        found.insert(0, lines[line - 1].lstrip()[2:].removeprefix(" "))
        line -= 1
    return "\n".join(found)
