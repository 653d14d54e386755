"""The table of contents: sections of the site and the pages in each.

It is added to the landing page when the site is built, so that the page stays plain on
GitHub.  A page that no section names is a warning, and so an error.
"""

from __future__ import annotations

from repository_files import DOCS
from sphinx.application import Sphinx

#: Section → pages in order; a ``*`` stands for all pages of a folder.
SECTIONS = {
    "Start": [
        "tutorial",
        "project/readme",
        "notebooks/first-bounds",
        "notebooks/which-layer",
        "notebooks/*",
    ],
    "How to": [
        "how-to/index",
        "networks",
        "import",
        "budgets",
        "simulation",
        "sweeps",
        "certificates",
        "adversary",
        "claims",
        "explore",
        "web-report",
        "notebook-display",
        "command-line",
    ],
    "Theories": ["theories", "staleness", "shrinkage", "distributed"],
    "Theory and proofs": [
        "theory",
        "theory-staleness",
        "theory-shrinkage",
        "theory-distributed",
        "errata",
        "section-7",
    ],
    "Gallery": ["gallery/index"],
    "Reference": [
        "reference/index",
        "spec-reference",
        "reference/schema",
        "reference/specs",
        "reference/commands",
        "reference/python",
        "reference/code/index",
    ],
    "Comparison and questions": ["comparison", "faq", "benchmarks"],
    "Development": [
        "extending",
        "project/contributing",
        "project/changelog",
        "project/code-of-conduct",
        "project/security",
        "project/licence",
        "project/citation",
    ],
}
#: Pages below a page of their folder.
BRANCHES = {"how-to/index": ["how-to/*"]}


def pages(names: list[str]) -> list[str]:
    """The pages that exist, ``*`` spelled out.

    >>> pages(["theory", "no-such-folder/*"])
    ['theory']
    """
    found: list[str] = []
    for name in names:
        pattern = f"{name}.[mr][ds]*"
        files = sorted(DOCS.glob(pattern))
        own = [path.relative_to(DOCS).with_suffix("").as_posix() for path in files]
        found += [page for page in own if page not in found]
    return found


def table_of_contents() -> str:
    """All sections as toctrees."""
    return "\n".join(_toctree(caption, pages(names)) for caption, names in SECTIONS.items())


def _toctree(caption: str, names: list[str]) -> str:
    # From the root of the site, so that it is the same on every page.
    entries = "\n".join(f"/{name}" for name in names)
    head = f":caption: {caption}\n" if caption else ""
    return f"```{{toctree}}\n{head}:hidden:\n\n{entries}\n```\n"


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the contents to the landing page, and branches to theirs."""
    if name == app.config.root_doc:
        source[0] += "\n\n" + table_of_contents()
    elif name in BRANCHES:
        inner = [page for page in pages(BRANCHES[name]) if page != name]
        source[0] += "\n\n" + _toctree("", inner)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the contents when the landing page is read."""
    app.connect("source-read", read, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
