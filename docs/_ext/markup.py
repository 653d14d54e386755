"""What Sphinx and the theme write so that a keyboard or a screen reader is left behind.

Long signatures are description lists whose entries describe nothing; code and tables that
scroll sideways cannot be reached by keyboard.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_LIST = re.compile(r"\n\n<dl>\n((?:<dd>.*</dd>\n)+)</dl>\n\n")
_ENTRY = re.compile(r"<dd>(.*)</dd>\n")
_SCROLLING = (
    ("<pre>", '<pre tabindex="0">'),
    (
        '<div class="table-wrapper',
        '<div tabindex="0" role="group" aria-label="Table" class="table-wrapper',
    ),
)


def reachable(body: str) -> str:
    r"""A page whose signatures are lines, and whose scrolling parts take the focus.

    >>> reachable("(\n\n<dl>\n<dd><em>a</em>,</dd>\n<dd>b</dd>\n</dl>\n\n)")
    '(<span class="sig-line"><em>a</em>,</span><span class="sig-line">b</span>)'
    >>> reachable("<pre>x</pre>")
    '<pre tabindex="0">x</pre>'
    """
    for found, better in _SCROLLING:
        body = body.replace(found, better)
    return _LIST.sub(lambda found: _ENTRY.sub(r'<span class="sig-line">\1</span>', found[1]), body)


def change(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Change the text of a page before it is written."""
    del app, page, template, doctree
    if body := context.get("body"):
        context["body"] = reachable(body)


def setup(app: Sphinx) -> dict[str, bool]:
    """Change every page."""
    app.connect("html-page-context", change)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
