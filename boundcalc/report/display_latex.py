r"""Blocks as LaTeX that a document with amsmath can hold, and that MathJax shows.

Tables are arrays, for MathJax knows no ``tabular``.  Text inside them stands in ``\text``, with
special characters outside it, where both read them alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from boundcalc.report import escape
from boundcalc.report.cells import (
    Block,
    Bullets,
    Code,
    Content,
    Equation,
    Mark,
    Maths,
    Paragraph,
    Piece,
    Strong,
    Table,
    Theorem,
    Value,
)
from boundcalc.report.numbers import LETTERS, latex_number

_ROWS = 60  # of an array, which no page break divides
_LONGEST = 200  # characters of a text in a cell

#: Characters that the text fonts of LaTeX, or its syntax, read otherwise.
_SIGNS = {
    "\\": r"\backslash ", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "{": r"\{", "}": r"\}", "~": r"{\sim}", "^": r"{\wedge}", "<": "<", ">": ">", "|": r"\vert ",
}  # fmt: skip


def fragment(blocks: Sequence[Block]) -> str:
    """The blocks one after the other."""
    return "\n\n".join(text for text in map(_block, blocks) if text)


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _prose(block.content)
    if isinstance(block, Bullets):
        return "\n\n".join(_prose(item) for item in block.items)
    if isinstance(block, Equation):
        lines = r" \\ ".join(block.lines)
        return rf"$$\begin{{aligned}} {lines} \end{{aligned}}$$"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Theorem):
        return "\n\n".join((_prose(Strong(block.name)), *map(_block, block.blocks)))
    return ""


def _table(table: Table) -> str:
    sides = "".join(
        "l" if k == 0 or column.width is not None else "r" for k, column in enumerate(table.columns)
    )
    titles = " & ".join(maths(column.title) for column in table.columns)
    rows = list(table.rows)
    if len(rows) > _ROWS:
        half = _ROWS // 2
        rows = [*rows[:half], ("…",) * len(table.columns), *rows[-half:]]
    lines = [" & ".join(maths(cell) for cell in row) for row in rows]
    body = " \\\\\n".join([titles + r" \\ \hline", *lines]).replace("\\hline \\\\", "\\hline")
    array = f"\\begin{{array}}{{{sides}}}\n{body}\n\\end{{array}}"
    remarks = "\n\n".join(_prose(remark) for remark in table.remarks)
    return "\n\n".join(part for part in (_prose(table.caption), f"$${array}$$", remarks) if part)


def _prose(content: Content) -> str:
    """Running text, with mathematics between dollars."""
    pieces = content if isinstance(content, tuple) else (content,)
    found = []
    for piece in pieces:
        if isinstance(piece, str):
            found.append(_spaced(piece))
        elif isinstance(piece, Strong):
            found.append(rf"\textbf{{{_prose(piece.content)}}}")
        else:
            found.append(f"${maths(piece)}$")
    return "".join(found)


def _spaced(text: str) -> str:
    """Escaped text that keeps the blanks at its ends."""
    before, after = " " * text[:1].isspace(), " " * text[-1:].isspace()
    return before + escape.latex_text(text) + after if text.strip() else text


def maths(content: Content) -> str:
    r"""Content as mathematics.

    >>> from boundcalc.arithmetic import Status
    >>> print(maths(("bound of ", Code("a_1"), ": ", Value("1e-6", Status.SAMPLED))))
    \text{bound of }\texttt{a}\_\texttt{1}\text{: }10^{-6}{}_{\,\mathrm{s}}
    """
    pieces = content if isinstance(content, tuple) else (content,)
    return "".join(map(_piece, pieces))


def _piece(piece: Piece) -> str:
    if isinstance(piece, Maths):
        return piece.latex
    if isinstance(piece, Value):
        return _value(piece)
    if isinstance(piece, Code):
        return _words(escape.shortened(piece.text), "texttt")
    if isinstance(piece, Strong):
        inner = piece.content
        return _words(inner, "textbf") if isinstance(inner, str) else maths(inner)
    if isinstance(piece, Mark):
        return _words(piece.word, "text")
    return _words(piece, "text")


def _value(value: Value) -> str:
    if any(c.isdigit() or c == "∞" for c in value.text):
        text = latex_number(value.text)
    else:
        text = _words(value.text, "text")
    if value.fraction is not None:
        text += rf"\;({value.fraction})"
    if value.status is not None:
        text += rf"{{}}_{{\,\mathrm{{{LETTERS[value.status]}}}}}"
    return text


def _words(text: str, command: str) -> str:
    r"""Text in pieces: plain runs inside a command, everything else between them."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    found = []
    for run in re.findall(r"[A-Za-z0-9 .,;:!?()\[\]+\-=/*'\"@]+|.", text, re.DOTALL):
        if len(run) > 1 or re.fullmatch(r"[A-Za-z0-9 .,;:!?()\[\]+\-=/*'\"@]", run):
            found.append(rf"\{command}{{{run}}}")
        elif run in _SIGNS:
            found.append(_SIGNS[run])
        else:
            found.append(_other(run, command))
    return "".join(found)


def _other(character: str, command: str) -> str:
    made = escape.latex_text(character)
    inside = re.fullmatch(r"\\ensuremath\{(.*)\}", made)
    if inside:
        return inside[1] + " "
    script = re.fullmatch(r"\\text(super|sub)script\{(.*)\}", made)
    if script:
        return f"{{}}{'^' if script[1] == 'super' else '_'}{{{script[2]}}}"
    return rf"\{command}{{{made}}}" if made.strip() else r"\ "
