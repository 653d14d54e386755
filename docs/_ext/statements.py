"""The numbered statements of the theory pages: where they are and what they are called.

>>> statements()["4.1"].name, statements()["4.1"].page, statements()["4.1"].anchor
('Theorem 4.1', 'theory', 'theorem-4-1')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from repository_files import DOCS

KINDS = ("Theorem", "Lemma", "Proposition", "Corollary", "Remark")
_HEAD = re.compile(rf"^\*\*(?P<kind>{'|'.join(KINDS)}) (?P<number>\d+\.\d+)\b", re.M)
_SECTION = re.compile(r"^#{1,4} (?P<number>\d+(?:\.\d+)?) (?P<title>.+)$", re.M)
#: Where a statement ends: at its proof, the next bold paragraph or the next heading.
_END = re.compile(r"^(?:\*Proof|\*\*|#|\*\(The proof)", re.M)


@dataclass(frozen=True)
class Statement:
    """A numbered statement and its place."""

    kind: str
    number: str
    page: str

    @property
    def name(self) -> str:
        """Such as ``Lemma 6.4``."""
        return f"{self.kind} {self.number}"

    @property
    def anchor(self) -> str:
        """Such as ``lemma-6-4``."""
        return f"{self.kind.lower()}-{self.number.replace('.', '-')}"


def theory_pages() -> list[str]:
    """Names of the pages with numbered statements."""
    return sorted(path.stem for path in DOCS.glob("theory*.md"))


def _text(page: str) -> str:
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


@cache
def statements() -> dict[str, Statement]:
    """All statements by number; a number is given once."""
    found: dict[str, Statement] = {}
    for page in theory_pages():
        for head in _HEAD.finditer(_text(page)):
            number = head["number"]
            if number in found:
                raise ValueError(f"two statements have the number {number}")
            found[number] = Statement(head["kind"], number, page)
    return found


@cache
def sections() -> dict[str, str]:
    """The anchor of every numbered section, and its page: number → page."""
    return {
        head["number"]: page for page in theory_pages() for head in _SECTION.finditer(_text(page))
    }


def section_anchor(number: str) -> str:
    """Such as ``section-4-8``."""
    return f"section-{number.replace('.', '-')}"


def with_anchors(text: str) -> str:
    r"""A theory page with a target above each statement and section, and its code below.

    >>> print(with_anchors("**Lemma 6.6 (best).** Let.\n\n$$x$$\n\n*Proof.* Clear."))
    (lemma-6-6)=
    **Lemma 6.6 (best).** Let.
    <BLANKLINE>
    $$x$$
    <BLANKLINE>
    ```{theory-code} 6.6
    ```
    <BLANKLINE>
    *Proof.* Clear.
    """
    pieces, position = [], 0
    for head in _HEAD.finditer(text):
        end = _END.search(text, head.end())
        stop = end.start() if end else len(text)
        kind, number = head["kind"], head["number"]
        anchor = Statement(kind, number, "").anchor
        body = text[head.start() : stop].rstrip()
        pieces += [text[position : head.start()], f"({anchor})=\n{body}\n\n"]
        pieces.append(f"```{{theory-code}} {number}\n```\n\n")
        position = stop
    marked = "".join([*pieces, text[position:]])
    return _SECTION.sub(_with_target, marked)


def _with_target(head: re.Match[str]) -> str:
    targets = [section_anchor(head["number"])]
    if "$" in head["title"]:
        # MyST leaves formulas out of a heading's own anchor; GitHub does not.
        text = re.sub(r"[^\w\- ]", "", f"{head['number']} {head['title']}".lower())
        targets.append(text.replace(" ", "-"))
    return "".join(f"({target})=\n" for target in targets) + head[0]
