"""Pieces of content as HTML: everything from a spec is escaped here, and here alone.

The third of the functions through which templates print, beside ``latex`` and
``markdown`` of :mod:`boundcalc.report.render`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from markupsafe import Markup

from boundcalc.report.cells import Code, Mark, Maths, Strong, Value
from boundcalc.report.escape import shortened
from boundcalc.report.numbers import LETTERS

#: Outcome → sign.  Beside it stands the word, so that nothing hangs on colour alone.
SIGNS = {"holds": "✓", "violated": "✗", "undetermined": "?"}

_LONGEST = 300  # characters of a whole name in a tooltip
#: Parts of a name between which a line may break: after a sign, or after so many letters.
_BREAKABLE = re.compile(r"[^._\-:+*),]{1,24}[._\-:+*),]*|[._\-:+*),]+")
_TURNED = frozenset(["R", "AL", "AN"])  # directions of letters, from right to left
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_FAMILIES = ("published", "corrected", "sharp")


def html(piece: Any) -> Markup:
    r"""One piece of content as HTML.

    Raises
    ------
    BoundcalcError
        If it is not content: a template prints nothing else.

    Examples
    --------
    >>> from boundcalc.arithmetic import Status
    >>> print(html(("a < b, ", Value("1e-6", Status.SAMPLED))))
    a &lt; b, <span class="value">1e-6<abbr class="status" title="sampled">s</abbr></span>
    >>> print(html(Code("<script>")))
    <code><bdi>&lt;script&gt;</bdi></code>
    """
    if isinstance(piece, Markup):
        return piece
    if isinstance(piece, str):
        return Markup(text(piece))  # noqa: S704 - escaped
    if isinstance(piece, tuple):
        return Markup("").join(html(part) for part in piece)
    if isinstance(piece, Maths):
        from boundcalc.report.html_maths import mathml

        return Markup(mathml(piece.latex))  # noqa: S704 - MathML that was built as a tree
    if isinstance(piece, Code):
        return Markup(_code(piece.text))  # noqa: S704 - escaped
    if isinstance(piece, Strong):
        return Markup(f"<strong>{_strong(piece)}</strong>")  # noqa: S704 - escaped
    if isinstance(piece, Mark):
        return Markup(_mark(piece))  # noqa: S704 - escaped
    if isinstance(piece, Value):
        return Markup(_value(piece))  # noqa: S704 - escaped
    from boundcalc.report.render import foreign

    raise foreign(piece)


def text(anything: str) -> str:
    """Any text as HTML that shows it; what runs from right to left is kept by itself.

    >>> text("a & b"), text("\u05d0\u05d1"), text("a\u202eb")
    ('a &amp; b', '<bdi>אב</bdi>', 'a[U+202E]b')
    """
    shown = escaped(anything)
    turned = not shown.isascii() and any(unicodedata.bidirectional(c) in _TURNED for c in shown)
    return f"<bdi>{shown}</bdi>" if turned else shown


def escaped(anything: str) -> str:
    """Text for an element or for an attribute in double quotes, without invisible characters.

    >>> escaped('"<a>" & b')
    '&quot;&lt;a&gt;&quot; &amp; b'
    """
    if not anything.isprintable():
        anything = "".join(_visible(c) for c in anything)
    return anything.translate(_ENTITIES)


def _visible(character: str) -> str:
    if character.isprintable() or character == "\u00a0":
        return character
    # Signs that no one sees could turn, hide or join what stands around them.
    return " " if character.isspace() else f"[U+{ord(character):04X}]"


def _code(name: str) -> str:
    short = shortened(name)
    whole = f' title="{escaped(name[:_LONGEST])}"' if short != name else ""
    parts = "<wbr>".join(escaped(part) for part in _BREAKABLE.findall(short))
    return f"<code{whole}><bdi>{parts}</bdi></code>"


def _strong(piece: Strong) -> str:
    inner = html(piece.content)
    if piece.content in _FAMILIES:
        return f'<span class="family-{inner}">{inner}</span>'
    return str(inner)


def _mark(mark: Mark) -> str:
    sign = SIGNS[mark.outcome]
    return (
        f'<span class="mark mark-{mark.outcome}"><span aria-hidden="true">{sign}</span> '
        f"{text(mark.word)}</span>"
    )


def _value(value: Value) -> str:
    fraction = f" ({escaped(value.fraction)})" if value.fraction else ""
    letter = ""
    if value.status is not None:
        letter = f'<abbr class="status" title="{value.status}">{LETTERS[value.status]}</abbr>'
    return f'<span class="value">{text(value.text)}{fraction}{letter}</span>'
