"""The files at the top of the repository as pages, and the shipped specs on one page."""

from __future__ import annotations

from github_markdown import outside_fences, site_links
from repository_files import DOCS, PAGES, ROOT, SPECS_PAGE
from sphinx.application import Sphinx
from writing import write

_PLAIN = {
    "LICENSE": ("Licence", "text", "boundcalc is free software under the MIT licence."),
    "CITATION.cff": (
        "Citation",
        "yaml",
        "`CITATION.cff`, as GitHub, Zenodo and reference managers read it.",
    ),
}


def repository_page(name: str) -> str:
    """A file's text as a page, links and all."""
    text = (ROOT / name).read_text(encoding="utf-8")
    page = DOCS / PAGES[name]
    if name in _PLAIN:
        title, language, says = _PLAIN[name]
        return f"# {title}\n\n{says}\n\n```{language}\n{text.rstrip()}\n```\n"
    if name == "README.md":
        text = text.replace("# boundcalc\n", "# README\n", 1)
    return outside_fences(text, lambda part: site_links(part, ROOT / name, page))


def specs_page() -> str:
    """Every shipped spec in full, under its name."""
    parts = [
        "# Shipped specs\n\nThe examples that come with boundcalc: `boundcalc examples` lists "
        "them, "
        "`boundcalc examples NAME` prints one, and every command takes one as a file.\n"
    ]
    for path in sorted((ROOT / "specs").glob("*.yaml")):
        text = path.read_text(encoding="utf-8").rstrip()
        parts.append(f"## {path.stem}\n\n```yaml\n{text}\n```\n")
    return "\n".join(parts)


def generate(app: Sphinx) -> None:
    """Write the pages."""
    del app
    for name, page in PAGES.items():
        if (ROOT / name).exists():
            write(DOCS / page, repository_page(name))
    write(DOCS / SPECS_PAGE, specs_page())


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before others are read."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
