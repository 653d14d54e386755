"""The documentation runs: every block, command, link and table of every page."""

from __future__ import annotations

import re
from pathlib import Path

import doc_pages
import pytest
import yaml

from boundcalc.operators import OPERATORS
from boundcalc.perturbations import DISTRIBUTIONS, TRANSFORMS
from boundcalc.spec.schema import json_schema
from boundcalc.theories.perturbed.families import FAMILIES

ROOT = doc_pages.ROOT
TEXTS = doc_pages.written_by_hand()
_LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", doc_pages.PAGES)
def test_page_runs(name: str, tmp_path: Path) -> None:
    page = doc_pages.Page(name, tmp_path)
    page.run()
    assert not page.mismatches, "\n".join(str(found) for _, _, found in page.mismatches)


def test_every_page_with_blocks_is_run_or_says_why_not() -> None:
    runnable = {
        name
        for name in TEXTS
        for block in doc_pages.blocks((ROOT / name).read_text(encoding="utf-8"))
        if block.kind in ("python", "yaml", "console")
    }
    listed = set(doc_pages.PAGES)
    assert runnable - listed == set(doc_pages.NOT_RUN)
    assert listed <= set(TEXTS)


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(text), flags=re.M):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
        found.add(slug.replace(" ", "-"))
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_relative_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    for target in _LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), f"{name}: {target}"
        if anchor:
            assert anchor in anchors(place.read_text(encoding="utf-8")), f"{name}: {target}"


@pytest.mark.parametrize("name", TEXTS)
def test_tables_have_as_many_cells_in_every_row(name: str) -> None:
    width = None
    for line in prose((ROOT / name).read_text(encoding="utf-8")).splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert width in (None, cells), f"{name}: {line}"
        assert line.endswith("|"), f"{name}: {line}"
        width = cells


def test_the_reference_names_every_key_and_every_library_object() -> None:
    reference = (ROOT / "docs/spec-reference.md").read_text(encoding="utf-8")
    schema = json_schema(OPERATORS, {**DISTRIBUTIONS, **TRANSFORMS})
    keys = set(schema["properties"])
    for section in schema["$defs"].values():
        keys |= set(section.get("properties", {}))
        for case in section.get("allOf", []):
            keys |= set(case["then"]["properties"])
    for name in {*keys, *OPERATORS, *DISTRIBUTIONS, *TRANSFORMS, *FAMILIES}:
        assert f"`{name}`" in reference, f"docs/spec-reference.md does not explain `{name}`"


def test_the_citation_file_has_what_the_format_requires() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"title", "message", "authors", "version", "date-released"} <= set(citation)


@pytest.mark.parametrize(
    ("shown", "actual", "equal"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a … c\n", "a b c\n", True),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("", "", True),
    ],
)
def test_output_is_compared_literally_but_for_ellipses(
    shown: str, actual: str, equal: bool
) -> None:
    assert doc_pages.agrees(shown, actual) is equal
