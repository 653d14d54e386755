"""What the package's code cites of the theory: read from the source, nothing is imported.

A citation is a number in a docstring, or in a text that names its theory page.  It belongs to
the function, class or module in which it stands.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from repository_files import ROOT
from statements import KINDS

_PLURALS = "|".join(
    [*(f"{kind}s?" for kind in KINDS if kind != "Corollary"), "Corollary", "Corollaries"]
)
_NUMBER = r"\d+\.\d+"
#: "Theorem 4.1", "Theorems 4.1, 4.3 (b) and 4.18", "Theorems 4.1 to 4.3".
MENTION = re.compile(
    rf"\b(?P<kind>{_PLURALS})\s+(?P<numbers>{_NUMBER}(?:\s\([a-z]\))?"
    rf"(?:(?:,\s+|\s+and\s+|,\s+and\s+|\s+or\s+|\s+to\s+)(?:{_PLURALS})?\s*{_NUMBER}(?:\s\([a-z]\))?)*)"
)


@dataclass(frozen=True)
class Citation:
    """A number cited by an object of the package."""

    number: str
    name: str  # dotted, such as boundcalc.rates.bound.bound
    kind: str  # module, class or function
    public: bool
    place: str  # file:line

    @property
    def module(self) -> str:
        """The module, for objects that have no entry of their own."""
        return (
            self.place.partition(":")[0]
            .removesuffix(".py")
            .replace("/", ".")
            .removesuffix(".__init__")
        )


def numbers(text: str) -> list[str]:
    """The numbers that a text mentions; a range stands for all from the first to the last.

    >>> numbers("Theorems 4.1 to 4.3 and Lemma 6.4 (b)")
    ['4.1', '4.2', '4.3', '6.4']
    """
    found: list[str] = []
    for mention in MENTION.finditer(text):
        previous, joint = "", ""
        for piece in re.split(rf"({_NUMBER})", mention["numbers"]):
            if not re.fullmatch(_NUMBER, piece):
                joint = piece
                continue
            if "to" in joint.split() and previous:
                chapter, first = previous.split(".")
                last = piece.split(".")[1]
                found += [f"{chapter}.{n}" for n in range(int(first) + 1, int(last))]
            found.append(piece)
            previous = piece
    return found


@cache
def citations() -> tuple[Citation, ...]:
    """All citations in the package."""
    found: list[Citation] = []
    for path in sorted((ROOT / "boundcalc").rglob("*.py")):
        found += _of_file(path)
    return tuple(dict.fromkeys(found))


def _of_file(path: Path) -> Iterator[Citation]:
    place = path.relative_to(ROOT).as_posix()
    module = place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from _walk(tree, module, "module", True, place)


def _walk(node: ast.AST, name: str, kind: str, public: bool, place: str) -> Iterator[Citation]:
    """Citations in a node's own texts, then those of the definitions inside."""
    docstring = ast.get_docstring(node) if hasattr(node, "body") else None  # type: ignore[arg-type]
    for number in numbers(docstring or ""):
        line = getattr(node, "lineno", 1)
        yield Citation(number, name, kind, public, f"{place}:{line}")
    for child in _own(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = "class" if isinstance(child, ast.ClassDef) else "function"
            # What stands inside a function has no entry of its own.
            shown = public and not child.name.startswith("_") and kind != "function"
            yield from _walk(child, f"{name}.{child.name}", inner, shown, place)
        elif isinstance(child, ast.Constant) and "docs/theory" in str(child.value):
            # The docstring itself is among the texts: what it cites is the same.
            for number in numbers(str(child.value)):
                yield Citation(number, name, kind, public, f"{place}:{child.lineno}")


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What is inside a node, down to the next definitions."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _own(child)


@cache
def cited_by() -> dict[str, tuple[Citation, ...]]:
    """The citations of every number, first the objects with an entry in the reference."""
    found: dict[str, dict[str, Citation]] = {}
    for citation in citations():
        found.setdefault(citation.number, {}).setdefault(citation.name, citation)
    return {
        number: tuple(
            sorted(names.values(), key=lambda c: (not c.public, c.kind == "module", c.name))
        )
        for number, names in found.items()
    }
