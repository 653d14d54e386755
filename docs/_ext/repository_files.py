"""Where a file of the repository is on the site.

Files above ``docs/`` have no page of their own place; a few become pages (``PAGES``), specs
are shown on one page, and modules on the reference page of their package.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: File → page under docs/.
PAGES = {
    "README.md": "project/readme.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
    "SECURITY.md": "project/security.md",
    "LICENSE": "project/licence.md",
    "CITATION.cff": "project/citation.md",
}
SPECS_PAGE = "reference/specs.md"


class NoPageError(ValueError):
    """A link to a file that the site does not have."""


def on_site(target: str, source: Path, page: Path) -> str:
    """A link's target, written in ``source``, as the site's ``page`` must write it.

    >>> on_site("../README.md#exit-codes", DOCS / "faq.md", DOCS / "faq.md")
    'project/readme.md#exit-codes'
    >>> on_site("docs/theory.md", ROOT / "README.md", DOCS / "project/readme.md")
    '../theory.md'
    >>> on_site("theory.md", DOCS / "faq.md", DOCS / "faq.md")
    'theory.md'
    """
    if re.match(r"[a-z]+:|#", target):
        return target
    name, mark, anchor = target.partition("#")
    path = (source.parent / name).resolve()
    if source == page and path.is_relative_to(DOCS):
        return target
    place = _place(path, target, source)
    if isinstance(place, tuple):
        place, anchor = place
        mark = "#"
    return os.path.relpath(place, page.parent) + mark + anchor


def _place(path: Path, target: str, source: Path) -> Path | tuple[Path, str]:
    if path.is_relative_to(DOCS):
        return path
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    if name in PAGES:
        return DOCS / PAGES[name]
    if name.startswith("specs/") and path.suffix == ".yaml":
        return DOCS / SPECS_PAGE, path.stem
    if name == "specs":
        return DOCS / SPECS_PAGE
    if name == "gallery":
        return DOCS / "gallery" / "index.md"
    raise NoPageError(f"{source}: {target} leads to a file that the site does not have")
