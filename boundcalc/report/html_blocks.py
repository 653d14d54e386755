"""Blocks as HTML: numbers for sorting, LaTeX for copying, pictures as data.

The elements themselves stand in ``templates/web/blocks.html.j2``.
"""

from __future__ import annotations

import base64
import re
import struct
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from boundcalc.report.cells import (
    Block,
    Content,
    Figure,
    Mark,
    Maths,
    Piece,
    Section,
    Strong,
    Table,
    Value,
)
from boundcalc.report.html import escaped, html
from boundcalc.report.html_maths import mathml_lines
from boundcalc.report.notation import joined
from boundcalc.report.render import environment

#: How an earlier stage marks the rest of a table that paper is too narrow for.
FURTHER = " Further columns."

_NUMBER = re.compile(r"[\[(]?([-−]?(?:\d[\d.]*(?:e[+-]?\d+)?|∞))%?[,\])]?", re.ASCII)
_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")
_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER = 24  # bytes of a PNG file until its width and height have been said
_NARROW = 3  # columns of a table that need not be as wide as the page


def block_html(block: Block) -> str:
    """One block by itself, as a fragment for a page that is not ours, such as a notebook's.

    Formulas are MathML, tables plain; there are no buttons, numbers or pictures.

    Examples
    --------
    >>> from boundcalc.report.cells import Column, Paragraph
    >>> block_html(Paragraph("a < b"))
    '<p>a &lt; b</p>'
    >>> print(block_html(Table("t", (Column("n"),), (("2",),)))[:35])
    <div class="table narrow"><div clas
    """
    from boundcalc.resources import folder

    template = blocks_environment(folder("templates")).get_template("web/blocks.html.j2")
    shown: Markup = template.module.any(block, Parts(alone=True))  # type: ignore[attr-defined]
    return re.sub(r">\s+<", "><", str(shown)).strip()


@lru_cache(maxsize=4)
def blocks_environment(templates: Path) -> Environment:
    """The environment of the pages' templates."""
    found = environment(templates, html)
    found.filters["attribute"] = lambda text: Markup(escaped(str(text)))  # noqa: S704 - escaped
    found.filters["verbatim"] = lambda text: Markup(  # noqa: S704 - escaped
        "\n".join(escaped(line) for line in text.split("\n"))
    )
    found.filters["sort_key"] = sort_key
    found.filters["lines"] = lambda lines: Markup(mathml_lines(tuple(lines)))  # noqa: S704
    found.filters["breadth"] = breadth
    found.filters["heads"] = heads
    return found


@dataclass
class Parts:
    """What a page collects while its blocks are printed.

    Attributes
    ----------
    alone
        Whether a block is printed by itself: without names, numbers and buttons.
    figures
        The folder of pictures; None for none.
    latex
        Name of each table → its LaTeX.
    rows
        The most rows of a table.
    copied
        Whether the LaTeX of tables is kept.
    """

    alone: bool = False
    figures: Path | None = None
    rows: int = 5000
    copied: bool = True
    latex: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def number(self, kind: str) -> str:
        """The next number of a kind of block."""
        self.counts[kind] += 1
        return str(self.counts[kind])

    def keep(self, name: str, table: Table) -> bool:
        """Keep a table's LaTeX; whether there is some to copy."""
        if self.alone or not self.copied:
            return False
        from boundcalc.report.html_latex import latex_table

        self.latex[name] = latex_table(table)
        return True

    def cut(self, table: Table) -> Table:
        """The table with no more rows than a page shows, and a remark on the others."""
        left = len(table.rows) - self.rows
        if left <= 0:
            return table
        said = f"{left} further rows are not shown here; results.json beside this page has all."
        return replace(table, rows=table.rows[: self.rows], remarks=(*table.remarks, said))

    def picture(self, figure: Figure) -> Picture | None:
        """The figure's picture, where there is one."""
        if self.figures is None:
            return None
        return read_picture(self.figures / f"{figure.stem}.png")


@dataclass(frozen=True)
class Picture:
    """A picture as an address that holds it, and its size in pixels."""

    address: str
    width: str
    height: str


def read_picture(path: Path) -> Picture | None:
    """A PNG file as data; None if there is none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if not content.startswith(_PNG) or len(content) < _HEADER:
        return None
    width, height = struct.unpack(">II", content[16:24])
    data = base64.b64encode(content).decode("ascii")
    return Picture(f"data:image/png;base64,{data}", str(width), str(height))


def sort_key(content: Content) -> str:
    """The number that a cell begins with, in scientific notation; empty for other text.

    Text, not a float: coefficients may be larger or smaller than any float.

    >>> sort_key(Value("1.3e+1088")), sort_key((Value("[0.5,"), " ", Value("0.7]"))), sort_key("x")
    ('1.3e1088', '5e-1', '')
    """
    piece = content[0] if isinstance(content, tuple) and content else content
    while isinstance(piece, Strong):
        inner = piece.content
        piece = inner[0] if isinstance(inner, tuple) and inner else inner
    if isinstance(piece, Maths):
        piece = piece.latex
    text = piece.text if isinstance(piece, Value) else piece if isinstance(piece, str) else ""
    match = _NUMBER.fullmatch(_THOUSANDS.sub("", " ".join(text.split())))
    return _scientific(match[1].replace("−", "-")) if match else ""


def _scientific(text: str) -> str:
    if "∞" in text:
        return "-Infinity" if text.startswith("-") else "Infinity"
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return ""
    assert isinstance(exponent, int)  # noqa: S101 - a finite number
    shown = "".join(map(str, digits)).lstrip("0")
    if not shown:
        return "0e0"
    mantissa = shown[0] + ("." + shown[1:] if len(shown) > 1 else "")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{'-' * sign}{mantissa}e{exponent + len(shown) - 1}"


def heads(table: Table) -> tuple[Content, ...]:
    """By row: what its empty first cell repeats, or nothing.

    A row that is moved by sorting, or read aloud, must say by itself what it is about.
    """
    found: list[Content] = []
    above: Content = ""
    for row in table.rows:
        found.append(above if row[0] == "" else "")
        above = row[0] or above
    return tuple(found)


def breadth(table: Table) -> str:
    """A class for tables of few columns, which are easier to read if they are not wide."""
    return " narrow" if len(table.columns) <= _NARROW else ""


def rejoined(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections whose tables are whole again: a page scrolls where paper would end."""
    return tuple(replace(section, blocks=_rejoined(section.blocks)) for section in sections)


def _rejoined(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    found: list[Block] = []
    for block in blocks:
        last = found[-1] if found else None
        if isinstance(block, Table) and isinstance(last, Table) and _continues(last, block):
            found[-1] = _appended(last, block)
        else:
            found.append(block)
    return tuple(found)


def _continues(first: Table, second: Table) -> bool:
    return second.caption == joined(first.caption, FURTHER) and len(first.rows) == len(second.rows)


def _appended(first: Table, second: Table) -> Table:
    repeated = 0  # columns of names, which both parts begin with
    for one, other in zip(first.columns, second.columns, strict=False):
        if one != other or one.width is None:
            break
        repeated += 1
    repeated = max(repeated, 1)
    return replace(
        first,
        columns=(*first.columns, *second.columns[repeated:]),
        rows=tuple(
            (*one, *other[repeated:]) for one, other in zip(first.rows, second.rows, strict=True)
        ),
        remarks=(*first.remarks, *second.remarks),
    )


def outcome(sections: tuple[Section, ...]) -> str:
    """The worst outcome among the verdicts; empty if there are none."""
    found = {
        piece.outcome
        for section in sections
        if section.heading == "Verdicts"
        for block in section.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
        for piece in _pieces(cell)
        if isinstance(piece, Mark)
    }
    return next((o for o in ("violated", "undetermined", "holds") if o in found), "")


def _pieces(content: Any) -> tuple[Piece, ...]:
    return content if isinstance(content, tuple) else (content,)
