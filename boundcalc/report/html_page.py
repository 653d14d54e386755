"""One self-contained HTML page: its head, and the policy that forbids every request."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from boundcalc.errors import BoundcalcError
from boundcalc.report.cells import Document, Paragraph
from boundcalc.report.html import escaped
from boundcalc.report.html_blocks import Parts, blocks_environment, outcome, rejoined

MOST_BYTES = 1_500_000  # of a page: it is sent by mail

_TITLE = 120  # characters in a tab
_HEADING = 300  # characters of a heading that is a spec's name

#: What a page shows at most, from the first to the last resort: rows of a table, whether
#: their LaTeX can be copied, and whether there are pictures.
_MEASURES = ((5000, True, True), (1000, True, True), (200, True, True), (50, False, False))

_TOO_LONG = (
    "The rest is too long for one page. The other files of the report have it: report.pdf, "
    "report.md and results.json."
)
_ENDS = re.compile(r"</(?:script|style)|<!--", re.IGNORECASE)
_IN_JSON = {c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def hashed(content: str) -> str:
    """The source expression by which a policy allows an inline script or style, and no other.

    >>> hashed("alert(1)")
    "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    """
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def policy(scripts: Sequence[str] = (), styles: Sequence[str] = (), *, more: str = "") -> str:
    """A Content-Security-Policy under which a page asks for nothing and runs these texts alone.

    Parameters
    ----------
    scripts, styles
        The exact texts between the tags.
    more
        Further directives, as ``worker-src blob:``.

    Examples
    --------
    >>> policy()
    "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
    """
    parts = ["default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    if scripts:
        parts.append("script-src " + " ".join(dict.fromkeys(map(hashed, scripts))))
    if styles:
        parts.append("style-src " + " ".join(dict.fromkeys(map(hashed, styles))))
    return "; ".join([*parts, *([more] if more else [])])


def page_head(
    title: str,
    *,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    description: str = "",
    more: str = "",
) -> Markup:
    """The whole ``<head>``: policy first, then title, styles and scripts inline.

    Parameters
    ----------
    title, description
        Any text; it is escaped and cut.
    styles, scripts
        Texts of this package.  Scripts run before the body is read, so each waits for it.
    more
        Further directives of the policy.

    Raises
    ------
    BoundcalcError
        If a text holds what would end its element.

    Examples
    --------
    >>> head = page_head("a < b", scripts=["let x = 1;"])
    >>> "<title>a &lt; b</title>" in head, "script-src 'sha256-" in head
    (True, True)
    """
    for content in (*styles, *scripts):
        if _ENDS.search(content):
            raise BoundcalcError(
                "a script or style of a page holds a tag that would end it",
                value=str(_ENDS.search(content)),
                expected="text without </script, </style and <!--",
            )
    # Single quotes may stand as they are inside double ones.
    allowed = policy(scripts, styles, more=more).replace("&", "&amp;").replace('"', "&quot;")
    lines = [
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="generator" content="boundcalc">',
        f"<title>{escaped(cut(title, _TITLE))}</title>",
    ]
    if description:
        lines.append(f'<meta name="description" content="{escaped(cut(description, 300))}">')
    # An icon of its own keeps browsers from asking a server for one.
    lines.append('<link rel="icon" href="data:,">')
    lines += [f"<style>{style}</style>" for style in styles]
    lines += [f"<script>{script}</script>" for script in scripts]
    return Markup("\n".join([*lines, "</head>"]))  # noqa: S704 - escaped above


def cut(text: str, longest: int) -> str:
    """The text on one line, cut.

    >>> cut("a  b", 10), cut("x" * 20, 5)
    ('a b', 'xxxx…')
    """
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def embedded(json_text: str) -> Markup:
    r"""JSON as it may stand between script tags: nothing in it can end them.

    >>> print(embedded('{"a": "</script>"}'))
    {"a": "\u003c/script\u003e"}
    """
    return Markup("".join(_IN_JSON.get(c, c) for c in json_text))  # noqa: S704 - escaped


def html_document(
    document: Document, templates: Path, figures: Path | None = None, *, spec: str = ""
) -> str:
    """A report as one page that asks for nothing, of at most :data:`MOST_BYTES`.

    Parameters
    ----------
    figures
        The folder of the figures' PNG files.
    spec
        The spec as text, to show and to copy.

    Notes
    -----
    A page that would be too large shows fewer rows, then no pictures; it says so, and
    ``results.json`` has every number.
    """
    sections = rejoined(document.sections)
    for rows, copied, pictures in _MEASURES:
        parts = Parts(figures=figures if pictures else None, rows=rows, copied=copied)
        page = _page(replace(document, sections=sections), templates, parts, spec)
        if len(page.encode("utf-8")) <= MOST_BYTES:
            return page
    short = replace(document, summary=(*document.summary, Paragraph(_TOO_LONG)), sections=())
    return _page(short, templates, Parts(rows=50, copied=False), "")


def _page(document: Document, templates: Path, parts: Parts, spec: str) -> str:
    def read(name: str) -> str:
        return "\n" + (templates / "web" / name).read_text(encoding="utf-8")

    body = blocks_environment(templates).get_template("report.html.j2")
    title = cut(document.title, _HEADING)
    sections = [(slug(section.heading), section) for section in document.sections]
    text = body.render(
        head=page_head(
            f"{document.title} · boundcalc report",
            styles=(read("page.css"), read("report.css")),
            scripts=(read("page.js"), read("report.js")),
        ),
        title=title,
        document=document,
        sections=sections,
        outcome=outcome(document.sections) or "none",
        parts=parts,
        spec=spec,
        # Called at the end, when all blocks are printed and what can be copied is known.
        copies=lambda: embedded(json.dumps(parts.latex, ensure_ascii=False)),
    )
    return text.strip() + "\n"


def slug(heading: str) -> str:
    """A heading as a name for links.

    >>> slug("In plain words")
    'in-plain-words'
    """
    return "-".join(re.findall(r"[a-z0-9]+", heading.lower()))
