"""Numbers of statements in docstrings: they exist, and every statement has its code."""

from __future__ import annotations

import ast
import re
from functools import cache

import doc_pages
import pytest
from site_modules import extension

statements = extension("statements")
citations = extension("citations")

#: Statements that no code cites, and why.
WITHOUT_CODE = {
    "Lemma 10.5": "a step in the proof of Theorem 10.6, which the code evaluates",
    "Proposition 10.7": "compares three statements; tests and the gallery hold it against numbers",
    "Lemma 12.2": "the case without noise and compression of Theorem 12.5; nothing evaluates it",
}
#: Numbers of other publications, by the place that gives them.
ELSEWHERE = {("boundcalc/theories/perturbed/fast.py", "3.1"): "Higham's book, named beside it"}

_ONE = re.compile(rf"\b({'|'.join(statements.KINDS)})\s+(\d+\.\d+)\b(?!\s+of\s+\[)")


@cache
def docstrings() -> list[tuple[str, str]]:
    """Every docstring of the package and its place."""
    found = []
    for path in sorted((doc_pages.ROOT / "boundcalc").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node)
                if text:
                    name = getattr(node, "name", "module")
                    found.append((f"{path.relative_to(doc_pages.ROOT)}: {name}", text))
    return found


def test_every_number_cited_in_the_package_exists() -> None:
    known = statements.statements()
    unknown = [
        f"{citation.place}: {citation.number}"
        for citation in citations.citations()
        if citation.number not in known
        and (citation.place.partition(":")[0], citation.number) not in ELSEWHERE
    ]
    assert unknown == []


def test_cited_statements_are_called_what_they_are() -> None:
    known = statements.statements()
    wrong = [
        f"{place}: {kind} {number} is a {known[number].kind}"
        for place, text in docstrings()
        for kind, number in _ONE.findall(text)
        if number in known and known[number].kind != kind
    ]
    assert wrong == []


def test_cited_statements_are_on_the_page_that_is_named() -> None:
    known = statements.statements()
    wrong = [
        f"{place}: {page}.md, {number}"
        for place, text in docstrings()
        for page, number in re.findall(
            r"docs/(theory[a-z-]*)\.md,\s+[A-Z][a-z]+\s+(\d+\.\d+)", text
        )
        if number in known and known[number].page != page
    ]
    assert wrong == []


def test_cited_sections_exist() -> None:
    known = statements.sections()
    wrong = [
        f"{place}: {page}.md, section {number}"
        for place, text in docstrings()
        for page, number in re.findall(
            r"docs/(theory[a-z-]*)\.md,\s+sections?\s+(\d+(?:\.\d+)?)", text
        )
        if known.get(number) != page
    ]
    assert wrong == []


def test_every_statement_has_code_or_a_reason() -> None:
    cited = set(citations.cited_by())
    without = {
        statement.name
        for number, statement in statements.statements().items()
        if number not in cited
    }
    assert without == set(WITHOUT_CODE)


def test_all_statements_of_the_theory_are_found() -> None:
    found = statements.statements()
    assert len(found) > 60
    assert {s.page for s in found.values()} == set(statements.theory_pages())
    # Written in bold at the start of a line, whatever follows the number.
    for page in statements.theory_pages():
        text = (doc_pages.ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
        heads = re.findall(r"^\*\*[A-Z][a-z]+ (\d+\.\d+)", text, flags=re.M)
        assert set(heads) == {n for n, s in found.items() if s.page == page}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("see Theorem 4.1.", ["4.1"]),
        ("Theorems 4.1, 4.3 and 4.18 (b)", ["4.1", "4.3", "4.18"]),
        ("Lemma 11.1 and Theorems 11.2\nto 11.4", ["11.1", "11.2", "11.3", "11.4"]),
        ("Lemmas 5.2 and 5.3, and section 4.6", ["5.2", "5.3"]),
        ("Corollaries 7.1 and 7.2", ["7.1", "7.2"]),
        ("[KZY, Theorem 1] and version 4.1", []),
        ("theorem 4.1", []),
    ],
)
def test_mentions(text: str, numbers: list[str]) -> None:
    assert citations.numbers(text) == numbers


def test_citations_belong_to_the_innermost_definition(tmp_path, monkeypatch) -> None:
    module = tmp_path / "boundcalc" / "part.py"
    module.parent.mkdir()
    module.write_text(
        '"""About Theorem 4.1."""\n'
        "class Thing:\n"
        '    """Theorem 4.2."""\n'
        "    def step(self):\n"
        '        """Theorem 4.3."""\n'
        "def _hidden():\n"
        '    """Theorem 4.5."""\n'
        "def source():\n"
        '    return "docs/theory.md, Theorem 4.7", "Theorem 4.8 of another page"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(citations, "ROOT", tmp_path)
    found = {c.number: (c.name, c.public) for c in citations._of_file(module)}
    assert found == {
        "4.1": ("boundcalc.part", True),
        "4.2": ("boundcalc.part.Thing", True),
        "4.3": ("boundcalc.part.Thing.step", True),
        "4.5": ("boundcalc.part._hidden", False),
        "4.7": ("boundcalc.part.source", True),
    }
    hidden = next(c for c in citations._of_file(module) if c.number == "4.5")
    assert hidden.module == "boundcalc.part"


def test_a_page_gets_anchors_and_places_for_code() -> None:
    page = (
        "## 4.8 Graphs of $x$\n\n**Theorem 4.7 (a).** Let.\n\n$$y$$\n\nMore.\n\n"
        "*Proof.* Clear. ∎\n\n**Remark.** Not numbered.\n\n**Lemma 4.10.** Last.\n"
    )
    marked = statements.with_anchors(page)
    assert marked.startswith("(section-4-8)=\n(48-graphs-of-x)=\n## 4.8 Graphs of $x$\n")
    assert "(theorem-4-7)=\n**Theorem 4.7 (a).** Let." in marked
    assert "More.\n\n```{theory-code} 4.7\n```\n\n*Proof.*" in marked
    assert marked.endswith("**Lemma 4.10.** Last.\n\n```{theory-code} 4.10\n```\n\n")
    without = re.sub(r"^\([\w-]+\)=\n|```\{theory-code\} [\d.]+\n```\n\n", "", marked, flags=re.M)
    assert without.rstrip() == page.rstrip()
