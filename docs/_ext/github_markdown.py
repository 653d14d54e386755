"""Pages that GitHub shows, as MyST reads them: formulas in backquotes, and links upwards.

GitHub knows ``$`…`$`` beside ``$…$``, and a page may link to files above ``docs/``.  Both
are translated when a page is read; the files stay as they are.
"""

from __future__ import annotations

import re
from pathlib import Path

from repository_files import on_site
from sphinx.application import Sphinx

_FENCED = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)[ \t]*$", re.M | re.S)
#: In this order at each place: display mathematics, a formula in backquotes, a formula, code.
_SPAN = re.compile(
    r"\$\$.*?\$\$"
    r"|\$`(?P<quoted>[^`$]+)`\$"
    r"|\$(?:[^$\\\n]|\\.|\n(?!\s*\n))+\$"
    r"|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)",
    re.S,
)
_LINK = re.compile(r"(?P<head>!?\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]\()(?P<target>[^)\s]+)(?P<end>\))")


def outside_fences(text: str, change: object) -> str:
    """The text with a function applied to all that is not in a fenced block."""
    parts, position = [], 0
    for fence in _FENCED.finditer(text):
        parts += [change(text[position : fence.start()]), fence[0]]  # type: ignore[operator]
        position = fence.end()
    return "".join([*parts, change(text[position:])])  # type: ignore[operator]


def plain_dollars(text: str) -> str:
    """Formulas in backquotes without them.

    >>> plain_dollars("waits $`p_k`$ ticks, $a =$ `code` and ($x($`code`$)$)")
    'waits $p_k$ ticks, $a =$ `code` and ($x($`code`$)$)'
    """
    return _SPAN.sub(lambda span: f"${span['quoted']}$" if span["quoted"] else span[0], text)


def site_links(text: str, source: Path, page: Path) -> str:
    """Links of a file, resolved at ``source``, as they must read on the site's ``page``."""

    def changed(link: re.Match[str]) -> str:
        return f"{link['head']}{on_site(link['target'], source, page)}{link['end']}"

    return _LINK.sub(changed, text)


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Translate one page."""
    path = Path(app.env.doc2path(name))
    if path.suffix != ".md":
        return
    source[0] = outside_fences(source[0], lambda text: site_links(plain_dollars(text), path, path))


def setup(app: Sphinx) -> dict[str, bool]:
    """Translate pages as they are read."""
    app.connect("source-read", read, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
