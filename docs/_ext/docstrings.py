"""Docstrings as reStructuredText: numpydoc's sections, and signs that mean themselves.

The docstrings are written to be read in an editor: ``|x|``, ``a*`` and ``A_`` mean
themselves, and only literals and roles are markup.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path

import numpydoc
from jinja2 import FileSystemLoader, Template
from jinja2.sandbox import SandboxedEnvironment
from numpydoc.docscrape_sphinx import SphinxDocString

#: Literals and roles, which stay as they are.
_KEPT = re.compile(r"``.+?``|:[\w:]+:`[^`]+`|`[^`]+`_?|https?://\S+")


def escaped(line: str) -> str:
    r"""A line of prose whose bars, stars and final underscores mean themselves.

    >>> escaped("for |x| ≤ G, see ``a|b``")
    'for \\|x\\| ≤ G, see ``a|b``'
    """
    parts, position = [], 0
    for kept in _KEPT.finditer(line):
        parts += [_escape(line[position : kept.start()]), kept[0]]
        position = kept.end()
    return "".join([*parts, _escape(line[position:])])


def _escape(text: str) -> str:
    text = re.sub(r"(?<!\\)\|", r"\\|", text)
    text = re.sub(r"(?<!\\)\*", r"\\*", text)
    return re.sub(r"(?<=\w)_(?!\w)", r"\\_", text)


def prose(docstring: str) -> str:
    """A docstring with escaped prose; examples and literal blocks stay."""
    lines = inspect.cleandoc(docstring).split("\n")
    literal: int | None = None  # the indentation above a literal block
    example = False
    for index, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if literal is not None and line.strip() and indent <= literal:
            literal = None
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if literal is None and not example:
            if line.rstrip().endswith("::"):
                literal = indent
            lines[index] = escaped(line)
    return "\n".join(lines)


@cache
def _template() -> Template:
    """Numpydoc's template, compiled once and not for each of thousands of docstrings."""
    folder = Path(numpydoc.__file__).parent / "templates"
    environment = SandboxedEnvironment(loader=FileSystemLoader(folder))
    return environment.get_template("numpydoc_docstring.rst")


def described(docstring: str) -> str:
    r"""A docstring with its sections as field lists.

    >>> print(described("Twice.\n\nParameters\n----------\nx\n    A number.").strip())
    Twice.
    <BLANKLINE>
    :Parameters:
    <BLANKLINE>
        **x**
            A number.
    """
    return str(SphinxDocString(prose(docstring), config={"template": _template()}))
