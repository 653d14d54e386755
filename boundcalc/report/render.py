"""Blocks into text: the templates, and what they may print.

Every expression in a template goes through :func:`latex` or :func:`markdown`, which
escape plain text and accept nothing but the pieces of :mod:`boundcalc.report.cells`.
A template can therefore neither forget to escape nor print an object it should not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from boundcalc.errors import BoundcalcError
from boundcalc.report import escape
from boundcalc.report.cells import Code, Document, Mark, Maths, Strong, Value
from boundcalc.report.numbers import LETTERS, latex_number

#: Outcome → (LaTeX command, sign in Markdown).
MARKS = {
    "holds": (r"\markholds", "✓"),
    "violated": (r"\markviolated", "✗"),
    "undetermined": (r"\markopen", "?"),
}


def latex(piece: Any) -> Markup:
    r"""One piece of content as LaTeX.

    >>> from boundcalc.arithmetic import Status
    >>> print(latex(("50% of ", Maths("x_1"))), latex(Value("1e-6", Status.SAMPLED)))
    50\% of $x_1$ $10^{-6}$\status{s}
    """
    if isinstance(piece, Markup):
        return piece
    if isinstance(piece, str):
        return Markup(escape.latex_text(piece) if piece.strip() else piece)  # noqa: S704
    if isinstance(piece, tuple):
        return Markup("").join(_spaced(piece, latex))
    if isinstance(piece, Maths):
        return Markup(f"${piece.latex}$")  # noqa: S704 - written by this package
    if isinstance(piece, Code):
        return Markup(rf"\code{{{escape.latex_code(piece.text)}}}")  # noqa: S704
    if isinstance(piece, Strong):
        return Markup(rf"\textbf{{{latex(piece.content)}}}")  # noqa: S704
    if isinstance(piece, Mark):
        return Markup(f"{MARKS[piece.outcome][0]}{{{escape.latex_text(piece.word)}}}")  # noqa: S704
    if isinstance(piece, Value):
        return Markup(_latex_value(piece))  # noqa: S704 - digits and signs only
    raise foreign(piece)


def _latex_value(value: Value) -> str:
    if not any(c.isdigit() or c == "∞" for c in value.text):
        text = escape.latex_text(value.text)
    else:
        text = f"${latex_number(value.text)}$"
    if value.fraction is not None:
        text += f" (${value.fraction}$)"
    return text + (rf"\status{{{LETTERS[value.status]}}}" if value.status else "")


def markdown(piece: Any) -> Markup:
    r"""One piece of content as Markdown.

    >>> from boundcalc.arithmetic import Status
    >>> print(markdown(("2 * ", Maths("x_1"), " = ", Value("1e-6", Status.SAMPLED))))
    2 \* $`x_1`$ = 1e-6<sub>s</sub>
    """
    if isinstance(piece, Markup):
        return piece
    if isinstance(piece, str):
        return Markup(escape.markdown_text(piece) if piece.strip() else piece)  # noqa: S704
    if isinstance(piece, tuple):
        return Markup("").join(_spaced(piece, markdown))
    if isinstance(piece, Maths):
        # The form with backticks: nothing inside is read as Markdown.
        return Markup(f"$`{piece.latex}`$".replace("|", r"\vert "))  # noqa: S704
    if isinstance(piece, Code):
        return Markup(escape.markdown_code(piece.text))  # noqa: S704
    if isinstance(piece, Strong):
        return Markup(f"**{markdown(piece.content)}**")  # noqa: S704
    if isinstance(piece, Mark):
        return Markup(f"{MARKS[piece.outcome][1]} {escape.markdown_text(piece.word)}")  # noqa: S704
    if isinstance(piece, Value):
        fraction = f" ({piece.fraction})" if piece.fraction else ""
        letter = f"<sub>{LETTERS[piece.status]}</sub>" if piece.status else ""
        return Markup(piece.text + fraction + letter)  # noqa: S704
    raise foreign(piece)


def _spaced(pieces: tuple[Any, ...], render: Callable[[Any], Markup]) -> list[Markup]:
    """Rendered pieces; blanks at the ends of a string part, which escaping drops, are kept."""
    found = []
    for piece in pieces:
        text = render(piece)
        if isinstance(piece, str) and not isinstance(piece, Markup) and piece.strip():
            before, after = " " * piece[0].isspace(), " " * piece[-1].isspace()
            text = Markup("").join([before, text, after])
        found.append(text)
    return found


def foreign(piece: Any) -> BoundcalcError:
    """The error for what is not content."""
    return BoundcalcError(
        "a template printed something that is not content",
        value=type(piece).__name__,
        expected="text, Maths, Value, Code, Strong, Mark, or a tuple of these",
    )


def latex_document(document: Document, templates: Path) -> str:
    """The whole LaTeX source."""
    text = _render(document, templates, "report.tex.j2", latex)
    # A blank line before a displayed formula would end the paragraph that leads to it.
    return re.sub(r"\n\s*\n", "\n", text).lstrip()


def markdown_document(document: Document, templates: Path) -> str:
    """The whole Markdown page."""
    text = _render(document, templates, "report.md.j2", markdown)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _render(
    document: Document, templates: Path, name: str, finalize: Callable[[Any], Markup]
) -> str:
    return environment(templates, finalize).get_template(name).render(document=document)


def environment(templates: Path, finalize: Callable[[Any], Markup]) -> Environment:
    """What templates are read with; each expression in them goes through ``finalize``."""
    # LaTeX is full of braces and per cent signs, so templates use other delimiters.
    found = Environment(
        block_start_string="((*",
        block_end_string="*))",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="((#",
        comment_end_string="#))",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(templates),
        # Everything printed has been through ``finalize``; with autoescape on, macros
        # return Markup, which passes through it unchanged a second time.
        autoescape=True,
        finalize=finalize,
    )
    found.filters["plain"] = lambda text: Markup(escape.plain_text(str(text)))  # noqa: S704
    found.filters["trusted"] = Markup
    return found
