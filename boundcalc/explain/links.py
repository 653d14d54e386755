"""From the source that a statement names to the place in docs/ that has it."""

from __future__ import annotations

import re

_STATEMENT = re.compile(
    r"docs/(?P<page>theory[a-z-]*)\.md, "
    r"(?P<kind>Theorem|Lemma|Proposition|Corollary|Remark|Corollarie)s? (?P<number>\d+\.\d+)"
)
_SECTION = re.compile(r"docs/(?P<page>[a-z0-9-]+)\.md, section (?P<number>\d+(?:\.\d+)?)")
_PAGE = re.compile(r"docs/[a-z0-9-]+\.md(?:#[a-z0-9-]+)?")

#: Sections by page and number, as their headings are linked.
SECTIONS = {
    ("theory", "1"): "1-setting-and-assumptions",
    ("theory", "2"): "2-the-published-statements",
    ("theory", "3"): "3-errata",
    ("theory", "4"): "4-sharp-coefficients",
    ("theory", "4.5"): "45-a-mean-never-exceeds-the-root-mean-square",
    ("theory", "4.8"): "48-directed-acyclic-graphs",
    ("theory", "6"): "6-convergence",
    ("theory", "7"): "7-orders",
    ("theory-shrinkage", "11.5"): "115-from-a-number-format",
    ("theory-shrinkage", "11.6"): "116-budgets",
    ("theory-distributed", "12.1"): "121-setting-and-modified-equations",
    ("theory-distributed", "12.3"): "123-dcsgd",
    ("theory-distributed", "12.4"): "124-dsignsgd",
    ("theory-staleness", "10.1"): "101-the-pipeline",
    ("theory-staleness", "10.5"): "105-l-and-m-from-the-constants",
}

#: Publications whose statements a page repeats word for word, and where.
REPEATED = {
    "[KZY]": "docs/theory.md#2-the-published-statements",
    "[XHH]": "docs/theory-staleness.md#102-the-published-statements",
    "[YUN]": "docs/theory-shrinkage.md#112-nonconvex-statements",
    "[COM]": "docs/theory-distributed.md#121-setting-and-modified-equations",
}


def link(source: str) -> str | None:
    """The page, and the anchor on it, of the first place that a source names.

    >>> link("docs/theory.md, Theorem 6.1"), link("[KZY], Theorem 5, (38)")
    ('docs/theory.md#theorem-6-1', 'docs/theory.md#2-the-published-statements')
    >>> link("docs/simulation.md"), link("elementary")
    ('docs/simulation.md', None)
    """
    statement = _STATEMENT.search(source)
    if statement:
        kind = statement["kind"].lower().replace("corollarie", "corollary")
        number = statement["number"].replace(".", "-")
        return f"docs/{statement['page']}.md#{kind}-{number}"
    section = _SECTION.search(source)
    if section and (section["page"], section["number"]) in SECTIONS:
        anchor = SECTIONS[section["page"], section["number"]]
        return f"docs/{section['page']}.md#{anchor}"
    page = _PAGE.search(source)
    if page:
        return page[0]
    return next((place for key, place in REPEATED.items() if key in source), None)
