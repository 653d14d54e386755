"""Blocks as a fragment of HTML inside a page of somebody else's: a notebook.

Pieces are escaped by :func:`boundcalc.report.html.html`.  Colours are those of the page, so that
a dark notebook stays dark; the style applies to nothing outside the fragment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from boundcalc.report.cells import (
    Block,
    Bullets,
    Code,
    Column,
    Content,
    Equation,
    Mark,
    Maths,
    Paragraph,
    Strong,
    Table,
    Theorem,
)

_STYLE = """
.boundcalc{overflow-x:auto;max-width:100%}
.boundcalc table{border-collapse:collapse;min-width:24em;margin:.4em 0}
.boundcalc table{color:inherit;background:transparent}
.boundcalc caption{caption-side:top;text-align:left;font-weight:600;padding:.3em 0;color:inherit}
.boundcalc th,.boundcalc td{padding:.2em .7em;text-align:right;vertical-align:top;border:0;
 border-bottom:1px solid rgba(128,128,128,.35);font-variant-numeric:tabular-nums}
.boundcalc thead th{border-bottom:1px solid currentColor;font-weight:600}
.boundcalc .words{text-align:left;white-space:normal;max-width:28em}
.boundcalc tbody th.words{font-weight:400}
.boundcalc .status{font-size:.75em;text-decoration:none;padding-left:.25em;opacity:.75}
.boundcalc .mark{white-space:nowrap;font-weight:600}
.boundcalc .remark{font-size:.9em;opacity:.85;margin:.2em 0}
"""


def fragment(blocks: Sequence[Block]) -> str:
    """The blocks one after the other, in one element with its style.

    >>> print(fragment((Paragraph("a < b"),))[-21:])
    <p>a &lt; b</p></div>
    """
    inner = Markup("").join(_block(block) for block in blocks)
    style = Markup("<style>{}</style>").format(Markup(_STYLE))  # noqa: S704 - written above
    return str(Markup('<div class="boundcalc" tabindex="0">{}{}</div>').format(style, inner))


def _block(block: Block) -> Markup:
    if isinstance(block, Paragraph):
        return _inside("p", block.content)
    if isinstance(block, Bullets):
        items = Markup("").join(_inside("li", item) for item in block.items)
        return Markup("<ul>{}</ul>").format(items)
    if isinstance(block, Equation):
        return Markup("").join(_inside("p", _line(line)) for line in block.lines)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Theorem):
        kind = "Theorem" if block.proved else "Claim"
        head = _inside("p", Strong((f"{kind} (", *_pieces(block.name), ").")))
        return head + Markup("").join(_block(inner) for inner in block.blocks)
    return Markup("")  # a figure has a method of its own


def _line(latex: str) -> Content:
    """One line of displayed mathematics, without the sign at which lines are aligned."""
    return Maths(latex.replace("&", ""))


def _pieces(content: Content) -> tuple[Any, ...]:
    return content if isinstance(content, tuple) else (content,)


def _inside(tag: str, content: Content) -> Markup:
    from boundcalc.report.html import html

    return Markup("<{0}>{1}</{0}>").format(Markup(tag), html(content))  # noqa: S704 - a fixed tag


def _table(table: Table) -> Markup:
    words = [_is_text(column, k, table) for k, column in enumerate(table.columns)]
    head = Markup("").join(
        _cell("th", column.title, text, 'scope="col"')
        for column, text in zip(table.columns, words, strict=True)
    )
    rows = Markup("").join(_row(row, words) for row in table.rows)
    made = Markup("<table>{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        _inside("caption", table.caption), head, rows
    )
    for remark in table.remarks:
        from boundcalc.report.html import html

        made += Markup('<p class="remark">{}</p>').format(html(remark))
    return made


def _is_text(column: Column, position: int, table: Table) -> bool:
    """Whether a column holds words: it is set flush left and may wrap."""
    if position == 0 or column.width is not None:
        return True
    return any(
        isinstance(piece, Mark | Code) for row in table.rows for piece in _pieces(row[position])
    )


def _row(row: tuple[Content, ...], words: Sequence[bool]) -> Markup:
    cells = Markup("").join(
        _cell("th" if k == 0 else "td", content, text, 'scope="row"' if k == 0 else "")
        for k, (content, text) in enumerate(zip(row, words, strict=True))
    )
    return Markup("<tr>{}</tr>").format(cells)


def _cell(tag: str, content: Content, text: bool, scope: str) -> Markup:
    from boundcalc.report.html import html

    more = " ".join(part for part in (scope, 'class="words"' if text else "") if part)
    opened = f"<{tag} {more}>" if more else f"<{tag}>"
    return Markup("{}{}</{}>").format(  # fixed tags and attributes
        Markup(opened),  # noqa: S704 - see above
        html(content),
        Markup(tag),  # noqa: S704 - see above
    )
