"""A built site as things to check: links, anchors, titles, and what a page would ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Reader(HTMLParser):
    """Collects ids, links, sources, the title and the text of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.repeated: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.title = ""
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if name := found.get("id"):
            (self.repeated if name in self.ids else self.ids).add(name)
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag in ("img", "script", "iframe", "source", "video") and "src" in found:
            self.loaded.append(found["src"])
        elif tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload", "manifest"):
            self.loaded.append(found["href"])
        if tag not in ("meta", "link", "img", "br", "hr", "input", "source", "wbr", "col"):
            self._open.append(tag)
            if tag == "dt" and "sig" in found.get("class", "").split():
                self._open.append("code")  # closed with the signature

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title" and "svg" not in self._open:
            self.title += data
        elif not {"pre", "code", "script", "style", "annotation", "title"} & set(self._open):
            self.text.append(data)


@dataclass(frozen=True)
class Built:
    """A page of the site.

    Attributes
    ----------
    path
        Its file.
    """

    path: Path
    reader: _Reader = field(default_factory=_Reader)

    def __post_init__(self) -> None:
        self.reader.feed(self.path.read_text(encoding="utf-8"))

    @cached_property
    def prose(self) -> str:
        """Its text without code, scripts and the TeX of formulas."""
        return " ".join(self.reader.text)


@dataclass(frozen=True)
class Site:
    """All pages of a built site."""

    folder: Path

    @cached_property
    def pages(self) -> dict[Path, Built]:
        """The pages that Sphinx wrote; explorers and reports have tests of their own."""
        found = sorted(self.folder.rglob("*.html"))
        return {path: Built(path) for path in found if "_static" not in path.parts}

    def broken(self) -> Iterator[str]:
        """Links and sources inside the site that lead nowhere."""
        for path, page in self.pages.items():
            for target in [*page.reader.links, *page.reader.loaded]:
                if not self._leads(path, target):
                    yield f"{path.relative_to(self.folder)}: {target}"

    def _leads(self, path: Path, target: str) -> bool:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            return True  # elsewhere: never asked for here
        place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not place.is_file():
            return False
        anchor = unquote(parts.fragment)
        if not anchor or place.suffix != ".html" or place not in self.pages:
            return True
        return anchor in self.pages[place].reader.ids

    def asked_for(self) -> Iterator[str]:
        """What pages would load from the network."""
        for path, page in self.pages.items():
            for target in page.reader.loaded:
                if urlsplit(target).scheme not in ("", "data") or target.startswith("//"):
                    yield f"{path.relative_to(self.folder)}: {target}"
