"""Statements and the code that rests on them, linked both ways.

Each numbered statement of a theory page gets an anchor and, below it, the functions that cite
it; each mention of a number anywhere on the site becomes a link to the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from citations import Citation, cited_by
from docutils import nodes
from repository_files import DOCS
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from statements import KINDS, section_anchor, sections, statements, theory_pages, with_anchors

_NUMBER = re.compile(rf"(?:\b(?:{'|'.join(KINDS)})s?\s+)?(?<![\d.(])\b\d+\.\d+\b(?![\d.]*\d)")
#: A mention with all its numbers; what follows "of [KZY]" is somebody else's.
_MENTION = re.compile(
    r"\b(?:Theorem|Lemma|Proposition|Corollary|Remark|Theorems|Lemmas|Propositions|Corollaries)\s+"
    r"\d+\.\d+(?:\s\([a-z]\))?(?:(?:,\s+|\s+and\s+|,\s+and\s+|\s+or\s+|\s+to\s+)"
    r"(?:(?:Theorem|Lemma|Proposition|Corollary|Remark)s?\s+)?\d+\.\d+(?:\s\([a-z]\))?)*"
    r"(?!\s+of\s+\[)"
)
_PLACE = re.compile(r"docs/(?P<page>[a-z-]+)\.md(?:,\s+sections?\s+(?P<section>\d+(?:\.\d+)?))?")
_NOT_IN = (
    nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block,
    nodes.strong, addnodes.pending_xref, addnodes.desc_signature, nodes.doctest_block,
)  # fmt: skip


def anchored(app: Sphinx, name: str, source: list[str]) -> None:
    """Targets and places for code on theory pages."""
    del app
    if name in theory_pages():
        source[0] = with_anchors(source[0])


class TheoryCode(SphinxDirective):
    """The functions that cite a statement, as links to their reference."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One line, or nothing where no code cites the statement."""
        shown = list(_shown(cited_by().get(self.arguments[0], ())))
        if not shown:
            return []
        line = nodes.paragraph(classes=["theory-code"])
        line += nodes.strong("", "In the code: ")
        for index, citation in enumerate(shown):
            line += [nodes.Text(", ")] if index else []
            line += self._link(citation)
        return [line]

    def _link(self, citation: Citation) -> nodes.Node:
        name = citation.name if citation.public else citation.module
        role = "mod" if name == citation.module else "obj"
        return addnodes.pending_xref(
            "",
            nodes.literal("", name.removeprefix("boundcalc."), classes=["xref"]),
            refdomain="py",
            reftype=role,
            reftarget=name,
            refdoc=self.env.docname,
            refexplicit=True,
            refwarn=True,
        )


def _shown(found: tuple[Citation, ...]) -> Iterator[Citation]:
    """Functions and classes of the reference, or modules where there are none."""
    # The command line prints sentences that the library's docstrings repeat.
    own = [citation for citation in found if not citation.module.startswith("boundcalc.cli")]
    entries = [citation for citation in own if citation.public and citation.kind != "module"]
    seen = set()
    for citation in entries or own:
        name = citation.name if citation.public else citation.module
        if name not in seen:
            seen.add(name)
            yield citation


class Mentions(SphinxTransform):
    """``Theorem 4.1`` becomes a link, in prose and in docstrings alike."""

    default_priority: ClassVar[int] = 850

    def apply(self, **options: object) -> None:
        """Replace texts of the whole page."""
        del options
        for text in list(self.document.findall(nodes.Text)):
            if not _inside(text, _NOT_IN):
                pieces = list(self._pieces(text.astext()))
                if len(pieces) > 1 or not isinstance(pieces[0], nodes.Text):
                    text.parent.replace(text, pieces)

    def _pieces(self, text: str) -> Iterator[nodes.Node]:
        position = 0
        for start, stop, label, title in sorted(_targets(text)):
            if start > position:
                yield nodes.Text(text[position:start])
            yield self._reference(label, title)
            position = stop
        if position < len(text) or not text:
            yield nodes.Text(text[position:])

    def _reference(self, label: str, title: str) -> nodes.Node:
        return addnodes.pending_xref(
            "",
            nodes.inline("", title),
            refdomain="std",
            reftype="doc" if label.startswith("/") else "ref",
            reftarget=label,
            refdoc=self.env.docname,
            refexplicit=True,
            refwarn=True,
        )


def _inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False


def _targets(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Start, end, label and title of everything in a text that is a statement or a place.

    A label with a slash is a page.
    """
    for mention in _MENTION.finditer(text):
        for found in _NUMBER.finditer(mention[0]):
            number = re.search(r"\d+\.\d+", found[0])
            if number and number[0] in statements():
                start = mention.start() + found.start()
                anchor = statements()[number[0]].anchor
                yield start, mention.start() + found.end(), anchor, found[0]
    for place in _PLACE.finditer(text):
        number, page = place["section"], place["page"]
        if number and sections().get(number) == page:
            yield place.start(), place.end(), section_anchor(number), place[0]
        elif (DOCS / f"{page}.md").exists():
            yield place.start(), place.end("page") + len(".md"), f"/{page}", f"docs/{page}.md"


def setup(app: Sphinx) -> dict[str, bool]:
    """Anchors first, links when a page has been read."""
    app.connect("source-read", anchored, priority=600)
    app.add_directive("theory-code", TheoryCode)
    app.add_transform(Mentions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
