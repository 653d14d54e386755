"""Documents of all four theories that take seconds, and pages as trees."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import report_specs
import yaml

import boundcalc as bc
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Document
from boundcalc.report.html_page import html_document
from boundcalc.report.html_spec import spec_text
from boundcalc.resources import example, folder
from boundcalc.theories.base import Options
from boundcalc.theories.registry import theory_of

#: Theory → a shipped spec of it that is shortened; the perturbed one is small already.
THEORIES = {
    "perturbed": "",
    "staleness": "dsp-k3",
    "shrinkage": "fp8-underflow",
    "distributed": "quartic-dcsgd",
}
VOID = {"meta", "link", "img", "br", "hr", "input", "col", "wbr"}


def small_graph(theory: str) -> OperatorGraph:
    if not THEORIES[theory]:
        return bc.build(bc.loads(report_specs.TINY))
    spec = yaml.safe_load(example(THEORIES[theory]).read_text(encoding="utf-8"))
    spec["training"]["horizon"] = 20
    spec["simulation"]["replicas"] = 8
    return bc.build(bc.loads(json.dumps(spec)))


@dataclass(frozen=True)
class Case:
    document: Document
    page: str
    path: Path
    spec: str


def make(theory: str, place: Path) -> Case:
    """The page of a theory's small spec, written into a folder as well."""
    graph = small_graph(theory)
    figures = place / "figures"
    figures.mkdir()
    document, _ = theory_of(graph.spec).compose(graph, figures, Options())
    spec = spec_text(graph.spec)
    page = html_document(document, folder("templates"), figures, spec=spec)
    path = place / "report.html"
    path.write_text(page, encoding="utf-8", newline="\n")
    return Case(document, page, path, spec)


#: Makes a theory's case, or finds it made.
Cases = Callable[[str], Case]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    return cache(lambda theory: make(theory, tmp_path_factory.mktemp(theory)))


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str = "") -> list[Element]:
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if not tag or child.tag == tag:
                    found.append(child)
                found += child.all(tag)
        return found

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)


class Tree(HTMLParser):
    """A page as a tree; an end tag that closes nothing, or the wrong element, is an error."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self.open = [self.root]
        self.feed(page)
        self.close()
        assert self.open == [self.root], [e.tag for e in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, (self.open[-1].tag, tag)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def tree(page: str) -> Element:
    return Tree(page).root


def tags(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every element with the names of its attributes, in order."""
    return [(e.tag, tuple(sorted(e.attributes))) for e in tree(page).all()]


def one(root: Element, tag: str, **attributes: Any) -> Element:
    found = [
        e for e in root.all(tag) if all(e.attributes.get(k) == v for k, v in attributes.items())
    ]
    assert len(found) == 1, (tag, attributes, len(found))
    return found[0]
