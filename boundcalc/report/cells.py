"""What a report is made of: pieces of text, and blocks of them.

A piece that comes from a spec or from a message is a plain ``str`` and is escaped when
it is rendered.  Only what this package wrote itself may be :class:`Maths`.  Templates
see nothing but these types, and do no mathematics.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from boundcalc.arithmetic import Status

_TOGETHER = 20  # rows of a table that is not begun near the end of a page


@dataclass(frozen=True)
class Maths:
    """LaTeX mathematics that this package wrote, set inline.

    Attributes
    ----------
    latex
        Without dollar signs.
    """

    latex: str


@dataclass(frozen=True)
class Value:
    """A number as text, with its status.

    Attributes
    ----------
    text
        As :func:`~boundcalc.arithmetic.number.format_number` writes it, or ``∞``, ``–``.
    status
        None for a number that the spec states.
    fraction
        ``p/q``, where that is short and the text is rounded.
    """

    text: str
    status: Status | None = None
    fraction: str | None = None


@dataclass(frozen=True)
class Code:
    """A name or expression from the spec, set in typewriter type and broken where needed."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Emphasised text."""

    content: Content


@dataclass(frozen=True)
class Mark:
    """An outcome: a symbol and a word, so that nothing hangs on colour alone."""

    outcome: Literal["holds", "violated", "undetermined"]
    word: str


Piece: TypeAlias = "str | Maths | Value | Code | Strong | Mark"

#: Text: one piece, or several in a row.
Content: TypeAlias = "Piece | tuple[Piece, ...]"


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    content: Content
    kind: str = "paragraph"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Content, ...]
    kind: str = "bullets"


@dataclass(frozen=True)
class Equation:
    """Lines of displayed mathematics, each with one ``&`` at which they are aligned."""

    lines: tuple[str, ...]
    kind: str = "equation"


@dataclass(frozen=True)
class Column:
    """A table column.

    Attributes
    ----------
    width
        Centimetres of a column of text, which is broken into lines; None for a column
        of numbers, as wide as they are.
    """

    title: Content
    width: float | None = None


@dataclass(frozen=True)
class Table:
    """A table with a caption above and remarks below."""

    caption: Content
    columns: tuple[Column, ...]
    rows: tuple[tuple[Content, ...], ...]
    remarks: tuple[Content, ...] = ()
    kind: str = "table"

    @property
    def lines(self) -> str:
        """Lines of text that should be free on a page before it starts there."""
        return str(6 + min(len(self.rows), _TOGETHER))


@dataclass(frozen=True)
class Figure:
    """A figure by the stem of its file names.

    Attributes
    ----------
    alt
        What it shows, for those who do not see it, or empty: letters, digits and
        punctuation that this package wrote and that need no escaping.
    """

    stem: str
    caption: Content
    alt: str = ""
    kind: str = "figure"


@dataclass(frozen=True)
class Theorem:
    """A statement: a name in brackets, and blocks.

    Attributes
    ----------
    proved
        Whether every part of it is proved; otherwise it is called a claim.
    """

    name: Content
    blocks: tuple[Block, ...]
    proved: bool
    kind: str = "theorem"


Block: TypeAlias = "Paragraph | Bullets | Equation | Table | Figure | Theorem"


@dataclass(frozen=True)
class Section:
    """A heading, which is fixed text of this package, and blocks."""

    heading: str
    blocks: tuple[Block, ...]

    @property
    def lines(self) -> str:
        """Lines that heading and first block need."""
        first = self.blocks[0] if self.blocks else None
        return str(8 + (int(first.lines) if isinstance(first, Table) else 6))


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes
    ----------
    summary
        What was found, the verdict first.
    """

    title: str
    summary: tuple[Block, ...]
    sections: tuple[Section, ...] = field(default=())

    @property
    def figures(self) -> tuple[str, ...]:
        """Stems of the figures that it shows."""
        blocks = [block for section in self.sections for block in section.blocks]
        return tuple(block.stem for block in blocks if isinstance(block, Figure))
