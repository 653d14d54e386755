"""Every entry of the gallery: its numbers agree, its spec loads, its links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from boundcalc.api import build, loads
from boundcalc.resources import examples, folder
from gallery import registry
from gallery.base import Check
from gallery.page import KINDS
from gallery.registry import FOLDER, TOPICS, Found, entries
from gallery.tools import built, text_of

FOUND = tuple(entries())
DOCS = FOLDER.parent / "docs"
VERBS = {"adversary", "budget", "certify", "compile", "errata", "rate", "simulate", "verify"}
_THOUSANDTH = Fraction(1, 1000)


def named(found: Found) -> str:
    return f"{found.topic}/{found.slug}"


@cache
def checks_of(found: Found) -> tuple[Check, ...]:
    return tuple(found.module().checks())


@cache
def anchors(page: str) -> frozenset[str]:
    """Slugs of headings as GitHub makes them, explicit targets, and numbered statements."""
    text = (DOCS / page).read_text(encoding="utf-8")
    headings = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    targets = set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))
    kinds = "Theorem|Lemma|Proposition|Corollary"
    numbered = re.findall(rf"^\*\*({kinds}) (\d+)\.(\d+)", text, re.MULTILINE)
    return frozenset(slugs | targets | {f"{k.lower()}-{a}-{b}" for k, a, b in numbered})


@pytest.mark.parametrize("found", FOUND, ids=named)
class TestEntry:
    def test_is_whole(self, found):
        entry = found.module().ENTRY
        assert entry.topic == found.topic
        assert entry.kind in KINDS
        assert entry.title == entry.title.strip().rstrip(".")
        # Titles stand in tabs, link texts and headings, where no formula is rendered.
        assert not set("$\\`") & set(entry.title), entry.title
        assert all((entry.statement, entry.theorem, entry.reference, entry.link))
        assert found.module().__doc__

    def test_checks_hold(self, found):
        checks = checks_of(found)
        assert checks
        wrong = [check for check in checks if not check.holds]
        assert wrong == []

    def test_tolerances_have_reasons(self, found):
        """What is not exact agrees to rounding, or says why not."""
        for check in checks_of(found):
            assert check.rel <= 1e-9 or check.why or check.sampled, check.says

    def test_a_changed_statement_is_noticed(self, found):
        """Twice the tolerance and a thousandth away from what was computed, nothing holds."""
        for check in checks_of(found):
            computed = Fraction(check.computed)
            off = (2 * Fraction(check.rel) + _THOUSANDTH) * (abs(computed) or 1)
            for stated in (computed - off, computed + off):
                allowed = {
                    "equals": False,
                    "at most": stated > computed,
                    "at least": stated < computed,
                }
                moved = replace(check, stated=stated)
                assert moved.holds == allowed[check.relation], check.says

    def test_spec_loads(self, found):
        entry = found.module().ENTRY
        if entry.spec:
            assert "\n" in entry.spec or entry.spec in examples()
            built(entry.spec)
            assert entry.command.split()[0] in VERBS

    def test_figure(self, found):
        from matplotlib.figure import Figure

        from boundcalc.report.plots import style

        module = found.module()
        if hasattr(module, "figure"):
            with style():
                figure = module.figure()
            assert isinstance(figure, Figure)
            assert figure.axes
            figure.clear()

    def test_link_leads_somewhere(self, found):
        page, _, anchor = found.module().ENTRY.link.partition("#")
        assert (DOCS / page).is_file()
        assert not anchor or anchor in anchors(page)

    def test_is_short(self, found):
        lines = found.path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 140
        assert not any("TODO" in line for line in lines)


def test_there_are_fifty_and_every_slug_is_unique():
    slugs = [found.slug for found in FOUND]
    assert len(slugs) >= 50
    assert len(set(slugs)) == len(slugs)
    assert "index" not in slugs


def test_every_file_of_a_folder_is_an_entry():
    folders = {path.parent.name for path in FOLDER.glob("*/*.py")}
    assert folders <= set(TOPICS)
    files = {path for path in FOLDER.glob("*/*.py") if path.stem != "__init__"}
    assert files == {found.path for found in FOUND}


def test_every_kind_occurs():
    assert {found.module().ENTRY.kind for found in FOUND} == set(KINDS)


def test_every_numbered_statement_of_the_main_theory_is_there():
    """Sections 2, 4, 6 and 7 of theory.md; what an entry's ``theorem`` or statement names."""
    text = (DOCS / "theory.md").read_text(encoding="utf-8")
    kinds = "Theorem|Lemma|Proposition|Corollary"
    wanted = re.findall(rf"^\*\*(?:{kinds}) ([4-7]\.\d+)", text, re.MULTILINE)
    said = " ".join(
        f"{found.module().ENTRY.theorem} {found.module().ENTRY.statement}" for found in FOUND
    )
    # Lemma 4.16 is a step of the proof of Theorem 4.17.
    missing = [n for n in wanted if not re.search(rf"(?<!\d){re.escape(n)}(?!\d)", said)]
    assert missing in ([], ["4.16"])


def test_every_erratum_is_there():
    from boundcalc.errata import ERRATA

    said = " ".join(f.module().ENTRY.theorem for f in FOUND if f.topic == "errata")
    assert [e for e in ERRATA if not re.search(rf"erratum {e}\b", said)] == []


def test_an_unknown_topic_is_not_walked(tmp_path, monkeypatch):
    (tmp_path / "theorems").mkdir()
    (tmp_path / "theorems" / "one.py").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "two.py").touch()
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    assert [found.slug for found in registry.entries()] == ["one"]


def test_texts_of_specs():
    assert text_of("\nversion: 1\n").startswith("version: 1\n")
    assert text_of("diamond") == (folder("specs") / "diamond.yaml").read_text(encoding="utf-8")
    assert Path(folder("specs")).is_dir()
    assert build(loads(text_of("bilinear-erratum"))).size == 2
